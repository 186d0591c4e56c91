"""The last net before the terminal: no control character in any line, and glyphs as ASCII where a terminal has no others."""

from __future__ import annotations

import pytest
from rich.segment import Segment
from textual.color import Color
from textual.widgets import Input

from s3tui.tui.filters import AsciiGlyphs, Printable
from tests.tui.driving import application, at_top, text_of, until_seen
from tests.tui.seeded import harbour, running

BLACK = Color(0, 0, 0)


@pytest.mark.parametrize(
    ("text", "painted"),
    [
        ("plain 漢字 é", "plain 漢字 é"),
        ("a\x1b[2Jb", "a[2Jb"),
        ("\x9b2J\x07\n\t", "2J"),
        ("a\u202eb\u200b", "ab"),
        ("x\udcffy", "x?y"),
    ],
)
def test_no_character_that_a_terminal_obeys_is_painted_and_no_line_is_moved(text: str, painted: str) -> None:
    segments = [Segment("before "), Segment(text), Segment(" after")]
    found = Printable().apply(segments, BLACK)
    assert "".join(segment.text for segment in found) == f"before {painted} after"
    assert [segment.cell_length for segment in found] == [segment.cell_length for segment in segments]


def test_every_glyph_of_ours_has_one_ascii_character() -> None:
    drawn = "━╸─│╭╮╰╯┌┐▁▂▃▄▅▆▇█▔▎▊⣿…·•→←↑↓▸▾✓✗×↻◇‖⌫‹›"
    [segment] = AsciiGlyphs().apply([Segment(drawn)], BLACK)
    assert segment.text.isascii()
    assert len(segment.text) == len(drawn)


async def test_a_terminal_without_glyphs_shows_every_screen_in_ascii_but_the_names_of_files() -> None:
    app = application(harbour(), job=running(9, 60).job.id, ascii_glyphs=True)
    async with app.run_test(size=(120, 36)) as pilot:
        await at_top(pilot)
        for keys, seen in ((["i"], "Checksum"), (["question_mark"], "Esc closes"), (["escape", "x"], "Cancel this job?")):
            await pilot.press(*keys)
            await until_seen(pilot, seen)
            assert text_of(app).isascii()


async def test_what_is_pasted_into_a_field_is_shown_without_what_a_terminal_obeys() -> None:
    app = application(harbour(), job=running(9, 60).job.id)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_top(pilot)
        await pilot.press("slash")
        app.screen.query_one(Input).value = "a\x1b[2J\u202eb"
        await until_seen(pilot, "/a")
        assert all(line.isprintable() for line in text_of(app).splitlines())

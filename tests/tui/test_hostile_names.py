"""Names from outside never command the terminal, never are markup, and never move their neighbours."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len

from s3tui.model import FileState, JobState
from s3tui.tui.cells import bar, left, right, tail, wrap
from tests.tui.driving import application, form, text_of, until_seen
from tests.tui.seeded import SeededHouse, SeededJob, make_job, make_rows

NAMES = {
    b"new\nline.txt": "new\\nline.txt",
    b"clear\x1b[2Jscreen": "clear\\x1b[2Jscreen",
    b"[/b]bold[red]x": "[/b]bold[red]x",
    b"[@click=app.quit]x[/]": "[@click=app.quit]x[/]",
    "right\u202eleft".encode(): "right\\u202eleft",
    b"bytes\xff.bin": "bytes\\xff.bin",
    b"bell\x07c1\xc2\x9b2J": "bell\\x07c1\\x9b2J",
    "wide-漢字漢字.txt".encode(): "wide-漢字漢字.txt",
    ("\U0001f30a" * 60).encode(): "\U0001f30a" * 8,
}


async def test_tables_and_details_show_hostile_names_as_text_and_keep_every_line_in_place() -> None:
    rows = [
        replace(row, path=name, key=None, state=FileState.FAILED, reason=os.fsdecode(name), error=os.fsdecode(name), attempts=1)
        for row, name in zip(make_rows(len(NAMES)), NAMES, strict=True)
    ]
    job = SeededJob(make_job(1, JobState.PARTIAL, sources=["/s\x1b[2J[/b]"], target="s3://b/[red]\u202e/"), rows)
    job.settle()
    app = application(SeededHouse(job), job=job.job.id)
    async with app.run_test(size=(120, 36)) as pilot:
        await until_seen(pilot, "new\\nline.txt")
        for shown in NAMES.values():
            assert shown in text_of(app)
        await pilot.press("enter")
        for _ in NAMES:
            await pilot.press("j")
        await pilot.pause()
        lines = text_of(app).splitlines()
    assert all(character.isprintable() for line in lines for character in line)
    assert {cell_len(line) for line in lines} == {120}


async def test_the_tree_of_folders_shows_hostile_names_as_text(tmp_path: Path) -> None:
    names = {name: shown for name, shown in NAMES.items() if b"/" not in name and len(name) < 200}
    for name in names:
        os.close(os.open(os.fsencode(tmp_path) + b"/" + name, os.O_CREAT | os.O_WRONLY))
    app = application(SeededHouse(), prefill=form(root=str(tmp_path), target="s3://b/[/b]"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "bytes\\xff.bin")
        for _ in names:
            await pilot.press("space")
        await until_seen(pilot, f"{len(names)} marked")
        lines = text_of(app).splitlines()
    for shown in names.values():
        assert any(shown in line for line in lines)
    assert {cell_len(line) for line in lines} == {80}


@pytest.mark.parametrize("text", ["", "short", "a" * 50, "漢字" * 20, "\U0001f30a" * 9 + "x"])
@pytest.mark.parametrize("width", [0, 1, 2, 7, 20])
def test_cut_text_has_exactly_the_width_that_was_asked_for(text: str, width: int) -> None:
    assert cell_len(left(text, width)) == width
    assert cell_len(tail(text, width)) == width
    assert all(cell_len(line) <= max(2, width) for line in wrap(text, width))
    assert cell_len("".join(bar(0.37, width))) == width


def test_paths_keep_their_tail_and_numbers_stand_right() -> None:
    assert tail("a/long/path/to/file.txt", 10) == "…/file.txt"
    assert left("a long cause of it", 7) == "a long…"
    assert right("7", 3) == "  7"

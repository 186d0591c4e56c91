"""Themes from files."""

from __future__ import annotations

from pathlib import Path

import pytest

from s3tui.tui.looks import LOOKS, STYLES
from s3tui.tui.themes import DEFAULT, load_themes, theme_directories
from tests.tui.driving import application, at_top, text_of, until_seen
from tests.tui.seeded import harbour, running

BUNDLED = ("harbour", "daylight", "sixteen", "lantern")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The person's own directory of themes."""
    directory = tmp_path / "config" / "s3tui" / "themes"
    directory.mkdir(parents=True)
    return directory


def test_the_bundled_themes_set_every_state() -> None:
    shelf = load_themes()
    assert shelf.problems == []
    assert set(BUNDLED) <= set(shelf.skins)
    for name in BUNDLED:
        assert {f"state-{style}" for style in STYLES} <= set(shelf.skins[name].theme.variables)


def test_sixteen_uses_nothing_but_the_terminals_own_colours() -> None:
    theme = load_themes().skins["sixteen"].theme
    for value in (theme.primary, theme.error, theme.background, *(theme.variables[f"state-{style}"] for style in STYLES)):
        assert str(value).startswith("ansi_")


def test_sixteen_shows_every_state_with_a_glyph_that_any_terminal_has() -> None:
    looks = load_themes().skins["sixteen"].looks
    assert [name for name in LOOKS if not looks.named(name).glyph.isascii()] == []


@pytest.mark.parametrize("name", BUNDLED)
async def test_every_screen_can_be_drawn_in_every_bundled_theme(name: str) -> None:
    app = application(harbour(), theme=name, job=running().job.id)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "924 of 2,310 files")
        await pilot.press("question_mark")
        await until_seen(pilot, "Keys")
        await pilot.press("escape", "q")
        await until_seen(pilot, "Jobs go on")
        await pilot.press("escape", "escape")
        await until_seen(pilot, "From → to")
        await pilot.press("n")
        await until_seen(pilot, "Only names")
    assert app.current_theme.name == name


def test_a_file_of_the_persons_own_wins_over_a_bundled_one(own: Path) -> None:
    (own / "mine.yaml").write_text("name: harbour\nprimary: '#010203'\n")
    assert load_themes().skins["harbour"].theme.primary == "#010203"


@pytest.mark.parametrize(
    ("text", "line", "complaint"),
    [
        ("name: x\nprimary: [", 2, "is not YAML"),
        ("name: x\nprimary: '#12'\n", 2, "is not a colour"),
        ("name: x\nprimary: red\ncolour: blue\n", 3, "unknown key 'colour'"),
        ("name: x\nprimary: red\ns3tui:\n  states: {queued: red, lost: red}\n", 4, "unknown key 'lost'"),
        ("name: x\nprimary: red\ns3tui:\n  quiet: $nothing 20%\n", 4, "is not a colour"),
        ("name: x\nprimary: red\ns3tui:\n  glyphs: {failed: oops}\n", 4, "exactly one character"),
        ("primary: red\n", 1, "needs 'name'"),
        ("- a\n", 1, "is not a mapping"),
    ],
)
def test_a_broken_theme_file_is_named_with_its_line_and_left_out(own: Path, text: str, line: int, complaint: str) -> None:
    (own / "broken.yaml").write_text(text)
    shelf = load_themes()
    assert len(shelf.problems) == 1
    assert f"{own / 'broken.yaml'}, line {line}," in shelf.problems[0]
    assert complaint in shelf.problems[0]
    assert set(BUNDLED) <= set(shelf.skins)


async def test_a_broken_theme_is_told_in_the_application_and_the_default_is_shown(own: Path) -> None:
    (own / "broken.yaml").write_text("name: [\n")
    app = application(harbour(), theme="broken")
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await until_seen(pilot, "The theme file")
        await until_seen(pilot, "There is no theme")
    assert app.theme == DEFAULT


async def test_another_theme_brings_its_own_glyphs_at_once() -> None:
    app = application(harbour(), job=running().job.id)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_top(pilot)
        await until_seen(pilot, "✗ failed")
        app.theme = "sixteen"
        await until_seen(pilot, "! failed")
        assert "✗" not in text_of(app)


def test_there_is_a_directory_of_bundled_themes() -> None:
    assert any((directory / "harbour.yaml").is_file() for directory in theme_directories())

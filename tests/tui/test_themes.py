"""Themes from files."""

from __future__ import annotations

from itertools import combinations
from math import dist
from operator import mul
from pathlib import Path

import pytest
from textual.color import Color
from textual.widgets._toast import Toast

from s3tui.tui.application import S3tuiApp
from s3tui.tui.looks import LOOKS, STYLES
from s3tui.tui.themes import DEFAULT, load_themes, theme_directories
from tests.terminal import Terminal
from tests.tui.driving import application, at_top, text_of, until, until_seen, until_told
from tests.tui.seeded import harbour, running

pytestmark = pytest.mark.thorough(one_in=9)

BUNDLED = ("harbour", "daylight", "sixteen", "lantern", "beacon", "driftwood", "fog", "ink")
ON_PAPER = {
    "harbour": (4.5, 3.5, 2.5),
    "daylight": (4.4, 3.5, 3.0),
    "lantern": (4.5, 4.4, 2.5),
    "beacon": (7.0, 7.0, 4.0),
    "driftwood": (4.5, 4.5, 3.5),
    "fog": (4.5, 4.5, 3.0),
}
"""Of the themes that bring their own background, the least contrast of text, of what waits, and of a state on the cursor's line."""
PROTAN = ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998))
DEUTAN = ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881))
TRITAN = ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900))
"""What eyes without one kind of cones see of linear red, green and blue (Machado, Oliveira and Fernandes, 2009)."""


def linear(colour: str) -> tuple[float, float, float]:
    """Red, green and blue as light, from 0 to 1."""
    red, green, blue = (value / 255 for value in Color.parse(colour).rgb)
    shares = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in (red, green, blue)]
    return shares[0], shares[1], shares[2]


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2, from 1 to 21."""
    dark, bright = sorted(sum(map(mul, (0.2126, 0.7152, 0.0722), linear(colour))) for colour in (one, other))
    return float((bright + 0.05) / (dark + 0.05))


def seen_by(eyes: tuple[tuple[float, ...], ...], colour: str) -> tuple[float, float, float]:
    """Lightness, and red to green and yellow to blue, as these eyes see it: CIE L*a*b*."""
    light = [min(1.0, max(0.0, sum(map(mul, row, linear(colour))))) for row in eyes]
    white = ((0.4339, 0.3762, 0.1899), (0.2126, 0.7152, 0.0722), (0.0178, 0.1095, 0.8727))
    x, y, z = (share ** (1 / 3) if (share := sum(map(mul, row, light))) > 0.008856 else 7.787 * share + 0.1379 for row in white)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


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


@pytest.mark.parametrize("name", ON_PAPER)
def test_everything_can_be_read(name: str) -> None:
    theme = load_themes().skins[name].theme
    paper, variables = str(theme.background), theme.variables
    text, waiting, pointed = ON_PAPER[name]
    assert contrast(str(theme.foreground), paper) >= 7
    assert contrast(variables["row-foreground"], variables["row-background"]) >= 7
    assert contrast(variables["quiet"], paper) >= text
    for style in STYLES:
        colour = variables[f"state-{style}"]
        assert contrast(colour, paper) >= (waiting if style == "queued" else text), style
        assert contrast(colour, variables["row-background"]) >= pointed, style


@pytest.mark.parametrize("name", ["beacon", "lantern"])
@pytest.mark.parametrize("eyes", [PROTAN, DEUTAN, TRITAN], ids=["protan", "deutan", "tritan"])
def test_states_differ_for_eyes_that_lack_one_kind_of_cones(name: str, eyes: tuple[tuple[float, ...], ...]) -> None:
    variables = load_themes().skins[name].theme.variables
    for one, other in combinations(STYLES, 2):
        assert dist(seen_by(eyes, variables[f"state-{one}"]), seen_by(eyes, variables[f"state-{other}"])) >= 18, (one, other)


@pytest.mark.parametrize("name", BUNDLED)
def test_states_of_one_kind_differ_by_glyph_and_word(name: str) -> None:
    looks = load_themes().skins[name].looks
    for kind in (
        ("done", "failed", "skipped", "active", "queued", "waiting"),
        ("completed", "partial", "broken", "cancelled", "running"),
    ):
        shown = [looks.named(state) for state in kind]
        assert len({look.word for look in shown}) == len(kind)
        assert len({look.glyph for look in shown}) >= len(kind) - 1


def test_ink_has_no_colour() -> None:
    theme = load_themes().skins["ink"].theme
    assert {str(theme.variables[f"state-{style}"]) for style in STYLES} == {"ansi_default"}
    assert {theme.primary, theme.error, theme.foreground, theme.background} == {"ansi_default"}


@pytest.mark.parametrize("theme", ["", "harbour", "sixteen"])
def test_no_color_means_no_colour_in_any_theme(tmp_path: Path, theme: str) -> None:
    environment = {"XDG_STATE_HOME": str(tmp_path), "NO_COLOR": "1", "COLORTERM": "truecolor", "S3TUI_UI__THEME": theme}
    with Terminal(["-m", "s3tui"], environment) as terminal:
        terminal.until_seen("No jobs yet")
        terminal.press("?")
        terminal.until_seen("In every list")
        assert terminal.colours() == {"default"}


def test_an_empty_no_color_says_nothing(tmp_path: Path) -> None:
    with Terminal(["-m", "s3tui"], {"XDG_STATE_HOME": str(tmp_path), "NO_COLOR": ""}) as terminal:
        terminal.until_seen("No jobs yet")
        assert len(terminal.colours()) > 3


def shades(app: S3tuiApp) -> set[str]:
    """The background colours on the screen."""
    strips = app.screen._compositor.render_strips()
    return {str(segment.style.bgcolor.name) for strip in strips for segment in strip if segment.style and segment.style.bgcolor}


async def test_a_theme_follows_its_file_while_it_is_shown(own: Path) -> None:
    file = own / "mine.yaml"
    file.write_text("name: mine\nprimary: red\nbackground: '#000000'\n")
    app = application(harbour(), theme="mine", job=running().job.id)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await at_top(pilot)
        assert "#000000" in shades(app)
        file.write_text("name: mine\nprimary: red\nbackground: '#ffffff'\ns3tui:\n  glyphs: {failed: 'F'}\n")
        await until_seen(pilot, "F failed")
        await until(pilot, lambda: "#ffffff" in shades(app) and "#000000" not in shades(app), "the new colour")
        file.write_text("name: mine\nprimary: red\nbackground: '#ffffff'\ns3tui:\n  glyphs: {failed: 'X'}\n")
        await until_seen(pilot, "X failed")


async def test_a_theme_that_breaks_while_it_is_shown_stays_as_it_was_and_is_told_once(own: Path) -> None:
    file = own / "mine.yaml"
    good = "name: mine\nprimary: red\nbackground: '#102030'\n"
    file.write_text(good)
    app = application(harbour(), theme="mine")
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await until_seen(pilot, "running")
        file.write_text(good + "colour: blue\n")
        await until_told(pilot, "unknown key 'colour'")
        assert "#102030" in shades(app)
        (own / "other.yaml").write_text("name: other\nprimary: blue\n")
        await until(pilot, lambda: "other" in app.available_themes, "another theme to be found")
        assert sum("unknown key" in str(toast.render()) for toast in app.screen.query(Toast)) == 1
        file.unlink()
        await until_told(pilot, "is gone; it stays until you choose another")
        assert (app.theme, "#102030" in shades(app)) == ("mine", True)
        file.write_text(good.replace("#102030", "#030201"))
        await until(pilot, lambda: "#030201" in shades(app), "the mended theme")


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
        await until_seen(pilot, "Include")
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
        ("name: x\nprimary: red\ndark: maybe\n", 3, "needs true or false for 'dark'"),
        ("name: x\nprimary: red\nluminosity_spread: much\n", 3, "needs a number from 0 to 1"),
        ("name: x\nprimary: red\ntext_alpha: 7\n", 3, "needs a number from 0 to 1"),
        ("name: x\nprimary: red\nvariables:\n  scrollbar: zzz\n", 4, "'zzz' for 'scrollbar'"),
        ("name: x\nprimary: red\nvariables:\n  text: '} {'\n", 4, "'} {' for 'text'"),
        ("name: x\nprimary: red\nvariables:\n  block-cursor-text-style: purple\n", 4, "'purple' for 'block-cursor-text-style'"),
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

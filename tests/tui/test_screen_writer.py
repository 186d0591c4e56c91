"""The writer of changes: whatever is drawn, a terminal shows the same as if all of it had been written."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len, set_cell_size
from rich.style import Style

from s3tui.tui.screen_writer import Pen, Piece, ScreenWriter

SIZE = COLUMNS, LINES = 30, 6
STYLES = [
    None,
    Style.parse("default on default"),
    Style.parse("red"),
    Style.parse("bold red on #102030"),
    Style.parse("italic underline #ffffff on #102030"),
    Style.parse("reverse #ffffff"),
    Style.parse("not bold blue on black"),
]
WORDS = ["", " ", "   ", "a", "file-0001", "12.3 MiB", "━━━━━━", "▌ ✓", "日本語", "e\u0301te\u0301", "🚢", "|日|"]


def pen_of(style: Style | None) -> Pen:
    """The codes of a style, as Rich renders it."""
    code = style.render("x").partition("m")[0][2:] if style is not None and style.render("x") != "x" else ""
    colours = [f"{kind}8;{found}" for kind, found in re.findall(r"\b([34])8;(2;\d+;\d+;\d+)", code)]
    plain = re.sub(r"\b[34]8;2;\d+;\d+;\d+", "", code).split(";")
    colours += [one for one in plain if len(one) == 2 and one not in ("39", "49")]
    attributes = ";".join(one for one in plain if len(one) == 1)
    return Pen(attributes, *(next((one for one in colours if one[0] == kind), "") for kind in "34"))


class Paper:
    """A terminal, and what a writer sends it."""

    def __init__(self) -> None:
        self.screen, self.stream = terminal()
        self.writer = ScreenWriter(pen_of)

    def draw(
        self, lines: Sequence[tuple[int, int, Sequence[Piece]]], *, by_pen: bool = True, cursor: tuple[int, int] = (0, 0)
    ) -> str:
        text = self.writer.write(lines, size=SIZE, cursor=cursor, by_pen=by_pen)
        self.stream.feed(text)
        return text

    def cells(self) -> list[list[pyte.screens.Char]]:
        return cells(self.screen)


def terminal() -> tuple[pyte.Screen, pyte.Stream]:
    """A terminal as Textual sets it up: lines do not wrap."""
    screen = pyte.Screen(*SIZE)
    stream = pyte.Stream(screen)
    stream.feed("\x1b[?7l")
    return screen, stream


def cells(screen: pyte.Screen) -> list[list[pyte.screens.Char]]:
    """Every cell of a terminal."""
    return [[screen.buffer[y][x] for x in range(COLUMNS)] for y in range(LINES)]


def written_in_full(frames: Sequence[Sequence[tuple[int, int, Sequence[Piece]]]]) -> list[list[pyte.screens.Char]]:
    """What a terminal shows that is sent every character of these frames."""
    screen, stream = terminal()
    for y, x, pieces in (line for frame in frames for line in frame):
        stream.feed(f"\x1b[{y + 1};{x + 1}H")
        for text, style in pieces:
            stream.feed(text if style is None else style.render(text))
    return cells(screen)


@st.composite
def pieces(draw: st.DrawFn, width: int) -> list[Piece]:
    """Pieces that fill a line to its last cell."""
    found: list[Piece] = []
    while width > 0:
        text = set_cell_size(word, width) if cell_len(word := draw(st.sampled_from(WORDS))) > width else word
        found.append((text, draw(st.sampled_from(STYLES))))
        width -= max(cell_len(text), 0)
        if not text:
            found[-1] = (" ", None)
            width -= 1
    return found


@st.composite
def frames(draw: st.DrawFn) -> list[list[tuple[int, int, list[Piece]]]]:
    """Frames of some whole lines each."""
    rows = st.lists(st.integers(0, LINES - 1), unique=True, max_size=LINES)
    return [[(y, 0, draw(pieces(COLUMNS))) for y in sorted(draw(rows))] for _ in range(draw(st.integers(1, 5)))]


@settings(max_examples=300, deadline=None)
@given(frames(), st.booleans())
def test_changes_leave_the_same_cells_as_everything(drawn: list[list[tuple[int, int, list[Piece]]]], by_pen: bool) -> None:
    paper = Paper()
    paper.draw([(y, 0, [(" " * COLUMNS, None)]) for y in range(LINES)])
    for frame in drawn:
        paper.draw(frame, by_pen=by_pen)
    assert paper.cells() == written_in_full(drawn)
    assert paper.draw(drawn[-1]) == ""


def test_only_what_differs_is_written() -> None:
    paper, red = Paper(), STYLES[2]
    paper.draw([(1, 0, [("progress 10 %", red)])])
    assert paper.draw([(1, 0, [("progress 10 %", red)])]) == ""
    assert paper.draw([(1, 0, [("progress 20 %", red)])]) == "\x1b[2;10H\x1b[31m2\x1b[m\x1b[H"
    assert paper.draw([(1, 0, [("progress 20 %", None)])]) == "\x1b[2Hprogress 20 %\x1b[H"


@pytest.mark.parametrize(
    ("new", "sent"),
    [
        ("bbbbbbbbbb", "bbbbbbbbbb"),
        ("baaaabaaaa", "baaaab"),
        ("baaaaabaaa", "b\x1b[5Cb"),
        ("b━━━b", "b━━━b"),
    ],
    ids=["all", "a small gap", "a large gap", "other characters"],
)
def test_small_gaps_are_written_over(new: str, sent: str) -> None:
    paper = Paper()
    paper.draw([(0, 0, [("aaaaaaaaaa", None)])])
    assert paper.draw([(0, 0, [(new, None)])]) == f"\x1b[H{sent}\r"


def test_runs_of_one_look_go_together_if_the_terminal_shows_whole_frames_only() -> None:
    red, blue = STYLES[2], STYLES[6]
    frame = [(y, 0, [("a", red), ("b", blue)]) for y in range(2)]
    whole, part = Paper().draw(frame), Paper().draw(frame, by_pen=False)
    assert re.findall(r"[ab]", whole) == ["a", "a", "b", "b"]
    assert re.findall(r"[ab]", part) == ["a", "b", "a", "b"]
    assert len(whole) < len(part)


def test_a_forgotten_screen_is_written_in_full() -> None:
    paper, line = Paper(), (0, 0, [("abc", None)])
    paper.draw([line])
    paper.writer.forget()
    assert paper.draw([line]) == "\x1b[Habc\r"


def test_the_cursor_is_left_where_it_belongs_and_moves_alone() -> None:
    paper = Paper()
    paper.draw([(0, 0, [("abc", None)])], cursor=(7, 3))
    assert (paper.screen.cursor.x, paper.screen.cursor.y) == (7, 3)
    assert paper.draw([(0, 0, [("abc", None)])], cursor=(7, 3)) == ""
    assert paper.draw([(0, 0, [("abc", None)])], cursor=(8, 3)) == "\x1b[4;9H"


def test_after_a_name_of_doubtful_width_the_rest_of_its_line_is_written_at_its_own_place() -> None:
    paper = Paper()
    paper.draw([(0, 0, [("日本語", None), ("0 %", None)])])
    sent = paper.draw([(0, 0, [("日本誌", None), ("0 %", None)])])
    assert sent == "\x1b[H      \x1b[H日本誌\x1b[1;7H0 %\r"


def test_what_would_steer_the_terminal_is_not_written() -> None:
    assert Paper().draw([(0, 0, [("a\x1b[2J\x9b2Jb\x07", None)])]) == "\x1b[H       \x1b[Ha[2J2Jb\x1b[H"


def test_more_looks_than_fit_are_no_loss() -> None:
    paper = Paper()
    for number in range(5000):
        colour = f"#{number:06x}"
        paper.draw([(0, 0, [(colour, Style.parse(colour)), ("rest", None)])])
    paper.draw([(0, 0, [(colour, Style.parse(colour)), ("rest", None)])])
    assert paper.screen.display[0].startswith(f"{colour}rest")
    assert [paper.screen.buffer[0][x].fg for x in (0, 8)] == [colour[1:], "default"]
    assert len(paper.writer._pens) < 5000

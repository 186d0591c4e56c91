"""What the terminal shows, cell by cell, and the shortest text that turns it into what it should show.

A frame is compared with the cells on the screen and only what differs is written. Nothing here knows Textual. One cell holds one
character, but for text with wide or combining characters: terminals disagree about its width, so it is one piece. Such a piece is
blanked and written as a whole before everything else, the cursor's place is unknown after it, and what follows on its line is
written again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len, get_character_cell_size, set_cell_size
from rich.style import Style

_MOST_PENS = 4096
"""Pens that are told apart; with more the screen is forgotten, which writes it once in full."""
_GAP = 4
"""Bytes of unchanged text that are written again rather than jumped over: a jump takes as many."""
_CONTROLS = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)])


class Pen(NamedTuple):
    """How characters look: parameters of SGR, each empty for the terminal's own."""

    attributes: str = ""
    foreground: str = ""
    background: str = ""


class _Run(NamedTuple):
    """Characters of one pen, side by side. Runs are written in the order of pens and places."""

    pen: int
    y: int
    x: int
    text: str


Piece = tuple[str, Style | None]
"""Text and its style."""
Line = tuple[int, int, Iterable[Piece]]
"""Where pieces are: row and column of the first, and the pieces from left to right."""


class ScreenWriter:
    """The screen as it is known; `write` brings it up to date."""

    def __init__(self, pen_of: Callable[[Style | None], Pen]) -> None:
        """`pen_of` says how the terminal shows a style."""
        self._pen_of = pen_of
        self._size = (0, 0)
        self._characters: list[list[str | None]] = []
        """Per row and cell: its character; all of a piece in the piece's first cell, empty in its others; None: unknown."""
        self._looks: list[list[int]] = []
        self._pens: dict[Pen, int] = {}
        self._known: dict[Style | None, int] = {}
        self._cursor: tuple[int, int] | None = None
        self._frame: list[_Run] = []
        self._pieces: list[tuple[_Run, int]] = []

    def forget(self) -> None:
        """Something else has written to the terminal: nothing is known of it."""
        self._size = (0, 0)

    def write(self, lines: Iterable[Line], *, size: tuple[int, int], cursor: tuple[int, int], by_pen: bool) -> str:
        """The text that shows these lines; empty if they are on the screen already.

        `size` is columns and rows of the terminal: what is outside is cut off. `cursor` is the column and row where the cursor is
        left. With `by_pen` runs are sorted by their looks, which is shorter, and seen by people if the terminal shows half a frame.
        """
        if size != self._size or len(self._pens) > _MOST_PENS:
            self._begin(size)
        for y, x, pieces in lines:
            if 0 <= y < size[1]:
                self._compare(y, x, pieces)
        text = self._sequences(cursor, by_pen=by_pen)
        self._cursor = cursor
        return text

    def _begin(self, size: tuple[int, int]) -> None:
        columns, rows = self._size = size
        self._characters = [[None] * columns for _ in range(rows)]
        self._looks = [[0] * columns for _ in range(rows)]
        self._pens = {Pen(): 0}
        self._known.clear()
        self._cursor = None

    def _pen(self, style: Style | None) -> int:
        pen = self._known.get(style)
        if pen is None:
            if len(self._known) >= _MOST_PENS:
                self._known.clear()
            pen = self._known[style] = self._pens.setdefault(self._pen_of(style), len(self._pens))
        return pen

    # Comparing.

    def _compare(self, y: int, x: int, pieces: Iterable[Piece]) -> None:
        columns = self._size[0]
        for text, style in pieces:
            if x >= columns:
                return
            if x < 0 or not text:
                x += cell_len(text)
            elif _is_plain(text):
                self._compare_cells(y, x, text[: columns - x], self._pen(style))
                x += len(text)
            else:
                x += self._compare_piece(y, x, text.translate(_CONTROLS), self._pen(style))

    def _compare_cells(self, y: int, x: int, text: str, pen: int) -> None:
        """Compare text of one character a cell, and note runs of what is different, over small gaps."""
        end = x + len(text)
        characters, looks = self._characters[y], self._looks[y]
        cells, pens = list(text), [pen] * len(text)
        old, old_pens = characters[x:end], looks[x:end]
        if old == cells and old_pens == pens:
            return
        changed = [at for at, cell in enumerate(cells) if cell != old[at] or pen != old_pens[at]]
        first = last = changed[0]
        for at in changed:
            if at - last > 1 and len(text[last + 1 : at].encode(errors="replace")) > _GAP:
                self._frame.append(_Run(pen, y, x + first, text[first : last + 1]))
                first = at
            last = at
        self._frame.append(_Run(pen, y, x + first, text[first : last + 1]))
        characters[x:end], looks[x:end] = cells, pens

    def _compare_piece(self, y: int, x: int, text: str, pen: int) -> int:
        """Compare text that is one piece; returns its width in cells."""
        columns = self._size[0]
        width = min(cell_len(text), columns - x)
        if not width:
            return 0
        text = set_cell_size(text, width)
        end = x + width
        characters, looks = self._characters[y], self._looks[y]
        cells: list[str | None] = [text, *[""] * (width - 1)]
        if characters[x:end] != cells or looks[x:end] != [pen] * width:
            self._pieces.append((_Run(pen, y, x, text), width))
            characters[x:end], looks[x:end] = cells, [pen] * width
            characters[end:] = [None] * (columns - end)
        return width

    # Writing.

    def _sequences(self, cursor: tuple[int, int], *, by_pen: bool) -> str:
        runs, pieces = self._frame, self._pieces
        if not runs and not pieces:
            return "" if cursor == self._cursor else _jump(*cursor)
        self._frame, self._pieces = [], []
        runs.sort(key=None if by_pen else _place)
        pens = list(self._pens)
        pen = Pen()
        at: tuple[int, int] | None = None
        out: list[str] = []
        for run, width in pieces:
            out += (_jump(run.x, run.y), _switch(pen, pens[run.pen]), " " * width, _jump(run.x, run.y), run.text)
            pen = pens[run.pen]
        for run in runs:
            out += (_move(at, run.x, run.y), _switch(pen, pens[run.pen]), run.text)
            end = run.x + len(run.text)
            pen, at = pens[run.pen], (end, run.y) if end < self._size[0] else None
        out += (_switch(pen, Pen()), _move(at, *cursor))
        return "".join(out)


def _place(run: _Run) -> tuple[int, int]:
    return run.y, run.x


@lru_cache(maxsize=4096)
def _is_plain(text: str) -> bool:
    """Whether each character takes one cell."""
    return text.isprintable() and (text.isascii() or all(get_character_cell_size(character) == 1 for character in text))


def _jump(x: int, y: int) -> str:
    return f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H" if y else "\x1b[H"


def _move(at: tuple[int, int] | None, x: int, y: int) -> str:
    """The shortest sequence from a place to another; None: from anywhere."""
    ways = [_jump(x, y)]
    if at == (x, y):
        return ""
    if at is not None and at[1] == y:
        cells = x - at[0]
        ways.append(f"\x1b[{'' if cells == 1 else cells}C" if cells > 0 else "\b" * -cells)
    if at is not None and 0 <= y - at[1] <= 2:
        ways.append("\r" + "\n" * (y - at[1]) + (f"\x1b[{'' if x == 1 else x}C" if x else ""))
    return min(ways, key=len)


@lru_cache(maxsize=4096)
def _switch(old: Pen, new: Pen) -> str:
    """The shortest sequence that changes the pen."""
    if old == new:
        return ""
    before, after = (pen.attributes.split(";") if pen.attributes else [] for pen in (old, new))
    codes = [code for code in after if code not in before]
    if set(before) - set(after) or new == Pen():
        codes, old = ["0", *after], Pen()
    if new.foreground != old.foreground:
        codes.append(new.foreground or "39")
    if new.background != old.background:
        codes.append(new.background or "49")
    return "\x1b[m" if codes == ["0"] else f"\x1b[{';'.join(codes)}m"

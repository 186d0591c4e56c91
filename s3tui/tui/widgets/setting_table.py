"""Every setting: its value, and where it came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from s3tui.text import display_text
from s3tui.tui.cells import left, tail
from s3tui.tui.widgets.line_table import LineTable, Piece

_LEAD = 2


class SettingLine(NamedTuple):
    """One line of the list, made safe to show."""

    section: str
    """Empty for a file or directory in use."""
    name: str
    value: str
    origin: str
    changed: bool = False
    """Whether it is another one since the UI began."""
    can_change: bool = False

    @property
    def whole(self) -> str:
        """All of it, to be looked through."""
        return f"{self.section}.{self.name} {self.value} {self.origin}"


class SettingTable(LineTable):
    """One line per setting; those of one section stand below each other."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._all: Sequence[SettingLine] = ()
        self._lines: list[SettingLine] = []
        self.containing = ""

    @property
    def pointed(self) -> SettingLine | None:
        """The line under the cursor."""
        return self._lines[self.cursor] if self.cursor < len(self._lines) else None

    def show(self, lines: Sequence[SettingLine]) -> None:
        """Show these."""
        if lines != self._all:
            self._all = lines
            self._filter()

    def filter(self, containing: str) -> None:
        """Show only lines that contain a text, whatever the case of its letters."""
        self.containing = containing
        self._filter()

    def _filter(self) -> None:
        wanted = self.containing.lower()
        self._lines = [line for line in self._all if wanted in line.whole.lower()]
        self.set_count(len(self._lines))
        self.refresh()

    # Drawing.

    def _widths(self, width: int) -> tuple[int, int, int]:
        """Cells of name, value and origin."""
        name = max((len(_full(line)) for line in self._all), default=0)
        name = min(name, max(10, width // 3))
        rest = max(0, width - _LEAD - 2 - name - 2)
        origin = rest * 2 // 5 if width >= 60 else 0
        return name, rest - origin - (1 if origin else 0), origin

    def header(self, width: int) -> Sequence[Piece]:
        """Names of the columns."""
        name, value, origin = self._widths(width)
        words = [left("Setting", name), left("Value", value), *([left("From", origin)] if origin else [])]
        return [(" " * (_LEAD + 2) + " ".join(words), "heading")]

    def empty(self, width: int) -> Sequence[Piece]:
        """A sentence instead of lines."""
        return [(left("  No setting contains that text.", width), "quiet")]

    def line(self, index: int, width: int) -> Sequence[Piece]:
        """One setting. A star and a word mark what was changed, a ring what can be."""
        line, (name, value, origin) = self._lines[index], self._widths(width)
        mark = "* " if line.changed else "› " if line.can_change else "  "
        given = not line.section or line.origin != "default"
        pieces: list[Piece] = [("▌ " if index == self.cursor else "  ", "mark"), (mark, "active")]
        pieces.append((left(_full(line), name) + " ", "strong" if given else ""))
        shown = tail(line.value, value) if not line.section else left(line.value, value)
        pieces.append((shown, "active" if line.changed else "" if given else "quiet"))
        if origin:
            cut = tail if line.origin.startswith("/") else left  # of a path the end tells more
            pieces.append((" " + cut(line.origin, origin), "active" if line.changed else "quiet"))
        return pieces


def _full(line: SettingLine) -> str:
    return display_text(f"{line.section}.{line.name}" if line.section else line.name)

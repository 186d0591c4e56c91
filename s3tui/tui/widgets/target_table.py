"""Buckets, or the prefixes right below one, one a line."""

from __future__ import annotations

from collections.abc import Sequence

from s3tui.text import display_text
from s3tui.tui.cells import left
from s3tui.tui.widgets.line_table import LineTable, Piece

HERE = ""
"""The name of the line for the prefix itself whose list is on show."""


class TargetTable(LineTable):
    """Names as the store has them; a filter narrows what is on show."""

    HEADER = 0

    def __init__(self) -> None:
        super().__init__(id="targets")
        self.nothing = "Listing…"
        self._names: list[str] = []
        self._shown: list[str] = []
        self._above = ""
        self._containing = ""

    def begin(self, above: str, *, here: bool) -> None:
        """Show the list below a prefix, which is empty as yet; `here`: that prefix itself is a line, too."""
        self._above, self._names, self._containing = above, [HERE] if here else [], ""
        self.nothing = "Listing…"
        self._refilter()
        self.move_to(0)

    def add(self, names: Sequence[str]) -> None:
        """More of the list."""
        self._names += names
        self._refilter()

    def filter(self, text: str) -> None:
        """Show only names with this text, in either case."""
        self._containing = text
        self._refilter()
        self.move_to(0)

    def _refilter(self) -> None:
        wanted = self._containing.casefold()
        self._shown = [name for name in self._names if not wanted or wanted in name[len(self._above) :].casefold()]
        self.set_count(len(self._shown))
        self.refresh()

    def go_to(self, name: str) -> None:
        """Put the cursor on a name, if it is on show."""
        if name in self._shown:
            self.move_to(self._shown.index(name))

    @property
    def listed(self) -> int:
        """How many names there are, on show or not."""
        return len(self._names) - self._names[:1].count(HERE)

    @property
    def pointed(self) -> str | None:
        """The whole name that the cursor stands on."""
        return self._shown[self.cursor] if self.cursor < len(self._shown) else None

    def empty(self, width: int) -> Sequence[Piece]:
        """Why there is nothing to see."""
        nothing = "No name here contains that text." if self._containing else self.nothing
        return [(left("  " + nothing, width), "quiet")]

    def line(self, index: int, width: int) -> Sequence[Piece]:
        """One name."""
        name = self._shown[index]
        text = "right here" if name == HERE else display_text(name[len(self._above) :])
        return [
            ("▌ " if index == self.cursor else "  ", "mark"),
            ("▸ " if name != HERE else "  ", "quiet"),
            (left(text, max(4, width - 5)), "quiet" if name == HERE else ""),
        ]

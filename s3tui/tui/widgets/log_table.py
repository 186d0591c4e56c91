"""The last lines of the log: time, level, what was said."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from s3tui.tui.cells import left, wrap
from s3tui.tui.log_tail import LogLine
from s3tui.tui.widgets.detail import Pane
from s3tui.tui.widgets.line_table import LineTable, Piece

KEPT = 5000
"""Lines in memory."""
_LEAD, _LEVEL = 2, 8
STYLES = {"ERROR": "failed", "CRITICAL": "failed", "WARNING": "skipped", "DEBUG": "quiet"}


class LogTable(LineTable):
    """One line per line. It stays at the end until the cursor leaves that."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._all: deque[LogLine] = deque(maxlen=KEPT)
        self._shown: list[LogLine] = []
        self.containing = ""
        self.following = True
        self.nothing = "Opening the log…"

    @property
    def kept(self) -> int:
        """Lines in memory, whether they are shown or not."""
        return len(self._all)

    @property
    def pointed(self) -> LogLine | None:
        """The line under the cursor."""
        return self._shown[self.cursor] if self.cursor < len(self._shown) else None

    def add(self, lines: Iterable[LogLine]) -> None:
        """Take in new lines; the oldest go."""
        self._all.extend(lines)
        self._show()

    def filter(self, text: str) -> None:
        """Show the lines that contain this, in whatever case."""
        self.containing = text
        self._show()

    def follow(self) -> None:
        """Stay at the end from now on."""
        self.following = True
        self.move_to(self.count - 1)

    def _show(self) -> None:
        pointed, at, top = self.pointed, self.cursor, self.first_visible
        wanted = self.containing.casefold()
        self._shown = [line for line in self._all if wanted in line.whole.casefold()]
        self.set_count(len(self._shown))
        if self.following:
            self.move_to(self.count - 1)
        elif pointed is not None:
            found = next((index for index, line in enumerate(self._shown) if line is pointed), 0)
            self.scroll_to(y=max(0, top + found - at), animate=False, force=True, immediate=True)
            self.move_to(found)
        self.refresh()

    def action_move(self, lines: int) -> None:
        """Move the cursor; at the end it stays there."""
        super().action_move(lines)
        self.following = self.cursor >= self.count - 1

    # Drawing.

    def empty(self, width: int) -> Sequence[Piece]:
        """A sentence instead of lines."""
        return [(left("  " + self.nothing, width), "quiet")]

    def header(self, width: int) -> Sequence[Piece]:
        """Names of the columns."""
        return [(left(" " * _LEAD + left("Time", _time_cells(width)) + left("Level", _LEVEL) + "Line", width), "heading")]

    def line(self, index: int, width: int) -> Sequence[Piece]:
        """One line of the log; the level is a word as well as a colour."""
        line, cells = self._shown[index], _time_cells(width)
        time = f"{line.date} {line.time}" if cells > 10 and line.time else line.time
        style = STYLES.get(line.level, "")
        level = line.level if line.time else ""
        return [
            ("▌ " if index == self.cursor else "  ", "mark"),
            (left(time, cells), "quiet"),
            (left(level, _LEVEL) + " ", style),
            (left(line.text, width - _LEAD - cells - _LEVEL - 1), style),
        ]


def _time_cells(width: int) -> int:
    return 20 if width >= 100 else 9 if width >= 60 else 0


class LogDetail(Pane):
    """A line in full."""

    def __init__(self) -> None:
        super().__init__()
        self._line: LogLine | None = None

    def compose(self) -> ComposeResult:
        """The text."""
        yield Static("", markup=False)

    def show(self, line: LogLine | None) -> None:
        """Show a line."""
        if line is not self._line:
            self._line = line
            self.scroll_home(animate=False)
            self.on_resize()

    def on_resize(self) -> None:
        """Break the line to fit."""
        width = (self.size.width or self.app.size.width) - 3
        self.query_one(Static).update(Content("\n".join(wrap(self._line.whole, width))) if self._line else "No line is selected.")

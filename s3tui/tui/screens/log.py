"""The log of this machine's processes, as it grows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget
from textual.widgets import Input, Static

from s3tui.text import display_text, plural
from s3tui.tui.commands import Where, bindings
from s3tui.tui.door import House
from s3tui.tui.figures import tilde
from s3tui.tui.link import link_of
from s3tui.tui.log_tail import LogLine, LogTail
from s3tui.tui.screens.page import Page
from s3tui.tui.widgets.filter_line import FilterLine
from s3tui.tui.widgets.log_table import KEPT, LogDetail, LogTable
from s3tui.tui.widgets.summary import Trouble

_EVERY = 0.5
"""Seconds between two looks at the file."""


class LogPage(Page):
    """The last lines of one file."""

    PLACES: ClassVar[tuple[Where, ...]] = (Where.LOG, Where.LIST)
    SECTION = "Log"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.LOG)]

    def __init__(self, house: House, path: Path) -> None:
        super().__init__(house)
        self._tail = LogTail(path)
        self._where = display_text(tilde(str(path)))
        self.place, self.trouble = Static("", id="place", markup=False), Trouble()
        self.filter = FilterLine("a line")
        self.table, self.detail = LogTable(id="log"), LogDetail()

    def body(self) -> Iterable[Widget]:
        """Where it is, the filter, the lines, one in full."""
        yield self.place
        yield self.trouble
        yield self.filter
        yield self.table
        yield self.detail

    def on_mount(self) -> None:
        """Read, and read again."""
        self.set_focus(self.table)
        self.title_bar.tell(self._where)
        self.set_interval(_EVERY, self._tick)
        self._tick()

    def on_unmount(self) -> None:
        """Let go of the file; a reading that is out finds it closed."""
        if not self.asking("log"):
            self._tail.close()

    def _tick(self) -> None:
        if self.is_current and link_of(self.app).free:
            self.ask("log", self._tail.read, self._show, self._unread)

    def _show(self, lines: list[LogLine]) -> None:
        self.trouble.say("")
        self.table.nothing = "No line contains that text." if self.table.containing else "Nothing was logged yet."
        if lines or not self.table.count:
            self.table.add(lines)
        self._tell()

    def _unread(self, error: Exception) -> None:
        if not isinstance(error, OSError):
            raise error
        self.table.nothing = ""
        self.trouble.say(f"{self._where} cannot be read: {(error.strerror or 'unknown').lower()}.", "Trying again.")

    def _tell(self) -> None:
        kept, shown = self.table.kept, self.table.count
        lines = plural(kept, "line") if kept < KEPT else f"the last {kept:,} lines"
        found = f"{shown:,} of {lines} with /{display_text(self.table.containing)}" if self.table.containing else lines
        self.place.update(f"{found[:1].upper()}{found[1:]}, {'following' if self.table.following else 'held: f follows again'}.")

    # What the widgets say.

    def on_line_table_pointed(self) -> None:
        """The detail follows the cursor."""
        if self.detail.display:
            self.detail.show(self.table.pointed)
        self._tell()

    def on_line_table_chosen(self) -> None:
        """A click holds the list."""
        self.table.following = False
        self._tell()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while it is typed."""
        self.table.nothing = "No line contains that text."
        self.table.filter(event.value)
        self._tell()

    def on_input_submitted(self) -> None:
        """Keep the filter, and go to the list."""
        self.set_focus(self.table)

    # Actions.

    def action_filter(self) -> None:
        """Show the filter, and write in it."""
        self.filter.open()

    def action_follow(self) -> None:
        """Stay at the end."""
        self.table.follow()
        self._tell()

    def action_detail(self) -> None:
        """Show the detail pane, or hide it."""
        self.detail.display = not self.detail.display
        self.detail.show(self.table.pointed)

    def action_scroll_detail(self, direction: int) -> None:
        """Scroll the detail pane; if it is hidden, show it."""
        if self.detail.display:
            self.detail.scroll_by_key(direction)
        else:
            self.action_detail()

    def action_copy(self) -> None:
        """Copy the line, with what a terminal would obey as escapes."""
        line = self.table.pointed
        if line is not None:
            self.copy(display_text(line.whole), "Copied the line.")

    def action_back(self) -> None:
        """Close what is open, else leave."""
        if self.filter.drop():
            self.set_focus(self.table)
        elif self.detail.display:
            self.detail.display = False
        else:
            self.app.pop_screen()

"""Folders and files to mark for upload. Folders are listed in a thread, when they are opened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from s3tui.text import display_text, format_size
from s3tui.tui.asking import Asking
from s3tui.tui.cells import left, right
from s3tui.tui.commands import Where, bindings
from s3tui.tui.folders import Entry, Folders, list_folder
from s3tui.tui.internals import paint_now
from s3tui.tui.widgets.line_table import LineTable, Piece


class SourceTree(LineTable, Asking):
    """A tree of what could be uploaded; `folders` says what is marked."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.TREE)]
    HEADER = 0

    class Changed(Message):
        """Another root, or other marks."""

    def __init__(self, root: str, marked: Iterable[str] = ()) -> None:
        super().__init__(id="tree")
        self.folders = Folders(root, set(marked))
        self._lines: list[Entry] = []
        self._nothing = "Listing…"

    def on_mount(self) -> None:
        """List the root."""
        self._list(self.folders.top)

    def start_at(self, root: str) -> None:
        """Show another folder."""
        self.folders.start_at(root)
        self._nothing = "Listing…"
        self._relist()
        self.move_to(0)
        self._list(self.folders.top)
        self.post_message(self.Changed())

    def begin_with(self, path: str) -> None:
        """Show this folder among its neighbours, marked."""
        self.folders.marked.add(path)
        self.start_at(str(Path(path).parent))

    def _list(self, entry: Entry) -> None:
        def refuse(error: Exception) -> None:
            if not isinstance(error, OSError):
                raise error
            entry.problem = (error.strerror or "cannot be read").lower()
            entry.open = entry is self.folders.top
            self._nothing = f"This folder cannot be listed: {entry.problem}."
            self._relist()

        self.ask(f"list {entry.path}", partial(list_folder, entry.path), partial(self._fill, entry), refuse)

    def _fill(self, entry: Entry, children: list[Entry]) -> None:
        self.folders.fill(entry, children)
        self._nothing = "This folder is empty." if not children else "Only hidden names here."
        first_time = entry is self.folders.top and not self._lines
        self._relist()
        if first_time:
            self._point_at_mark()

    def _point_at_mark(self) -> None:
        marked = (index for index, entry in enumerate(self._lines) if entry.path in self.folders.marked)
        self.move_to(next(marked, 0))

    def _relist(self) -> None:
        pointed = self.pointed
        self._lines = self.folders.lines()
        self.set_count(len(self._lines))
        if pointed is not None:
            self.move_to(next((at for at, entry in enumerate(self._lines) if entry.path == pointed.path), self.cursor))
        self.refresh()

    @property
    def pointed(self) -> Entry | None:
        """What the cursor stands on."""
        return self._lines[self.cursor] if self.cursor < len(self._lines) else None

    # Keys.

    def action_mark(self) -> None:
        """Mark or unmark, and go on to the next line."""
        entry = self.pointed
        if entry is None:
            return
        if not self.folders.toggle(entry.path):
            self.notify("It is part of a marked folder already; unmark that one first.", markup=False)
            return
        self.post_message(self.Changed())
        self.refresh()
        self.action_move(1)

    def action_expand(self) -> None:
        """Open a folder, or close an open one."""
        entry = self.pointed
        if entry is None or not entry.folder:
            return
        entry.open = not entry.open
        if entry.open and entry.children is None:
            self._list(entry)
        self._relist()
        paint_now(self)

    def action_collapse(self) -> None:
        """Close a folder, or go to the folder above."""
        entry = self.pointed
        if entry is None:
            return
        if entry.open:
            entry.open = False
            self._relist()
        else:
            above = str(Path(entry.path).parent)
            self.move_to(next((at for at, other in enumerate(self._lines) if other.path == above), self.cursor))
        paint_now(self)

    def action_parent(self) -> None:
        """Start one folder higher."""
        above = str(Path(self.folders.root).parent)
        if above != self.folders.root:
            self.start_at(above)

    def action_hidden(self) -> None:
        """Show hidden names, or hide them."""
        self.folders.hidden = not self.folders.hidden
        self._relist()

    def on_line_table_chosen(self, event: LineTable.Chosen) -> None:
        """A click on the box marks, one on the name opens."""
        entry = self._lines[event.index]
        start = 2 + 2 * entry.depth
        if start <= event.cell < start + 3:
            self.action_mark()
        else:
            self.action_expand()

    # Drawing.

    def empty(self, width: int) -> Sequence[Piece]:
        """Why there is nothing to see."""
        return [(left("  " + display_text(self._nothing), width), "quiet")]

    def line(self, index: int, width: int) -> Sequence[Piece]:
        """One name."""
        entry = self._lines[index]
        marked, covered = entry.path in self.folders.marked, self.folders.covered(entry.path)
        indent = 2 * min(entry.depth, max(0, (width - 24) // 2))
        box = "[x]" if marked or covered else "[-]" if entry.folder and self.folders.holds_marks(entry.path) else "[ ]"
        arrow = ("▾ " if entry.open else "▸ ") if entry.folder else "  "
        end = (
            "(cannot be listed)"
            if entry.problem
            else "link"
            if entry.link
            else ""
            if entry.size is None
            else format_size(entry.size)
        )
        room = max(4, width - 2 - indent - 4 - 2 - 10)
        name = display_text(entry.name) + ("/" if entry.folder else "")
        return [
            ("▌ " if index == self.cursor else "  ", "mark"),
            (" " * indent, ""),
            (box + " ", "mark" if marked else "done" if box == "[x]" else "rule"),
            (arrow, "quiet"),
            (left(name, room), "strong" if marked else ""),
            (right(end, 9) + " ", "quiet") if len(end) <= 9 else (right("no access", 9) + " ", "failed"),
        ]

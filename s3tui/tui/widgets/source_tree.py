"""Folders and files to mark for upload. Folders are listed in a thread, when they are opened, and summed up in one, when asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from s3tui.text import display_text, format_size, plural
from s3tui.tui.asking import Asking
from s3tui.tui.cells import left, right
from s3tui.tui.commands import Where, bindings
from s3tui.tui.folders import Entry, Folders, Listing, list_folder, siblings
from s3tui.tui.internals import paint_now
from s3tui.tui.measuring import Sums, Total
from s3tui.tui.widgets.line_table import LineTable, Piece

_SUMS_EVERY = 0.25
"""Seconds between two looks at a sum that grows."""
_FILES_FROM = 60
"""Cells from which a line has room for the number of files."""


class SourceTree(LineTable, Asking):
    """A tree of what could be uploaded; `folders` says what is marked."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.TREE)]
    HEADER = 0

    class Changed(Message):
        """Another root, other marks, or more is known of how much that is."""

    class FilterWanted(Message):
        """Somebody wants to write a filter."""

    def __init__(self, root: str, marked: Iterable[str] = ()) -> None:
        super().__init__(id="tree")
        self.folders = Folders(root, set(marked))
        self._lines: list[Entry] = []
        self._nothing = "Listing…"
        self._first = ""
        """The path that the cursor goes to when the root has been listed."""
        self._anchor: Entry | None = None
        """Where a range begins."""
        self._anchor_at = 0
        self._sums = Sums()

    def on_mount(self) -> None:
        """List the root."""
        self._clock = self.set_interval(_SUMS_EVERY, self._show_changes, pause=True)
        self._list(self.folders.top)

    def on_unmount(self) -> None:
        """Sum up no further."""
        self._sums.end()

    def start_at(self, root: str, first: str = "") -> None:
        """Show another folder, the cursor on `first` or on what is marked in it."""
        self.folders.start_at(root)
        self.drop()
        self._nothing, self._first = "Listing…", first
        self._relist()
        self.move_to(0)
        self._list(self.folders.top)
        self.post_message(self.Changed())

    def begin_with(self, path: str) -> None:
        """Show this folder among its neighbours, marked."""
        self.folders.marked.add(path)
        self.start_at(str(Path(path).parent), path)

    def filter(self, text: str) -> None:
        """Show only names with this text; an empty one: all."""
        self.folders.containing, self._anchor = text, None
        self._relist()
        for entry in self.folders.cut():
            self._list(entry)

    def drop(self) -> bool:
        """End a range that was begun, else the filter. Returns whether there was one."""
        if self._anchor is not None:
            self._anchor = None
            self._show_changes()
            return True
        if self.folders.containing:
            self.filter("")
            return True
        return False

    def _list(self, entry: Entry) -> None:
        containing = self.folders.containing

        def refuse(error: Exception) -> None:
            if not isinstance(error, OSError):
                raise error
            entry.problem = (error.strerror or "cannot be read").lower()
            entry.open = entry is self.folders.top
            self._nothing = f"This folder cannot be listed: {entry.problem}."
            self._relist()

        def fill(listing: Listing) -> None:
            self._fill(entry, listing, containing)

        self.ask(f"list {entry.path}", partial(list_folder, entry.path, containing), fill, refuse)

    def _fill(self, entry: Entry, listing: Listing, containing: str) -> None:
        first_time = entry is self.folders.top and entry.children is None
        self.folders.fill(entry, listing, containing)
        self._note(listing.entries)
        self._nothing = "This folder is empty." if not listing.entries else "Only hidden names here."
        self._relist()
        if first_time:
            self._point_at_first()
            self.post_message(self.Changed())
        if entry in self.folders.cut():
            self._list(entry)  # the filter has changed meanwhile

    def _point_at_first(self) -> None:
        wanted = {self._first} if self._first else self.folders.marked
        self.move_to(next((index for index, entry in enumerate(self._lines) if entry.path in wanted), 0))

    def _relist(self) -> None:
        pointed = self.pointed
        self._lines = self.folders.lines()
        self.set_count(len(self._lines))
        if pointed is not None:
            self.move_to(next((at for at, entry in enumerate(self._lines) if entry.path == pointed.path), self.cursor))
        if self._anchor is not None:
            at = next((at for at, entry in enumerate(self._lines) if entry is self._anchor), None)
            self._anchor, self._anchor_at = (None, 0) if at is None else (self._anchor, at)
        self.refresh()

    @property
    def pointed(self) -> Entry | None:
        """What the cursor stands on."""
        return self._lines[self.cursor] if self.cursor < len(self._lines) else None

    @property
    def summary(self) -> str:
        """A sentence about a range that was begun, or the sum of what the cursor stands on and `total` has not; empty: neither."""
        if self._anchor is not None:
            return f"{plural(len(self._range()), 'name')} in the range: v marks, Esc drops it."
        entry = self.pointed
        tally = self._sums.of(entry.path) if entry is not None else None
        if entry is None or tally is None or entry.path in self.folders.marked:
            return ""
        unseen = f", {plural(tally.unseen, 'folder')} not seen" if tally.unseen else ""
        return f"{display_text(entry.name)}: {tally.words} in {plural(tally.files, 'file')}{unseen}"

    @property
    def total(self) -> Total:
        """How much is marked."""
        return self._sums.total(self.folders.marked)

    # Marking.

    def move_to(self, index: int) -> None:
        """See `LineTable`; a range grows with the cursor."""
        super().move_to(index)
        if self._anchor is not None:
            self.refresh()

    def action_mark(self) -> None:
        """Mark or unmark what the cursor stands on, or mark the range, and go on."""
        entry = self.pointed
        if self._anchor is not None:
            self.action_range()
        elif entry is not None and not entry.stands_for_rest:
            if entry.path not in self.folders.marked and self.folders.covered(entry.path):
                self.notify("It is part of a marked folder already; unmark that one first.", markup=False)
                return
            self._change(lambda: self.folders.toggle(entry.path), [entry])
            self.action_move(1)

    def action_range(self) -> None:
        """Begin a range here, or mark the one that was begun."""
        entry = self.pointed
        if self._anchor is None:
            self._anchor, self._anchor_at = entry, self.cursor
        else:
            entries, self._anchor = self._range(), None
            self._change(lambda: self.folders.mark(other.path for other in entries), entries)
        self._show_changes()

    def action_invert(self) -> None:
        """Mark what is not marked of the names on show in this folder, and the other way round."""
        entry = self.pointed
        if entry is None:
            return
        if self.folders.covered(entry.path):
            self.notify("They are part of a marked folder already; unmark that one first.", markup=False)
            return
        entries = siblings(self._lines, entry)
        self._change(lambda: self.folders.invert(entries), entries)

    def _change(self, change: Callable[[], object], entries: Iterable[Entry]) -> None:
        try:
            change()
        except ValueError as error:
            self.notify(str(error), severity="warning", markup=False)
            return
        self._note(entries)
        self._show_changes()

    def _note(self, entries: Iterable[Entry]) -> None:
        """Know the sizes of the files among them that are marked."""
        marked = (entry for entry in entries if entry.path in self.folders.marked and entry.size is not None)
        self._sums.note({entry.path: 0 if entry.link else entry.size or 0 for entry in marked})

    def _show_changes(self) -> None:
        self.refresh()
        self.post_message(self.Changed())

    def _range(self) -> list[Entry]:
        first, last = sorted((self._anchor_at, self.cursor))
        return [entry for entry in self._lines[first : last + 1] if not entry.stands_for_rest]

    # Summing up.

    def action_measure(self) -> None:
        """Sum up what the cursor stands on, or stop that."""
        entry = self.pointed
        if entry is not None and not entry.stands_for_rest:
            self._sums.toggle(entry.path)
            self._measure_next()

    def action_measure_marked(self) -> None:
        """Sum up what is marked and not known yet, or stop that."""
        self._sums.toggle_all(self.folders.sources())
        self._measure_next()

    def _measure_next(self, _: None = None) -> None:
        self._show_changes()
        if self.asking("measure"):
            return
        work = self._sums.next()
        if work is None:
            self._clock.pause()
        else:
            self._clock.resume()
            self.ask("measure", work, self._measure_next)

    # Opening.

    def action_filter(self) -> None:
        """Write a filter."""
        self.post_message(self.FilterWanted())

    def action_expand(self) -> None:
        """Open a folder, or close an open one."""
        entry = self.pointed
        if entry is None or not entry.folder:
            return
        entry.open = not entry.open
        if entry.open and entry.children is None:
            self._list(entry)
        self._relist()
        for other in self.folders.cut():
            self._list(other)
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
            self.start_at(above, self.folders.root)

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
        nothing = self._nothing if not self.folders.containing else "No name here contains that text."
        return [(left("  " + display_text(nothing), width), "quiet")]

    def line(self, index: int, width: int) -> Sequence[Piece]:
        """One name."""
        entry = self._lines[index]
        indent = 2 * min(entry.depth, max(0, (width - 24) // 2))
        lead = [("▌ " if index == self.cursor else "  ", "mark"), (" " * indent, "")]
        if entry.stands_for_rest:
            rest = f"… {plural(entry.rest, 'more name')}, which / finds"
            return [*lead, (left(rest, max(4, width - 2 - indent)), "quiet")]
        marked = entry.path in self.folders.marked
        box = self._box(index, entry)
        arrow = ("▾ " if entry.open else "▸ ") if entry.folder else "  "
        end, style = self._end(entry)
        files = self._files(entry) if width >= _FILES_FROM else ""
        room = max(4, width - 2 - indent - 4 - 2 - 11 - len(files))
        name = display_text(entry.name) + ("/" if entry.folder else "")
        return [
            *lead,
            (box + " ", "mark" if marked or box == "[+]" else "done" if box == "[x]" else "rule"),
            (arrow, "quiet"),
            (left(name, room), "strong" if marked else ""),
            (files, "quiet"),
            (right(end, 10) + " ", style),
        ]

    def _box(self, index: int, entry: Entry) -> str:
        if entry.path in self.folders.marked or self.folders.covered(entry.path):
            return "[x]"
        if self._anchor is not None and min(self._anchor_at, self.cursor) <= index <= max(self._anchor_at, self.cursor):
            return "[+]"
        return "[-]" if entry.folder and self.folders.holds_marks(entry.path) else "[ ]"

    def _end(self, entry: Entry) -> tuple[str, str]:
        tally = self._sums.of(entry.path)
        if entry.problem:
            return "no access", "failed"
        if tally is not None:
            return tally.words, "quiet" if tally.done else "active"
        return ("link" if entry.link else "" if entry.size is None else format_size(entry.size)), "quiet"

    def _files(self, entry: Entry) -> str:
        tally = self._sums.of(entry.path)
        return right(plural(tally.files, "file") if tally is not None else "", 16) + " "

"""The files of one job, as a virtual list: it holds the rows around what is on the screen, and nothing of the others.

The numbers of files are dense, so the list of all files in the order of the scan needs no numbers: line and number are one. Every
other list is an array of numbers, made off the event loop and swapped in whole.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from textual import events
from textual.message import Message
from textual.scrollbar import ScrollTo

from s3tui.model import WHOLE, FileChoice, FileRow, Order
from s3tui.tui.internals import paint_now
from s3tui.tui.widgets.line_table import LineTable

ROWS_AT_ONCE = 500
"""The door answers at most this many rows for a list of numbers."""
MOST_MARKED = 100_000
"""Marks are kept one by one, and memory is not to grow with the job: who wants more sends a group, or all."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The rows that a table wants: a stretch of all files, or these numbers of a view."""

    first: int
    count: int
    numbers: tuple[int, ...] | None


class FileList(LineTable):
    """Which files are in the list, where the cursor is among them, which are marked, and what is known of those in sight."""

    class Moved(Message):
        """Other rows are in sight now; some of them may not be known yet."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._numbers: array[int] | None = None
        self.choice = WHOLE
        """What the list shows, and how it is sorted."""
        self._rows: dict[int, FileRow] = {}
        self.marked: set[int] = set()
        self._anchor: int | None = None
        """The file at which a range of marks begins."""
        self.nothing = "Nothing here yet."
        self.following = False
        """Whether the page goes with what is in flight; whoever moves the cursor or scrolls stops it."""

    # Which files.

    def wanted(self) -> Wanted:
        """The rows in sight and a page each side."""
        page = self.page_lines
        first = max(0, self.first_visible - page)
        count = min(3 * page, ROWS_AT_ONCE, max(0, self.count - first))
        if self._numbers is None:
            return Wanted(first, max(count, page), None)
        return Wanted(first, count, tuple(self._numbers[first : first + count]))

    def show_all(self, count: int) -> None:
        """Show every file; there are this many now."""
        if self._numbers is not None:
            pointed = self.pointed_number
            self._numbers = None
            self._swap(WHOLE, count, pointed)
        self.set_count(count)

    def show_numbers(self, numbers: array[int], choice: FileChoice, rows: Iterable[FileRow] = ()) -> None:
        """Show these files only; the cursor stays on its file if that is among them, or goes to the top of a new order.

        The rows are those that will be in sight, as far as they are known.
        """
        if self._numbers is None or numbers != self._numbers or choice != self.choice:
            self._rows.update((row.no, row) for row in rows)
            pointed = self.pointed_number
            self._numbers = numbers
            self._swap(choice, len(numbers), pointed)

    def _swap(self, choice: FileChoice, count: int, pointed: int | None) -> None:
        old, self.choice = self.choice, choice
        resorted = (old.order, old.backwards) != (choice.order, choice.backwards)
        self.set_count(count)
        index = 0 if resorted else self.cursor if pointed is None else self._index_of(pointed)
        elsewhere = 0 if self.following else self.cursor
        self.move_to(elsewhere if index is None else index)
        self.refresh()
        self.moved()

    def _index_of(self, number: int) -> int | None:
        if self._numbers is None:
            return number
        if self.choice.order is not Order.NUMBER or self.choice.backwards:
            with suppress(ValueError):
                return self._numbers.index(number)
            return None
        index = bisect_left(self._numbers, number)
        return index if index < len(self._numbers) and self._numbers[index] == number else None

    def _nearby(self) -> dict[int, FileRow]:
        page = self.page_lines
        near = range(max(0, self.first_visible - 2 * page), min(self.count, self.first_visible + 3 * page))
        numbers = {self.number_at(index) for index in near}
        return {number: row for number, row in self._rows.items() if number in numbers}

    # Where the cursor is.

    def number_at(self, index: int) -> int:
        """The file on a line."""
        return index if self._numbers is None else self._numbers[index]

    @property
    def pointed_number(self) -> int | None:
        """The file under the cursor; None in an empty list."""
        return self.number_at(self.cursor) if self.cursor < self.count else None

    @property
    def pointed_row(self) -> FileRow | None:
        """The row under the cursor, if it has been read."""
        number = self.pointed_number
        return None if number is None else self._rows.get(number)

    @property
    def missing(self) -> bool:
        """Whether a line in sight has not been read yet."""
        in_sight = range(self.first_visible, min(self.count, self.first_visible + self.page_lines))
        return any(self.number_at(index) not in self._rows for index in in_sight)

    # Who looks for something stays there.

    def action_move(self, lines: int) -> None:
        """The person looks for something: stay there."""
        self.following = False
        super().action_move(lines)

    def on_click(self, _: events.Click) -> None:
        """The same by mouse."""
        self.following = False

    def on_mouse_scroll_down(self) -> None:
        """The same by its wheel."""
        self.following = False

    def on_mouse_scroll_up(self) -> None:
        """The same by its wheel."""
        self.following = False

    def on_scroll_to(self, _: ScrollTo) -> None:
        """The same by the scroll bar."""
        self.following = False

    # Marks.

    def toggle_mark(self) -> None:
        """Mark the file under the cursor, or unmark it, and go on to the next."""
        self.following = False
        number = self.pointed_number
        if number is not None:
            self.marked ^= {number}
            self.move_to(self.cursor + 1)
            paint_now(self)

    def mark_range(self) -> int | None:
        """Begin a range at the cursor, and with the next call end it there: its files are marked.

        Returns how many lines it has; None if it only begins, or if they are more than `MOST_MARKED`.
        """
        self.following = False
        start = None if self._anchor is None else self._index_of(self._anchor)
        if start is None:
            self._anchor = self.pointed_number
            self.repaint((self.cursor,))
            return None
        lines = range(min(start, self.cursor), max(start, self.cursor) + 1)
        self._anchor = None
        self.refresh()
        if len(self.marked) + len(lines) > MOST_MARKED:
            return None
        self.marked.update(map(self.number_at, lines))
        return len(lines)

    @property
    def in_range(self) -> bool:
        """Whether a range of marks has begun."""
        return self._anchor is not None

    def invert_marks(self) -> bool:
        """Mark what is not marked in this list, and the other way round; False if that are more than `MOST_MARKED`."""
        self.following = False
        if self.count > MOST_MARKED:
            return False
        self.marked ^= set(map(self.number_at, range(self.count)))
        self.refresh()
        return True

    def unmark_all(self) -> None:
        """Forget all marks."""
        self._anchor = None
        self.marked.clear()
        self.refresh()

    def mark_of(self, number: int) -> str:
        """What stands before a file: whether it is marked, or a range begins there."""
        return "┌" if number == self._anchor else "•" if number in self.marked else " "

    def moved(self) -> None:
        """Ask for the rows in sight if some are missing."""
        if self.missing:
            self.post_message(self.Moved())

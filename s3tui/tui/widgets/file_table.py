"""The files of one job, as a virtual list: it holds the rows around what is on the screen, and nothing of the others.

The numbers of files are dense, so the view of all files needs no list: line and number are one. Every other view is an ascending
array of numbers, made off the event loop and swapped in whole.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from textual import events
from textual.message import Message
from textual.scrollbar import ScrollTo

from s3tui.model import ActiveTransfer, FileRow, FileState, Proof, VideoSample
from s3tui.text import display_text, format_size
from s3tui.tui.cells import bar, left, right, tail
from s3tui.tui.columns import LEAD, RETRY, Columns, csv_columns, error_columns, plan_columns, transfer_columns, video_columns
from s3tui.tui.csv_files import CsvCounts
from s3tui.tui.internals import paint_now
from s3tui.tui.looks import PROOFS, Look, looks_of
from s3tui.tui.videos import pace_words
from s3tui.tui.widgets.line_table import LineTable, Piece

_PROOF = 16
"""Cells that the words for a proof need."""
ROWS_AT_ONCE = 500
"""The door answers at most this many rows for a list of numbers."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The rows that a table wants: a stretch of all files, or these numbers of a view."""

    first: int
    count: int
    numbers: tuple[int, ...] | None


class FileTable(LineTable):
    """Files of a job, or of a plan."""

    class Moved(Message):
        """Other rows are in sight now; some of them may not be known yet."""

    class RetryAsked(Message):
        """The Retry button of a failed line was clicked."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self, *, plan: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self._plan = plan
        self._numbers: array[int] | None = None
        self._rows: dict[int, FileRow] = {}
        self._active: dict[int, ActiveTransfer] = {}
        self._videos: dict[int, VideoSample] = {}
        self._counts: Mapping[int, CsvCounts] = {}
        self.of_videos = False
        """Whether the files become videos."""
        self.of_csv = False
        """Whether the files are ingested."""
        self.of_failures = False
        """Whether all have failed for one reason: each tells its error then."""
        self._passing: frozenset[FileState] = frozenset()
        self.marked: set[int] = set()
        self.nothing = "Nothing here yet."
        self.following = False
        """Whether the page goes with what is in flight; whoever moves the cursor or scrolls stops it."""

    # What the screen puts in.

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
            self._swap(count, pointed)
        self.set_count(count)

    def show_numbers(self, numbers: array[int]) -> None:
        """Show these files only; the cursor stays on its file if that is among them."""
        if self._numbers is None or numbers != self._numbers:
            pointed = self.pointed_number
            self._numbers = numbers
            self._swap(len(numbers), pointed)

    def _swap(self, count: int, pointed: int | None) -> None:
        self.set_count(count)
        index = self.cursor if pointed is None else self._index_of(pointed)
        elsewhere = 0 if self.following else self.cursor
        self.move_to(elsewhere if index is None else index)
        self.refresh()
        self.moved()

    def _index_of(self, number: int) -> int | None:
        if self._numbers is None:
            return number
        index = bisect_left(self._numbers, number)
        return index if index < len(self._numbers) and self._numbers[index] == number else None

    def show(
        self,
        rows: Iterable[FileRow],
        active: Iterable[ActiveTransfer],
        passing: frozenset[FileState],
        videos: Iterable[VideoSample] = (),
        counts: Mapping[int, CsvCounts] | None = None,
    ) -> None:
        """Take rows and samples in; paint the lines that changed, forget rows far from sight.

        Files in a state that is `passing` have not come to their end.
        """
        fresh = {row.no: row for row in rows}
        samples = {sample.no: sample for sample in active}
        told = {video.no: video for video in videos}
        counts = counts or {}
        in_sight = range(self.first_visible, min(self.count, self.first_visible + self.page_lines))
        changed = [
            index
            for index in in_sight
            if (number := self.number_at(index)) in fresh
            and (fresh[number], samples.get(number), told.get(number), counts.get(number))
            != (self._rows.get(number), self._active.get(number), self._videos.get(number), self._counts.get(number))
        ]
        if passing != self._passing:
            changed = list(in_sight)
        self._rows = {**self._nearby(), **fresh}
        self._active, self._videos, self._counts, self._passing = samples, told, counts, passing
        self.repaint(changed)
        if self.cursor in changed:
            self.post_message(self.Pointed(self))

    def _nearby(self) -> dict[int, FileRow]:
        page = self.page_lines
        near = range(max(0, self.first_visible - 2 * page), min(self.count, self.first_visible + 3 * page))
        numbers = {self.number_at(index) for index in near}
        return {number: row for number, row in self._rows.items() if number in numbers}

    # What the screen asks.

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

    def sample_of(self, number: int) -> ActiveTransfer | None:
        """The file's progress, if it is in flight."""
        return self._active.get(number)

    def video_of(self, number: int) -> VideoSample | None:
        """How far the file's video is, if it is being made."""
        return self._videos.get(number)

    def look_of(self, row: FileRow) -> Look:
        """How a row's state looks; of a video at work, its phase."""
        looks = looks_of(self.app)
        if self._plan:
            return looks.of_plan(row)
        look = looks.of_file(row, in_flight=row.no in self._active, passing=self._passing)
        if self.of_csv and look.name == "active":
            return replace(look, word="ingesting")
        video = self._videos.get(row.no) if row.state is FileState.PLANNED else None
        return look if video is None else replace(look, word=str(video.phase))

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

    def toggle_mark(self) -> None:
        """Mark the file under the cursor, or unmark it, and go on to the next."""
        self.following = False
        number = self.pointed_number
        if number is not None:
            self.marked ^= {number}
            self.move_to(self.cursor + 1)
            paint_now(self)

    def unmark_all(self) -> None:
        """Forget all marks."""
        self.marked.clear()
        self.refresh()

    def moved(self) -> None:
        """Ask for the rows in sight if some are missing."""
        if self.missing:
            self.post_message(self.Moved())

    def on_line_table_chosen(self, event: LineTable.Chosen) -> None:
        """A click on a failed line's button retries it."""
        row = self.pointed_row
        columns = self._columns(self.size.width)
        start = columns.retry_from
        if row is not None and self._is_retryable(row) and start <= event.cell < start + len(RETRY):
            self.post_message(self.RetryAsked(row.no))

    # Drawing.

    def _columns(self, width: int) -> Columns:
        if self._plan:
            return plan_columns(width)
        if self.of_failures:
            return error_columns(width)
        if self.of_csv:
            return csv_columns(width)
        return video_columns(width) if self.of_videos else transfer_columns(width)

    def _is_retryable(self, row: FileRow) -> bool:
        return not self._plan and row.state is FileState.FAILED

    def empty(self, width: int) -> Sequence[Piece]:
        """A sentence instead of lines."""
        return [(left("  " + self.nothing, width), "quiet")]

    def header(self, width: int) -> Sequence[Piece]:
        """Names of the columns."""
        columns = self._columns(width)
        names = [" " * LEAD + left("State", columns.state) + left("Path", columns.path)]
        if columns.bar:
            names.append(left("Progress", columns.bar))
        if columns.percent:
            names.append(" " * columns.percent)
        if columns.note:
            names.append(left("Why", columns.note))
        if columns.size:
            names.append(right("Size", columns.size))
        if columns.rate and not self.of_failures:
            names.append(right("Speed" if self.of_videos else "Rows" if self.of_csv else "Rate", columns.rate))
        if self.of_failures:
            names.append(" " * columns.rate)
        if columns.rejected:
            names.append(right("Rejected", columns.rejected))
        if columns.tries:
            names.append(right("Tries" if columns.tries > 4 else "#", columns.tries))
        return [(" ".join(names), "heading")]

    def line(self, index: int, width: int) -> Sequence[Piece]:
        """One file."""
        number = self.number_at(index)
        row = self._rows.get(number)
        lead = ("▌" if index == self.cursor else " ", "mark"), ("•" if number in self.marked else " ", "mark")
        if row is None:
            return [*lead, (left(f"…          file {number + 1:,}", width - LEAD), "rule")]
        look = self.look_of(row)
        columns = self._columns(width)
        name = "failed" if look.style == "failed" else "" if look.style in ("active", "done") else look.style
        pieces: list[Piece] = [*lead, (left(f"{look.glyph} {look.word}", columns.state), look.style)]
        pieces.append((tail(display_text(row.path), columns.path), name))
        pieces.append((" ", ""))
        if self._plan:
            pieces += self._plan_cells(row, columns)
        elif row.state is FileState.FAILED:
            pieces += self._failed_cells(row, columns)
        else:
            pieces += self._transfer_cells(row, columns)
        return pieces

    def _transfer_cells(self, row: FileRow, columns: Columns) -> list[Piece]:
        sample = self._active.get(row.no) if row.state is FileState.PLANNED else None
        pieces: list[Piece] = []
        share = (sample.sent / sample.size if sample.size else 1.0) if sample else 0.0
        if columns.bar and sample:
            full, rest = bar(share, columns.bar, ascii_only=looks_of(self.app).ascii_bars)
            pieces += [(full, "active"), (rest + " ", "rule")]
        elif columns.bar:
            proof = PROOFS[Proof(row.proof)][0] if row.proof and columns.bar >= _PROOF else ""
            pieces.append((left(proof, columns.bar) + " ", "quiet"))
        if columns.percent:
            pieces.append((right(f"{share:.0%}" if sample else "", columns.percent) + " ", "active"))
        pieces.append((right(format_size(row.size), columns.size), "" if sample else "quiet"))
        if self.of_csv:
            pieces += self._count_cells(row, columns)
        elif columns.rate:
            pieces.append((" " + right(self._pace(sample, columns.rate) if sample else "", columns.rate), "active"))
        if columns.tries:
            tries = max(row.attempts, sample.attempt if sample else 0)
            pieces.append((" " + right(str(tries) if tries > 1 else "", columns.tries), "skipped"))
        return pieces

    def _count_cells(self, row: FileRow, columns: Columns) -> list[Piece]:
        counts = self._counts.get(row.no)
        pieces: list[Piece] = []
        if columns.rate:
            pieces.append((" " + right(f"{counts.inserted:,}" if counts else "", columns.rate), ""))
        if columns.rejected:
            rejected = f"{counts.rejected:,}" if counts and counts.rejected else ""
            pieces.append((" " + right(rejected, columns.rejected), "skipped"))
        return pieces

    def _pace(self, sample: ActiveTransfer, width: int) -> str:
        video = self._videos.get(sample.no)
        if video is None:
            return format_size(sample.rate) + "/s"
        words = pace_words(video)
        while len(text := "  ".join(words)) > width:
            words.pop()
        return text

    def _failed_cells(self, row: FileRow, columns: Columns) -> list[Piece]:
        if self.of_failures:
            return self._error_cells(row, columns)
        cause = display_text((row.reason or "failed").replace("_", " "))
        room = columns.right - len(RETRY) - (columns.tries + 1 if columns.tries else 0)
        pieces: list[Piece] = [(left(cause, room - 1) + " " if room > 1 else " " * room, "failed"), (RETRY, "button")]
        if columns.tries:
            pieces.append((" " + right(str(row.attempts), columns.tries), "failed"))
        return pieces

    def _error_cells(self, row: FileRow, columns: Columns) -> list[Piece]:
        pieces: list[Piece] = []
        if columns.note:
            pieces.append((left(display_text(row.error or ""), columns.note) + " ", "failed"))
        if columns.size:
            pieces.append((right(format_size(row.size), columns.size) + " ", "quiet"))
        pieces.append((RETRY, "button"))
        if columns.tries:
            pieces.append((" " + right(str(row.attempts), columns.tries), "failed"))
        return pieces

    def _plan_cells(self, row: FileRow, columns: Columns) -> list[Piece]:
        pieces: list[Piece] = []
        if columns.note:
            note = display_text((row.reason or "").replace("_", " "))
            pieces.append((left(note, columns.note) + " ", "failed" if row.state is FileState.FAILED else "quiet"))
        pieces.append((right(format_size(row.size), columns.size), "quiet"))
        return pieces

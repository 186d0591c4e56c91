"""How the files of one job, or of a plan, are drawn: one line each, with what is in flight."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from textual import events
from textual.geometry import Region
from textual.message import Message

from s3tui.model import ActiveTransfer, FileRow, FileState, Order, Proof, VideoSample
from s3tui.text import display_text, format_size
from s3tui.tui.cells import bar, left, right, tail
from s3tui.tui.columns import LEAD, RETRY, Columns, csv_columns, error_columns, plan_columns, transfer_columns, video_columns
from s3tui.tui.csv_files import CsvCounts
from s3tui.tui.looks import PROOFS, Look, looks_of
from s3tui.tui.sorting import arrow
from s3tui.tui.videos import pace_words
from s3tui.tui.widgets.file_list import FileList
from s3tui.tui.widgets.line_table import LineTable, Piece

_PROOF = 16
"""Cells that the words for a proof need."""


class FileTable(FileList):
    """Files of a job, or of a plan."""

    class OrderAsked(Message):
        """The heading of a column was clicked."""

        def __init__(self, order: Order) -> None:
            super().__init__()
            self.order = order

    class RetryAsked(Message):
        """The Retry button of a failed line was clicked."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self, *, plan: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self._plan = plan
        self._active: dict[int, ActiveTransfer] = {}
        self._videos: dict[int, VideoSample] = {}
        self._counts: Mapping[int, CsvCounts] = {}
        self.of_videos = False
        """Whether the files become videos."""
        self.of_csv = False
        """Whether the files are ingested."""
        self.of_failures = False
        """Whether all have failed for one reason: each tells its error then."""
        self._awaited: Order | None = None
        """What the database is sorting by; the heading of that column says so."""
        self._passing: frozenset[FileState] = frozenset()

    # What the screen puts in.

    def await_order(self, order: Order | None) -> None:
        """The files are being sorted by another column; None: they are sorted."""
        if order is not self._awaited:
            self._awaited = order
            self.refresh(Region(0, 0, self.size.width, self.HEADER))

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

    # What the screen asks.

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
        return [("".join(text for text, _ in self._headings(width)).rstrip(), "heading")]

    def on_click(self, event: events.Click) -> None:
        """A click on the heading of a column sorts by it."""
        at = 0
        for text, order in self._headings(self.size.width) if event.y < self.HEADER else ():
            if order is not None and at <= event.x < at + len(text):
                self.post_message(self.OrderAsked(order))
            at += len(text)

    def _headings(self, width: int) -> list[tuple[str, Order | None]]:
        """What stands above each column, and the order that it can be sorted by."""
        columns = self._columns(width)
        names = [(" " * LEAD, None), self._heading("State", columns.state - 1, Order.STATE)]
        names.append(self._heading("Path", columns.path, Order.PATH))
        if columns.bar:
            names.append((left("Progress", columns.bar) + " ", None))
        if columns.percent:
            names.append((" " * columns.percent + " ", None))
        if columns.note:
            names.append(self._heading("Why", columns.note, None if self.of_failures else Order.REASON))
        if columns.size:
            names.append(self._heading("Size", -columns.size, Order.SIZE))
        if columns.rate:
            rate = "" if self.of_failures else "Speed" if self.of_videos else "Rows" if self.of_csv else "Rate"
            names.append((right(rate, columns.rate) + " ", None))
        if columns.rejected:
            names.append((right("Rejected", columns.rejected) + " ", None))
        if columns.tries:
            names.append(self._heading("Tries" if columns.tries > 4 else "#", -columns.tries, Order.TRIES))
        return names

    def _heading(self, name: str, width: int, order: Order | None) -> tuple[str, Order | None]:
        """A name with the arrow of the order, or only that if there is no room; of numbers, at the right, `width` is negative."""
        if order is not None and order in (self.choice.order, self._awaited):
            sign = "…" if order is self._awaited else arrow(self.choice, ascii_only=looks_of(self.app).ascii_bars)
            name = f"{name} {sign}" if len(name) + 2 <= abs(width) else sign
        return (left(name, width) if width > 0 else right(name, -width)) + " ", order

    def line(self, index: int, width: int) -> Sequence[Piece]:
        """One file."""
        number = self.number_at(index)
        row = self._rows.get(number)
        lead = ("▌" if index == self.cursor else " ", "mark"), (self.mark_of(number), "mark")
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

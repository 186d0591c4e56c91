"""Cuts a file into batches: ranges of whole records that follow each other without a gap.

Cutting depends on the bytes alone, so doing it again, from the beginning or behind any batch, cuts in the same places. The usual
way is bulk work on a thousand lines at a time; only where the quotes of a batch do not hold together is it cut record by record.
Memory is bounded by a few times the size of the largest batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from s3tui.errors import SourceChanged
from s3tui.tabular.encoding import skeleton, unit_width
from s3tui.tabular.grammar import SHORT_RUN, TEXT_AFTER_QUOTE, UNCLOSED_QUOTE, grammar_of, line_end
from s3tui.tabular.opening import TableFile
from s3tui.tabular.table import Table


@dataclass(frozen=True, slots=True)
class Limits:
    """Of a batch."""

    rows: int = 1000
    size: int = 8 << 20
    """Bytes, at least 2; a record that is larger is rejected, and is alone in its batch."""
    block: int = 256 << 10
    """Bytes that are read at a time, at least. The cuts do not depend on it."""


class Batch(NamedTuple):
    """A range of records. Numbers, records and lines count from 1; blank records count, the header does not, but has a line."""

    number: int
    first: int
    """Number of the first record."""
    line: int
    """On which the first record begins."""
    offset: int
    """Of the first byte, in the decompressed file."""
    length: int
    records: int
    lines: int

    def bytes_to_read(self, limits: Limits) -> int:
        """All of them, but only the first of a record that is too large."""
        return min(self.length, limits.size)


def split(
    file: TableFile, table: Table, limits: Limits | None = None, *, after: Batch | None = None
) -> Iterator[tuple[Batch, bytes]]:
    """The batches of a file, or those behind one of them, each with its bytes (the first of them, if it is too large).

    Raises what `TableFile.read` does, when it gets there.
    """
    cutter = _Cutter(file, table, limits or Limits())
    number, first, line, offset = 1, 1, table.line, table.offset
    if after is not None:
        number, first, line, offset = (
            after.number + 1,
            after.first + after.records,
            after.line + after.lines,
            after.offset + after.length,
        )
    file.seek(offset)
    while (cut := cutter.next_cut()) is not None:
        batch = Batch(number, first, line, offset, cut.length, cut.records, cut.lines)
        yield batch, cut.raw
        number, first, line, offset = number + 1, first + cut.records, line + cut.lines, offset + cut.length


def read_range(file: TableFile, batch: Batch, limits: Limits | None = None) -> bytes:
    """The bytes of a batch, as `split` gave them. Raises SourceChanged if the file is shorter now, and as `TableFile.read`."""
    wanted = batch.bytes_to_read(limits or Limits())
    file.seek(batch.offset)
    raw = file.read(wanted)
    if len(raw) < wanted:
        raise SourceChanged(
            f"{file.shown} has become shorter since it was cut into batches. Ingest it again when nothing writes to it."
        )
    return raw


class _Cut(NamedTuple):
    raw: bytes
    length: int
    records: int
    lines: int


class _Cutter:
    """Holds the bytes that are read and not yet cut, and their skeleton; positions are in units."""

    def __init__(self, file: TableFile, table: Table, limits: Limits) -> None:
        self._file = file
        self._encoding = table.encoding.name
        self._unit = unit_width(self._encoding)
        self._grammar = grammar_of(table.dialect)
        self._rows = limits.rows
        self._most = max(1, limits.size // self._unit)
        self._raw = b""
        self._bones = b""
        self._start = 0
        self._ended = False
        self._block = -(-limits.block // self._unit)
        self._span = self._block
        self._spanning = False
        """Whether the last batch had records of several lines: then the next one is not first taken for one that has none."""

    def next_cut(self) -> _Cut | None:
        """The next batch; None behind the last."""
        self._hold(self._span)
        if self._start == len(self._bones):
            return None
        while (cut := self._by_lines()) is None:
            self._span = min(self._span * 2, self._most + 1)
            self._hold(self._span)
        self._span = min(cut.length // self._unit * 9 // 8 + 1024, self._most + 1)
        return cut

    def _sees_all(self) -> bool:
        return self._span > self._most or (self._ended and self._start + self._span >= len(self._bones))

    def _hold(self, units: int) -> None:
        """Have this many units from the start on, or all that there are."""
        missing = units - (len(self._bones) - self._start)
        if missing <= 0 or self._ended:
            return
        wanted = max(missing, self._block) * self._unit
        more = self._file.read(wanted)
        self._ended = len(more) < wanted
        self._raw = self._raw[self._start * self._unit :] + more
        self._bones = skeleton(self._raw, self._encoding)
        self._start = 0

    def _by_lines(self) -> _Cut | None:
        """The usual case: each line is a record. None if more must be seen."""
        stop = min(self._start + self._span, len(self._bones))
        lines = self._bones[self._start : stop].splitlines(keepends=True)
        if not (self._ended and stop == len(self._bones)):
            lines.pop()
        if len(lines) < self._rows and not self._sees_all():
            return None
        taken = lines[: self._rows]
        length = sum(map(len, taken))
        while length > self._most:
            length -= len(taken.pop())
        if not taken:
            return self._by_record()
        if not self._spanning:
            whole = self._grammar.whole_lines(taken)
            if whole == len(taken):
                return self._take(length, whole, whole)
            start = self._start + sum(map(len, taken[:whole]))
            if self._grammar.record(self._bones, start, stop, last=False).fault == TEXT_AFTER_QUOTE:
                return self._by_record(lines, whole)
        cut = self._by_parity(lines)
        self._spanning = cut is not None and cut.lines > cut.records
        return cut

    def _by_parity(self, lines: list[bytes]) -> _Cut | None:
        """A record ends with a line up to which the quotes are even, if quoting is whole. None if more must be seen."""
        quote = self._grammar.quote
        odd = records = units = length = taken = 0
        for number, line in enumerate(lines, 1):
            if records == self._rows or units + len(line) > self._most:
                break
            units += len(line)
            odd ^= line.count(quote) & 1
            if not odd:
                records, length, taken = records + 1, units, number
        if not self._grammar.parity_holds(self._bones[self._start : self._start + length]):
            return self._by_record()
        if records < self._rows and not self._sees_all():
            return None
        return self._by_record() if odd or not records else self._take(length, records, taken)

    def _by_record(self, lines: list[bytes] | None = None, whole: int = 0) -> _Cut:
        """Where quotes do not hold together: by runs of lines in which they do, and record by record between these.

        `lines` are held already, and the first `whole` of them are a record each.
        """
        lines = lines or []
        length, records, line = sum(map(len, lines[:whole])), whole, whole
        taken, step = whole, SHORT_RUN if lines else self._rows
        while records < self._rows and self._start + length < len(self._bones):
            if line >= len(lines):
                lines, line = self._lines_behind(length), 0
            run = lines[line : line + min(step, self._rows - records)]
            whole = self._grammar.whole_lines(run)
            size = sum(map(len, run[:whole]))
            if whole and length + size <= self._most:
                length, records, line, step = length + size, records + whole, line + whole, step * 2
                taken += whole
                if whole == len(run):
                    continue
            end = self._record_behind(length)
            if end < 0 or (end > self._most and records):
                break
            spanned = len(self._bones[self._start + length : self._start + end].splitlines())
            line, taken = line + spanned, taken + spanned
            length, records, step = end, records + 1, SHORT_RUN
            if self._start + length == len(self._bones):
                self._hold(length + 1)
        if not records:
            return self._too_large()
        return self._take(length, records, taken)

    def _lines_behind(self, units: int) -> list[bytes]:
        """Complete lines that are held behind that many units, as many as a block has."""
        start = self._start + units
        lines = self._bones[start : start + self._block].splitlines(keepends=True)
        return lines if self._ended and start + self._block >= len(self._bones) else lines[:-1]

    def _record_behind(self, units: int) -> int:
        """The end of the record behind that many units, counted from the start; -1 if it is too large."""
        window = self._most + 1
        for held in (False, True):
            if held:
                self._hold(units + window)
            start = self._start + units
            stop = min(start + window, len(self._bones))
            end, fault = self._grammar.record(self._bones, start, stop, last=self._ended and stop == len(self._bones))
            if 0 <= end < stop and fault != UNCLOSED_QUOTE:
                break
        return end - self._start if start <= end <= start + self._most else -1

    def _too_large(self) -> _Cut:
        """A record alone, to the first line end behind the largest batch; most of it is only skipped."""
        head = self._bones[self._start : self._start + self._most]
        raw = self._raw[self._start * self._unit : (self._start + self._most) * self._unit]
        lines = head.count(b"\n") + head.count(b"\r") - head.count(b"\r\n") + 1
        self._start += self._most
        lines -= head.endswith(b"\r") and self._bones.startswith(b"\n", self._start)
        length = len(raw)
        while (end := line_end(self._bones, self._start, len(self._bones))) < 0 or end == len(self._bones):
            if self._ended:
                end = len(self._bones)
                break
            if end < 0:
                length += len(self._raw) - self._start * self._unit
                self._start = len(self._bones)
            self._hold(len(self._bones) - self._start + 1)
        length += min(end * self._unit, len(self._raw)) - self._start * self._unit
        self._start = end
        return _Cut(raw, length, 1, lines)

    def _take(self, units: int, records: int, lines: int) -> _Cut:
        start, self._start = self._start, self._start + units
        raw = self._raw[start * self._unit : self._start * self._unit]
        return _Cut(raw, len(raw), records, lines)

"""Reads the records of a batch from its bytes: each becomes a row or a Reject, or is blank.

Almost every batch is read in bulk. In one that holds something odd, runs of lines still are, and what stands between these is
looked at record by record.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate, groupby
from typing import NamedTuple

from s3tui.errors import SourceChanged
from s3tui.tabular.bulk import bulk_rows, parsed_records
from s3tui.tabular.encoding import skeleton, unit_width
from s3tui.tabular.fields import fields_of
from s3tui.tabular.grammar import SHORT_RUN, TEXT_AFTER_QUOTE, UNCLOSED_QUOTE, grammar_of
from s3tui.tabular.rejects import Reason, Reject, mended
from s3tui.tabular.rows import Rows, joined
from s3tui.tabular.schema import Schema
from s3tui.tabular.split import Batch
from s3tui.tabular.table import Table

_BROKEN = {
    UNCLOSED_QUOTE: "a quote opens in this line and nothing closes it",
    TEXT_AFTER_QUOTE: "text follows a closing quote; a quote inside a quoted field is written twice",
}


def read_rows(batch: Batch, raw: bytes, table: Table, schema: Schema | None = None, *, shown: str = "The file") -> Rows:
    """What the bytes of a batch hold, as `split` and `read_range` give them. `schema` has the order of the table's columns.

    `shown` names the file in sentences. Raises SourceChanged if that is not what was cut.
    """
    if len(raw) < batch.length:
        return _too_large(batch, raw, table, schema)
    rows = None if table.resubmitted else bulk_rows(batch, raw, table)
    if rows is None or (schema is not None and rows.take(schema)):
        return _Walk(batch, raw, table, shown).rows(schema)
    return rows


def _too_large(batch: Batch, raw: bytes, table: Table, schema: Schema | None) -> Rows:
    detail = f"it has {batch.length} bytes, and {len(raw)} is the most"
    rows = Rows(table, (), [])
    if schema is not None:
        rows.take(schema)
    rows.rejects = (Reject(batch.line, batch.first, batch.offset, Reason.TOO_LARGE, detail, raw),)
    return rows


_LONG_RUN = 128
"""Lines of which it is hoped that a broken quote is not among them."""


class _Place(NamedTuple):
    """Of records within a batch: line and record counted from 0, start and end in units."""

    line: int
    record: int
    start: int
    end: int


class _Run(NamedTuple):
    """Rows, one after the other."""

    rows: Rows
    place: _Place


class _Walk:
    """Through the lines of a batch."""

    def __init__(self, batch: Batch, raw: bytes, table: Table, shown: str) -> None:
        self._batch, self._raw, self._table, self._shown = batch, raw, table, shown
        self._unit = unit_width(table.encoding.name)
        self._bones = skeleton(raw, table.encoding.name)
        self._lines = self._bones.splitlines(keepends=True)
        self._starts = list(accumulate(map(len, self._lines), initial=0))
        self._grammar = grammar_of(table.dialect)
        self._runs: list[_Run] = []
        self._rejects: list[Reject] = []
        self._blank = 0

    def rows(self, schema: Schema | None) -> Rows:
        """The rows, of the types of a schema. Raises SourceChanged if there are not as many records as were cut."""
        self._read()
        rows = joined(self._table, [run.rows for run in self._runs])
        indexes: Sequence[int] = range(len(rows))
        if self._table.resubmitted:
            judged = [mended(cells) for cells in rows.fields()]
            standing = {index: reason for index, (_, reason) in enumerate(judged) if reason}
            self._reject_rows({index: (reason, "nobody has mended it since it was rejected") for index, reason in standing.items()})
            indexes = [index for index in indexes if index not in standing]
            rows = Rows(self._table, [rows.lines[index] for index in indexes], [judged[index][0] for index in indexes])
        if schema is not None and (faults := rows.take(schema)):
            self._reject_rows({indexes[index]: (Reason.TYPE_MISMATCH, detail) for index, detail in faults.items()})
            rows = rows.without(faults)
            rows.take(schema)
        rows.rejects = tuple(sorted(self._rejects, key=lambda reject: reject.record))
        rows.blank = self._blank
        return rows

    def _read(self) -> None:
        """Find all runs of rows, and judge every other record."""
        whole = _Place(0, 0, 0, len(self._bones))
        broken = self._grammar.is_broken(self._bones)
        if not broken and self._grammar.parity_holds(self._bones) and self._takes_by_width(whole, self._batch, self._raw):
            return
        line = start = record = 0
        step = _LONG_RUN if broken else len(self._lines)
        while line < len(self._lines):
            run = self._lines[line : line + step]
            end = self._starts[line + len(run)]
            if broken and self._takes_in_bulk(_Place(line, record, start, end), len(run)):
                line, record, start, step = line + len(run), record + len(run), end, step * 2
                continue
            count = self._grammar.whole_lines(run)
            if count > 1:
                end = self._starts[line + count]
                if self._takes(_Place(line, record, start, end), count):
                    line, record, start, step = line + count, record + count, end, step * 2
                    if count == len(run):
                        continue
                elif count > SHORT_RUN:
                    step = count // 2
                    continue
            end, fault = self._grammar.record(self._bones, start, len(self._bones), last=True)
            place = _Place(line, record, start, end)
            if fault is not None or not self._takes(place, 1):
                self._judge(place, fault)
            line, record, start, step = line + self._lines_of(place), record + 1, end, SHORT_RUN
        if record != self._batch.records:
            raise SourceChanged(
                f"{self._shown} has changed since it was cut into batches. Ingest it again when nothing writes to it."
            )

    def _lines_of(self, place: _Place) -> int:
        return len(self._bones[place.start : place.end].splitlines())

    def _takes(self, place: _Place, records: int) -> bool:
        """Whether nothing about these records is odd but the number of their fields; if so, they are dealt with."""
        return self._takes_in_bulk(place, records) or (records > 1 and self._takes_by_width(place, *self._part(place, records)))

    def _takes_in_bulk(self, place: _Place, records: int) -> bool:
        """Whether nothing is odd about what stands there, and there are so many records; if so, they are dealt with."""
        rows = bulk_rows(*self._part(place, records), self._table)
        if rows is not None:
            self._runs.append(_Run(rows, place))
        return rows is not None

    def _part(self, place: _Place, records: int) -> tuple[Batch, bytes]:
        raw = self._raw[place.start * self._unit : place.end * self._unit]
        lines = records if records > 1 else self._lines_of(place)
        return Batch(0, place.record, self._batch.line + place.line, 0, len(raw), records, lines), raw

    def _takes_by_width(self, place: _Place, part: Batch, raw: bytes) -> bool:
        """As `_takes` does, of records that have quotes: they are not parsed again and again to find the one that is too long."""
        try:
            text = raw.decode(self._table.encoding.name)
        except UnicodeDecodeError:
            return False
        quoted = self._table.dialect.quote and self._table.dialect.quote in text
        parsed = parsed_records(part, text, self._table) if quoted else None
        if parsed is None:
            return False
        begin = 0
        for fits, group in groupby(len(fields) == self._table.width for fields in parsed.fields):
            end = begin + len(list(group))
            places = [self._record_in(parsed.lines, number, place) for number in range(begin, end)]
            if fits:
                rows = Rows(self._table, parsed.lines[begin:end], parsed.fields[begin:end])
                self._runs.append(_Run(rows, places[0]._replace(end=places[-1].end)))
            else:
                for one in places:
                    self._judge(one, None)
            begin = end
        return True

    def _record_in(self, lines: Sequence[int], number: int, place: _Place) -> _Place:
        """Of one of the records of a place, which begin on these lines of the file."""
        line = lines[number] - self._batch.line
        end = self._starts[lines[number + 1] - self._batch.line] if number + 1 < len(lines) else place.end
        return _Place(line, place.record + number, self._starts[line], end)

    def _judge(self, place: _Place, fault: str | None) -> None:
        """Say of one record why it is no row."""
        if fault is not None:
            self._reject(place, Reason(fault), _BROKEN[fault])
            return
        raw, width = self._bytes(place), self._table.width
        try:
            text = raw.decode(self._table.encoding.name)
        except UnicodeDecodeError as error:
            self._reject(
                place, Reason.UNDECODABLE, f"its byte {error.start + 1} is not {self._table.encoding.shown} ({error.reason})"
            )
            return
        if not text:
            self._blank += 1
        elif "\0" in text:
            self._reject(place, Reason.NUL, "it holds a NUL character")
        else:
            found = len(fields_of(text, self._table.dialect))
            reason = Reason.TOO_FEW_FIELDS if found < width else Reason.TOO_MANY_FIELDS
            self._reject(place, reason, f"{width} fields are expected and it has {found}")

    def _bytes(self, place: _Place) -> bytes:
        """A record without its line end."""
        end = place.start + len(self._bones[place.start : place.end].rstrip(b"\r\n"))
        return self._raw[place.start * self._unit : end * self._unit]

    def _reject(self, place: _Place, reason: Reason, detail: str) -> None:
        line, record, offset = (
            self._batch.line + place.line,
            self._batch.first + place.record,
            self._batch.offset + place.start * self._unit,
        )
        self._rejects.append(Reject(line, record, offset, reason, detail, self._bytes(place)))

    def _reject_rows(self, faults: Mapping[int, tuple[Reason, str]]) -> None:
        """Reject what was taken for rows, by index."""
        ends = list(accumulate(len(run.rows) for run in self._runs))
        for index, (reason, detail) in faults.items():
            number = bisect_right(ends, index)
            run, within = self._runs[number], index - (ends[number - 1] if number else 0)
            self._reject(self._record_in(run.rows.lines, within, run.place), reason, detail)

"""Looks at the beginning of a file: which encoding and dialect it has, its columns, and where its rows begin."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from s3tui.tabular.dialect import detect_dialect
from s3tui.tabular.encoding import Encoding, detect_encoding, skeleton, unit_width
from s3tui.tabular.fields import fields_of
from s3tui.tabular.grammar import Dialect, grammar_of, line_end
from s3tui.tabular.header import LINE, REASON, fault_of, names_without_header
from s3tui.tabular.opening import TableFile
from s3tui.tabular.schema import Schema

SAMPLE = 256 << 10
"""Bytes that are looked at; a header must fit in them."""
_SEPARATOR_LINE = re.compile(rb"sep=([,;|\t])\r?\n", re.IGNORECASE)
"""Excel's own first line."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What people decided; empty: it is found out."""

    encoding: str = ""
    delimiter: str = ""
    quote: str | None = None
    """`""` takes quotes for characters like others."""
    header: bool = True
    schema: Schema | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """All that reading a range of the file takes. As a mapping it is JSON: `Table.of(table.facts()) == table`."""

    encoding: Encoding
    dialect: Dialect
    columns: tuple[str, ...]
    offset: int
    """Of the first row, in the decompressed bytes."""
    line: int
    """Of the first row; the file's first line is 1."""
    resubmitted: bool = False
    """The file is a rejects file: its rows end with `_line` and `_reason`, which are not columns of the table."""

    @property
    def width(self) -> int:
        """Fields that a record must have."""
        return len(self.columns) + 2 * self.resubmitted

    def facts(self) -> dict[str, Any]:
        """The table as JSON can carry it."""
        return asdict(self)

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Table:
        """The table of its facts."""
        known = {
            "encoding": Encoding(**facts["encoding"]),
            "dialect": Dialect(**facts["dialect"]),
            "columns": tuple(facts["columns"]),
        }
        return cls(**{**facts, **known})


class _First(NamedTuple):
    """The first record that is not blank."""

    start: int
    end: int
    line: int
    lines: int
    cells: list[str]


def look(file: TableFile, choices: Choices | None = None) -> Table:
    """What the file is. Raises SourceError if it cannot be read, TableError if it cannot be ingested.

    Reasons of the latter: `empty`, `encoding`, `dialect`, `header`, `empty_name`, `duplicate_name`, `too_many_columns`,
    `missing_column`, `unexpected_column`, `truncated_gzip`, `damaged_gzip`.
    """
    choices = choices or Choices()
    file.seek(0)
    sample = file.read(SAMPLE)
    whole = len(sample) < SAMPLE
    try:
        encoding = detect_encoding(sample, whole=whole, given=choices.encoding)
    except ValueError as error:
        raise file.refusal(str(error), "encoding") from error
    raw = sample[encoding.mark :]
    bones = skeleton(raw, encoding.name)
    separator = None if choices.delimiter else _SEPARATOR_LINE.match(bones)
    start, line = _beginning(file, bones, separator.end() if separator else 0)
    delimiter = separator[1].decode() if separator else choices.delimiter
    try:
        dialect = detect_dialect(bones[start:], whole=whole, delimiter=delimiter, quote=choices.quote)
    except ValueError as error:
        raise file.refusal(str(error), "dialect") from error
    first = _first_record(file, raw, bones, _Place(start, line, whole), encoding, dialect)
    return _table(file, first, choices, encoding, dialect)


class _Place(NamedTuple):
    start: int
    line: int
    whole: bool


def _beginning(file: TableFile, bones: bytes, start: int) -> tuple[int, int]:
    """Where the first line that is not blank begins, and its number."""
    line = 2 if start else 1
    while (end := line_end(bones, start, len(bones))) >= 0 and not bones[start:end].strip(b"\r\n"):
        start, line = end, line + 1
    if start == len(bones):
        raise file.refusal("it is empty; a table has at least a header", "empty")
    return start, line


def _first_record(file: TableFile, raw: bytes, bones: bytes, place: _Place, encoding: Encoding, dialect: Dialect) -> _First:
    extent = grammar_of(dialect).record(bones, place.start, len(bones), last=place.whole)
    if extent.end < 0:
        raise file.refusal(f"its first record does not end within {SAMPLE >> 10} KiB; is it a CSV file?", "header")
    if extent.fault:
        raise file.refusal("the quotes of its first record do not match; mend it, or give the quote", "header")
    unit = unit_width(encoding.name)
    try:
        text = raw[place.start * unit : extent.end * unit].decode(encoding.name).rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise file.refusal(f"its first record is not {encoding}; give the encoding", "header") from error
    if "\0" in text:
        raise file.refusal("its first record holds NUL characters; is it a CSV file?", "header")
    lines = len(bones[place.start : extent.end].splitlines())
    return _First(place.start, extent.end, place.line, lines, fields_of(text, dialect))


def _table(file: TableFile, first: _First, choices: Choices, encoding: Encoding, dialect: Dialect) -> Table:
    schema = choices.schema
    expected = schema.names if schema else None
    resubmitted = choices.header and len(first.cells) > 2 and first.cells[-2:] == [LINE, REASON]
    if choices.header:
        names = tuple(first.cells[:-2] if resubmitted else first.cells)
    else:
        names = expected or names_without_header(len(first.cells))
    fault = fault_of(names, expected)
    if fault:
        raise file.refusal(*fault)
    if not choices.header and len(names) != len(first.cells):
        cause = f"its first row has {len(first.cells)} fields and the schema {len(names)} columns; mend the schema or the delimiter"
        raise file.refusal(cause, "missing_column" if len(first.cells) < len(names) else "unexpected_column")
    position, line = (first.end, first.line + first.lines) if choices.header else (first.start, first.line)
    return Table(encoding, dialect, names, encoding.mark + position * unit_width(encoding.name), line, resubmitted)

"""Reads bytes in which nothing is odd, a thousand records at a time: every record is a row, or the answer is None.

Bytes that need no quotes stay as they are until somebody asks for their fields: taking the data away must leave the delimiters and
line ends that there have to be, and nothing else.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from s3tui.tabular.encoding import unit_width
from s3tui.tabular.fields import reader_of
from s3tui.tabular.grammar import Dialect, grammar_of
from s3tui.tabular.rows import Rows
from s3tui.tabular.split import Batch
from s3tui.tabular.table import Table


def bulk_rows(batch: Batch, raw: bytes, table: Table) -> Rows | None:
    """The rows of a batch, or of a part of one."""
    try:
        text = raw.decode(table.encoding.name)
    except UnicodeDecodeError:
        return None
    data = _with_newlines(raw if unit_width(table.encoding.name) == 1 and text.isascii() else text.encode())
    bare = grammar_of(table.dialect).without_quotes(data)
    if bare is not None:
        delimiter = table.dialect.delimiter.encode()
        structure = bare.translate(None, _data_bytes(table.dialect))
        if structure == b"\n".join([delimiter * (table.width - 1)] * batch.records):
            return Rows(table, range(batch.line, batch.line + batch.records), None, bare)
        if not structure.translate(None, delimiter + b"\n"):
            return None
    parsed = parsed_records(batch, text, table)
    if parsed is None or set(map(len, parsed.fields)) != {table.width}:
        return None
    return Rows(table, parsed.lines, parsed.fields)


def _with_newlines(data: bytes) -> bytes:
    """With LF between the lines only, unless line ends are of several kinds."""
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n") if b"\n" in data else data.replace(b"\r", b"\n")
    return data.removesuffix(b"\n")


@cache
def _data_bytes(dialect: Dialect) -> bytes:
    """Neither delimiter, quote nor line end, and the same in JSON."""
    others = frozenset(b'"\\' + dialect.delimiter.encode() + dialect.quote.encode())
    return bytes(unit for unit in range(0x20, 0x100) if unit not in others)


class Parsed(NamedTuple):
    """Records of any width, and the lines on which they begin."""

    fields: list[list[str]]
    lines: Sequence[int]


def parsed_records(batch: Batch, text: str, table: Table) -> Parsed | None:
    """The fields of each record of a text; None if there is anything odd but their number."""
    if "\0" in text:
        return None
    try:
        parsed = _parsed(text, batch, table.dialect)
    except csv.Error:
        return None
    if table.width == 1:
        parsed = parsed._replace(fields=[row or [""] for row in parsed.fields])
    return parsed if len(parsed.fields) == batch.records else None


def _parsed(text: str, batch: Batch, dialect: Dialect) -> Parsed:
    """Raises csv.Error."""
    reader = reader_of(io.StringIO(text, newline=""), dialect)
    if batch.lines == batch.records:
        return Parsed(list(reader), range(batch.line, batch.line + batch.records))
    fields, begins = [], [batch.line]
    for row in reader:
        fields.append(row)
        begins.append(batch.line + reader.line_num)
    return Parsed(fields, begins[:-1])

"""The fields of records that are whole: Python's csv, told our dialects. The only place that calls it to read."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import TYPE_CHECKING

from s3tui.tabular.grammar import Dialect

if TYPE_CHECKING:
    from _csv import Reader

csv.field_size_limit(0x7FFF_FFFF)
"""It is one of the process, and 128 KiB unless it is set. Here the limit of a field is that of its batch."""


def reader_of(lines: Iterable[str], dialect: Dialect) -> Reader:
    """A strict reader: it raises csv.Error where quotes break."""
    if dialect.quote:
        return csv.reader(lines, delimiter=dialect.delimiter, quotechar=dialect.quote, strict=True)
    return csv.reader(lines, delimiter=dialect.delimiter, quotechar=None, quoting=csv.QUOTE_NONE, strict=True)


def fields_of(record: str, dialect: Dialect) -> list[str]:
    """The fields of one whole record without its line end."""
    if not dialect.quote or dialect.quote not in record:
        return record.split(dialect.delimiter)
    return next(reader_of((record,), dialect))

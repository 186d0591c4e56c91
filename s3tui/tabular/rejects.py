r"""Records that are not rows, each with its place and the reason, and the file in which people get them back.

`rejects.csv` is UTF-8 with commas, and has the table's columns and behind them `_line` and `_reason`. To upload it again, mend what
is wrong and leave the rest as it is: the two columns are known for what they are. What nobody has mended is rejected again:

    too_few_fields     has the fields that there are, then empty ones; until the last column holds something
    too_many_fields    has the surplus fields behind `_reason`; until nothing stands there
    broken quotes, too_large
                       has the record's text in the first column, the others empty; until the last column holds something
    undecodable, nul   until no \xNN is left (see below)
    type_mismatch      until its values are of their types

Emptying `_reason` says that a row is meant as it stands.

In a record with bytes that are no characters, or with NULs, each of these is written as \xNN, and a backslash as two: reading both
back gives the record's own bytes.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from s3tui.tabular.encoding import decode_marked
from s3tui.tabular.fields import fields_of
from s3tui.tabular.grammar import TEXT_AFTER_QUOTE, TOO_LARGE, UNCLOSED_QUOTE
from s3tui.tabular.header import LINE, REASON
from s3tui.tabular.table import Table


class Reason(StrEnum):
    """Why a record is no row."""

    TOO_FEW_FIELDS = "too_few_fields"
    TOO_MANY_FIELDS = "too_many_fields"
    UNCLOSED_QUOTE = UNCLOSED_QUOTE
    TEXT_AFTER_QUOTE = TEXT_AFTER_QUOTE
    TOO_LARGE = TOO_LARGE
    UNDECODABLE = "undecodable"
    NUL = "nul"
    TYPE_MISMATCH = "type_mismatch"


class Reject(NamedTuple):
    """A record that is not a row. `line`, `record` and `offset` count as those of a Batch."""

    line: int
    record: int
    offset: int
    reason: Reason
    detail: str
    """A sentence without its full stop, safe to show."""
    raw: bytes
    """The record's own bytes without its line end; of one that is too large, the beginning."""


_FILLED = frozenset({Reason.TOO_FEW_FIELDS, Reason.UNCLOSED_QUOTE, Reason.TEXT_AFTER_QUOTE, Reason.TOO_LARGE})
_WHOLE = _FILLED - {Reason.TOO_FEW_FIELDS}
_ESCAPED = frozenset({Reason.UNDECODABLE, Reason.NUL})
_OFFENDING = re.compile("[\0\udc00-\udcff]")
_ESCAPES = {ord("\\"): r"\\"} | {code: f"\\x{code & 0xFF:02x}" for code in (0, *range(0xDC00, 0xDD00))}
_ESCAPE = re.compile(r"\\(\\|x[0-9a-f]{2})")


def rejects_header(table: Table) -> bytes:
    """The first line of a rejects file."""
    return _written([[*table.columns, LINE, REASON]])


def rejects_lines(rejects: Iterable[Reject], table: Table) -> bytes:
    """The lines of a rejects file for these."""
    return _written(_cells(reject, table) for reject in rejects)


def _written(rows: Iterable[Sequence[str]]) -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\r\n").writerows(rows)
    return file.getvalue().encode()


def _cells(reject: Reject, table: Table) -> list[str]:
    text = decode_marked(reject.raw, table.encoding.name)
    cells = [text] if reject.reason in _WHOLE else fields_of(text, table.dialect)
    if _OFFENDING.search(text):
        cells = [cell.translate(_ESCAPES) for cell in cells]
    width = len(table.columns)
    fields = cells[:width] + [""] * (width - len(cells))
    return [*fields, str(reject.line), reject.reason.value, *cells[table.width :]]


def mended(cells: Sequence[str]) -> tuple[list[str], Reason | None]:
    """The fields of a row of a rejects file, and the reason that still stands against them."""
    *fields, _, word = cells
    if word in _ESCAPED:
        if any(match[1] != "\\" for field in fields for match in _ESCAPE.finditer(field)):
            return fields, Reason(word)
        return [_ESCAPE.sub(r"\\", field) for field in fields], None
    if word in _FILLED and (len(fields) == 1 or not fields[-1]):
        return fields, Reason(word)
    return fields, None

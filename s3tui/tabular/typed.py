"""Rows of a schema, straight from their bytes: whether they are of its types, and what their cells are in JSON.

For bytes in which nothing is odd only (see bulk.py), and a thousand rows at a time. What is not sure here is left to
`schema.convert`, cell by cell; where both answer, they answer the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import orjson

from s3tui.tabular.schema import BOOLEANS, MOMENTS, Column, Kind, Schema

_SCHEMAS = 64
"""Whose patterns are remembered."""
_DATE = rb"(?!0000)[0-9]{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
"""But for leap days."""
_MOMENT = _DATE + rb"[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?"
_CELLS = {
    Kind.INTEGER: rb"-?[1-9][0-9]{0,17}+|0",
    Kind.DECIMAL: rb"-?(?:0|[1-9][0-9]{0,99}+)(?:\.[0-9]{1,99}+)?+",
    Kind.FLOAT: rb"-?(?:0|[1-9][0-9]{0,6}+)(?:\.[0-9]{1,8}+)?+",
    Kind.BOOLEAN: b"|".join(spelling.encode() for spelling in BOOLEANS),
    Kind.DATE: _DATE,
    Kind.TIMESTAMP: _MOMENT,
    Kind.TIMESTAMPTZ: _MOMENT + rb"(?:Z|[+-](?:0[0-9]|1[0-5]):?[0-5][0-9])",
}
"""Cells that are surely of a type. There may be others: `convert` knows."""


def cells_of(plain: bytes, delimiter: bytes) -> list[bytes]:
    """The cells of plain rows, one row after the other."""
    return plain.replace(b"\n", delimiter).split(delimiter)


def surely_fits(schema: Schema, plain: bytes, delimiter: bytes) -> bool:
    """Whether every cell of plain rows is surely of its column's type."""
    return _pattern(schema, delimiter).fullmatch(plain) is not None


@lru_cache(_SCHEMAS)
def _pattern(schema: Schema, delimiter: bytes) -> re.Pattern[bytes]:
    anything = b"[^%b\n]*+" % re.escape(delimiter)
    row = re.escape(delimiter).join(_cell(column, anything) for column in schema.columns)
    return re.compile(b"%b(?:\n%b)*+" % (row, row))


def _cell(column: Column, anything: bytes) -> bytes:
    known = _CELLS.get(column.kind)
    if known is None:
        return anything
    return b"(?:%b)%b" % (known, b"?+" if column.nullable else b"")


def json_cells(schema: Schema, plain: bytes, delimiter: bytes) -> list[bytes]:
    """The cells of plain rows, each as JSON has it; of texts, what stands between the quotes."""
    cells, width = cells_of(plain, delimiter), len(schema.columns)
    for place, column in enumerate(schema.columns):
        if column.kind is not Kind.TEXT:
            cells[place::width] = _json_column(column.kind, cells[place::width])
    return cells


def _json_column(kind: Kind, cells: Sequence[bytes]) -> Sequence[bytes]:
    if kind in MOMENTS:
        return [b'"%b"' % cell if cell else b"null" for cell in cells]
    if kind is Kind.BOOLEAN:
        return [cell.lower() or b"null" for cell in cells]
    if kind is Kind.FLOAT:
        return [orjson.dumps(float(cell)) if cell else b"null" for cell in cells]
    return [cell or b"null" for cell in cells] if b"" in cells else cells

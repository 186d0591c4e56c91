"""Rows of a schema, straight from their bytes: whether they are of its types, and what their cells are in JSON.

For bytes in which nothing is odd only (see bulk.py), and a thousand rows at a time. What is not sure here is left to
`schema.convert`, cell by cell; where both answer, they answer the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import orjson

from s3tui.tabular.schema import BOOLEANS, MOMENTS, Column, Kind, Schema, convert

_SCHEMAS = 64
"""Whose patterns are remembered."""
_CELLS = {
    Kind.INTEGER: rb"-?[1-9][0-9]{0,17}+|0",
    Kind.DECIMAL: rb"-?(?:0|[1-9][0-9]{0,99}+)(?:\.[0-9]{1,99}+)?+",
    Kind.FLOAT: rb"-?(?:0|[1-9][0-9]{0,6}+)(?:\.[0-9]{1,8}+)?+",
    Kind.BOOLEAN: b"|".join(spelling.encode() for spelling in BOOLEANS),
}
"""Cells that are surely of a type. There may be others: `convert` knows."""


def cells_of(plain: bytes, delimiter: bytes) -> list[bytes]:
    """The cells of plain rows, one row after the other."""
    return plain.replace(b"\n", delimiter).split(delimiter)


def surely_fits(schema: Schema, plain: bytes, delimiter: bytes) -> bool:
    """Whether every cell of plain rows is of its column's type."""
    if _pattern(schema, delimiter).fullmatch(plain) is None:
        return False
    moments = [(place, column) for place, column in enumerate(schema.columns) if column.kind in MOMENTS]
    cells = cells_of(plain, delimiter) if moments else []
    width = len(schema.columns)
    return all(_are_moments(column, set(cells[place::width])) for place, column in moments)


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


def _are_moments(column: Column, cells: set[bytes]) -> bool:
    """Whether these are dates, or times: they are few, since rows repeat theirs."""
    return not convert(Schema((column,)), [[cell.decode()] for cell in cells])[1]


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

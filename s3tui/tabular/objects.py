"""A batch as JSON: the object on S3, and a text for each row. The same batch gives the same bytes, whoever makes them."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from s3tui.tabular.rows import Rows
from s3tui.tabular.schema import MOMENTS, Kind, Value
from s3tui.tabular.split import Batch
from s3tui.tabular.typed import cells_of, json_cells


def batch_object(upload: str, batch: Batch, rows: Rows) -> bytes:
    """`{"upload":"<job id>","batch":1,"first":1,"columns":["a","b"],"rows":[["1","2"],...]}`.

    `first` is the number of the batch's first record. Values are the texts of the file, or what the schema makes of them: JSON
    numbers with all digits, booleans, null; dates and times stay texts.
    """
    head = orjson.dumps({"upload": upload, "batch": batch.number, "first": batch.first, "columns": rows.columns})
    return b"".join((head[:-1], b',"rows":', _rows(rows), b"}"))


def named_row_texts(rows: Rows) -> bytes:
    """Each row as a JSON object, on a line of its own: `{"a":"1","b":"2"}`."""
    names = [orjson.dumps(name) for name in rows.columns]
    if rows.plain is not None:
        return _framed(rows, rows.plain, b"{", [name + b":" for name in names], b"}")
    return b"\n".join([orjson.dumps(dict(zip(rows.columns, row, strict=True))) for row in _json_values(rows)])


def _rows(rows: Rows) -> bytes:
    if rows.plain is None:
        return orjson.dumps(_json_values(rows))
    if rows.schema is None:
        spliced = rows.plain.replace(rows.delimiter.encode(), b'","').replace(b"\n", b'"],["')
        return b'[["' + spliced + b'"]]'
    return b"[" + _framed(rows, rows.plain, b"[", [b""] * len(rows.columns), b"]").replace(b"\n", b",") + b"]"


def _framed(rows: Rows, plain: bytes, opening: bytes, before: Sequence[bytes], closing: bytes) -> bytes:
    """The cells of plain rows, each behind what stands before its column, and every row between `opening` and `closing`."""
    delimiter = rows.delimiter.encode()
    cells = json_cells(rows.schema, plain, delimiter) if rows.schema else cells_of(plain, delimiter)
    kinds = [column.kind for column in rows.schema.columns] if rows.schema else [Kind.TEXT] * len(before)
    quotes = [b'"' if kind is Kind.TEXT else b"" for kind in kinds]
    first = opening + before[0] + quotes[0]
    between = [quotes[place - 1] + b"," + before[place] + quotes[place] for place in range(1, len(before))]
    last = quotes[-1] + closing
    parts = [b""] * (2 * len(cells))
    parts[::2] = [last + b"\n" + first, *between] * len(rows)
    parts[0] = first
    parts[1::2] = cells
    return b"".join((*parts, last))


def _json_values(rows: Rows) -> list[list[str]] | list[tuple[object, ...]]:
    if rows.schema is None or not len(rows):
        return rows.fields()
    texts = zip(*rows.fields(), strict=True)
    columns = [
        _json_column(column.kind, cells, values)
        for column, cells, values in zip(rows.schema.columns, texts, rows.values(), strict=True)
    ]
    return list(zip(*columns, strict=True))


def _json_column(kind: Kind, cells: Sequence[str], values: Sequence[Value]) -> Sequence[object]:
    if kind is Kind.DECIMAL:
        return [None if value is None else orjson.Fragment(cell) for cell, value in zip(cells, values, strict=True)]
    if kind in MOMENTS:
        return [None if value is None else cell for cell, value in zip(cells, values, strict=True)]
    return values

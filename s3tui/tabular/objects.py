"""A batch as JSON: the object on S3, and a text for each row. The same batch gives the same bytes, whoever makes them."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from s3tui.tabular.rows import Rows
from s3tui.tabular.schema import Kind, Value
from s3tui.tabular.split import Batch

_AS_TEXT = frozenset({Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ})


def batch_object(upload: str, batch: Batch, rows: Rows) -> bytes:
    """`{"upload":"<job id>","batch":1,"first":1,"columns":["a","b"],"rows":[["1","2"],...]}`.

    `first` is the number of the batch's first record. Values are the texts of the file, or what the schema makes of them: JSON
    numbers with all digits, booleans, null; dates and times stay texts.
    """
    head = orjson.dumps({"upload": upload, "batch": batch.number, "first": batch.first, "columns": rows.columns})
    return b"".join((head[:-1], b',"rows":', _rows(rows), b"}"))


def row_texts(rows: Rows) -> list[bytes]:
    """Each row as a JSON array, in UTF-8."""
    if rows.plain is not None and rows.schema is None:
        return _spliced(rows, rows.plain).split(b"\n")
    return [orjson.dumps(row) for row in _json_values(rows)]


def named_row_texts(rows: Rows) -> list[bytes]:
    """Each row as a JSON object, in UTF-8: `{"a":"1","b":"2"}`."""
    columns = rows.columns
    if rows.plain is not None and rows.schema is None:
        delimiter = rows.delimiter.encode()
        names = (orjson.dumps(name).replace(b"%", b"%%") for name in columns)
        row = b"{" + b",".join(name + b':"%b"' for name in names) + b"}"
        return [row % tuple(line.split(delimiter)) for line in rows.plain.split(b"\n")]
    return [orjson.dumps(dict(zip(columns, row, strict=True))) for row in _json_values(rows)]


def _rows(rows: Rows) -> bytes:
    if rows.plain is not None and rows.schema is None:
        return b"".join((b"[", _spliced(rows, rows.plain).replace(b"\n", b","), b"]"))
    return orjson.dumps(_json_values(rows))


def _spliced(rows: Rows, plain: bytes) -> bytes:
    """A JSON array a line: what is plain needs no escapes."""
    return b'["' + plain.replace(rows.delimiter.encode(), b'","').replace(b"\n", b'"]\n["') + b'"]'


def _json_values(rows: Rows) -> list[list[str]] | list[tuple[object, ...]]:
    if rows.schema is None:
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
    if kind in _AS_TEXT:
        return [None if value is None else cell for cell, value in zip(cells, values, strict=True)]
    return values

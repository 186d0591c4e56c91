"""Rows of a batch, in the form in which they are cheapest, until somebody asks for another."""

from __future__ import annotations

from collections.abc import Container, Sequence
from itertools import chain

from s3tui.tabular.rejects import Reject
from s3tui.tabular.schema import Schema, Value, convert
from s3tui.tabular.table import Table
from s3tui.tabular.typed import surely_fits


class Rows:
    """What became of a batch. `len()` counts the rows; `len(rows) + len(rejects) + blank` is the number of its records."""

    __slots__ = ("_fields", "_table", "_values", "blank", "lines", "plain", "rejects", "schema")

    def __init__(self, table: Table, lines: Sequence[int], fields: list[list[str]] | None, plain: bytes | None = None) -> None:
        self._table = table
        self._fields = fields
        self._values: list[Sequence[Value]] | None = None
        self.lines = lines
        """Of each row, the line on which it begins."""
        self.plain = plain
        """The rows in UTF-8, a line each, fields between delimiters, neither quoted nor escaped; None if they are not so plain."""
        self.schema: Schema | None = None
        self.rejects: tuple[Reject, ...] = ()
        self.blank = 0

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def columns(self) -> tuple[str, ...]:
        return self._table.columns

    @property
    def delimiter(self) -> str:
        """Between the fields of `plain`."""
        return self._table.dialect.delimiter

    def fields(self) -> list[list[str]]:
        """The rows as the texts that the file has."""
        if self._fields is None:
            assert self.plain is not None
            self._fields = [line.split(self.delimiter) for line in self.plain.decode().split("\n")]
        return self._fields

    def cells(self) -> list[str]:
        """The same, one row after the other."""
        if self.plain is None:
            return list(chain.from_iterable(self.fields()))
        return self.plain.decode().replace("\n", self.delimiter).split(self.delimiter)

    def values(self) -> list[Sequence[Value]]:
        """The values of a schema, column by column."""
        assert self.schema is not None
        if self._values is None:
            self._values, _ = convert(self.schema, self.fields())
        return self._values

    def take(self, schema: Schema) -> dict[int, str]:
        """Give the rows types. The rows that are not of them, by index; if there are any, nothing is changed."""
        if self.plain is not None and surely_fits(schema, self.plain, self.delimiter.encode()):
            self.schema = schema
            return {}
        values, faults = convert(schema, self.fields())
        if not faults:
            self.schema, self._values = schema, values
        return faults

    def without(self, indexes: Container[int]) -> Rows:
        """The others, as texts."""
        kept = [index for index in range(len(self)) if index not in indexes]
        fields = self.fields()
        return Rows(self._table, [self.lines[index] for index in kept], [fields[index] for index in kept])


def joined(table: Table, parts: Sequence[Rows]) -> Rows:
    """All rows of these, in this order."""
    lines = list(chain.from_iterable(part.lines for part in parts))
    plain = [part.plain for part in parts if part.plain is not None]
    if parts and len(plain) == len(parts):
        return Rows(table, lines, None, b"\n".join(plain))
    return Rows(table, lines, list(chain.from_iterable(part.fields() for part in parts)))

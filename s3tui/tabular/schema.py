"""Types of columns, and what is of each, always so that no value loses anything.

A text is of a type if it can be told back from the value: `7` is an integer, `007` and `+7` are not, and stay text. In detail:

    integer      0, 42, -7, of at most 64 bits
    decimal      1.50, -0.25, 1e-7, any number of digits
    float        a number that a double holds exactly as far as its digits go; never inferred
    boolean      true and false in any of the spellings true, True, TRUE
    date         2026-11-21
    timestamp    2026-11-21T10:30:15 or with a space, with up to 6 decimals; timestamptz if it ends with Z or an offset
    text         everything, and empty texts are texts

An empty field of a nullable column that is not text is null; of another one it is a mismatch.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any

from s3tui.tabular.header import shown_name


class Kind(StrEnum):
    """The type of a column."""

    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    TIMESTAMPTZ = "timestamptz"
    TEXT = "text"


Value = int | Decimal | float | bool | date | datetime | str | None

_ALIASES = {
    "int": Kind.INTEGER,
    "bigint": Kind.INTEGER,
    "numeric": Kind.DECIMAL,
    "double": Kind.FLOAT,
    "bool": Kind.BOOLEAN,
    "datetime": Kind.TIMESTAMP,
    "string": Kind.TEXT,
    "str": Kind.TEXT,
}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,999})(?:\.[0-9]{1,999})?(?:[eE][+-]?[0-9]{1,3})?")
_MOMENT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ](?:[01][0-9]|2[0-3]):[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
_LOCAL_MOMENT = re.compile(_MOMENT)
_ZONED_MOMENT = re.compile(_MOMENT + r"(?:Z|[+-](?:0[0-9]|1[0-5])(?::?[0-9]{2})?)")
BOOLEANS = {
    spelling: value for word, value in (("true", True), ("false", False)) for spelling in (word, word.title(), word.upper())
}
_SIGNED_64 = 1 << 63
MOMENTS = frozenset({Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ})
"""Types whose values JSON has as texts."""
_REMEMBERED = 4096
"""Values of a type: columns repeat theirs."""


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    kind: Kind = Kind.TEXT
    nullable: bool = True

    def __str__(self) -> str:
        """`price:decimal?`, where the question mark says nullable."""
        return f"{self.name}:{self.kind}{'?' if self.nullable and self.kind is not Kind.TEXT else ''}"


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a table, in the order of its file."""

    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def arranged(self, names: Sequence[str]) -> Schema:
        """The same columns in the order of a header that has them all."""
        known = {column.name: column for column in self.columns}
        return Schema(tuple(known[name] for name in names))

    def facts(self) -> list[dict[str, Any]]:
        """The schema as JSON can carry it: `Schema.of(schema.facts()) == schema`. `parse_schema` reads its text."""
        return [{"name": column.name, "type": column.kind.value, "nullable": column.nullable} for column in self.columns]

    @classmethod
    def of(cls, facts: Sequence[Mapping[str, Any]]) -> Schema:
        """The schema of its facts."""
        return cls(tuple(Column(fact["name"], Kind(fact["type"]), fact["nullable"]) for fact in facts))

    def __str__(self) -> str:
        """`id:integer,price:decimal?`, which `parse_schema` reads unless a name holds a comma or a line end."""
        return ",".join(map(str, self.columns))


def parse_schema(text: str) -> Schema:
    """The schema of `id:integer,price:decimal?`, one a line or between commas, or of JSON.

    JSON is an object of names to types, or a list of objects with `name`, `type` and perhaps `nullable`. Raises ValueError.
    """
    text = text.strip()
    pairs = _json_columns(text) if text[:1] in ("{", "[") else [_pair(item) for item in re.split(r"[,\n]", text) if item.strip()]
    columns = tuple(_column(*pair) for pair in pairs)
    if not columns:
        raise ValueError("The schema names no column; write it like id:integer,name:text")
    names = [column.name for column in columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"The schema names {shown_name(twice)} twice; name every column once")
    return Schema(columns)


def _pair(item: str) -> tuple[str, str, bool]:
    name, colon, kind = item.strip().rpartition(":")
    if not colon:
        raise ValueError(f"{shown_name(item.strip())} is no column of a schema; write it like id:integer or price:decimal?")
    return name.strip(), kind, False


def _json_columns(text: str) -> Iterable[tuple[str, str, bool]]:
    try:
        read = json.loads(text)
    except ValueError as error:
        raise ValueError(f"The schema is not JSON that can be read: {error}") from error
    if isinstance(read, dict):
        return [(name, str(kind), False) for name, kind in read.items()]
    if all(isinstance(item, dict) and isinstance(item.get("name"), str) for item in read):
        return [(item["name"], str(item.get("type", "text")), bool(item.get("nullable", False))) for item in read]
    raise ValueError('The schema\'s list must hold columns; write each like {"name": "id", "type": "integer"}')


def _column(name: str, kind: str, nullable: bool) -> Column:
    word = kind.strip().lower()
    bare = word.removesuffix("?")
    try:
        known = _ALIASES.get(bare) or Kind(bare)
    except ValueError:
        raise ValueError(f"{shown_name(bare)} is no type of a column; write one of {', '.join(Kind)}") from None
    if not name:
        raise ValueError("The schema has a column without a name; write it like id:integer")
    return Column(name, known, nullable or word != bare)


def _integer(cell: str) -> int:
    value = int(cell)
    if str(value) != cell or not -_SIGNED_64 <= value < _SIGNED_64:
        raise ValueError
    return value


@lru_cache(_REMEMBERED)
def _decimal(cell: str) -> Decimal:
    if _NUMBER.fullmatch(cell) is None:
        raise ValueError
    return Decimal(cell)


def _float(cell: str) -> float:
    exact = _decimal(cell)
    value = float(cell)
    if not math.isfinite(value) or Decimal(repr(value)) != exact:
        raise ValueError
    return value


def _boolean(cell: str) -> bool:
    try:
        return BOOLEANS[cell]
    except KeyError:
        raise ValueError from None


@lru_cache(_REMEMBERED)
def _date(cell: str) -> date:
    value = date.fromisoformat(cell)
    if value.isoformat() != cell:
        raise ValueError
    return value


@lru_cache(_REMEMBERED)
def _timestamp(cell: str) -> datetime:
    if _LOCAL_MOMENT.fullmatch(cell) is None:
        raise ValueError
    return datetime.fromisoformat(cell)


@lru_cache(_REMEMBERED)
def _timestamptz(cell: str) -> datetime:
    if _ZONED_MOMENT.fullmatch(cell) is None:
        raise ValueError
    return datetime.fromisoformat(cell)


READERS: Mapping[Kind, Callable[[str], Value]] = {
    Kind.INTEGER: _integer,
    Kind.DECIMAL: _decimal,
    Kind.FLOAT: _float,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: _date,
    Kind.TIMESTAMP: _timestamp,
    Kind.TIMESTAMPTZ: _timestamptz,
}
"""Each raises ValueError for a text that is not of its type. In the order in which a type is looked for."""


def convert(schema: Schema, rows: Sequence[Sequence[str]]) -> tuple[list[Sequence[Value]], dict[int, str]]:
    """The values, column by column, and the rows that are not of the schema: their indexes, each with what is wrong with it.

    Values of a row that is wrong mean nothing.
    """
    cells = list(zip(*rows, strict=True)) if rows else [()] * len(schema.columns)
    faults: dict[int, str] = {}
    return [_converted(column, texts, faults) for column, texts in zip(schema.columns, cells, strict=True)], faults


def _converted(column: Column, cells: Sequence[str], faults: dict[int, str]) -> Sequence[Value]:
    if column.kind is Kind.TEXT:
        return cells
    read = READERS[column.kind]
    held = [cell for cell in cells if cell] if column.nullable and "" in cells else cells
    try:
        values = _integers(held) if column.kind is Kind.INTEGER else list(map(read, held))
    except ValueError:
        return [_value(column, read, cell, index, faults) for index, cell in enumerate(cells)]
    if len(held) == len(cells):
        return values
    following = iter(values)
    return [next(following) if cell else None for cell in cells]


def _integers(cells: Sequence[str]) -> list[int]:
    """What `_integer` does, of many at once."""
    values = list(map(int, cells))
    if list(map(str, values)) != list(cells) or (values and not -_SIGNED_64 <= min(values) <= max(values) < _SIGNED_64):
        raise ValueError
    return values


def _value(column: Column, read: Callable[[str], Value], cell: str, index: int, faults: dict[int, str]) -> Value:
    if column.nullable and not cell:
        return None
    try:
        return read(cell)
    except ValueError:
        shown = shown_name(cell) if cell else "an empty field"
        faults.setdefault(index, f"{shown} in column {shown_name(column.name)} is no {column.kind}")
        return None

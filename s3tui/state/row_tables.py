"""Tables that take the rows of CSV files: `ingest_rows`, or those with typed columns, which people name.

The latter are made when the first rows come, and never altered or dropped. Each has three columns besides those of the file, by
which the rows of a file that fails are taken back: `_job`, `_file` and `_line`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from s3tui.errors import TableError
from s3tui.state.database import Database
from s3tui.state.schema import SCHEMA
from s3tui.state.sql import Connection, RowTable, quoted

_NAME = re.compile(r"[^\W\d]\w*")
_MOST_NAME_BYTES = 60
"""PostgreSQL cuts names off behind 63, and that of our index is longer by three."""
_MOST_COLUMN_BYTES = 63
_OWN = frozenset({"alembic_version", *re.findall(r"CREATE TABLE (\w+)", SCHEMA)})


INGEST_ROWS = RowTable("ingest_rows", "job_id", "file", "line")


class TypedColumn(NamedTuple):
    """A column of a table with types."""

    name: str
    type: str
    """As SQL has it, in capitals."""
    nullable: bool


_PLACE = (TypedColumn("_job", "TEXT", False), TypedColumn("_file", "BIGINT", False), TypedColumn("_line", "BIGINT", False))


def row_table(name: str) -> RowTable:
    """The table of this name, or if it is empty, `ingest_rows`. Raises ValueError if none can have it."""
    if not name:
        return INGEST_ROWS
    if not _NAME.fullmatch(name) or len(name.encode()) > _MOST_NAME_BYTES:
        raise ValueError("a table's name has letters, digits and underscores, begins with no digit, and has at most 60 bytes")
    if name.lower() in _OWN or name.lower().startswith(("sqlite_", "pg_")):
        raise ValueError(f"{name} is a table of s3tui's own, or of the database; choose another name")
    return RowTable(name, *(column.name for column in _PLACE))


def fault_of_columns(names: Sequence[str]) -> str | None:
    """Why a table cannot have columns of these names, as a cause with a way out."""
    seen = {column.name for column in _PLACE}
    for name in names:
        if len(name.encode()) > _MOST_COLUMN_BYTES:
            return (
                f"its column {name[:20]}... has more than {_MOST_COLUMN_BYTES} bytes, which no table takes; give it a shorter name"
            )
        if name.lower() in seen:
            return f"a table cannot have its column {name}, since another one has that name; give it another name"
        seen.add(name.lower())
    return None


class RowTables:
    """The tables that people name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def columns(self, table: RowTable) -> list[TypedColumn] | None:
        """Those for a file's columns; None: there is no such table. Raises TableError if it does not say where rows are from."""
        with self._database.read() as connection:
            found = [TypedColumn._make(column) for column in connection.columns(table.name)]
        return _of_the_file(table, found) if found else None

    def ensure(self, table: RowTable, columns: Sequence[TypedColumn]) -> list[TypedColumn]:
        """Make the table, unless it is there; the columns it has. Raises TableError as `columns`, and if it cannot be made."""
        with self._database.write() as connection:
            self._database.lock(connection, f"table {table.name}")
            found = [TypedColumn._make(column) for column in connection.columns(table.name)]
            if found:
                return _of_the_file(table, found)
            with refusals(connection, table):
                _create(connection, table, columns)
            return list(columns)


def _create(connection: Connection, table: RowTable, columns: Sequence[TypedColumn]) -> None:
    wanted = [f"{quoted(name)} {kind}{'' if nullable else ' NOT NULL'}" for name, kind, nullable in (*_PLACE, *columns)]
    connection.define(f"CREATE TABLE {quoted(table.name)} ({', '.join(wanted)})")
    places = ", ".join(column.name for column in _PLACE)
    connection.define(f"CREATE INDEX {quoted(f'ix_{table.name}')} ON {quoted(table.name)} ({places})")


@contextmanager
def refusals(connection: Connection, table: RowTable) -> Iterator[None]:
    """Raises TableError for what the database refuses to do with a table."""
    try:
        yield
    except Exception as error:
        if not connection.is_refusal(error):
            raise
        cause = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise TableError(
            f"The table {table.name} does not take the rows: {cause}. Change the table, or name another one.", "table"
        ) from error


def _of_the_file(table: RowTable, found: Sequence[TypedColumn]) -> list[TypedColumn]:
    ours = {column.name for column in _PLACE}
    missing = sorted(ours - {column.name for column in found})
    if missing:
        cause = f"The table {table.name} was not made by s3tui: it has no column {missing[0]}, by which rows could be taken back"
        raise TableError(f"{cause}. Name another table, or add {', '.join(missing)} to this one.", "table")
    return [column for column in found if column.name not in ours]

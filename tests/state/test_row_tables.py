"""Tables with typed columns: made when they are needed, of any names, and taking values as they are."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from s3tui.errors import StateError, TableError
from s3tui.state.row_tables import TypedColumn, fault_of_columns, row_table
from s3tui.state.sql import RowTable, quoted
from s3tui.state.store import Store
from s3tui.tabular.encoding import Encoding
from s3tui.tabular.grammar import Dialect
from s3tui.tabular.rows import Rows
from s3tui.tabular.schema import parse_schema
from s3tui.tabular.sheets import TypedSheet
from s3tui.tabular.table import Table

TYPES = {
    "integer": "BIGINT",
    "decimal": "NUMERIC",
    "float": "DOUBLE PRECISION",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMPTZ",
    "text": "TEXT",
}
HOSTILE = ['a"b', "x:y", "100%", "%s", "?", "JSONB", "two words", "naïve", "select", ":name", "a;b", "Upper"]


@pytest.fixture
def table(store: Store) -> Iterator[RowTable]:
    """The name of a table that is not there, and is removed."""
    name = row_table(f"Rows_{uuid4().hex}")
    yield name
    with store.database.write() as connection:
        connection.define(f"DROP TABLE IF EXISTS {quoted(name.name)}")


def sheet(columns: list[TypedColumn], cells: list[list[str]], types: dict[str, str], *, plain: bool) -> TypedSheet:
    """Rows of these columns."""
    names = tuple(column.name for column in columns)
    known = Table(Encoding("utf-8"), Dialect("|"), names, 0, 2)
    text = "\n".join("|".join(row) for row in cells).encode() if plain else None
    rows = Rows(known, range(2, 2 + len(cells)), None if plain else cells, text)
    assert rows.take(parse_schema("".join(f"{name}:{kind}?\n" for name, kind in types.items()))) == {}
    return TypedSheet(rows)


def load(store: Store, table: RowTable, job_id: str, one: TypedSheet) -> None:
    with store.database.write() as connection:
        connection.load(store.database.loads(table, job_id, 1, one))


def all_rows(store: Store, table: RowTable) -> list[tuple[object, ...]]:
    with store.database.read() as connection:
        return connection.rows(f"SELECT * FROM {quoted(table.name)} ORDER BY _line")


def test_a_table_is_made_once_and_says_its_columns(store: Store, table: RowTable) -> None:
    columns = [TypedColumn(kind, sql, True) for kind, sql in TYPES.items()]
    assert store.row_tables.columns(table) is None
    assert store.row_tables.ensure(table, columns) == columns
    assert store.row_tables.columns(table) == columns
    assert store.row_tables.ensure(table, columns[:1]) == columns


@pytest.mark.parametrize("plain", [True, False])
def test_values_come_as_they_are_and_an_empty_field_is_null_unless_it_is_a_text(
    store: Store, table: RowTable, *, plain: bool
) -> None:
    columns = [TypedColumn(kind, sql, True) for kind, sql in TYPES.items()]
    store.row_tables.ensure(table, columns)
    cells = ["-7", "1.50", "0.25", "TRUE", "2026-11-21", "2026-11-21T10:30:15.5", "2026-11-21T10:30:15Z", "ü"]
    load(store, table, "job", sheet(columns, [cells, [""] * 8], {kind: kind for kind in TYPES}, plain=plain))
    text = ", ".join(f"CAST({quoted(kind)} AS TEXT)" for kind in TYPES)
    with store.database.read() as connection:
        [full, empty] = connection.rows(f"SELECT _job, _file, _line, {text} FROM {quoted(table.name)} ORDER BY _line")
    assert full[:3] == ("job", 1, 2)
    assert [float(value) for value in full[3:6]] == [-7, 1.5, 0.25]
    assert full[6] in ("1", "true")
    assert [value[:16].replace("T", " ") for value in full[7:10]] == ["2026-11-21", "2026-11-21 10:30", "2026-11-21 10:30"]
    assert full[10] == "ü"
    assert empty == ("job", 1, 3, *([None] * 7), "")
    with store.database.read() as connection:
        [[count]] = connection.rows(
            f"SELECT count(*) FROM {quoted(table.name)} WHERE {quoted('integer')} < 0 AND {quoted('decimal')} > 1"
        )
    assert count == 1


def test_columns_may_have_any_names(store: Store, table: RowTable) -> None:
    columns = [TypedColumn(name, "TEXT", True) for name in HOSTILE]
    store.row_tables.ensure(table, columns)
    assert store.row_tables.columns(table) == columns
    load(store, table, "job", sheet(columns, [HOSTILE], dict.fromkeys(HOSTILE, "text"), plain=False))
    assert all_rows(store, table) == [("job", 1, 2, *HOSTILE)]


def test_a_table_that_does_not_say_where_rows_are_from_is_not_used(store: Store, table: RowTable) -> None:
    with store.database.write() as connection:
        connection.define(f"CREATE TABLE {quoted(table.name)} (_job TEXT, _line BIGINT, a TEXT)")
    with pytest.raises(TableError, match="has no column _file"):
        store.row_tables.columns(table)
    with pytest.raises(TableError, match="has no column _file"):
        store.row_tables.ensure(table, [])


def test_what_a_table_refuses_is_no_fault_of_the_database(store: Store, table: RowTable) -> None:
    twice = TypedColumn("a", "TEXT", True)
    with pytest.raises(TableError, match=f"The table {table.name} does not take the rows"):
        store.row_tables.ensure(table, [twice, twice])
    assert store.row_tables.columns(table) is None
    with pytest.raises(StateError), store.database.write() as connection:
        connection.rows("SELECT * FROM no_table_of_this_name")


@pytest.mark.parametrize(
    "name", ["a b", "1a", "a.b", 'a"', "x" * 61, "job", "INGEST_ROWS", "alembic_version", "sqlite_x", "pg_x", "a\n"]
)
def test_names_that_no_table_can_have_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="table"):
        row_table(name)


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        (["a", "b"], None),
        (["a", "A"], "another one has that name"),
        (["_line"], "another one has that name"),
        (["x" * 64], "more than 63 bytes"),
        (["ü" * 32], "more than 63 bytes"),
    ],
)
def test_columns_that_no_table_can_have_are_found_out(names: list[str], fault: str | None) -> None:
    found = fault_of_columns(names)
    assert (found is None) if fault is None else (found is not None and fault in found)

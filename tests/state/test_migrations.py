"""Databases of other versions: an older one is migrated, a newer one is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from s3tui.errors import StateError
from s3tui.model import FileChoice, FileState, JobState, View
from s3tui.state.database import HEAD, Connections
from s3tui.state.migrations import newer_than
from s3tui.state.postgresql import PostgreSQLServer
from s3tui.state.sqlite import SQLiteFile
from s3tui.state.store import Store
from tests.state.first_schema import write_first_database
from tests.state.scenes import ANN, carry_all, claim, register

_COLUMNS = {
    True: """
        SELECT tables.name, columns.name, columns.type, columns."notnull", columns.dflt_value, columns.pk
        FROM sqlite_master AS tables, pragma_table_info(tables.name) AS columns WHERE tables.type = 'table' ORDER BY 1, 2""",
    False: """
        SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default
        FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2""",
}
_INDEXES = {
    True: "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'index' ORDER BY 1, 2",
    False: "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2",
}


@contextmanager
def bare(url: str, directory: Path) -> Iterator[Connections]:
    """The connections of a state database, as empty as its server makes it."""
    connections: Connections = SQLiteFile(directory / "state.db") if url == "sqlite" else PostgreSQLServer(url)
    if url != "sqlite":
        with connections.write() as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
    yield connections
    connections.close()


def shape(store: Store) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """The columns and the indexes of a database; a default is the same with quotes and without."""
    sqlite = store.database.path is not None
    with store.database.read() as connection:
        columns = [
            tuple(re.sub(r"^'(.*)'(::\w+)?$", r"\1", value) if isinstance(value, str) else value for value in column)
            for column in connection.rows(_COLUMNS[sqlite])
        ]
        return columns, connection.rows(_INDEXES[sqlite])


def test_an_old_database_becomes_what_a_new_one_is_made_as(state_url: str, tmp_path: Path) -> None:
    with bare(state_url, tmp_path / "new"):
        pass
    new = Store(state_url, tmp_path / "new")
    made = shape(new)
    new.close()
    with bare(state_url, tmp_path / "old") as connections, connections.write() as connection:
        write_first_database(connection, sqlite=state_url == "sqlite")
    old = Store(state_url, tmp_path / "old")
    assert shape(old) == made
    old.close()


def test_a_job_of_the_first_version_goes_on(state_url: str, tmp_path: Path) -> None:
    with bare(state_url, tmp_path) as connections, connections.write() as connection:
        job_id = write_first_database(connection, sqlite=state_url == "sqlite")
    store = Store(state_url, tmp_path)
    [job] = store.jobs.find(job_id)
    assert (job.state, job.concurrency, job.bandwidth) == (JobState.PAUSED, 7, 0)
    assert list(store.transfers.numbers(job.no, FileChoice(View.FAILED), [])) == [1]
    store.jobs.reopen(job.no, home=None, identity="")
    register(store, ANN)
    carry_all(store, claim(store))
    assert [row.state for row in store.transfers.window(job.no, 0, 9)] == [FileState.UPLOADED, FileState.FAILED]
    assert store.jobs.by_no(job.no).state is JobState.PARTIAL
    store.close()


def test_the_newest_script_leads_to_the_schema_that_the_code_declares() -> None:
    assert newer_than(HEAD) == []
    assert len(newer_than("0001")) == int(HEAD) - 1


def test_a_newer_schema_is_refused_with_one_sentence(tmp_path: Path) -> None:
    store = Store("sqlite", tmp_path)
    with store.database.write() as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    store.close()
    with pytest.raises(StateError, match="newer s3tui"):
        Store("sqlite", tmp_path)

"""Opening, creating, migrating and refusing state databases."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from s3tui.errors import ConfigError, StateError
from s3tui.state.migrations import upgrade
from s3tui.state.schema import metadata
from s3tui.state.store import Store
from tests.state.scenes import new_job


def test_the_state_file_is_private(tmp_path: Path) -> None:
    Store("sqlite", tmp_path / "state").close()
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()} == {0o600}


def test_a_second_opening_sees_what_the_first_wrote(state_url: str, tmp_path: Path) -> None:
    first = Store(state_url, tmp_path)
    job = new_job(first)
    first.close()
    second = Store(state_url, tmp_path)
    assert second.jobs.find(job.id)[0].spec == "{}"
    second.close()


def test_the_migrations_make_the_schema_that_the_code_declares(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'migrated.db'}")
    with engine.begin() as connection:
        assert upgrade(connection, "")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_newer_schema_is_refused_with_one_sentence(tmp_path: Path) -> None:
    store = Store("sqlite", tmp_path)
    with store.database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(StateError, match="newer s3tui"):
        Store("sqlite", tmp_path)


def test_a_full_disk_is_one_sentence_and_loses_nothing(tmp_path: Path) -> None:
    store = Store("sqlite", tmp_path)
    job = new_job(store)
    with store.database.write() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count = {pages}"))
    with pytest.raises(StateError, match=r"full.*Free some disk space"):  # noqa: PT012 - whichever of them meets the end
        for _ in range(200):
            new_job(store)
    store.close()
    reopened = Store("sqlite", tmp_path)
    assert reopened.jobs.find(job.id)
    reopened.close()


def test_a_directory_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="cannot be created"):
        Store("sqlite", tmp_path / "file" / "state")


def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"not a database, but long enough to be read as one" * 100)
    with pytest.raises(StateError, match="cannot be used"):
        Store("sqlite", tmp_path)


@pytest.mark.parametrize("url", ["mysql://x", "nonsense", "postgresql:"])
def test_an_unknown_url_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"state\.url"):
        Store(url, tmp_path)


def test_a_password_never_reaches_a_message(tmp_path: Path) -> None:
    with pytest.raises(StateError) as caught:
        Store("postgresql://user:hunter2@127.0.0.1:1/nowhere", tmp_path)
    assert "hunter2" not in str(caught.value)


def test_a_committed_fact_is_on_disk_before_the_call_returns(tmp_path: Path) -> None:
    store = Store("sqlite", tmp_path)
    with sqlite3.connect(tmp_path / "state.db") as other:
        job = new_job(store)
        assert other.execute("SELECT id FROM job").fetchall() == [(job.id,)]
    with store.database.read() as connection:
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2, "FULL"
    store.close()

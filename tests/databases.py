"""What stands around s3tui in tests: SQLite in a directory of the test, PostgreSQL and RabbitMQ on their standard ports.

A server that does not answer skips its tests at home, and fails them in CI. Each test process has a PostgreSQL database of its own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from s3tui.errors import QueueError
from s3tui.queues.rabbitmq import open_rabbitmq
from s3tui.state.schema import SCHEMA
from s3tui.state.store import Store
from tests.queues.bench import RABBITMQ

ADMIN = os.environ.get("S3TUI_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432/postgres")


@pytest.fixture(scope="session")
def postgresql_url(worker_id: str) -> Iterator[str]:
    """An empty database of this test process."""
    name = f"s3tui_test_{os.getpid()}_{worker_id}"
    try:
        admin = psycopg.connect(ADMIN, autocommit=True, connect_timeout=5)
    except psycopg.OperationalError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"PostgreSQL is not reachable: {error}")
    with admin:
        admin.execute(f'CREATE DATABASE "{name}" ENCODING UTF8 TEMPLATE template0')
        yield f"{ADMIN.rpartition('/')[0]}/{name}"
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def rabbitmq_url() -> str:
    """A RabbitMQ server."""
    try:
        open_rabbitmq(f"{RABBITMQ}?connection_attempts=1").close()
    except QueueError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    return RABBITMQ


@pytest.fixture(params=["sqlite", "postgresql"])
def state_url(request: pytest.FixtureRequest) -> str:
    """`state.url`, once for each database."""
    return "sqlite" if request.param == "sqlite" else str(request.getfixturevalue("postgresql_url"))


@pytest.fixture
def state_store(state_url: str, tmp_path: Path) -> Iterator[Store]:
    """An empty state store."""
    opened = Store(state_url, tmp_path / "state")
    empty(opened)
    yield opened
    opened.close()


def empty(store: Store) -> None:
    """Delete every row."""
    with store.database.write() as connection:
        for table in re.findall(r"CREATE TABLE (\w+)", SCHEMA):
            connection.execute(f"DELETE FROM {table}")

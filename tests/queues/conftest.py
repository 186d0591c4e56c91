"""Fixtures: a queue in an SQLite file, and one on a RabbitMQ server."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from s3tui.errors import QueueError
from s3tui.queues.messages import queue_name
from s3tui.queues.rabbitmq import open_rabbitmq
from s3tui.state.database import Database
from tests.queues.bench import RABBITMQ, Bench


@pytest.fixture
def sqlite(tmp_path: Path) -> Bench:
    """A queue in a new state file."""
    database = Database("sqlite", tmp_path)
    database.close()
    return Bench(str(database.path), _unique(), tmp_path / "taken.log")


@pytest.fixture
def rabbitmq(tmp_path: Path) -> Iterator[Bench]:
    """A queue on the server, deleted afterwards. Without a server the test is skipped at home and fails in CI."""
    try:
        broker = open_rabbitmq(f"{RABBITMQ}?connection_attempts=1")
    except QueueError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    bench = Bench(RABBITMQ, _unique(), tmp_path / "taken.log")
    yield bench
    for queue in (bench.name, queue_name(bench.queue + "_b")):
        for suffix in ("", ".DQ", ".XQ"):
            broker.channel.queue_delete(queue + suffix)
    broker.close()


@pytest.fixture(params=["sqlite", "rabbitmq"])
def bench(request: pytest.FixtureRequest) -> Bench:
    """Each broker in turn: what is asked of one is asked of both."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Bench)
    return found


def _unique() -> str:
    return f"test_{secrets.token_hex(6)}"

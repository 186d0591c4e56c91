"""The outbox and the relay that empties it: messages written in a transaction reach RabbitMQ, whatever happens in between."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from s3tui.errors import QueueError
from s3tui.queues.broker import Relay, publish
from s3tui.queues.messages import unit_envelope
from s3tui.queues.rabbitmq import open_rabbitmq
from s3tui.queues.sqlite import SQLiteBroker
from tests.queues.bench import JOB, Bench, Taker, working
from tests.queues.forwarder import Forwarder
from tests.waiting import wait_until


class Outbox:
    """A table of bodies in an SQLite file, written in transactions and drained in one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with closing(self._connect()) as connection:
            connection.execute("CREATE TABLE outbox (id INTEGER PRIMARY KEY, body BLOB)")

    def write(self, *bodies: bytes, end: str = "COMMIT") -> None:
        with closing(self._connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO outbox (body) VALUES (?)", [(body,) for body in bodies])
            connection.execute(end)

    def drain(self, send: Callable[[bytes], None]) -> int:
        with closing(self._connect()) as connection:  # closing without a commit rolls back
            connection.execute("BEGIN IMMEDIATE")
            rows = connection.execute("SELECT id, body FROM outbox ORDER BY id LIMIT 100").fetchall()
            for _id, body in rows:
                send(body)
            connection.executemany("DELETE FROM outbox WHERE id = ?", [(row_id,) for row_id, _body in rows])
            connection.execute("COMMIT")
            return len(rows)

    def count(self) -> int:
        with closing(self._connect()) as connection:
            return int(connection.execute("SELECT count(*) FROM outbox").fetchone()[0])

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, isolation_level=None)


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox.db")


@pytest.fixture
def forwarder() -> Iterator[Forwarder]:
    forwarder = Forwarder(("127.0.0.1", 5672))
    yield forwarder
    forwarder.cut()


def body(bench: Bench, unit_no: int) -> bytes:
    return unit_envelope(bench.queue, JOB, unit_no).body


def test_the_relay_delivers_what_was_committed_and_nothing_else(rabbitmq: Bench, outbox: Outbox) -> None:
    taker, broker = Taker(), rabbitmq.open()
    relay = Relay(broker, outbox.drain)
    relay.start()
    with working(rabbitmq.open(), [rabbitmq.queue], taker):
        outbox.write(body(rabbitmq, 1), end="ROLLBACK")
        outbox.write(*(body(rabbitmq, unit_no) for unit_no in range(2, 212)))
        wait_until(lambda: len(taker.taken) >= 210, timeout=60, what="all committed messages")
        relay.stop()
    broker.close()
    assert taker.taken == list(range(2, 212))
    assert outbox.count() == 0


def test_messages_written_while_the_server_is_away_arrive_when_it_is_back(
    rabbitmq: Bench, outbox: Outbox, forwarder: Forwarder, caplog: pytest.LogCaptureFixture
) -> None:
    taker, broker = Taker(), open_rabbitmq(f"amqp://guest:guest@127.0.0.1:{forwarder.port}")
    relay = Relay(broker, outbox.drain)
    relay.start()
    with working(rabbitmq.open(), [rabbitmq.queue], taker), caplog.at_level(logging.INFO, "s3tui.queues"):
        outbox.write(body(rabbitmq, 1))
        wait_until(lambda: taker.taken == [1] and not outbox.count(), what="the message before the outage")
        forwarder.cut()
        outbox.write(body(rabbitmq, 2))
        wait_until(lambda: caplog.messages, what="the relay to notice")
        forwarder.mend()
        wait_until(lambda: taker.taken == [1, 2], timeout=30, what="the message after the outage")
        relay.stop()
    broker.close()
    assert [record.levelname for record in caplog.records if record.name.startswith("s3tui")] == ["WARNING", "INFO"]
    assert "The outbox waits: " in caplog.text


def test_the_outbox_is_not_opened_while_the_server_is_away(
    rabbitmq: Bench, forwarder: Forwarder, caplog: pytest.LogCaptureFixture
) -> None:
    drained = threading.Event()

    def drain(_send: Callable[[bytes], None]) -> int:
        drained.set()
        return 0

    broker = open_rabbitmq(f"amqp://guest:guest@127.0.0.1:{forwarder.port}")
    relay = Relay(broker, drain)
    forwarder.cut()
    relay.start()
    wait_until(lambda: "The RabbitMQ server does not answer: " in caplog.text, what="the relay to notice")
    assert not drained.is_set()
    forwarder.mend()
    assert drained.wait(30)
    relay.stop()
    broker.close()


def test_an_outage_of_any_length_is_logged_once(sqlite: Bench, caplog: pytest.LogCaptureFixture) -> None:
    rounds = 0

    def drain(_send: Callable[[bytes], None]) -> int:
        nonlocal rounds
        rounds += 1
        if rounds <= 3:
            raise QueueError("The server is away.")
        return 0

    broker = sqlite.open()
    relay = Relay(broker, drain)
    with caplog.at_level(logging.INFO, "s3tui.queues"):
        relay.start()
        wait_until(lambda: rounds > 4, what="the relay to go on")
        relay.stop()
    broker.close()
    assert caplog.messages == ["The outbox waits: The server is away.", "The outbox moves again."]


def test_a_relay_stops_at_once(sqlite: Bench) -> None:
    broker, begun = sqlite.open(), threading.Event()

    def drain(_send: Callable[[bytes], None]) -> int:
        begun.set()
        return 0

    relay = Relay(broker, drain)
    relay.start()
    assert begun.wait(5)
    before = time.monotonic()
    relay.stop()
    assert time.monotonic() - before < 1
    broker.close()


def test_of_many_relays_each_looks_less_often(sqlite: Bench) -> None:
    looks: list[float] = []

    def drain(_send: Callable[[bytes], None]) -> int:
        looks.append(time.monotonic())
        return 0

    broker = sqlite.open()
    relay = Relay(broker, drain)
    relay.share(8)
    relay.start()
    wait_until(lambda: len(looks) > 2, what="three looks")
    relay.stop()
    broker.close()
    assert min(later - earlier for earlier, later in pairwise(looks)) >= 0.39


def test_a_body_that_is_no_message_is_dropped_and_logged(sqlite: Bench, caplog: pytest.LogCaptureFixture) -> None:
    broker = sqlite.open()
    publish(broker, b"nonsense")
    broker.close()
    assert sqlite.rows() == []
    assert "is not a message; it is dropped" in caplog.text


def test_publishing_to_a_queue_that_is_away_is_a_queue_error(tmp_path: Path) -> None:
    with pytest.raises(QueueError):
        publish(SQLiteBroker(tmp_path / "gone.db"), unit_envelope("upload", JOB, 1).body)

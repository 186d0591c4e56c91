"""What the SQLite broker does beyond the contract: leases, dead messages, locks, consumers that fail."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest
from dramatiq import Broker, Consumer, Message, MessageProxy, QueueJoinTimeout
from dramatiq.middleware import Retries

from s3tui.errors import QueueError
from s3tui.model import now_ms
from s3tui.queues.message_table import Claimed, MessageTable
from s3tui.queues.messages import Envelope, unit_envelope
from s3tui.queues.retries import short_retries
from s3tui.queues.sqlite import SQLiteBroker
from tests.queues.bench import JOB, Bench, Taker, working
from tests.waiting import wait_until

READY, LEASED, DELAYED, DEAD = 0, 1, 2, 3


class StumblingBroker(SQLiteBroker):
    """Its consumers raise out of `__next__` once, when `stumble` is set."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, middleware=[short_retries()])
        self.stumble = threading.Event()
        self.opened = 0

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 1000) -> Consumer:
        self.opened += 1
        return _Stumbling(super().consume(queue_name, prefetch, timeout), self.stumble)


class _Stumbling(Consumer):
    def __init__(self, consumer: Consumer, stumble: threading.Event) -> None:
        self._consumer = consumer
        self._stumble = stumble

    def __next__(self) -> MessageProxy | None:
        if self._stumble.is_set():
            self._stumble.clear()
            raise RuntimeError("the consumer stumbles")
        return next(self._consumer)

    def ack(self, message: MessageProxy) -> None:
        self._consumer.ack(message)

    def nack(self, message: MessageProxy) -> None:
        self._consumer.nack(message)

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        self._consumer.requeue(messages)

    def close(self) -> None:
        self._consumer.close()


def insert(connection: sqlite3.Connection, envelope: Envelope) -> None:
    """What the state store does, on its own connection."""
    connection.execute(
        "INSERT INTO message (queue, priority, body) VALUES (?, ?, ?)", (envelope.queue, envelope.priority, envelope.body)
    )


def claim(bench: Bench, room: int, *, now: int, lease: int = 1000, max_tries: int = 3) -> list[Claimed]:
    """Claim messages as a process would that then says nothing more."""
    with closing(MessageTable(Path(bench.where))) as table:
        return table.exchange(bench.name, [], room, token=f"silent {now}", now=now, lease=lease, max_tries=max_tries)


def test_a_message_exists_when_its_transaction_commits_and_not_before(sqlite: Bench) -> None:
    taker = Taker()
    with working(sqlite.open(), [sqlite.queue], taker), closing(sqlite3.connect(sqlite.where, isolation_level=None)) as store:
        for unit_no, end in ((1, "ROLLBACK"), (2, "COMMIT")):
            store.execute("BEGIN IMMEDIATE")
            insert(store, unit_envelope(sqlite.queue, JOB, unit_no))
            store.execute(end)
        wait_until(lambda: taker.taken, what="the committed message")
        SQLiteBroker(Path(sqlite.where)).join(sqlite.name, timeout=5000)
    assert taker.taken == [2]


def test_work_in_progress_is_acknowledged_to_the_consumer_that_replaces_a_failed_one(sqlite: Bench) -> None:
    taker, broker = Taker(), StumblingBroker(Path(sqlite.where))
    taker.go.clear()
    sqlite.send(1)
    with working(broker, [sqlite.queue], taker):
        wait_until(lambda: taker.begun == [1], what="the message to be begun")
        broker.stumble.set()
        wait_until(lambda: broker.opened == 2, what="a new consumer")
        assert sqlite.rows("state") == [(LEASED,)]
        taker.go.set()
        wait_until(lambda: sqlite.rows() == [], timeout=5, what="the row to be deleted")
    assert taker.begun == [1]


def test_a_message_that_takes_longer_than_its_lease_is_not_given_to_another(sqlite: Bench) -> None:
    taker, other = Taker(), Taker()
    taker.go.clear()
    sqlite.send(1)

    def lease_until() -> int:
        return int(str(sqlite.rows("lease_until")[0][0]))

    with working(sqlite.open(lease=0.6), [sqlite.queue], taker):
        wait_until(lambda: taker.begun == [1], what="the message to be begun")
        with working(sqlite.open(lease=0.6), [sqlite.queue], other):
            first = lease_until()
            wait_until(lambda: lease_until() > first + 1200, what="the lease to be renewed for twice its length")
        taker.go.set()
    assert (taker.taken, other.begun) == ([1], [])
    assert sqlite.rows() == []


def test_an_idle_broker_takes_no_write_lock(sqlite: Bench) -> None:
    broker = sqlite.open(lease=0.03)
    broker.declare_queue(sqlite.name)
    consumer = broker.consume(sqlite.name, prefetch=4, timeout=30)
    with closing(sqlite3.connect(sqlite.where, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        before = time.monotonic()
        assert [next(consumer) for _ in range(5)] == [None] * 5  # whoever asks for the lock waits 30 seconds for it
        consumer.close()
        broker.close()
        assert time.monotonic() - before < 5


def test_a_message_that_outlived_too_many_workers_is_dead(sqlite: Bench) -> None:
    sqlite.send(1)
    for now in (10_000, 20_000, 30_000):
        assert [item.tries for item in claim(sqlite, 1, now=now)] == [now // 10_000]
    assert claim(sqlite, 1, now=40_000) == []
    assert sqlite.rows("state, owner, error") == [(DEAD, None, "Given up: its worker died, or lost its lease, 3 times.")]


def test_a_message_that_was_handed_back_has_not_cost_a_try(sqlite: Bench) -> None:
    sqlite.send(1)
    table = MessageTable(Path(sqlite.where))
    for now in range(1, 6):
        claimed = claim(sqlite, 1, now=now)
        assert [item.tries for item in claimed] == [1]
        table.release([item.claim for item in claimed])
    table.close()


def test_a_claim_is_settled_only_by_the_one_who_holds_it(sqlite: Bench) -> None:
    sqlite.send(1)
    (lost,) = claim(sqlite, 1, now=1, lease=10)
    (held,) = claim(sqlite, 1, now=1000)
    with closing(MessageTable(Path(sqlite.where))) as table:
        assert table.renew([lost.claim, held.claim], until=5000) == [lost.claim]
        table.release([lost.claim])
    assert sqlite.rows("state, owner, lease_until") == [(LEASED, "silent 1000", 5000)]


def test_one_claim_returns_messages_by_priority_then_age(sqlite: Bench) -> None:
    for unit_no, priority in enumerate((3, -1, 3, 0)):
        sqlite.send(unit_no, priority=priority)
    assert [Message.decode(item.body).args[1] for item in claim(sqlite, 4, now=1)] == [1, 3, 0, 2]


def test_a_message_that_was_redelivered_says_so(sqlite: Bench) -> None:
    sqlite.send(1)
    claim(sqlite, 1, now=1)
    broker = sqlite.open()
    assert _next(broker, sqlite).redelivered
    broker.close()


def test_a_delayed_message_is_a_row_with_a_date_and_carries_no_eta(sqlite: Bench) -> None:
    broker, before = sqlite.open(), now_ms()
    broker.enqueue(Message.decode(unit_envelope(sqlite.queue, JOB, 1, priority=-2).body), delay=60_000)
    broker.close()
    ((state, not_before, priority, body),) = sqlite.rows("state, not_before, priority, body")
    assert (state, priority) == (DELAYED, -2)
    assert 60_000 <= int(str(not_before)) - before < 70_000
    assert isinstance(body, bytes)
    assert "eta" not in Message.decode(body).options
    assert broker.get_declared_delay_queues() == set()


def test_a_message_that_failed_for_good_is_kept_with_its_error(sqlite: Bench) -> None:
    def take(job_id: str, unit_no: int) -> None:
        raise ValueError("no such table")

    sqlite.send(1)
    with working(SQLiteBroker(Path(sqlite.where), middleware=[Retries(max_retries=0)]), [sqlite.queue], take):
        wait_until(lambda: sqlite.rows("state, error") == [(DEAD, "ValueError: no such table")], what="the message to be dead")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"\x80\x04not json", "The body is not a Dramatiq message."),
        (unit_envelope("elsewhere", JOB, 1).body, "The body names another queue, 's3tui.elsewhere.v1'."),
    ],
    ids=["not a message", "of another queue"],
)
def test_a_body_that_cannot_be_worked_on_is_buried_and_holds_up_nobody(sqlite: Bench, body: bytes, error: str) -> None:
    taker = Taker()
    with closing(sqlite3.connect(sqlite.where)) as store, store:
        insert(store, Envelope(sqlite.name, 0, body))
    sqlite.send(2)
    with working(sqlite.open(), [sqlite.queue], taker):
        wait_until(lambda: taker.taken == [2], what="the good message")
        wait_until(lambda: sqlite.rows("state, error") == [(DEAD, error)], what="the bad one to be buried")


def test_acknowledged_messages_are_deleted_when_the_broker_closes(sqlite: Bench) -> None:
    sqlite.send(1)
    broker = sqlite.open()
    consumer = _open(broker, sqlite)
    message = next(consumer)
    assert message is not None
    consumer.ack(message)
    assert sqlite.rows("state") == [(LEASED,)]
    broker.close()
    assert sqlite.rows() == []


def test_flushing_a_queue_spares_what_is_worked_on(sqlite: Bench) -> None:
    sqlite.send(1, 2)
    claim(sqlite, 1, now=now_ms())
    broker = sqlite.open()
    broker.declare_queue(sqlite.name)
    broker.flush_all()
    assert sqlite.rows("state") == [(LEASED,)]
    with pytest.raises(QueueJoinTimeout):
        broker.join(sqlite.name, timeout=50)
    broker.close()


def test_a_missing_state_file_is_a_sentence_and_no_new_file(tmp_path: Path) -> None:
    broker = SQLiteBroker(tmp_path / "gone.db")
    with pytest.raises(QueueError, match=r"The queue in .*gone\.db cannot be used: unable to open database file\."):
        broker.enqueue(Message.decode(unit_envelope("upload", JOB, 1).body))
    assert list(tmp_path.iterdir()) == []


def _open(broker: Broker, bench: Bench) -> Consumer:
    broker.declare_queue(bench.name)
    return broker.consume(bench.name)


def _next(broker: Broker, bench: Bench) -> MessageProxy:
    message = next(_open(broker, bench))
    assert message is not None
    return message

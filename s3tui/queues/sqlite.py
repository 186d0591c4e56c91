"""A Dramatiq broker inside the SQLite state file: no server, and the same promises as RabbitMQ.

A message is a row. A consumer claims rows under a lease and a random token, a worker thread notes that it is done, the next claim
deletes the row. A process that dies leaves leases behind that run out; a process that lives renews them from one heartbeat thread.

Unlike Dramatiq's other brokers this one has no delay queues, whose consumers would each poll for nothing: a delayed message is a
row with a date.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dramatiq import Broker, Consumer, DecodeError, Message, MessageProxy, Middleware, QueueJoinTimeout, QueueNotFound

from s3tui.errors import QueueError
from s3tui.model import now_ms
from s3tui.queues.message_table import Claim, Claimed, MessageTable, Settled
from s3tui.queues.messages import row_priority

_POLL_SECONDS = 0.025

_log = logging.getLogger(__name__)


class SQLiteBroker(Broker):
    """Messages as rows of the `message` table in the state file.

    Stop the `dramatiq.Worker` before closing the broker. Methods raise QueueError when the file cannot be used.
    """

    def __init__(self, path: Path, *, lease: float = 30.0, max_tries: int = 10, middleware: list[Middleware] | None = None) -> None:
        """`lease` is in seconds; after `max_tries` claims that ended without a word from their worker a message is dead."""
        super().__init__(middleware=middleware or [])
        self.table = MessageTable(path)
        self.held = Held()
        self.bell = Bell()
        self.lease_ms = int(lease * 1000)
        self.max_tries = max_tries
        self._stopped = threading.Event()
        self._heartbeat: threading.Thread | None = None
        self._lock = threading.Lock()

    def declare_queue(self, queue_name: str) -> None:
        """Make a queue known to this broker. Rows of other queues are nobody's business here."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues[queue_name] = None
            self.emit_after("declare_queue", queue_name)

    def enqueue(self, message: Message[Any] | MessageProxy, *, delay: int | None = None) -> Message[Any]:
        """Add a message in a transaction of its own; nobody gets it for `delay` milliseconds."""
        self.emit_before("enqueue", message, delay)
        not_before = now_ms() + delay if delay else 0
        self.table.insert(message.queue_name, row_priority(message.options), message.encode(), not_before=not_before)
        self.bell.ring()
        self.emit_after("enqueue", message, delay)
        return message  # type: ignore[return-value]  # the retry middleware enqueues proxies, as with every Dramatiq broker

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 1000) -> Consumer:
        """Open a consumer that holds at most `prefetch` messages, work in progress included; `timeout` is in milliseconds."""
        if queue_name not in self.queues:
            raise QueueNotFound(queue_name)  # type: ignore[no-untyped-call]
        self._start_heartbeat()
        return _TableConsumer(self, queue_name, prefetch, timeout / 1000)

    def flush(self, queue_name: str) -> None:
        """Delete the messages of a queue, except those that somebody works on."""
        self.table.clear(queue_name)

    def flush_all(self) -> None:
        """Delete the messages of every declared queue, except those that somebody works on."""
        for queue_name in self.get_declared_queues():
            self.flush(queue_name)

    def join(self, queue_name: str, *, timeout: int | None = None) -> None:
        """Wait until the queue has no message that is ready, delayed or worked on. `timeout` is in ms; raises QueueJoinTimeout."""
        deadline = None if timeout is None else time.monotonic() + timeout / 1000
        while self.table.unfinished(queue_name):
            if deadline is not None and time.monotonic() >= deadline:
                raise QueueJoinTimeout(queue_name)  # type: ignore[no-untyped-call]
            time.sleep(_POLL_SECONDS)

    def close(self) -> None:
        """End the heartbeat and write what is not written yet. Leases of work that still runs are left to run out."""
        with self._lock:
            heartbeat, self._heartbeat = self._heartbeat, None
        if heartbeat is not None:
            self._stopped.set()
            heartbeat.join()
        try:
            self.write_settled()
        except QueueError as error:
            _log.warning("Finished messages could not be deleted and will come again: %s", error)
        self.table.close()

    def write_settled(self) -> None:
        """Write at once what waits for the next claim."""
        settled = self.held.settled()
        if settled:
            self.table.settle(settled)
            self.held.written(settled)

    def _start_heartbeat(self) -> None:
        with self._lock:
            if self._heartbeat is None:
                self._stopped.clear()
                self._heartbeat = threading.Thread(target=self._beat, name="queue heartbeat", daemon=True)
                self._heartbeat.start()

    def _beat(self) -> None:
        while not self._stopped.wait(self.lease_ms / 3000):
            try:
                self._renew_leases()
            except QueueError as error:
                _log.warning("Leases could not be renewed: %s", error)

    def _renew_leases(self) -> None:
        claims = self.held.claims()
        if not claims:
            return  # an idle process takes no write lock
        for claim in self.table.renew(claims, now_ms() + self.lease_ms):
            if self.held.drop(claim):  # it may just have been done
                _log.warning("Message %d was not renewed in time: another worker may have it now.", claim.row)


class Bell:
    """Wakes the consumers of this process early; they look by themselves every 25 ms."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rung = 0

    @property
    def rung(self) -> int:
        """How often it has been rung: read it before looking for work, and no ring in between is missed."""
        return self._rung

    def ring(self) -> None:
        """Something may have changed."""
        with self._condition:
            self._rung += 1
            self._condition.notify_all()

    def wait(self, heard: int, seconds: float) -> None:
        """Wait until it has been rung more often than `heard`, or the time is over."""
        with self._condition:
            self._condition.wait_for(lambda: self._rung != heard, seconds)


class Held:
    """The claims of this process, and what is still to be written about those it is done with. Safe from any thread.

    It belongs to the broker, not to a consumer: after an error Dramatiq makes a new consumer, while messages of the old one are
    still worked on and will be acknowledged to the new one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queues: dict[Claim, str] = {}
        self._settled: list[Settled] = []

    def take(self, queue: str, claims: Iterable[Claim]) -> None:
        """Note new claims."""
        with self._lock:
            self._queues.update((claim, queue) for claim in claims)

    def count(self, queue: str) -> int:
        """How many claims are open on a queue."""
        with self._lock:
            return sum(1 for held in self._queues.values() if held == queue)

    def claims(self) -> list[Claim]:
        """The open claims of all queues."""
        with self._lock:
            return list(self._queues)

    def drop(self, claim: Claim) -> bool:
        """Forget a claim; returns whether it was open."""
        with self._lock:
            return self._queues.pop(claim, None) is not None

    def settle(self, settled: Settled) -> None:
        """Close a claim; the next transaction writes it."""
        with self._lock:
            self._queues.pop(settled.claim, None)
            self._settled.append(settled)

    def settled(self) -> list[Settled]:
        """What is to be written. It stays here until `written`, so a failed transaction loses nothing."""
        with self._lock:
            return self._settled.copy()

    def written(self, settled: list[Settled]) -> None:
        """Forget what has been written."""
        with self._lock:
            self._settled = [item for item in self._settled if item not in settled]


class LeasedMessage(MessageProxy):
    """A message on loan. It carries its own claim, so that any consumer can settle it."""

    def __init__(self, message: Message[Any], claimed: Claimed) -> None:
        super().__init__(message)
        self.claim = claimed.claim
        self.redelivered = claimed.tries > 1
        """Whether an earlier worker died with it."""


class _TableConsumer(Consumer):
    """Hands out the messages of one queue. `__next__` belongs to one thread; the other methods may be called from any."""

    def __init__(self, broker: SQLiteBroker, queue: str, prefetch: int, timeout: float) -> None:
        self._broker = broker
        self._queue = queue
        self._prefetch = prefetch
        self._timeout = timeout
        self._ready: deque[LeasedMessage] = deque()

    def __next__(self) -> MessageProxy | None:
        deadline = time.monotonic() + self._timeout
        while True:
            heard = self._broker.bell.rung
            if not self._ready:
                self._exchange()
            if self._ready:
                return self._ready.popleft()
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self._broker.bell.wait(heard, min(_POLL_SECONDS, left))

    def ack(self, message: MessageProxy) -> None:
        self._settle(message, None)

    def nack(self, message: MessageProxy) -> None:
        cause = message._exception
        self._settle(message, f"{type(cause).__name__}: {cause}" if cause else "Rejected by its worker.")

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        self._release([message.claim for message in messages])

    def close(self) -> None:
        # Only what was never handed out: releasing work in progress would start a second copy of it.
        unread = [message.claim for message in self._ready]
        self._ready.clear()
        self._release(unread)
        self._broker.write_settled()

    def _settle(self, message: MessageProxy, error: str | None) -> None:
        self._broker.held.settle(Settled(message.claim, error))
        self._broker.bell.ring()

    def _release(self, claims: list[Claim]) -> None:
        for claim in claims:
            self._broker.held.drop(claim)
        if claims:
            self._broker.table.release(claims)

    def _exchange(self) -> None:
        """Settle and claim in one transaction, or take no lock if there is neither to do."""
        broker, now = self._broker, now_ms()
        settled = broker.held.settled()
        room = self._prefetch - broker.held.count(self._queue)
        if not settled and (room <= 0 or not broker.table.has_work(self._queue, now)):
            return
        claimed = broker.table.exchange(
            self._queue, settled, room, token=secrets.token_hex(16), now=now, lease=broker.lease_ms, max_tries=broker.max_tries
        )
        broker.held.written(settled)
        broker.held.take(self._queue, [item.claim for item in claimed])
        for item in claimed:
            self._read(item)

    def _read(self, claimed: Claimed) -> None:
        try:
            message = Message.decode(claimed.body)
        except DecodeError:
            self._broker.held.settle(Settled(claimed.claim, "The body is not a Dramatiq message."))
            return
        if message.queue_name != self._queue:  # Dramatiq looks its consumer up by this name, and its thread dies if there is none
            self._broker.held.settle(Settled(claimed.claim, f"The body names another queue, {message.queue_name!r}."))
            return
        self._ready.append(LeasedMessage(message, claimed))

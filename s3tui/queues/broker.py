"""Picks the broker that `queue.url` asks for, tells it what to run, and publishes an outbox to it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import dramatiq

from s3tui.errors import ConfigError, QueueError, S3tuiError
from s3tui.queues.messages import UNIT_ACTOR, queue_name
from s3tui.queues.rabbitmq import open_rabbitmq, stay_connected
from s3tui.queues.retries import short_retries
from s3tui.queues.sqlite import SQLiteBroker

_IDLE_SECONDS = 0.1
"""After which a relay that is alone looks again."""
_SHARED_SECONDS = 0.05
"""What each further relay on the same outbox adds to that: together they look often enough, and the database is asked no more."""
_LONGEST_IDLE_SECONDS = 0.5
_LONGEST_BACKOFF_SECONDS = 5.0

_log = logging.getLogger(__name__)


def open_broker(url: str, *, state_file: Path | None) -> dramatiq.Broker:
    """The broker of `queue.url`; `state_file` is the SQLite file of the state store, None if the state lives elsewhere.

    Raises ConfigError for a URL that cannot be used, QueueError when RabbitMQ cannot be reached.
    """
    check_url(url, beside_sqlite=state_file is not None)
    return open_rabbitmq(url) if state_file is None or url != "sqlite" else SQLiteBroker(state_file, middleware=[short_retries()])


def check_url(url: str, *, beside_sqlite: bool) -> None:
    """Whether `queue.url` leads anywhere, seen without connecting; the state is in SQLite or is not. Raises ConfigError."""
    if url == "sqlite" and not beside_sqlite:
        raise ConfigError(
            "queue.url is `sqlite`, which is a part of an SQLite state file, but state.url names another database: "
            "set queue.url to amqp://USER:PASSWORD@HOST:5672/VHOST."
        )
    if url != "sqlite" and not url.startswith(("amqp://", "amqps://")):
        raise ConfigError(
            f"queue.url begins with {url.partition(':')[0]!r}: use `sqlite`, or amqp://USER:PASSWORD@HOST:5672/VHOST."
        )


def declare_units(broker: dramatiq.Broker, queues: Iterable[str], take: Callable[[str, int], None]) -> set[str]:
    """Let `take(job_id, unit_no)` be called for every unit of these queues; returns the broker's names of them.

    A broker knows an actor by its name alone, so there is one, and it is found from every queue. Give the names to
    `dramatiq.Worker(broker, queues=...)`, with a `worker_timeout` of 200: stopping it takes up to twice that many milliseconds.
    """
    names = [queue_name(queue) for queue in queues]
    dramatiq.actor(actor_name=UNIT_ACTOR, queue_name=names[0], broker=broker)(take)
    for name in names[1:]:
        broker.declare_queue(name)
    return set(names)


def publish(broker: dramatiq.Broker, body: bytes) -> None:
    """Send an encoded message to the queue that it names, and return when the broker has it safely. Raises QueueError.

    What is no message is logged and dropped: it could never be delivered, and would hold up all that wait behind it.
    """
    try:
        message: dramatiq.Message[None] = dramatiq.Message.decode(body)
    except dramatiq.DecodeError:
        _log.error("A body of %d bytes in the outbox is not a message; it is dropped.", len(body))
        return
    try:
        broker.enqueue(message)
    except dramatiq.BrokerConnectionError as error:
        raise QueueError(f"A message could not be sent to queue {message.queue_name}: {error}.") from error


class Relay:
    """A thread that empties the outbox into a broker, for as long as it runs, through outages of either side."""

    def __init__(self, broker: dramatiq.Broker, drain: Callable[[Callable[[bytes], None]], int]) -> None:
        """`drain(publish)` sends a page of the outbox in one transaction and returns how many messages that was; 0: it is empty."""
        self._broker = broker
        self._drain = drain
        self._stopped = threading.Event()
        self._idle = _IDLE_SECONDS
        self._thread = threading.Thread(target=self._run, name="outbox relay", daemon=True)

    def start(self) -> None:
        """Begin. A relay runs once."""
        self._thread.start()

    def share(self, relays: int) -> None:
        """So many relays empty the same outbox, this one among them."""
        self._idle = min(max(_IDLE_SECONDS, _SHARED_SECONDS * relays), _LONGEST_IDLE_SECONDS)

    def stop(self, timeout: float = 5.0) -> None:
        """Finish the page at hand, and wait at most `timeout` seconds for it; whatever is not sent stays in the outbox."""
        self._stopped.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        failures = 0
        while not self._stopped.is_set():
            try:
                if not isinstance(self._broker, SQLiteBroker):
                    stay_connected(self._broker)  # an outage is noticed here, not while the page's transaction is open
                sent = self._drain(self._publish)
            except Exception as error:
                if not failures:
                    _log.warning("The outbox waits: %s", error, exc_info=not isinstance(error, S3tuiError))
                failures += 1
                self._stopped.wait(min(_IDLE_SECONDS * 2**failures, _LONGEST_BACKOFF_SECONDS))
                continue
            if failures:
                _log.info("The outbox moves again.")
                failures = 0
            if not sent:
                self._stopped.wait(self._idle)

    def _publish(self, body: bytes) -> None:
        publish(self._broker, body)

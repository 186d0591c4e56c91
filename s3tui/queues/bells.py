"""What a worker hears of the queue: a call for every unit that is announced."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import dramatiq

from s3tui.queues.broker import Relay, declare_units, open_broker

_POLL_MS = 200
"""How long a consumer waits at a time; stopping takes up to twice as long."""


class Bells:
    """The consumers of one process, and the relay that fills their broker if the messages do not lie in it already."""

    def __init__(self, url: str, *, state_file: Path | None, drain: Callable[[Callable[[bytes], None]], int]) -> None:
        """Connect to `queue.url`; `drain` empties the outbox of the state store. Raises ConfigError, QueueError."""
        self._broker = open_broker(url, state_file=state_file)
        self._relay = None if url == "sqlite" else Relay(self._broker, drain)
        self._consumer: dramatiq.Worker | None = None

    def start(self, queues: Iterable[str], ring: Callable[[str, int], None]) -> None:
        """Call `ring(job_id, unit_no)` for every unit of these queues; it must return at once."""
        names = declare_units(self._broker, queues, ring)
        self._consumer = dramatiq.Worker(self._broker, queues=names, worker_threads=1, worker_timeout=_POLL_MS)
        self._consumer.start()
        if self._relay is not None:
            self._relay.start()

    def share(self, workers: int) -> None:
        """So many workers hear of the same queue, this one among them."""
        if self._relay is not None:
            self._relay.share(workers)

    def stop(self) -> None:
        """Hear nothing more; the consumers end before the broker they ask."""
        if self._consumer is not None:
            self._consumer.stop()
            if self._relay is not None:
                self._relay.stop()
        self._broker.close()

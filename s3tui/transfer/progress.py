"""Bytes in flight, sampled. Engines write, the worker's heartbeat reads; nothing here is durable.

Concurrency: one lock guards everything; it is held for a few instructions only and never while another lock is taken.
"""

from __future__ import annotations

import threading
import time

from s3tui.model import ActiveTransfer

_SMOOTHING = 0.4
"""Weight of the newest sample in a rate."""


class _Flight:
    __slots__ = ("attempt", "rate", "sampled_at", "sampled_sent", "sent", "size")

    def __init__(self, size: int, attempt: int, now: float) -> None:
        self.size = size
        self.attempt = attempt
        self.sent = 0
        self.sampled_sent = 0
        self.sampled_at = now
        self.rate = 0.0

    def sample(self, no: int, now: float) -> ActiveTransfer:
        elapsed = now - self.sampled_at
        if elapsed > 0:
            newest = max(0, self.sent - self.sampled_sent) / elapsed
            self.rate = newest if self.rate == 0.0 else _SMOOTHING * newest + (1 - _SMOOTHING) * self.rate
            self.sampled_at, self.sampled_sent = now, self.sent
        return ActiveTransfer(no, self.sent, self.size, self.attempt, self.rate)


class Progress:
    """The transfers of one job that are in flight in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[int, _Flight] = {}
        self._bytes = 0

    def start(self, no: int, size: int, attempt: int) -> None:
        """A transfer begins, or begins again: what an earlier attempt sent no longer counts."""
        with self._lock:
            self._flights[no] = _Flight(size, attempt, time.monotonic())

    def advance(self, no: int, count: int) -> None:
        """`count` more bytes left for the store; negative when they must be sent again."""
        with self._lock:
            self._bytes += max(0, count)
            flight = self._flights.get(no)
            if flight is not None:
                flight.sent = min(max(0, flight.sent + count), flight.size)

    def end(self, no: int) -> None:
        """The transfer is not in flight any more."""
        with self._lock:
            self._flights.pop(no, None)

    def sample(self) -> tuple[list[ActiveTransfer], int]:
        """The transfers in flight, by number, and all bytes that ever left for the store."""
        now = time.monotonic()
        with self._lock:
            return [self._flights[no].sample(no, now) for no in sorted(self._flights)], self._bytes

"""Bytes in flight, sampled. Engines write, the worker's heartbeat reads; nothing here is durable.

Concurrency: one lock guards everything; it is held for a few instructions only and never while another lock is taken.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from s3tui.model import ActiveTransfer, VideoSample

_SMOOTHING = 0.4
"""Weight of the newest sample in a rate."""


class _Rate:
    """How fast a count of bytes grows, smoothed over the samples."""

    __slots__ = ("_at", "_count", "value")

    def __init__(self, now: float) -> None:
        self._at = now
        self._count = 0
        self.value = 0.0
        """Bytes per second."""

    def sample(self, count: int, now: float) -> float:
        elapsed = now - self._at
        if elapsed > 0:
            newest = max(0, count - self._count) / elapsed
            self.value = newest if self.value == 0.0 else _SMOOTHING * newest + (1 - _SMOOTHING) * self.value
            self._at, self._count = now, count
        return self.value


class _Flight:
    __slots__ = ("_rate", "attempt", "sent", "size")

    def __init__(self, size: int, attempt: int, now: float) -> None:
        self.size = size
        self.attempt = attempt
        self.sent = 0
        self._rate = _Rate(now)

    def sample(self, no: int, now: float) -> ActiveTransfer:
        return ActiveTransfer(no, self.sent, self.size, self.attempt, self._rate.sample(self.sent, now))


class Progress:
    """The transfers of one job that are in flight in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[int, _Flight] = {}
        self._videos: dict[int, VideoSample] = {}
        self._bytes = 0
        self._rate = _Rate(time.monotonic())

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
        """The transfer is not in flight any more, and its video, if it becomes one, not at work."""
        with self._lock:
            self._flights.pop(no, None)
            self._videos.pop(no, None)

    def tell(self, video: VideoSample) -> None:
        """How far a video is; it is forgotten when its transfer ends."""
        with self._lock:
            self._videos[video.no] = video

    def observe(self, flights: Iterable[tuple[int, int, int, int]], before: Iterable[int]) -> None:
        """(number, bytes sent, size, attempt) of what somebody else has in flight; `before`: the numbers of his last such list."""
        now = time.monotonic()
        with self._lock:
            seen = set()
            for no, sent, size, attempt in flights:
                seen.add(no)
                flight = self._flights.get(no)
                if flight is None or (flight.size, flight.attempt) != (size, attempt):
                    flight = self._flights[no] = _Flight(size, attempt, now)
                flight.sent = sent
            for no in before:
                if no not in seen:
                    self._flights.pop(no, None)

    def count(self, count: int) -> None:
        """Bytes left for the store, of transfers that are observed."""
        with self._lock:
            self._bytes += count

    def sample(self) -> tuple[list[ActiveTransfer], int]:
        """The transfers in flight, by number, and all bytes that ever left for the store."""
        now = time.monotonic()
        with self._lock:
            self._rate.sample(self._bytes, now)
            return [self._flights[no].sample(no, now) for no in sorted(self._flights)], self._bytes

    @property
    def videos(self) -> list[VideoSample]:
        """The newest that was told of each video at work, by number."""
        with self._lock:
            return [self._videos[no] for no in sorted(self._videos)]

    @property
    def rate(self) -> float:
        """Bytes per second, over all transfers, as of the last sample."""
        return self._rate.value

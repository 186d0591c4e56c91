"""How often somebody may call, and how much may go on at a time. Figures of this process: several servers each have their own."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from s3tui.api.problems import Problem

_MOST_KEYS = 10_000


class Rate:
    """A bucket of so many requests for each caller, which fills again at a steady pace."""

    def __init__(self, per_second: float, burst: float) -> None:
        self._per_second = per_second
        self._burst = max(1.0, burst)
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, key: str, now: float | None = None) -> float:
        """Take one; returns 0, or the seconds to wait if there is none left."""
        now = time.monotonic() if now is None else now
        level, since = self._buckets.get(key, (self._burst, now))
        level = min(self._burst, level + (now - since) * self._per_second)
        if level < 1:
            self._buckets[key] = level, now
            return (1 - level) / self._per_second
        self._buckets[key] = level - 1, now
        if len(self._buckets) > _MOST_KEYS:
            self._forget_full(now)
        return 0.0

    def __len__(self) -> int:
        """Callers that are remembered."""
        return len(self._buckets)

    def check(self, key: str, what: str) -> None:
        """Take one. Raises Problem 429 if there is none left."""
        if wait := self.take(key):
            raise too_many("rate_limited", f"There were too many {what}. Wait as long as Retry-After says.", wait)

    def _forget_full(self, now: float) -> None:
        full = self._burst / self._per_second
        self._buckets = {key: bucket for key, bucket in self._buckets.items() if now - bucket[1] < full}


class Slots:
    """So many things at a time for each caller."""

    def __init__(self, most: int, what: str) -> None:
        self._most = most
        self._what = what
        self._taken: Counter[str] = Counter()

    @contextmanager
    def one(self, key: str) -> Iterator[None]:
        """Have one of them within. Raises Problem 429 if all are taken."""
        if self._taken[key] >= self._most:
            raise too_many("too_many_at_once", f"This token has {self._most} {self._what} already. Wait until one has ended.", 1)
        self._taken[key] += 1
        try:
            yield
        finally:
            self._taken[key] -= 1
            if not self._taken[key]:
                del self._taken[key]


def too_many(reason: str, detail: str, seconds: float) -> Problem:
    """429, with the seconds to wait."""
    return Problem(429, reason, detail, headers={"Retry-After": str(max(1, math.ceil(seconds)))})

"""How many requests may be in flight: what is asked for, and no more than the store bears.

Additive increase, multiplicative decrease. It begins low and doubles with every round of answers until the store complains for the
first time; after that it halves at a complaint and grows by one a round.
"""

from __future__ import annotations

_FIRST = 32
_FEW = 16.0
_ROUND_SECONDS = 0.5
"""Complaints that come together are one: requests that were sent before the window shrank say nothing about its new size."""


class Window:
    """The window of one endpoint."""

    def __init__(self, limit: int) -> None:
        self.size = min(_FIRST, limit)
        """Requests that may be in flight."""
        self._limit = limit
        self._exact = float(self.size)
        self._doubling = True
        self._shrunk_at = float("-inf")

    def answered(self) -> None:
        """A request was answered well."""
        if self.size < self._limit:
            self._exact += 1.0 if self._doubling else 1.0 / self._exact
            self.size = int(self._exact)

    def complained(self, now: float) -> None:
        """The store asked for fewer requests."""
        self._shrink(now, 1.0)

    def fell_silent(self, now: float) -> None:
        """The store did not answer. That may be its way to complain; but a few requests must be tried, or nothing ever would be."""
        self._shrink(now, min(_FEW, self._exact))

    def _shrink(self, now: float, least: float) -> None:
        if now - self._shrunk_at >= _ROUND_SECONDS:
            self._shrunk_at = now
            self._doubling = False
            self._exact = max(least, self._exact / 2)
            self.size = int(self._exact)

"""A limit of bytes per second: bytes are paid for after they left, and who is behind with paying waits."""

from __future__ import annotations

import time

_AHEAD_SECONDS = 0.1
"""What may leave at once, in seconds of the rate."""
_LEAST = 4096


class Pace:
    """The pace of all connections of one job. A `rate` of 0 is no limit; it may be changed at any time."""

    __slots__ = ("_paid_until", "rate")

    def __init__(self, rate: int = 0) -> None:
        self.rate = rate
        self._paid_until = 0.0

    def allowance(self, wanted: int) -> int:
        """How many of so many bytes may leave now."""
        if not self.rate:
            return wanted
        return 0 if self.wait_seconds() else min(wanted, max(_LEAST, int(self.rate * _AHEAD_SECONDS)))

    def wait_seconds(self) -> float:
        """After how long bytes may leave again; 0: now."""
        return max(0.0, self._paid_until - time.monotonic()) if self.rate else 0.0

    def took(self, count: int) -> None:
        """So many bytes left."""
        if self.rate:
            self._paid_until = max(self._paid_until, time.monotonic()) + count / self.rate

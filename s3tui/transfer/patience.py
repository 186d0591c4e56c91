"""How long to wait before another attempt, and how often. The only layer of retries: the client makes one attempt.

Delays are drawn from zero to a bound that doubles (full jitter), so that a hundred transfers that failed together do not come back
together.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from s3tui.errors import EndpointUnreachable, S3tuiError, SourceChanged, StorageError, Throttled

if TYPE_CHECKING:
    from s3tui.transfer.engine import Control

_T = TypeVar("_T")

_THROTTLED_SECONDS = 120
"""For how long one file may be throttled without that counting as attempts, while other files get through."""


def delay_after(error: S3tuiError, attempt: int) -> float:
    """Seconds to rest after the `attempt`-th attempt, from 1, ended in this error."""
    doubled = 2.0 ** min(attempt - 1, 16)
    if isinstance(error, SourceChanged):
        return min(0.25 * doubled, 5.0)  # a file settles by itself: no jitter, but time
    first, most = (
        (0.4, 5.0) if isinstance(error, Throttled) else (1.0, 15.0) if isinstance(error, EndpointUnreachable) else (0.2, 10.0)
    )
    return random.uniform(0, min(first * doubled, most))


def use_up(error: S3tuiError) -> S3tuiError:
    """The error of a request that has been sent as often as it may be: nobody shall send it again now."""
    if isinstance(error, StorageError) and error.retryable:
        error.retryable, error.used_up = False, True
    return error


def rest(control: Control, seconds: float, watch: Callable[[], None]) -> None:
    """Sleep within a transfer that a pause lets end; `watch` may raise to end it sooner."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        watch()
        if not control.rest(min(left, 0.5)):
            time.sleep(min(left, 0.05))  # paused: control would not let us rest
    watch()


def persist(control: Control, attempts: int, request: Callable[[], _T]) -> _T:
    """What a request answers that carries no file; it is sent again, so often at most, while that may help.

    Raises what the request raises, and Cancelled when broken off.
    """
    for attempt in range(1, attempts + 1):
        try:
            return request()
        except StorageError as error:
            if not error.retryable or attempt == attempts:
                raise
            rest(control, delay_after(error, attempt), control.raise_if_broken_off)
    raise AssertionError("the last attempt returns or raises")


class Tries:
    """The attempts of one file in one run: how many were made, and whether one more may be."""

    def __init__(self, bound: int, spent: int) -> None:
        self._bound = bound
        self._until = time.monotonic() + _THROTTLED_SECONDS
        self._free = 0
        self._made = 0
        self._spent = spent
        self.unanswered = spent > 0
        """Whether an earlier attempt may have stored the object without our knowing."""

    @property
    def total(self) -> int:
        """Attempts of all runs."""
        return self._spent + self._made

    def begin(self) -> int:
        """Another attempt begins; returns `total`."""
        self._made += 1
        return self.total

    def take_back(self) -> None:
        """The attempt that has begun does not count: what kept it from its end was not the file's, nor the store's."""
        self._made -= 1

    def rest_after(self, error: S3tuiError, *, others_succeed: bool) -> float | None:
        """Seconds to rest before another attempt, or None if this was the last one.

        Being throttled does not count while other files get through: the store is not refusing this file, it is pacing all.
        """
        if not error.retryable:
            return None
        if isinstance(error, Throttled):
            self._free += others_succeed and time.monotonic() < self._until
        elif not isinstance(error, SourceChanged):
            self.unanswered = True
        return delay_after(error, self._made) if self._made - self._free < self._bound else None

"""Waiting for something to become true, with a deadline instead of a guess."""

from __future__ import annotations

import time
from collections.abc import Callable

_PAUSE = 0.005


def wait_until(predicate: Callable[[], object], timeout: float = 60, what: str = "the condition") -> None:
    """Return as soon as `predicate()` is true; fail when it is not within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not predicate():
        if time.monotonic() >= deadline:
            raise AssertionError(f"Waited {timeout:g} s in vain for {what}.")
        time.sleep(_PAUSE)

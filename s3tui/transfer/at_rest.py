"""When a file that is new or has changed may be taken: when it is quiet and complete.

A file is at rest when two looks, some seconds apart, saw the same size, time and inode, and nobody has it open for writing as
far as the system can tell. A file that is renamed into place is complete at once, and passes by the same rule.
"""

from __future__ import annotations

import os
import time
from itertools import takewhile
from typing import NamedTuple

from s3tui.events import Planned
from s3tui.model import FileState, Fingerprint
from s3tui.transfer.leases import Writer, read_lease

LIMIT = 10_000
"""Candidates that are kept; who has more of them lets go, and finds them again by looking."""


class Candidate(NamedTuple):
    """Where an entry is that may have changed, or a directory that may hold such."""

    source_no: int
    path: bytes
    """Relative to the source."""


class Sight(NamedTuple):
    """What a look at an entry has shown."""

    fingerprint: Fingerprint
    state: FileState
    reason: str | None

    @classmethod
    def of(cls, entry: Planned) -> Sight:
        """What must not change until the next look."""
        return cls(entry.fingerprint, entry.state, entry.reason)


class Candidates:
    """Entries that may have changed, each with what the last look has shown, in the order in which the next one is due."""

    def __init__(self, settle_seconds: float, *, limit: int = LIMIT) -> None:
        """`settle_seconds` lie between two looks, at least."""
        self._settle = settle_seconds
        self._limit = limit
        self._waiting: dict[Candidate, _Wait] = {}

    @property
    def full(self) -> bool:
        """Whether there is room for no other."""
        return len(self._waiting) >= self._limit

    def offer(self, candidate: Candidate, sight: Sight | None = None, *, restless: bool = False) -> bool:
        """Have an entry looked at when it may be at rest, unless it waits for that already; False if there is no room for it.

        `restless`: a second look has found that it is not at rest.
        """
        if candidate in self._waiting:
            return True
        if self.full:
            return False
        self._waiting[candidate] = _Wait(time.monotonic() + self._settle, sight, restless)
        return True

    def due(self) -> list[tuple[Candidate, Sight | None]]:
        """Take out the entries whose next look is due."""
        now = time.monotonic()
        due = [(candidate, wait.sight) for candidate, wait in takewhile(lambda item: item[1].until <= now, self._waiting.items())]
        for candidate, _sight in due:
            del self._waiting[candidate]
        return due

    def let_go_of_restless(self) -> None:
        """Forget those that may not come to rest for long: others shall have their turn."""
        self._waiting = {candidate: wait for candidate, wait in self._waiting.items() if not wait.restless}


class _Wait(NamedTuple):
    """Until when a candidate waits for its next look, by the monotonic clock, and what the last one has shown."""

    until: float
    sight: Sight | None
    restless: bool


def is_open_for_writing(path: bytes) -> bool:
    """Whether somebody has a file open for writing. False, too, where the system cannot tell."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        with read_lease(descriptor):
            return False
    except Writer:
        return True
    finally:
        os.close(descriptor)

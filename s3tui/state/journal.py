"""Group commit: facts from many threads, written by one.

Concurrency: `record` and `flush` may be called from any thread. One writer thread takes whatever has gathered, at most 1,000 facts,
and commits it as one transaction; while it commits, the next group gathers. So a commit costs its disk write once per group, and a
lone fact waits for nobody. `record` blocks while 5,000 facts wait: memory is bounded by the disk's pace.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from itertools import groupby

from s3tui.errors import LeaseLost, StateError
from s3tui.events import Fact
from s3tui.model import Lease
from s3tui.state.database import Database
from s3tui.state.transfers import write_facts

_GROUP = 1000
_BACKLOG = 5000
_GATHER_SECONDS = 0.2
"""How long a group may gather when nobody waits for it."""


class Journal:
    """The one writer of facts in a process."""

    def __init__(self, database: Database, *, on_lost: Callable[[Lease], None]) -> None:
        """`on_lost` is called, from the writer's thread, with each lease that turned out to be another worker's."""
        self._database = database
        self._on_lost = on_lost
        self._condition = threading.Condition()
        self._waiting: deque[tuple[Lease, Fact]] = deque()
        self._recorded = 0
        self._written = 0
        self._flushing = 0
        self._closed = False
        self.commits = 0
        """Transactions written so far."""
        self._broken: Exception | None = None
        self._thread = threading.Thread(target=self._write, name="journal", daemon=True)
        self._thread.start()

    def record(self, lease: Lease, fact: Fact) -> None:
        """Take a fact; it is durable after the next `flush`. Raises StateError once the database cannot be written."""
        with self._condition:
            self._condition.wait_for(lambda: len(self._waiting) < _BACKLOG or self._broken is not None)
            self._raise_if_broken()
            self._waiting.append((lease, fact))
            self._recorded += 1
            self._condition.notify_all()

    def flush(self) -> None:
        """Return when every fact recorded before is durable. Raises StateError if one cannot be."""
        with self._condition:
            target = self._recorded
            self._flushing += 1
            self._condition.notify_all()
            self._condition.wait_for(lambda: self._written >= target or self._broken is not None)
            self._flushing -= 1
            self._raise_if_broken()

    def close(self) -> None:
        """Write what waits and end the thread."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
        self._thread.join()

    def _raise_if_broken(self) -> None:
        if self._broken is not None:
            raise StateError(str(self._broken)) from self._broken

    def _write(self) -> None:
        while group := self._next_group():
            try:
                self._commit(group)
            except Exception as error:  # whatever it is, those who wait for their facts must hear of it
                with self._condition:
                    self._broken = error
                    self._condition.notify_all()
                return
            with self._condition:
                self._written += len(group)
                self._condition.notify_all()

    def _next_group(self) -> list[tuple[Lease, Fact]]:
        with self._condition:
            self._condition.wait_for(lambda: bool(self._waiting) or self._closed)
            self._condition.wait_for(
                lambda: len(self._waiting) >= _GROUP or self._flushing > 0 or self._closed, timeout=_GATHER_SECONDS
            )
            group = [self._waiting.popleft() for _ in range(min(_GROUP, len(self._waiting)))]
            self._condition.notify_all()
            return group

    def _commit(self, group: list[tuple[Lease, Fact]]) -> None:
        by_unit = sorted(group, key=lambda entry: (entry[0].job_no, entry[0].unit_no, entry[0].token))
        for lease, entries in groupby(by_unit, key=lambda entry: entry[0]):
            facts = [fact for _lease, fact in entries]
            try:
                with self._database.write() as connection:
                    write_facts(connection, lease, facts)
                self.commits += 1
            except LeaseLost:
                self._on_lost(lease)

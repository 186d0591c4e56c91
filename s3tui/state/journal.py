"""Group commit: facts from many threads, written by one.

Concurrency: `record` and `flush` may be called from any thread. One writer thread takes whatever has gathered, about 1,000 facts
at most, and commits it as one transaction for each unit; while it commits, the next group gathers. So a commit costs its disk write
once per group, and a lone fact waits for nobody. `record` blocks while 5,000 facts wait: memory is bounded by the disk's pace.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from itertools import groupby

from s3tui.errors import LeaseLost, StateError, StateLost
from s3tui.events import Fact, Failed, Unverified, Uploaded, Withdrawn
from s3tui.model import Lease
from s3tui.state.chronicle import tell_files
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
        self._waiting: deque[tuple[Lease, tuple[Fact, ...]]] = deque()
        self._recorded = 0
        self._taken = 0
        self._written = 0
        self._flushing = 0
        self._closed = False
        self.commits = 0
        """Transactions written so far."""
        self._broken: Exception | None = None
        self._thread = threading.Thread(target=self._write, name="journal", daemon=True)
        self._thread.start()

    def record(self, lease: Lease, facts: Sequence[Fact]) -> None:
        """Take facts about one unit, in the order in which they became true; they are durable after the next `flush`.

        Raises StateError once the database cannot be written.
        """
        with self._condition:
            self._condition.wait_for(lambda: self._backlog < _BACKLOG or self._broken is not None)
            self._raise_if_broken()
            before = self._backlog
            self._waiting.append((lease, tuple(facts)))
            self._recorded += len(facts)
            if before == 0 or before < _GROUP <= self._backlog:
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

    @property
    def _backlog(self) -> int:
        """Facts that nobody has begun to write."""
        return self._recorded - self._taken

    def _raise_if_broken(self) -> None:
        if self._broken is not None:
            kind = StateLost if isinstance(self._broken, StateLost) else StateError
            raise kind(str(self._broken)) from self._broken

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
                self._written = self._taken
                self._condition.notify_all()

    def _next_group(self) -> list[tuple[Lease, tuple[Fact, ...]]]:
        with self._condition:
            self._condition.wait_for(lambda: bool(self._waiting) or self._closed)
            self._condition.wait_for(lambda: self._backlog >= _GROUP or self._flushing > 0 or self._closed, timeout=_GATHER_SECONDS)
            group: list[tuple[Lease, tuple[Fact, ...]]] = []
            full = self._taken + _GROUP
            while self._waiting and self._taken < full:
                group.append(self._waiting.popleft())
                self._taken += len(group[-1][1])
            self._condition.notify_all()
            return group

    def _commit(self, group: list[tuple[Lease, tuple[Fact, ...]]]) -> None:
        by_unit = sorted(group, key=lambda entry: (entry[0].job_no, entry[0].unit_no, entry[0].token))
        for lease, entries in groupby(by_unit, key=lambda entry: entry[0]):
            facts = [fact for _lease, recorded in entries for fact in recorded]
            try:
                with self._database.write() as connection:
                    write_facts(connection, lease, facts)
                self.commits += 1
                tell_files(self._database, lease.job_no, [fact.no for fact in facts if _is_noteworthy(fact)])
            except LeaseLost:
                self._on_lost(lease)


def _is_noteworthy(fact: Fact) -> bool:
    """Whether the log shall tell of it; most facts say that a file was stored at once."""
    if isinstance(fact, Uploaded):
        return fact.attempts > 1
    return isinstance(fact, Failed | Unverified | Withdrawn)

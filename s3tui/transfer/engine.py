"""The contract of a transfer engine, and the control that a running job is steered by.

An engine takes transfers and gives facts; it knows no database, no queue and no screen. It may use its ledger from any of its
threads. It never raises for one file: what goes wrong with a file is a `Failed` fact.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from s3tui.errors import Cancelled
from s3tui.events import Fact
from s3tui.model import Policy, Transfer
from s3tui.transfer.pace import Pace
from s3tui.transfer.progress import Progress


class Control:
    """What people want of one running job, as its engine sees it. Thread-safe.

    A slot is the right to have one transfer in flight. All units of a job in one process share the slots of one control, so the
    job's concurrency holds across units, and can be changed while it runs.
    """

    def __init__(self, concurrency: int, bandwidth: int = 0) -> None:
        self._condition = threading.Condition()
        self._limit = max(1, concurrency)
        self._pace = Pace(bandwidth)
        self._taken = 0
        self._paused = False
        self._broken_off = False
        self._cancelled = False
        self._listeners: list[Callable[[], None]] = []

    @property
    def concurrency(self) -> int:
        """How many transfers may be in flight."""
        return self._limit

    @property
    def bandwidth(self) -> int:
        """How many bytes a second may leave, over all transfers of the job; 0: as many as can."""
        return self._pace.rate

    @property
    def stopping(self) -> bool:
        """Whether no further transfer may start."""
        return self._paused or self._broken_off

    @property
    def broken_off(self) -> bool:
        """Whether transfers in flight must end at once, too."""
        return self._broken_off

    @property
    def cancelled(self) -> bool:
        """Whether nothing is wanted of the job any more, so that parts of large files are to be dropped."""
        return self._cancelled

    def pause(self) -> None:
        """Admit nothing more; let what is in flight end, large files with the parts that are on their way."""
        self._paused = True
        self._tell()

    def break_off(self) -> None:
        """Admit nothing more, and end what is in flight; the parts of large files are kept, to be gone on with."""
        self._broken_off = True
        self._tell()

    def cancel(self) -> None:
        """Break off for good: drop the parts of large files."""
        self._cancelled = self._broken_off = True
        self._tell()

    def tune(self, *, concurrency: int, bandwidth: int) -> None:
        """Change the limits; a lower concurrency takes effect as transfers end."""
        if (max(1, concurrency), bandwidth) != (self._limit, self._pace.rate):
            self._limit, self._pace.rate = max(1, concurrency), bandwidth
            self._tell()

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have `listener` called whenever something has changed, from the thread that changed it; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def take_slot(self) -> bool:
        """Wait for a slot; False if the job is stopping."""
        with self._condition:
            self._condition.wait_for(lambda: self.stopping or self._taken < self._limit)
            if self.stopping:
                return False
            self._taken += 1
            return True

    def give_slot(self) -> None:
        """Return a slot."""
        with self._condition:
            self._taken -= 1
            self._condition.notify_all()

    def rest(self, seconds: float) -> bool:
        """Sleep before another attempt; False at once if the job is stopping."""
        with self._condition:
            return not self._condition.wait_for(lambda: self.stopping, timeout=seconds)

    def spend(self, count: int) -> None:
        """Wait until bytes may leave, and count so many as left. Raises Cancelled, as `raise_if_broken_off` does."""
        with self._condition:
            while (seconds := self._pace.wait_seconds()) and not self._broken_off:
                self._condition.wait(seconds)
            self._pace.took(count)
        self.raise_if_broken_off()

    def _tell(self) -> None:
        with self._condition:
            self._condition.notify_all()
        for listener in list(self._listeners):
            listener()

    def raise_if_broken_off(self) -> None:
        """Break off from inside a request. Raises Cancelled."""
        if self._broken_off:
            raise Cancelled("The job was broken off.")


class Ledger(Protocol):
    """Where facts go."""

    def record(self, facts: Sequence[Fact]) -> None:
        """Take facts; they are durable soon, in this order. Raises StateError, LeaseLost."""

    def flush(self) -> None:
        """Return when every fact recorded before is durable. Raises as `record` does."""


class Engine(Protocol):
    """Carries files to objects."""

    def carry(
        self,
        transfers: Iterable[Transfer],
        policy: Policy,
        *,
        ledger: Ledger,
        progress: Progress,
        control: Control,
    ) -> None:
        """Carry every transfer, and return when none is in flight any more.

        Takes from the iterable only a bounded number of transfers more than `control` lets be in flight. Each transfer that was
        started ends in one `Uploaded`, `Skipped` or `Failed` fact, except those that a pause or a cancel kept from their end:
        they leave no such fact and are planned still.

        Raises StorageError (one whose `fatal` is true) when no file of the job could succeed, after what is in flight has ended.
        """

    def close(self) -> None:
        """End the engine's threads and connections."""

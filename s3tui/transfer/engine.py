"""The contract of a transfer engine, and the control that a running job is steered by.

An engine takes transfers and gives facts; it knows no database, no queue and no screen. It may call `record` from any of its
threads. It never raises for one file: what goes wrong with a file is a `Failed` fact.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Protocol

from s3tui.errors import Cancelled
from s3tui.events import Fact
from s3tui.model import Policy, Transfer
from s3tui.transfer.progress import Progress


class Control:
    """What people want of one running job, as its engine sees it. Thread-safe.

    A slot is the right to have one transfer in flight. All units of a job in one process share the slots of one control, so the
    job's concurrency holds across units, and can be changed while it runs.
    """

    def __init__(self, concurrency: int) -> None:
        self._condition = threading.Condition()
        self._limit = max(1, concurrency)
        self._taken = 0
        self._paused = False
        self._cancelled = False

    @property
    def stopping(self) -> bool:
        """Whether no further transfer may start: paused or cancelled."""
        return self._paused or self._cancelled

    @property
    def cancelled(self) -> bool:
        """Whether transfers in flight must be broken off, too."""
        return self._cancelled

    def pause(self) -> None:
        """Admit nothing more; let what is in flight end."""
        with self._condition:
            self._paused = True
            self._condition.notify_all()

    def cancel(self) -> None:
        """Admit nothing more, and break off what is in flight."""
        with self._condition:
            self._cancelled = True
            self._condition.notify_all()

    def set_concurrency(self, concurrency: int) -> None:
        """Change how many transfers may be in flight; a lower limit takes effect as transfers end."""
        with self._condition:
            self._limit = max(1, concurrency)
            self._condition.notify_all()

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

    def raise_if_cancelled(self) -> None:
        """Break off from inside a request. Raises Cancelled."""
        if self._cancelled:
            raise Cancelled("The job was cancelled.")


class Engine(Protocol):
    """Carries files to objects."""

    def carry(
        self,
        transfers: Iterable[Transfer],
        policy: Policy,
        *,
        record: Callable[[Fact], None],
        progress: Progress,
        control: Control,
    ) -> None:
        """Carry every transfer, and return when none is in flight any more.

        Takes the next transfer from the iterable only when `control` has a slot for it, so that nothing piles up. Each transfer
        that was started ends in one `Uploaded`, `Skipped` or `Failed` fact, except those that a pause or a cancel kept from
        their end: they leave no fact and are planned still.

        Raises StorageError (one whose `fatal` is true) when no file of the job could succeed, after what is in flight has ended.
        """

    def close(self) -> None:
        """End the engine's threads and connections."""

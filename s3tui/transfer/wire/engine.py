"""The engine that speaks HTTP itself. Implements `Engine`: files are ordered from the crew, outcomes become facts.

A run orders ahead of what is in flight, so that the crew never waits for the database, and no further than a bound, so that nothing
piles up. Large files are driven from here, part by part (see `transfer.multipart`); the crew carries their parts beside the files.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial

from s3tui.errors import ObjectExists, S3tuiError
from s3tui.events import Fact, Failed, Skipped, Uploaded
from s3tui.model import Fingerprint, Policy, Receipt, Transfer
from s3tui.transfer.attempts import outcome_of
from s3tui.transfer.checksums import ALGORITHMS
from s3tui.transfer.engine import Control, Ledger
from s3tui.transfer.headers import header_fields
from s3tui.transfer.multipart import LargeFile, Voyage
from s3tui.transfer.part_sizes import large_from
from s3tui.transfer.patience import Tries
from s3tui.transfer.progress import Progress
from s3tui.transfer.recognition import is_ours, unless_ours
from s3tui.transfer.source import open_planned
from s3tui.transfer.streaks import Streaks
from s3tui.transfer.traits import Traits
from s3tui.transfer.wire.api import WireApi
from s3tui.transfer.wire.conduct import Acquaintance
from s3tui.transfer.wire.messages import Message
from s3tui.transfer.wire.office import Office
from s3tui.transfer.wire.orders import PlainItem, Terms
from s3tui.transfer.wire.parts import WireParts

_BATCH = 64
"""Files in one order: each by itself would cost as much as sending it."""
_AHEAD = 512
"""Files that may be ordered beyond those in flight."""
_LOOK_SECONDS = 0.2
_ACQUAINTANCE_SECONDS = 3.0
"""How long the answers of a store that is being asked are waited for at the end."""
_LARGE_AT_A_TIME = 16
"""Large files that are driven at a time, over all runs; each has several parts in flight."""


class WireEngine:
    """Implements `Engine`. Several runs may share it."""

    def __init__(self, office: Office, acquaintance: Acquaintance | None = None) -> None:
        """`acquaintance`: gets to know the store, if nobody does."""
        self.office = office
        self._acquaintance = acquaintance
        self.api = WireApi(office)
        self.traits = Traits()
        self.drivers = ThreadPoolExecutor(_LARGE_AT_A_TIME, thread_name_prefix="large")
        self.large = threading.BoundedSemaphore(_LARGE_AT_A_TIME)

    def carry(self, transfers: Iterable[Transfer], policy: Policy, *, ledger: Ledger, progress: Progress, control: Control) -> None:
        """See `Engine.carry`. Also raises what the ledger and `transfers` raise, after what is in flight has ended."""
        self._make_acquaintance()
        _Run(self, policy, ledger, progress, control).carry_all(transfers)

    def close(self) -> None:
        """End the crew; what is in flight is broken off."""
        if self._acquaintance is not None:
            self._acquaintance.end(_ACQUAINTANCE_SECONDS)
        self.office.close()
        self.drivers.shutdown(wait=False, cancel_futures=True)

    def _make_acquaintance(self) -> None:
        """Ask the store what it checks, the first time that something is sent to it."""
        if self._acquaintance is not None:
            self._acquaintance.begin()


class _Run:
    """One call of `carry`. Implements `RunListener`."""

    def __init__(self, engine: WireEngine, policy: Policy, ledger: Ledger, progress: Progress, control: Control) -> None:
        self._engine = engine
        self._office = engine.office
        self._policy = policy
        self._ledger = ledger
        self._progress = progress
        self._control = control
        self._streaks = Streaks()
        self._changed = threading.Condition()
        self._outstanding = 0
        self._stopped_by: BaseException | None = None
        self._broken_by: BaseException | None = None
        """What the source of transfers raised."""
        self._number = 0
        self._moved = 0
        self._flights: list[int] = []

    def carry_all(self, transfers: Iterable[Transfer]) -> None:
        waiting = iter(transfers)
        first = next(waiting, None)
        if first is None:
            return
        self._number = self._office.open_run(self._control, self._terms(first.target.bucket), self)
        stop_listening = self._control.listen(self._wake)
        try:
            self._order_all(first, waiting)
            with self._changed:
                self._changed.wait_for(lambda: self._outstanding == 0)
        finally:
            stop_listening()
            self._progress.observe([], self._flights)
            self._office.close_run(self._number, self._control)
        if (error := self._stopped_by or self._broken_by) is not None:
            raise error

    def _terms(self, bucket: str) -> Terms:
        policy = self._policy
        headers = tuple(header_fields(policy.headers).items())
        return Terms(bucket, policy.checksum, headers, policy.if_exists != "overwrite", policy.max_attempts)

    def _order_all(self, first: Transfer, waiting: Iterator[Transfer]) -> None:
        transfer: Transfer | None = first
        batch: list[PlainItem] = []
        large = large_from(self._policy)
        try:
            while transfer is not None and not self._over:
                if transfer.fingerprint.size >= large:
                    self._drive(transfer)
                else:
                    batch.append(_item(transfer))
                    if len(batch) >= _BATCH:
                        self._order(batch)
                        batch = []
                transfer = next(waiting, None)
        except BaseException as error:
            self._broken_by = error
        if batch and not self._over:
            self._order(batch)

    @property
    def _over(self) -> bool:
        """Whether no further file shall be ordered."""
        return self._stopped_by is not None or self._control.stopping

    def _order(self, batch: list[PlainItem]) -> None:
        bound = self._control.concurrency + _AHEAD
        with self._changed:
            self._changed.wait_for(lambda: self._over or self._outstanding < bound)
            if self._over:
                return
            self._outstanding += len(batch)
        self._office.send_items(self._number, batch)

    def _drive(self, transfer: Transfer) -> None:
        """Start a large file, once one of its kind may start."""
        while not self._engine.large.acquire(timeout=_LOOK_SECONDS):
            if self._over:
                return
        with self._changed:
            self._outstanding += 1
        self._engine.drivers.submit(copy_context().run, self._carry_large, transfer)  # its log lines are about the same job

    def _carry_large(self, transfer: Transfer) -> None:
        """A large file from its start to its fact. Runs in a thread of the drivers."""
        engine, policy, control = self._engine, self._policy, self._control
        advance = partial(self._progress.advance, transfer.no)
        try:
            with WireParts(engine.office, control, transfer.target, policy) as sender:
                large = LargeFile(Voyage(transfer, policy, engine.api, sender, self._ledger, control, advance, engine.traits))
                attempt = partial(self._attempt, transfer, large)
                outcome = outcome_of(transfer, policy, control, self._streaks, attempt, lambda: self._over)
            if isinstance(outcome, BaseException):
                self.stop(outcome)
            elif outcome is not None:
                self._ledger.record([outcome])
        except BaseException as error:
            self.stop(error)
        finally:
            self._progress.end(transfer.no)
            engine.large.release()
            self._ended(1)

    def _attempt(self, transfer: Transfer, large: LargeFile, attempt: int, tries: Tries) -> Receipt:
        with open_planned(transfer.path, transfer.fingerprint) as source:
            self._progress.start(transfer.no, source.size, attempt)
            algorithm, watch = ALGORITHMS[self._policy.checksum], self._control.raise_if_broken_off
            receipt = unless_ours(
                lambda: large.carry(source),
                lambda: is_ours(self._engine.api, transfer.target, source, algorithm, watch),
                first=transfer.unsure and attempt == transfer.attempts + 1,
                tries=tries,
            )
            return receipt.of_file(source.fingerprint, transfer.fingerprint)

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    # What the office says.

    def stored(self, outcomes: Sequence[Message]) -> None:
        """See `RunListener`."""
        name = self._policy.checksum
        facts: list[Fact] = [
            Uploaded(no, attempts, Receipt(size, f"{name}:{checksum}", etag, version_id, Fingerprint(*seen) if seen else None))
            for _, no, attempts, size, checksum, etag, version_id, seen in outcomes
        ]
        self._streaks.succeeded(len(facts))
        self._record(facts)

    def failed(self, no: int, attempts: int, error: S3tuiError) -> None:
        """See `RunListener`."""
        if isinstance(error, ObjectExists) and self._policy.if_exists == "skip":
            self._record([Skipped(no, attempts, ObjectExists.reason)])
        elif self._streaks.concerns_all(error):
            self.stop(error)
            self._ended(1)
        else:
            self._record([Failed(no, attempts, error.reason, str(error))])

    def returned(self) -> None:
        """See `RunListener`."""
        self._ended(1)

    def moved(self, total: int) -> None:
        """See `RunListener`."""
        self._progress.count(total - self._moved)
        self._moved = total

    def in_flight(self, flights: Sequence[tuple[int, int, int, int]]) -> None:
        """See `RunListener`."""
        self._progress.observe(flights, self._flights)
        self._flights = [no for no, *_ in flights]

    def stop(self, error: BaseException) -> None:
        """See `RunListener`. The first reason is the one that counts."""
        with self._changed:
            if self._stopped_by is not None:
                return
            self._stopped_by = error
            self._changed.notify_all()
        self._office.stop_run(self._number)

    def _record(self, facts: list[Fact]) -> None:
        try:
            self._ledger.record(facts)
        except BaseException as error:
            self.stop(error)
        finally:
            self._ended(len(facts))

    def _ended(self, count: int) -> None:
        with self._changed:
            self._outstanding -= count
            self._changed.notify_all()


def _item(transfer: Transfer) -> PlainItem:
    """The fields of `Item`."""
    no, path, (_, key), (size, mtime_ns, inode), attempts, unsure, _ = transfer
    return no, path, key, (size, mtime_ns, inode), attempts, unsure

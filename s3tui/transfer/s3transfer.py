"""The engine that speaks S3 through botocore's client, one call for each request.

It does not use the s3transfer package, though it takes its place: checksums must travel in headers that are known before the body
leaves, each part must be tried again by itself, and attempts must be ours to count. s3transfer sends trailers, which many stores
take for content, hides attempts, and cannot be told to hold back the end of a file that has changed.

Concurrency: one pool of threads for files, which `Control` bounds; a separate one for parts; one lock for the counters of a run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any

from s3tui.model import Connection, Policy, Receipt, Transfer
from s3tui.storage.api import Api
from s3tui.storage.options import AwsOptions
from s3tui.storage.sdk import S3Client, SdkApi, open_client
from s3tui.transfer.attempts import outcome_of
from s3tui.transfer.body import Body
from s3tui.transfer.checksums import ALGORITHMS
from s3tui.transfer.engine import Control, Ledger
from s3tui.transfer.multipart import LargeFile, Voyage
from s3tui.transfer.part_sizes import large_from
from s3tui.transfer.patience import Tries
from s3tui.transfer.progress import Progress
from s3tui.transfer.recognition import is_ours, unless_ours
from s3tui.transfer.sdk_requests import SdkParts, put_object
from s3tui.transfer.source import PinnedSource, open_planned
from s3tui.transfer.streaks import Streaks
from s3tui.transfer.traits import Traits

MAX_CONCURRENCY = 1000
_PART_THREADS = 16


def open_engine(connection: Connection, aws: AwsOptions, *, concurrency: int = MAX_CONCURRENCY) -> S3TransferEngine:
    """An engine with its own client. Raises ConfigError for settings that make no client; sends nothing yet."""
    return S3TransferEngine(open_client(connection, aws, max_connections=concurrency + _PART_THREADS), concurrency)


class S3TransferEngine:
    """Implements `Engine`. Several runs may share it; `concurrency` bounds the files in flight over all of them."""

    def __init__(self, client: S3Client, concurrency: int = MAX_CONCURRENCY) -> None:
        self.client = client
        self.api: Api = SdkApi(client)
        self.traits = Traits()
        self.files = ThreadPoolExecutor(concurrency, thread_name_prefix="file")
        self.parts = ThreadPoolExecutor(_PART_THREADS, thread_name_prefix="part")
        client.meta.events.register("before-send.s3", _leaves, unique_id="s3tui-leaves")

    def carry(self, transfers: Iterable[Transfer], policy: Policy, *, ledger: Ledger, progress: Progress, control: Control) -> None:
        """See `Engine.carry`. Also raises what the ledger and `transfers` raise, after what is in flight has ended."""
        _Run(self, policy, ledger, progress, control).carry_all(transfers)

    def close(self) -> None:
        """End the threads and connections; a request that is never answered is not waited for."""
        self.files.shutdown(wait=False, cancel_futures=True)
        self.parts.shutdown(wait=False, cancel_futures=True)
        self.client.close()


def _leaves(request: Any, **_: Any) -> None:  # noqa: ANN401 - botocore's hook
    """botocore has signed the request; what it reads of the body from here on goes to the store."""
    if isinstance(request.body, Body):
        request.body.leaves()


class _Run:
    """One call of `carry`: what it was given, and how it fares."""

    def __init__(self, engine: S3TransferEngine, policy: Policy, ledger: Ledger, progress: Progress, control: Control) -> None:
        self._engine = engine
        self._policy = policy
        self._ledger = ledger
        self._progress = progress
        self._control = control
        self._changed = threading.Condition()
        self._in_flight = 0
        self._stopped_by: BaseException | None = None
        self._streaks = Streaks()

    def carry_all(self, transfers: Iterable[Transfer]) -> None:
        waiting = iter(transfers)
        while self._control.take_slot():
            if not self._start_next(waiting):
                self._control.give_slot()
                break
        with self._changed:
            self._changed.wait_for(lambda: self._in_flight == 0)
        if self._stopped_by is not None:
            raise self._stopped_by

    def _start_next(self, waiting: Iterator[Transfer]) -> bool:
        """Start one more transfer, which then owns the slot; False if there is none, or there shall be none."""
        try:
            transfer = None if self._stopped_by is not None else next(waiting, None)
            if transfer is None:
                return False
            self._engine.files.submit(copy_context().run, self._carry, transfer)  # its log lines are about the same job
        except BaseException as error:
            self._stop(error)
            return False
        with self._changed:
            self._in_flight += 1
        return True

    def _carry(self, transfer: Transfer) -> None:
        """One transfer from its start to its fact. Runs in the pool of files; holds a slot."""
        try:
            send = (
                self._large(transfer) if transfer.fingerprint.size >= large_from(self._policy) else partial(self._small, transfer)
            )
            attempt = partial(self._attempt, transfer, send)
            stopped = lambda: self._stopped_by is not None  # noqa: E731
            outcome = outcome_of(transfer, self._policy, self._control, self._streaks, attempt, stopped)
            if isinstance(outcome, BaseException):
                self._stop(outcome)
            elif outcome is not None:
                self._ledger.record([outcome])
        except BaseException as error:
            self._stop(error)
        finally:
            self._progress.end(transfer.no)
            self._control.give_slot()
            with self._changed:
                self._in_flight -= 1
                self._changed.notify_all()

    def _attempt(self, transfer: Transfer, send: Callable[[PinnedSource], Receipt], attempt: int, tries: Tries) -> Receipt:
        with open_planned(transfer.path, transfer.fingerprint) as source:
            self._progress.start(transfer.no, source.size, attempt)
            algorithm, watch = ALGORITHMS[self._policy.checksum], self._control.raise_if_broken_off
            receipt = unless_ours(
                lambda: send(source),
                lambda: is_ours(self._engine.api, transfer.target, source, algorithm, watch),
                first=transfer.unsure and attempt == transfer.attempts + 1,
                tries=tries,
            )
            return receipt.of_file(source.fingerprint, transfer.fingerprint)

    def _small(self, transfer: Transfer, source: PinnedSource) -> Receipt:
        client, traits, advance = self._engine.client, self._engine.traits, partial(self._progress.advance, transfer.no)
        return put_object(client, traits, transfer.target, source, self._policy, control=self._control, advance=advance)

    def _large(self, transfer: Transfer) -> Callable[[PinnedSource], Receipt]:
        engine, policy, control = self._engine, self._policy, self._control
        sender = SdkParts(engine.client, engine.parts, transfer.target, policy, control)
        advance = partial(self._progress.advance, transfer.no)
        return LargeFile(Voyage(transfer, policy, engine.api, sender, self._ledger, control, advance, engine.traits)).carry

    def _stop(self, error: BaseException) -> None:
        """Admit nothing more; the first reason is the one that counts."""
        with self._changed:
            if self._stopped_by is None:
                self._stopped_by = error

"""The engine that speaks S3 through boto3's client, one call for each request.

It does not use the s3transfer package, though it takes its place: checksums must travel in headers that are known before the body
leaves, each part must be tried again by itself, and attempts must be ours to count. s3transfer sends trailers, which many stores
take for content, hides attempts, and cannot be told to hold back the end of a file that has changed.

Concurrency: one pool of threads for files, which `Control` bounds; a separate one for parts; one lock for the counters of a run.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from s3tui.errors import AccessDenied, Cancelled, EndpointUnreachable, ObjectExists, S3tuiError, StorageError
from s3tui.events import Fact, Failed, Skipped, Uploaded
from s3tui.model import Connection, Policy, Receipt, Transfer
from s3tui.storage.options import AwsOptions
from s3tui.storage.s3 import S3Client, open_client
from s3tui.text import display_text
from s3tui.transfer.body import Body
from s3tui.transfer.engine import Control
from s3tui.transfer.flight import Flight, Store
from s3tui.transfer.multipart import THRESHOLD, MultipartUpload, part_size_for
from s3tui.transfer.patience import Tries
from s3tui.transfer.progress import Progress
from s3tui.transfer.single import put_object, recognise
from s3tui.transfer.source import open_planned

MAX_CONCURRENCY = 1000
_PART_THREADS = 16
_DENIED_IN_A_ROW = 50
_UNREACHABLE_IN_A_ROW = 10

_log = logging.getLogger(__name__)


def open_engine(connection: Connection, aws: AwsOptions, *, concurrency: int = MAX_CONCURRENCY) -> S3TransferEngine:
    """An engine with its own client. Raises ConfigError for settings that make no client; sends nothing yet."""
    return S3TransferEngine(open_client(connection, aws, max_connections=concurrency + _PART_THREADS), concurrency)


class S3TransferEngine:
    """Implements `Engine`. Several runs may share it; `concurrency` bounds the files in flight over all of them."""

    def __init__(self, client: S3Client, concurrency: int = MAX_CONCURRENCY) -> None:
        self._store = Store(client)
        self._files = ThreadPoolExecutor(concurrency, thread_name_prefix="file")
        self._parts = ThreadPoolExecutor(_PART_THREADS, thread_name_prefix="part")
        client.meta.events.register("before-send.s3", _leaves, unique_id="s3tui-leaves")

    def carry(
        self,
        transfers: Iterable[Transfer],
        policy: Policy,
        *,
        record: Callable[[Fact], None],
        progress: Progress,
        control: Control,
    ) -> None:
        """See `Engine.carry`. Also raises what `record` raises, after what is in flight has ended."""
        _Run(self._store, self._parts, policy, record, progress, control).carry_all(transfers, self._files)

    def close(self) -> None:
        """End the threads and connections; a request that is never answered is not waited for."""
        self._files.shutdown(wait=False, cancel_futures=True)
        self._parts.shutdown(wait=False, cancel_futures=True)
        self._store.client.close()


def _leaves(request: Any, **_: Any) -> None:  # noqa: ANN401 - botocore's hook
    """botocore has signed the request; what it reads of the body from here on goes to the store."""
    if isinstance(request.body, Body):
        request.body.leaves()


class _Run:
    """One call of `carry`: what it was given, and how it fares."""

    def __init__(
        self,
        store: Store,
        parts: ThreadPoolExecutor,
        policy: Policy,
        record: Callable[[Fact], None],
        progress: Progress,
        control: Control,
    ) -> None:
        self._store = store
        self._parts = parts
        self._policy = policy
        self._record = record
        self._progress = progress
        self._control = control
        self._changed = threading.Condition()
        self._in_flight = 0
        self._stopped_by: BaseException | None = None
        self._successes = 0
        self._denied = 0
        self._unreachable = 0

    def carry_all(self, transfers: Iterable[Transfer], pool: ThreadPoolExecutor) -> None:
        waiting = iter(transfers)
        while self._control.take_slot():
            if not self._start_next(waiting, pool):
                self._control.give_slot()
                break
        with self._changed:
            self._changed.wait_for(lambda: self._in_flight == 0)
        if self._stopped_by is not None:
            raise self._stopped_by

    def _start_next(self, waiting: Iterator[Transfer], pool: ThreadPoolExecutor) -> bool:
        """Start one more transfer, which then owns the slot; False if there is none, or there shall be none."""
        try:
            transfer = None if self._stopped_by is not None else next(waiting, None)
            if transfer is None:
                return False
            pool.submit(self._carry, transfer)
        except BaseException as error:
            self._stop(error)
            return False
        with self._changed:
            self._in_flight += 1
        return True

    def _carry(self, transfer: Transfer) -> None:
        """One transfer from its start to its fact. Runs in the pool of files; holds a slot."""
        try:
            fact = self._outcome(transfer)
            if fact is not None:
                self._record(fact)
        except BaseException as error:
            self._stop(error)
        finally:
            self._progress.end(transfer.no)
            self._control.give_slot()
            with self._changed:
                self._in_flight -= 1
                self._changed.notify_all()

    def _outcome(self, transfer: Transfer) -> Fact | None:
        """The fact a transfer ends in; None if it is planned still."""
        tries = Tries(self._policy.max_attempts, transfer.attempts)
        try:
            return self._attempts(transfer, tries)
        except Cancelled:
            return None
        except S3tuiError as error:
            return self._failed(transfer, tries.total, error)
        except Exception as error:
            _log.exception("A transfer failed for a reason that is a defect of s3tui.")
            sentence = (
                f"{display_text(transfer.path)} could not be sent, and the reason ({error!r}) is a defect of s3tui. Report it."
            )
            return Failed(transfer.no, tries.total, "internal_error", display_text(sentence))

    def _attempts(self, transfer: Transfer, tries: Tries) -> Fact | None:
        while True:
            attempt = tries.begin()
            successes = self._successes
            try:
                receipt = self._attempt(transfer, attempt, tries)
                self._succeeded()
                if receipt is None:
                    return Skipped(transfer.no, attempt, ObjectExists.reason)
                return Uploaded(transfer.no, attempt, receipt)
            except Cancelled:
                raise
            except S3tuiError as error:
                delay = tries.rest_after(error, others_succeed=self._successes > successes)
                if delay is None:
                    raise
            if self._stopped_by is not None or not self._rest(delay):
                return None

    def _attempt(self, transfer: Transfer, attempt: int, tries: Tries) -> Receipt | None:
        """The receipt; None if the key is taken and the policy is to leave it alone then. Raises S3tuiError."""
        self._progress.start(transfer.no, transfer.fingerprint.size, attempt)
        with open_planned(transfer.path, transfer.fingerprint) as source:
            if source.size != transfer.fingerprint.size:
                self._progress.start(transfer.no, source.size, attempt)

            def advance(count: int) -> None:
                self._progress.advance(transfer.no, count)

            flight = Flight(self._store, source, transfer.target, self._policy, self._control, advance)
            if transfer.unsure and attempt == transfer.attempts + 1 and (receipt := recognise(flight)):
                return receipt
            try:
                if source.size >= max(THRESHOLD, part_size_for(source.size, self._policy.part_size)):
                    return MultipartUpload(flight, self._parts).carry()
                return put_object(flight)
            except ObjectExists:
                if tries.unanswered and (receipt := recognise(flight)):
                    return receipt
                if self._policy.if_exists == "skip":
                    return None
                raise

    def _rest(self, seconds: float) -> bool:
        """Sleep before another attempt; False if the job or this run is stopping."""
        while seconds > 0 and self._stopped_by is None:
            if not self._control.rest(min(seconds, 0.5)):
                return False
            seconds -= 0.5
        return self._stopped_by is None

    def _succeeded(self) -> None:
        with self._changed:
            self._successes += 1
            self._unreachable = 0

    def _failed(self, transfer: Transfer, attempts: int, error: S3tuiError) -> Fact | None:
        """The fact of a failure, or none if it is one that every file of the job would share."""
        with self._changed:
            self._denied = self._denied + 1 if isinstance(error, AccessDenied) else 0
            self._unreachable = self._unreachable + 1 if isinstance(error, EndpointUnreachable) else 0
            hopeless = self._successes == 0 and self._denied >= _DENIED_IN_A_ROW
            if hopeless or self._unreachable >= _UNREACHABLE_IN_A_ROW:
                error.fatal = True
        if error.fatal and isinstance(error, StorageError):
            self._stop(error)
            return None
        return Failed(transfer.no, attempts, error.reason, str(error))

    def _stop(self, error: BaseException) -> None:
        """Admit nothing more; the first reason is the one that counts."""
        with self._changed:
            if self._stopped_by is None:
                self._stopped_by = error

"""A large object in parts: created, sent a few parts at a time, completed; resumed if it was begun before; or dropped.

    intended (durable) ──▶ created ──▶ opened ──▶ parts, each written down ──▶ completed
                                                        │
                                       dropped (aborted, and the store says so)

Whatever dies in between leaves a ledger that says what to look for: an upload that was intended may exist without our knowing its
id, a part may be stored without our having written so, and a completed object may be there although no answer came.

How parts travel is the engine's business: it brings a `PartSender`. The story here waits for one thing, the next part in order.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from s3tui.errors import Cancelled, ObjectExists, S3tuiError, SourceError, SourceTooLarge, StorageError
from s3tui.events import PartStored, UploadDropped, UploadIntended, UploadOpened
from s3tui.model import OpenUpload, Policy, Receipt, StoredPart, Transfer, now_ms
from s3tui.storage.api import Api, Completed, ListedPart, PartReceipt, WholeChecksum
from s3tui.text import display_text
from s3tui.transfer.aborting import abort, drop, is_gone
from s3tui.transfer.checksums import ALGORITHMS, Algorithm, Checksum, whole_digest
from s3tui.transfer.engine import Control, Ledger
from s3tui.transfer.headers import object_fields
from s3tui.transfer.part_sizes import MAX_OBJECT, PARTS_AT_A_TIME, part_size_for
from s3tui.transfer.patience import delay_after, rest, use_up
from s3tui.transfer.recognition import is_ours
from s3tui.transfer.source import PinnedSource
from s3tui.transfer.traits import Traits

_log = logging.getLogger(__name__)


class Part(NamedTuple):
    """A part that is to be sent."""

    upload_id: str
    number: int
    """From 1."""
    offset: int
    length: int
    proves: bool
    """Whether the upload was begun with a checksum, so that each part must bring its own."""


class PartSender(Protocol):
    """How the parts of one file reach the store; tries each as often as the policy allows."""

    def send(self, source: PinnedSource, part: Part, moved: Callable[[int], None]) -> Future[StoredPart]:
        """Send a part of the source. `moved` is told now and then how many of its bytes have left, in the end all or none of them.

        The future raises S3tuiError: SourceChanged, StorageError, or Cancelled when people wish so.
        """

    def give_up(self) -> None:
        """Another part has failed: end those in flight soon."""


@dataclass(frozen=True, slots=True)
class Voyage:
    """What a large file needs on its way."""

    transfer: Transfer
    policy: Policy
    api: Api
    sender: PartSender
    ledger: Ledger
    control: Control
    advance: Callable[[int], None]
    """Told of bytes that left for the store, negative when they must leave again."""
    traits: Traits
    """What the engine knows of the store."""


class LargeFile:
    """One file in parts, over as many attempts as it takes: what one leaves open, the next goes on with."""

    def __init__(self, voyage: Voyage) -> None:
        self._voyage = voyage
        self._left = voyage.transfer.upload

    def carry(self, source: PinnedSource) -> Receipt:
        """Make one attempt. Raises StorageError, SourceError or Cancelled.

        A pause, and failures that another attempt may get over, leave the upload open, to be resumed; everything else drops it.
        """
        if source.size > MAX_OBJECT:
            raise SourceTooLarge(f"{display_text(source.path)} is larger than 48.8 TiB, which no object of S3 may be. Split it.")
        attempt = _Attempt(self._voyage, source)
        try:
            return attempt.carry(self._left)
        finally:
            self._left = attempt.left


class _Attempt:
    """One attempt at a large file."""

    def __init__(self, voyage: Voyage, source: PinnedSource) -> None:
        self._voyage = voyage
        self._source = source
        self._target = voyage.transfer.target
        self._algorithm: Algorithm = ALGORITHMS[voyage.policy.checksum]
        self._part_size = part_size_for(source.size, voyage.policy.part_size)
        self._upload_id = ""
        self._intended_at = 0
        self._proves = voyage.traits.takes_checksums
        """Whether the upload was begun with a checksum, which every part must bring then."""
        self._stored: dict[int, StoredPart] = {}

    @property
    def left(self) -> OpenUpload | None:
        """What is open still."""
        if not self._intended_at:
            return None
        return OpenUpload(
            self._voyage.transfer.no,
            self._target,
            self._upload_id,
            self._part_size,
            self._source.fingerprint,
            self._algorithm.name,
            self._intended_at,
            tuple(self._in_order()),
        )

    def carry(self, earlier: OpenUpload | None) -> Receipt:
        self._voyage.control.raise_if_broken_off()
        try:
            if earlier is not None and (receipt := self._resume(earlier)):
                return receipt
            if not self._upload_id:
                self._create()
            self._send_parts()
            self._source.ensure_unchanged()
            receipt = self._complete()
            self._intended_at = 0
            return receipt
        except BaseException as error:
            self._end_badly(error)
            raise

    # Beginning.

    def _create(self) -> None:
        voyage = self._voyage
        self._ensure_free()
        self._intended_at = now_ms()
        fingerprint = self._source.fingerprint
        self._write(UploadIntended(voyage.transfer.no, self._target, self._part_size, fingerprint, voyage.policy.checksum))
        fields = object_fields(voyage.policy.headers, self._target.key)

        def create(checksum: str) -> str:
            return voyage.api.create_multipart_upload(self._target, fields, checksum)

        self._upload_id = voyage.traits.with_checksum(create, voyage.policy.checksum)
        self._proves = voyage.traits.takes_checksums
        self._write(UploadOpened(voyage.transfer.no, self._upload_id))

    def _ensure_free(self) -> None:
        """Look, where nothing may be overwritten: a refusal of Complete comes late, and not every store minds its condition."""
        if self._voyage.policy.if_exists == "overwrite":
            return
        try:
            self._voyage.api.head_object(self._target)
        except StorageError as error:
            if error.status != 404:
                _log.debug("It cannot be seen whether %s is taken: %s", self._target, error)
            return
        raise ObjectExists(f"PutObject {self._target} failed: the key is taken. Use --if-exists overwrite, or another prefix.")

    def _resume(self, earlier: OpenUpload) -> Receipt | None:
        """Take up what an earlier run left; the receipt, if it turns out to be complete.

        Afterwards there is an upload to go on with, or none, and then the store has none of ours either.
        """
        voyage = self._voyage
        self._intended_at = earlier.intended_at
        if not earlier.upload_id:
            drop(voyage.api, earlier)
            self._forget()
            return None
        same = (
            earlier.fingerprint == self._source.fingerprint
            and earlier.target == self._target
            and earlier.checksum == voyage.policy.checksum
        )
        self._upload_id, self._part_size = earlier.upload_id, earlier.part_size
        if not same:
            self._drop()
            return None
        try:
            self._stored = {part.number: part for part in self._confirmed(earlier)}
        except StorageError as error:
            if not is_gone(error):
                raise
            receipt = self._recognised()
            self._forget()
            return receipt
        voyage.advance(sum(part.size for part in self._stored.values()))
        return None

    def _confirmed(self, earlier: OpenUpload) -> Iterator[StoredPart]:
        """The parts that need not be sent again: the store has them, and they hold what the file holds now.

        What we know of a part is the checksum of what we sent, and the ETag that the store gave for it: the same ETag, and the same
        checksum of the local bytes, make it the same part. A part that was never written down must bring a checksum of its own.
        """
        known = {part.number: part for part in earlier.parts}
        listed: dict[int, ListedPart] = {}
        marker = 0
        while True:
            page = self._voyage.api.list_parts(self._target, self._upload_id, marker=marker)
            listed.update((part.number, part) for part in page.parts)
            marker = page.marker
            if not marker:
                break
        for number, part in sorted(listed.items()):
            offset, length = self._span(number)
            if part.size != length:
                continue
            ours = known.get(number)
            expected = ours.checksum if ours and _same_etag(ours.etag, part.etag) else part.checksums.get(self._algorithm.name)
            if expected and expected == self._hash(offset, length).digest:
                yield StoredPart(number, length, expected, part.etag)
                if ours is None:
                    self._record(PartStored(self._voyage.transfer.no, number, length, expected, part.etag))

    # Parts.

    def _count(self) -> int:
        return max(1, -(-self._source.size // self._part_size))

    def _span(self, number: int) -> tuple[int, int]:
        offset = (number - 1) * self._part_size
        return offset, min(self._part_size, self._source.size - offset)

    def _send_parts(self) -> None:
        """Send what the store does not have, and wait for all of it, in order."""
        pending: deque[tuple[int, Future[StoredPart]]] = deque()
        try:
            for number in range(1, self._count() + 1):
                if number in self._stored:
                    continue
                if len(pending) >= PARTS_AT_A_TIME:
                    self._take(*pending.popleft())
                self._ensure_wanted()
                pending.append((number, self._send(number)))
            while pending:
                self._take(*pending.popleft())
        except BaseException:
            self._voyage.sender.give_up()
            for number, part in pending:
                if part.exception() is None:  # waits for it
                    self._take(number, part)
            raise

    def _send(self, number: int) -> Future[StoredPart]:
        offset, length = self._span(number)
        part = Part(self._upload_id, number, offset, length, self._proves)
        return self._voyage.sender.send(self._source, part, _Meter(self._voyage.advance).at)

    def _take(self, number: int, part: Future[StoredPart]) -> None:
        stored = part.result()
        self._stored[number] = stored
        self._record(PartStored(self._voyage.transfer.no, number, stored.size, stored.checksum, stored.etag))

    def _ensure_wanted(self) -> None:
        """Raises Cancelled when the job is cancelled, or paused: large files do not end first, they are resumed."""
        if self._voyage.control.stopping:
            raise Cancelled("The job stops here.")

    def _hash(self, offset: int, length: int) -> Checksum:
        return self._source.checksum_of(self._algorithm, offset, length, self._voyage.control.raise_if_broken_off)

    # Ending.

    def _complete(self) -> Receipt:
        """Ask for the object, again if no answer comes: then it may be there already."""
        voyage = self._voyage
        checksum = self._whole_checksum()
        for attempt in range(1, voyage.policy.max_attempts + 1):
            try:
                completed = self._ask_complete(checksum)
                if attempt > 1 or not completed.etag:
                    completed = self._seen(completed)
                return self._receipt(completed, checksum)
            except StorageError as error:
                if is_gone(error) and attempt > 1 and (receipt := self._recognised()):
                    return receipt
                if error.reason == "conflict" or not error.retryable:
                    raise  # S3 wants a new upload after a conflict
                if attempt == voyage.policy.max_attempts:
                    raise use_up(error) from None
                rest(voyage.control, delay_after(error, attempt), voyage.control.raise_if_broken_off)
        raise AssertionError("the last attempt returns or raises")

    def _seen(self, completed: Completed) -> Completed:
        """The object as the store shows it. Some have no ETag to begin with, or take an old object of that key for ours."""
        head = self._voyage.api.head_object(self._target)
        if head.size != self._source.size:
            sentence = f"CompleteMultipartUpload {self._target} failed: the store has an object of another size there. Try again."
            raise StorageError(sentence, code="NoSuchUpload", reason="lost_upload", retryable=True)
        return Completed(head.etag, completed.version_id or head.version_id)

    def _ask_complete(self, checksum: str) -> Completed:
        voyage, algorithm = self._voyage, self._algorithm
        parts = [PartReceipt(part.number, part.etag, part.checksum if self._proves else "") for part in self._in_order()]
        whole = WholeChecksum(algorithm.name, checksum, algorithm.full_object) if self._proves else None
        only_new = voyage.policy.if_exists != "overwrite"
        size = self._source.size
        return voyage.api.complete_multipart_upload(self._target, self._upload_id, parts, whole, size=size, only_new=only_new)

    def _in_order(self) -> list[StoredPart]:
        return [part for _, part in sorted(self._stored.items())]

    def _whole_checksum(self) -> str:
        return whole_digest(self._algorithm, [(part.checksum, part.size) for part in self._in_order()])

    def _receipt(self, completed: Completed, checksum: str) -> Receipt:
        return Receipt(self._source.size, f"{self._algorithm.name}:{checksum}", completed.etag, completed.version_id)

    def _recognised(self) -> Receipt | None:
        """The receipt, if what is there under the key holds exactly the file's bytes."""
        voyage = self._voyage
        watch = voyage.control.raise_if_broken_off
        return is_ours(voyage.api, self._target, self._source, self._algorithm, watch, part_size=self._part_size)

    def _end_badly(self, error: BaseException) -> None:
        """Keep the upload if it can be gone on with, else drop it. Never raises."""
        if not self._upload_id:
            return  # if one was created all the same, the intent says so
        gone = isinstance(error, StorageError) and is_gone(error)
        if gone:
            assert isinstance(error, StorageError)
            error.retryable = True  # somebody else ended this upload; a new one may fare better
        try:
            if gone:
                self._forget()
            elif not self._resumable(error):
                self._drop()
        except S3tuiError as trouble:
            _log.warning("The upload to %s may still be open: %s", self._target, trouble)

    def _resumable(self, error: BaseException) -> bool:
        if isinstance(error, Cancelled):
            return not self._voyage.control.cancelled
        if isinstance(error, StorageError):
            return error.retryable or error.used_up or error.fatal
        return not isinstance(error, SourceError)

    def _drop(self) -> None:
        """Abort, make sure, and write so."""
        abort(self._voyage.api, self._target, self._upload_id)
        self._forget()

    def _forget(self) -> None:
        """The store has no upload of ours for this file."""
        self._upload_id = ""
        self._intended_at = 0
        self._stored = {}
        self._part_size = part_size_for(self._source.size, self._voyage.policy.part_size)
        self._write(UploadDropped(self._voyage.transfer.no))

    def _record(self, part: PartStored) -> None:
        self._voyage.ledger.record([part])

    def _write(self, fact: UploadIntended | UploadOpened | UploadDropped) -> None:
        """Write a fact down, and go on only when it is durable."""
        self._voyage.ledger.record([fact])
        self._voyage.ledger.flush()


class _Meter:
    """Turns how many bytes of a part have left into how many more that is."""

    def __init__(self, advance: Callable[[int], None]) -> None:
        self._advance = advance
        self._at = 0

    def at(self, sent: int) -> None:
        if sent != self._at:
            self._advance(sent - self._at)
            self._at = sent


def _same_etag(one: str, other: str) -> bool:
    return one.strip('"') == other.strip('"')

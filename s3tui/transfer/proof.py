"""Proof that a store holds what was sent, by the strongest evidence that it gives.

    the store checks what it receives      it refused wrong checksums when it was probed, and took these bytes with theirs
    its ETag is the MD5 of the bytes       which it was never told, so it has calculated it from what it holds
    the bytes, read back                   where nothing else tells; dear, but a proof

Of a small object the answer to the request that stored it may be proof already. What the store says of an object when it is looked
at must fit in any case: size, and a checksum of the same kind if it keeps one. An ETag other than the one it answered with is that
of another object perhaps: then its answer proves nothing of what is there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from s3tui.errors import NotIdentical, SourceError, StorageError, Unproven
from s3tui.model import ObjectRef, Policy, Proof, Receipt
from s3tui.storage.api import Api, ObjectHead
from s3tui.text import display_text
from s3tui.transfer.checksums import ALGORITHMS, Algorithm, Checksum, whole_digest
from s3tui.transfer.engine import Control
from s3tui.transfer.part_sizes import large_from, part_size_for
from s3tui.transfer.patience import persist
from s3tui.transfer.recognition import etag_like
from s3tui.transfer.source import open_source

_T = TypeVar("_T")

_BLOCK = 8 << 20
"""Bytes that are read back in one request."""


class Prover:
    """Proves objects of one job. Thread-safe."""

    def __init__(self, api: Api, policy: Policy, control: Control, *, checked: bool, looks: bool) -> None:
        """`checked`: the store checks what it receives. `looks`: look at every object, even where its answer was proof already."""
        self._api = api
        self._policy = policy
        self._control = control
        self._checked = checked
        self._looks = looks

    def prove(self, source: bytes, target: ObjectRef, receipt: Receipt) -> Proof:
        """How it is known that the object holds what was sent from the file `source`, which may be looked at to find out.

        Raises NotIdentical, Unproven, Cancelled; StorageError when the store cannot be asked, a fatal one for what concerns all.
        """
        if not self._looks and receipt.size < large_from(self._policy):
            if self._checked:
                return Proof.SERVER_CHECKSUM
            if self._is_md5_of(receipt.etag.strip('"'), source, receipt):
                return Proof.ETAG_MD5
        head = self._look(target)
        if head is not None:
            _ensure_alike(target, receipt, head)
        if self._checked and (head is None or _is_answered(receipt, head)):
            return Proof.SERVER_CHECKSUM
        if head is None and not receipt.size:
            raise _unproven(target, "It is empty, so there is nothing to read back.")
        if head is not None and self._is_md5_of(head.etag, source, receipt):
            return Proof.ETAG_MD5
        self._read_back(target, receipt)
        return Proof.READ_BACK

    def _look(self, target: ObjectRef) -> ObjectHead | None:
        """What the store says of the object; None if we may not look. Raises NotIdentical if there is none."""
        try:
            return self._ask(lambda: self._api.head_object(target))
        except StorageError as error:
            if error.status == 404:
                raise _not_identical(target, "the store has no such object any more") from error
            if error.status == 403 and not error.fatal:
                return None
            raise

    def _is_md5_of(self, etag: str, source: bytes, receipt: Receipt) -> bool:
        part_size, watch = self._part_size(receipt), self._control.raise_if_broken_off
        try:
            with open_source(source, follow=True) as pinned:
                same = pinned.receipt_checksum(receipt.checksum, part_size, watch) == receipt.checksum
                return same and etag == etag_like(etag, pinned, part_size, watch)
        except SourceError:
            return False

    def _read_back(self, target: ObjectRef, receipt: Receipt) -> None:
        """Raises NotIdentical, Unproven."""
        name, _, digest = receipt.checksum.partition(":")
        algorithm = ALGORITHMS[name]
        if "-" not in digest:
            found = self._checksum_of(target, algorithm, 0, receipt.size).digest
        else:
            starts, part_size = range(0, receipt.size, self._part_size(receipt)), self._part_size(receipt)
            parts = [self._checksum_of(target, algorithm, start, min(start + part_size, receipt.size)) for start in starts]
            found = whole_digest(algorithm, [(part.digest, part.length) for part in parts])
        if found != digest:
            raise _not_identical(target, "the bytes that it gives back are not those that were sent")

    def _checksum_of(self, target: ObjectRef, algorithm: Algorithm, start: int, end: int) -> Checksum:
        checksum = Checksum(algorithm)
        for offset in range(start, end, _BLOCK):
            checksum.update(self._bytes(target, offset, min(_BLOCK, end - offset)))
        return checksum

    def _bytes(self, target: ObjectRef, offset: int, length: int) -> bytes:
        self._control.raise_if_broken_off()
        try:
            data = self._ask(lambda: self._api.get_range(target, offset, length))
        except StorageError as error:
            if error.fatal or error.retryable:
                raise
            raise _unproven(target, str(error)) from error
        if len(data) != length:
            raise _not_identical(target, "it gives back fewer bytes than were sent")
        return data

    def _part_size(self, receipt: Receipt) -> int:
        return part_size_for(receipt.size, self._policy.part_size)

    def _ask(self, request: Callable[[], _T]) -> _T:
        return persist(self._control, self._policy.max_attempts, request)


def _ensure_alike(target: ObjectRef, receipt: Receipt, head: ObjectHead) -> None:
    """Raises NotIdentical if what the store says of an object contradicts the receipt."""
    if head.size != receipt.size:
        raise _not_identical(target, f"the store has {head.size} bytes there, and {receipt.size} were sent")
    name, _, digest = receipt.checksum.partition(":")
    kept = head.checksums.get(name)
    if kept and kept != digest and ("-" in kept) == ("-" in digest):
        raise _not_identical(target, f"the store keeps another {name} of it than that of the bytes that were sent")


def _is_answered(receipt: Receipt, head: ObjectHead) -> bool:
    """Whether this is the object that the store answered for, and not one that somebody else has put in its place."""
    return not receipt.etag or head.etag == receipt.etag.strip('"')


def _unproven(target: ObjectRef, cause: str) -> Unproven:
    return Unproven(f"{display_text(str(target))} is stored, but nothing proves its bytes: {cause}")


def _not_identical(target: ObjectRef, cause: str) -> NotIdentical:
    step = "The source is kept; retry to send it again, and look at the store."
    return NotIdentical(f"{display_text(str(target))} is not what was sent: {cause}. {step}")

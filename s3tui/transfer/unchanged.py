"""Which files the target has already, byte for byte: size alone proves nothing, so one of these has to, the cheapest first.

    1  we sent it: the object is the one that an earlier job has a receipt for, and nothing has touched the file since
    2  the object is that one, and the file, read again, has the checksum of the receipt
    3  the object's ETag, as the listing gives it, is what MD5 makes of the file
    4  one HEAD: the checksum that the store keeps of the object is the file's, or else its metadata `mtime` (seconds since 1970, as
       other tools write it) is the file's

Whatever cannot be read, changes meanwhile or is not proven counts as changed: sending a file once more does no harm.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from s3tui.errors import AccessDenied, Cancelled, SourceError, StorageError
from s3tui.model import Fingerprint, ObjectRef, Policy, Receipt
from s3tui.storage.api import Api, ObjectHead
from s3tui.transfer.checksums import ALGORITHMS, Checksum
from s3tui.transfer.compare import Ascending, Candidate
from s3tui.transfer.engine import Control
from s3tui.transfer.etags import RunningETag, parts_told
from s3tui.transfer.part_sizes import part_size_for
from s3tui.transfer.patience import persist
from s3tui.transfer.source import PinnedSource, open_planned

_AT_A_TIME = 8
"""Files that are read, or asked about, side by side."""
_STEP = 1 << 20
_DOUBT_MS = 2000
"""How coarse the times of a file system, and how far apart two clocks of one machine, may be."""

_SECONDS = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,9}))?")

Remembered = tuple[str, Fingerprint, Receipt, int]
"""(key, the file as it was planned, receipt, milliseconds since 1970 before which it was not read) of what an earlier job sent."""


class Unchanged:
    """Tells unchanged files from others. It is asked in the order of keys, and by one thread."""

    def __init__(
        self,
        remembered: Iterable[Remembered],
        locate: Callable[[int, bytes], bytes],
        bucket: str,
        api: Api,
        policy: Policy,
        control: Control,
    ) -> None:
        """`remembered` is sorted by key. `locate` gives the absolute path of a path of one of the sources."""
        self._remembered = Ascending((key, (fingerprint, receipt, since)) for key, fingerprint, receipt, since in remembered)
        self._locate = locate
        self._bucket = bucket
        self._api = api
        self._policy = policy
        self._control = control
        self._may_look = True

    def among(self, candidates: Sequence[Candidate]) -> dict[int, Receipt]:
        """The receipts of those that are unchanged, by number. Raises Cancelled when the job stops, StorageError if it is fatal."""
        receipts: dict[int, Receipt] = {}
        doubtful: list[tuple[Candidate, Receipt | None]] = []
        for candidate in candidates:
            fingerprint, receipt, since = self._remembered.at(candidate.key) or (None, None, 0)
            if receipt is not None and not _is_of(receipt, candidate):
                receipt = None
            if receipt is not None and fingerprint == candidate.fingerprint and self._rests(candidate, since):
                receipts[candidate.no] = receipt
            else:
                doubtful.append((candidate, receipt))
        if doubtful:
            with ThreadPoolExecutor(_AT_A_TIME, "unchanged") as pool:
                proofs = pool.map(lambda doubt: self._proof(*doubt), doubtful)
                receipts |= {candidate.no: proof for (candidate, _), proof in zip(doubtful, proofs, strict=True) if proof}
        return receipts

    def _rests(self, candidate: Candidate, since_ms: int) -> bool:
        """Whether the file was not touched from `since_ms` on. Its change time tells that: unlike the other, nobody can set it."""
        self._watch()
        try:
            with self._open(candidate) as source:
                return source.fingerprint == candidate.fingerprint and source.changed_ms < since_ms - _DOUBT_MS
        except SourceError:
            return False

    def _proof(self, candidate: Candidate, receipt: Receipt | None) -> Receipt | None:
        self._watch()
        try:
            with self._open(candidate) as source:
                if source.fingerprint != candidate.fingerprint:
                    return None
                proof = self._read(ObjectRef(self._bucket, candidate.key), source, candidate.stored.etag, receipt)
                source.ensure_unchanged()
                return proof
        except SourceError:
            return None

    def _read(self, target: ObjectRef, source: PinnedSource, etag: str, receipt: Receipt | None) -> Receipt | None:
        if receipt is not None and receipt.checksum:
            usual = part_size_for(source.size, self._policy.part_size)
            if source.receipt_checksum(receipt.checksum, usual, self._watch) == receipt.checksum:
                return receipt
            if _is_whole(receipt.checksum):
                return None
        known: dict[str, str] = {}
        if (part_size := self._part_size_of(etag, source.size)) is not None:
            algorithm = self._policy.checksum
            known[algorithm], own_etag = self._digest_and_etag(source, algorithm, part_size)
            if own_etag == etag:
                return Receipt(source.size, f"{algorithm}:{known[algorithm]}", etag)
        head = self._look(target)
        return None if head is None else self._held_against(head, source, known)

    def _held_against(self, head: ObjectHead, source: PinnedSource, known: Mapping[str, str]) -> Receipt | None:
        if head.size != source.size:
            return None
        for algorithm in (self._policy.checksum, *ALGORITHMS):
            digest = head.checksums.get(algorithm, "")
            if digest and _is_whole(digest):
                same = (known.get(algorithm) or self._digest(source, algorithm)) == digest
                return Receipt(source.size, f"{algorithm}:{digest}", head.etag, head.version_id) if same else None
        same = is_moment(head.metadata.get("mtime", ""), source.fingerprint.mtime_ns)
        return Receipt(source.size, "", head.etag, head.version_id) if same else None

    def _look(self, target: ObjectRef) -> ObjectHead | None:
        if not self._may_look:
            return None
        try:
            return persist(self._control, self._policy.max_attempts, lambda: self._api.head_object(target))
        except AccessDenied:
            self._may_look = False
        except StorageError as error:
            if error.fatal:
                raise
        return None

    def _part_size_of(self, etag: str, size: int) -> int | None:
        """The size of the parts that an ETag may be made of, 0 for none; None if it is not worth while to read the file for it."""
        parts = parts_told(etag)
        if not parts:
            return parts
        part_size = part_size_for(size, self._policy.part_size)
        return part_size if max(1, -(-size // part_size)) == parts else None

    def _open(self, candidate: Candidate) -> PinnedSource:
        return open_planned(self._locate(candidate.source_no, candidate.path), candidate.fingerprint)

    def _digest(self, source: PinnedSource, algorithm: str) -> str:
        return source.checksum_of(ALGORITHMS[algorithm], 0, source.size, self._watch).digest

    def _digest_and_etag(self, source: PinnedSource, algorithm: str, part_size: int) -> tuple[str, str]:
        """Both in one reading."""
        checksum, etag = Checksum(ALGORITHMS[algorithm]), RunningETag(part_size)
        for start in range(0, source.size, _STEP):
            self._watch()
            block = source.read_range(start, min(_STEP, source.size - start))
            checksum.update(block)
            etag.update(block)
        return checksum.digest, etag.value

    def _watch(self) -> None:
        if self._control.stopping:
            raise Cancelled("The job stops here.")


def is_moment(written: str, mtime_ns: int) -> bool:
    """Whether seconds since 1970, written with a fraction or without, are this time, as precisely as they are written."""
    match = _SECONDS.fullmatch(written)
    if match is None:
        return False
    fraction = match[2] or ""
    precision = int(10 ** (9 - len(fraction)))
    return int(match[1] + fraction) == mtime_ns // precision


def _is_of(receipt: Receipt, candidate: Candidate) -> bool:
    """Whether the receipt is that of the very object that the listing shows."""
    return receipt.size == candidate.stored.size and bool(receipt.etag) and receipt.etag.strip('"') == candidate.stored.etag


def _is_whole(digest: str) -> bool:
    """Whether a checksum is over the bytes of the object, and not over the checksums of its parts."""
    return "-" not in digest

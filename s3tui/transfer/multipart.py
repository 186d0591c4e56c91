"""A large object in parts: created, sent a few parts at a time, completed; or aborted, so that no part stays behind.

Each part is hashed, then sent from the same descriptor, and is tried again by itself. Parts run in a pool of their own and wait for
nothing but the store: a file waits for its parts, so files and parts in one bounded pool could wait for each other for ever.
"""

from __future__ import annotations

import logging
from collections import deque
from concurrent.futures import Executor, Future, wait
from typing import Any

from s3tui.errors import Cancelled, S3tuiError, StorageError
from s3tui.model import Receipt
from s3tui.transfer.body import Body, hash_range
from s3tui.transfer.checksums import Checksum, whole
from s3tui.transfer.flight import Flight
from s3tui.transfer.patience import delay_after, rest
from s3tui.transfer.single import receipt_of, recognise

THRESHOLD = 16 << 20
"""Files of this many bytes and more are sent in parts."""

DEFAULT_PART = 8 << 20
MAX_PARTS = 10_000
_MIN_PART = 5 << 20
_PARTS_AT_A_TIME = 4
"""Of one file, so that a huge file does not take the whole pool of parts."""

_log = logging.getLogger(__name__)


def part_size_for(size: int, configured: int) -> int:
    """Bytes of a part: what is configured (0: 8 MiB), but enough for 10,000 parts to hold the file, in whole MiB."""
    wanted = max(configured or DEFAULT_PART, _MIN_PART, -(-size // MAX_PARTS))
    return -(-wanted // (1 << 20)) << 20


class MultipartUpload:
    """One attempt to carry one file in parts."""

    def __init__(self, flight: Flight, pool: Executor) -> None:
        self._flight = flight
        self._pool = pool
        self._part_size = part_size_for(flight.source.size, flight.policy.part_size)
        self._upload: dict[str, Any] = {}
        self._broken = False
        self._proven = True
        """Whether the store was asked to keep checksums."""

    def carry(self) -> Receipt:
        """Store the source. Raises StorageError, SourceError or Cancelled, after the upload has been aborted."""
        self._flight.control.raise_if_cancelled()
        self._create()
        try:
            parts = self._send_parts()
            self._flight.source.ensure_unchanged()
            return self._complete(parts)
        except BaseException as error:
            if isinstance(error, StorageError) and error.code == "NoSuchUpload":
                error.retryable = True  # somebody else ended this upload; a new one may fare better
            self._abort()
            raise

    def _create(self) -> None:
        flight = self._flight
        proof = {"ChecksumAlgorithm": flight.algorithm.constant}
        if flight.algorithm.full_object:
            proof["ChecksumType"] = "FULL_OBJECT"

        def create(checksum: dict[str, Any]) -> Any:  # noqa: ANN401
            self._proven = bool(checksum)
            parameters = {**flight.address, **flight.parameters, **checksum}
            return flight.ask("CreateMultipartUpload", lambda: flight.store.client.create_multipart_upload(**parameters))

        answer = flight.store.with_checksum(create, proof)
        self._upload = {**flight.address, "UploadId": answer["UploadId"]}

    def _send_parts(self) -> list[tuple[dict[str, Any], Checksum]]:
        """boto3's description and the checksum of each part, in order."""
        sent: list[tuple[dict[str, Any], Checksum]] = []
        pending: deque[Future[tuple[dict[str, Any], Checksum]]] = deque()
        count = max(1, -(-self._flight.source.size // self._part_size))
        try:
            for number in range(1, count + 1):
                if len(pending) == _PARTS_AT_A_TIME:
                    sent.append(pending.popleft().result())
                pending.append(self._pool.submit(self._send_part, number))
            while pending:
                sent.append(pending.popleft().result())
        except BaseException:
            self._broken = True
            wait([part for part in pending if not part.cancel()])
            raise
        return sent

    def _watch(self) -> None:
        self._flight.control.raise_if_cancelled()
        if self._broken:
            raise Cancelled("Another part of the same file has failed.")

    def _send_part(self, number: int) -> tuple[dict[str, Any], Checksum]:
        self._watch()
        flight = self._flight
        offset = (number - 1) * self._part_size
        length = min(self._part_size, flight.source.size - offset)
        checksum = hash_range(flight.source, offset, length, flight.algorithm, self._watch)
        for attempt in range(1, flight.policy.max_attempts + 1):
            body = Body(flight.source, offset, checksum, watch=self._watch, advance=flight.advance)
            try:
                return self._put_part(number, body, checksum), checksum
            except S3tuiError as error:
                body.withdraw()
                self._give_up_or_rest(error, attempt)
        raise AssertionError("the last attempt returns or raises")

    def _put_part(self, number: int, body: Body, checksum: Checksum) -> dict[str, Any]:
        proof = {checksum.algorithm.parameter: checksum.digest} if self._proven else {}
        parameters = {**self._upload, **proof, "PartNumber": number, "Body": body, "ContentLength": checksum.length}
        answer = self._flight.ask("UploadPart", lambda: self._flight.store.client.upload_part(**parameters))
        return {"PartNumber": number, "ETag": answer["ETag"], **proof}

    def _give_up_or_rest(self, error: S3tuiError, attempt: int) -> None:
        """Rest before another attempt at one request of this upload, or raise the error for good."""
        if not isinstance(error, StorageError) or not error.retryable:
            raise error
        if attempt >= self._flight.policy.max_attempts:
            error.retryable = False  # it has been tried often enough; the file need not start all over
            raise error
        rest(self._flight.control, delay_after(error, attempt), self._watch)

    def _complete(self, parts: list[tuple[dict[str, Any], Checksum]]) -> Receipt:
        flight = self._flight
        checksum = whole(part for _, part in parts)
        parameters = {**self._upload, **flight.condition, "MultipartUpload": {"Parts": [described for described, _ in parts]}}
        if self._proven and flight.algorithm.full_object:
            parameters |= {flight.algorithm.parameter: checksum, "ChecksumType": "FULL_OBJECT", "MpuObjectSize": flight.source.size}
        unanswered = False
        for attempt in range(1, flight.policy.max_attempts + 1):
            self._watch()
            try:
                answer = flight.ask("CompleteMultipartUpload", lambda: flight.store.client.complete_multipart_upload(**parameters))
                return receipt_of(answer, flight.source.size, f"{flight.algorithm.name}:{checksum}")
            except StorageError as error:
                if unanswered and error.code == "NoSuchUpload" and (receipt := recognise(flight)):
                    return receipt
                if error.reason == "conflict":
                    raise  # S3 wants a new upload then
                self._give_up_or_rest(error, attempt)
                unanswered = True
        raise AssertionError("the last attempt returns or raises")

    def _abort(self) -> None:
        """Abort, and once more if the store still lists the upload: a part in flight may have come in late. Never raises."""
        client = self._flight.store.client
        for _ in range(3):
            try:
                self._flight.ask("AbortMultipartUpload", lambda: client.abort_multipart_upload(**self._upload))
                self._flight.ask("ListParts", lambda: client.list_parts(**self._upload))
            except StorageError as error:
                if error.code == "NoSuchUpload":
                    return
                if not error.retryable:
                    break
        _log.warning("The parts of an upload to %s may still be kept, and billed, by the store.", self._flight.target)

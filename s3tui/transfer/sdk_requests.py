"""The requests that carry files through botocore's client: an object in one, or a part of one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from s3tui.errors import Cancelled, S3tuiError, StorageError
from s3tui.model import ObjectRef, Policy, Receipt, StoredPart
from s3tui.storage.failures import translate
from s3tui.storage.sdk import CHECKSUM_PARAMETERS, S3Client, object_parameters
from s3tui.transfer.body import Body
from s3tui.transfer.checksums import ALGORITHMS, Checksum, digest_of
from s3tui.transfer.engine import Control
from s3tui.transfer.headers import object_fields
from s3tui.transfer.multipart import Part
from s3tui.transfer.patience import delay_after, rest, use_up
from s3tui.transfer.source import PinnedSource
from s3tui.transfer.traits import Traits

SMALL = 256 << 10
"""Files up to this many bytes are read once, into memory."""


def put_object(
    client: S3Client,
    traits: Traits,
    target: ObjectRef,
    source: PinnedSource,
    policy: Policy,
    *,
    control: Control,
    advance: Callable[[int], None],
) -> Receipt:
    """Store the source with PutObject. Raises StorageError, SourceError, and Cancelled when broken off.

    `advance` is told of bytes that left for the store, negative when they must leave again.
    """
    watch = control.raise_if_broken_off
    watch()
    parameters = {"Bucket": target.bucket, "Key": target.key, **object_parameters(object_fields(policy.headers, target.key))}
    if policy.if_exists != "overwrite":
        parameters["IfNoneMatch"] = "*"

    def put(body: Body | bytes, digest: str) -> Receipt:
        def request(checksum: str) -> Any:  # noqa: ANN401 - botocore's answers have no shape
            proof = {CHECKSUM_PARAMETERS[policy.checksum]: checksum} if checksum else {}
            with translate("PutObject", str(target), source.path):
                return client.put_object(**parameters, **proof, Body=body, ContentLength=source.size)

        answer = traits.with_checksum(request, digest)
        etag, version_id = answer.get("ETag", "").strip('"'), answer.get("VersionId", "")
        return Receipt(source.size, f"{policy.checksum}:{digest}", etag, version_id)

    algorithm = ALGORITHMS[policy.checksum]
    if source.size <= SMALL:
        data = source.read_range(0, source.size)
        source.ensure_unchanged()
        control.spend(len(data))
        receipt = put(data, digest_of(algorithm, data))
        advance(len(data))
        return receipt
    checksum = source.checksum_of(algorithm, 0, source.size, watch)
    body = Body(source, 0, checksum, watch=watch, spend=control.spend, advance=advance)
    try:
        return put(body, checksum.digest)
    except BaseException:
        body.withdraw()
        raise


class SdkParts:
    """Implements `PartSender`: each part is hashed, then sent from the same descriptor, in a thread of the pool of parts.

    That pool is not the one of files: a file waits for its parts, so in one bounded pool they could wait for each other for ever.
    """

    def __init__(self, client: S3Client, pool: Executor, target: ObjectRef, policy: Policy, control: Control) -> None:
        self._client = client
        self._pool = pool
        self._target = target
        self._policy = policy
        self._control = control
        self._given_up = threading.Event()

    def send(self, source: PinnedSource, part: Part, moved: Callable[[int], None]) -> Future[StoredPart]:
        """See `PartSender`."""
        self._given_up.clear()
        return self._pool.submit(self._send, source, part, moved)

    def give_up(self) -> None:
        """See `PartSender`."""
        self._given_up.set()

    def _watch(self) -> None:
        self._control.raise_if_broken_off()
        if self._given_up.is_set():
            raise Cancelled("Another part of the same file has failed.")

    def _send(self, source: PinnedSource, part: Part, moved: Callable[[int], None]) -> StoredPart:
        checksum = source.checksum_of(ALGORITHMS[self._policy.checksum], part.offset, part.length, self._watch)
        for attempt in range(1, self._policy.max_attempts + 1):
            sent = _Sent(moved)
            body = Body(source, part.offset, checksum, watch=self._watch, spend=self._control.spend, advance=sent.add)
            try:
                return self._put(source, part, body, checksum)
            except S3tuiError as error:
                moved(0)
                if not isinstance(error, StorageError) or attempt == self._policy.max_attempts or not error.retryable:
                    raise use_up(error) from None
                rest(self._control, delay_after(error, attempt), self._watch)
        raise AssertionError("the last attempt returns or raises")

    def _put(self, source: PinnedSource, part: Part, body: Body, checksum: Checksum) -> StoredPart:
        proof = {CHECKSUM_PARAMETERS[self._policy.checksum]: checksum.digest} if part.proves else {}
        with translate("UploadPart", str(self._target), source.path):
            answer = self._client.upload_part(
                Bucket=self._target.bucket,
                Key=self._target.key,
                UploadId=part.upload_id,
                PartNumber=part.number,
                Body=body,
                ContentLength=part.length,
                **proof,
            )
            return StoredPart(part.number, part.length, checksum.digest, answer["ETag"])


class _Sent:
    """How much of a body has left."""

    def __init__(self, moved: Callable[[int], None]) -> None:
        self._moved = moved
        self._count = 0

    def add(self, count: int) -> None:
        self._count += count
        self._moved(self._count)

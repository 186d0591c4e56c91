"""Finding out what a store checks and bears, by a multipart upload that is never completed: no object appears, nothing is left.

Every question is a part of its own, as some stores mind other bytes under a known number. They are asked side by side, as files are
sent meanwhile with more effort than may be needed; those that make some stores throw the upload away come last, one by one.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import secrets
from collections.abc import Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait

from s3tui.errors import StorageError
from s3tui.model import ObjectRef
from s3tui.storage.profile import Profile
from s3tui.transfer.aborting import is_gone
from s3tui.transfer.checksums import ALGORITHMS
from s3tui.transfer.wire.api import Asks, WireApi
from s3tui.transfer.wire.sigv4 import UNSIGNED

BODY = b"s3tui asks"
RIGHT = {
    "crc64nvme": "BPFPCHQamsU=",
    "crc32": "CxBvDw==",
    "crc32c": "ftj8eQ==",
    "sha256": "TbK8cr0484evaB5a3Z9wdHiJiEm7I2kY8qjrwm0rfnc=",
}
"""Checksums of the body, worked out beforehand: loading what calculates them takes longer than all the questions."""
OTHER = b"something else"
WRONG = {
    "crc64nvme": "Dzay9XKwA20=",
    "crc32": "VbOnqQ==",
    "crc32c": "8qBgbA==",
    "sha256": "9B8/piX/Eg3cp+9Fa/ZjcezqI8Ep9OTDI2cQHttRbPg=",
}
"""Checksums of the other body."""
_AT_A_TIME = 11
_SIGNATURE = "x-amz-content-sha256"


def new_probe(bucket: str, prefix: str) -> ObjectRef:
    """The key of a probe, which nobody else can mean."""
    return ObjectRef(bucket, f"{prefix}.s3tui-probe-{secrets.token_hex(8)}")


def probe(asks: Asks, target: ObjectRef) -> Profile:
    """The profile of a store, found under this key. Raises StorageError if it does not let us ask, or clean up after us."""
    api = WireApi(asks)
    upload_id = api.create_multipart_upload(target, {}, "")
    try:
        with ThreadPoolExecutor(_AT_A_TIME, "question") as pool:
            keeps_conditions = pool.submit(_keeps_conditions, asks, target)
            profile = _Questions(asks, target, upload_id, pool).profile()
            return profile._replace(keeps_conditions=keeps_conditions.result())
    finally:  # when no question is on its way any more
        _abort(api, target, upload_id)


def clean_up(asks: Asks, target: ObjectRef) -> None:
    """Remove what a probe that was killed has left. Raises StorageError."""
    api = WireApi(asks)
    for upload in api.list_multipart_uploads(target.bucket, target.key):
        if upload.key == target.key:
            _abort(api, target, upload.upload_id)
    api.delete_object(target)


def _abort(api: WireApi, target: ObjectRef, upload_id: str) -> None:
    try:
        api.abort_multipart_upload(target, upload_id)
    except StorageError as error:
        if not is_gone(error):
            raise


class _Questions:
    """The parts of one upload, each a question."""

    def __init__(self, asks: Asks, target: ObjectRef, upload_id: str, pool: Executor) -> None:
        self._asks = asks
        self._target = target
        self._upload_id = upload_id
        self._pool = pool
        self._numbers = itertools.count(1)

    def profile(self) -> Profile:
        right = {name: self._send({one.header: RIGHT[name]}) for name, one in ALGORITHMS.items()}
        wrong = {name: self._send({one.header: WRONG[name]}) for name, one in ALGORITHMS.items()}
        unsigned, trailers = self._send({_SIGNATURE: UNSIGNED}), self._pool.submit(self._takes_trailers)
        taken = [name for name, status in right.items() if _is_taken(status)]
        checks = tuple(name for name in taken if _is_refused(wrong[name]))
        takes_unsigned, takes_trailers = _is_taken(unsigned), trailers.result()
        wait([*right.values(), *wrong.values()])
        checks_signature = _is_refused(self._send({_SIGNATURE: hashlib.sha256(OTHER).hexdigest()}))
        md5 = base64.b64encode(hashlib.md5(OTHER, usedforsecurity=False).digest()).decode()
        checks_md5 = _is_refused(self._send({"content-md5": md5}))
        return Profile("crc64nvme" in taken, checks, checks_signature, checks_md5, takes_unsigned, takes_trailers)

    def _send(self, headers: Mapping[str, str]) -> Future[int]:
        """The status that the store answers to these headers, once it has."""
        return self._pool.submit(self._status, next(self._numbers), headers)

    def _status(self, number: int, headers: Mapping[str, str], body: bytes = BODY) -> int:
        query = [("partNumber", str(number)), ("uploadId", self._upload_id)]
        target = (self._target.bucket, self._target.key)
        return self._asks.ask("UploadPart", "PUT", target, query=query, headers=headers, body=body).status

    def _takes_trailers(self) -> bool:
        """Whether a framed body is stored without its frame."""
        framed = b"%x\r\n%s\r\n0\r\nx-amz-checksum-crc32:%s\r\n\r\n" % (len(BODY), BODY, RIGHT["crc32"].encode())
        headers = {
            _SIGNATURE: "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "content-encoding": "aws-chunked",
            "x-amz-decoded-content-length": str(len(BODY)),
            "x-amz-trailer": "x-amz-checksum-crc32",
        }
        number = next(self._numbers)
        if self._status(number, headers, framed) >= 300:
            return False
        parts = WireApi(self._asks).list_parts(self._target, self._upload_id).parts
        return any(part.number == number and part.size == len(BODY) for part in parts)


def _is_taken(status: Future[int]) -> bool:
    return status.result() < 300


def _is_refused(status: Future[int]) -> bool:
    return 400 <= status.result() < 500


def _keeps_conditions(asks: Asks, target: ObjectRef) -> bool:
    """Whether a write is refused that is only to replace what is not there. A store that ignores that makes an object of it."""
    answer = asks.ask("PutObject", "PUT", (target.bucket, target.key), headers={"if-match": '"none"'}, body=BODY)
    if answer.status < 300:
        WireApi(asks).delete_object(target)
    return answer.status in (404, 412)

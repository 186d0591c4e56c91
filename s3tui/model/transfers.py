"""A file on its way to its object: what is asked, what moves, what the store answered, and what proves it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from s3tui.model.files import Fingerprint
from s3tui.model.multipart import OpenUpload
from s3tui.model.objects import ObjectHeaders, ObjectRef


class Transfer(NamedTuple):
    """One source to one object; `no` is dense within its job, from 0."""

    no: int
    path: bytes
    """Absolute local path."""
    target: ObjectRef
    fingerprint: Fingerprint
    attempts: int = 0
    """Attempts already spent by earlier runs."""
    unsure: bool = False
    """Whether a worker that died may have stored it without writing so down: look before sending it again."""
    upload: OpenUpload | None = None
    """What an earlier run left of a multipart upload: its parts need not be sent again."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How the engine carries the transfers of a job."""

    checksum: str = "crc64nvme"
    if_exists: str = "overwrite"
    """`overwrite`, `skip` or `fail`."""
    max_attempts: int = 5
    part_size: int = 0
    """Bytes; 0 lets the engine choose."""
    headers: ObjectHeaders = field(default_factory=ObjectHeaders)


@dataclass(frozen=True, slots=True)
class ActiveTransfer:
    """A sample of one transfer in flight."""

    no: int
    sent: int
    size: int
    attempt: int
    rate: float
    """Bytes per second, smoothed."""


class Receipt(NamedTuple):
    """What the store answered when it took an object."""

    size: int
    checksum: str
    """`crc64nvme:BASE64`, over the whole object, of the bytes that were sent."""
    etag: str
    version_id: str = ""
    seen: Fingerprint | None = None
    """The file as it was read, if that is not how it was planned."""

    def of_file(self, read: Fingerprint, planned: Fingerprint) -> Receipt:
        """The same, knowing how the file was when it was read."""
        return self if read == planned else self._replace(seen=read)


class Proof(StrEnum):
    """How it is known that an object holds the bytes that were sent."""

    SERVER_CHECKSUM = "server_checksum"
    """The store checked them against their checksum, and keeps refusing what does not fit."""
    ETAG_MD5 = "etag_md5"
    """Its ETag is their MD5, which it was never told."""
    READ_BACK = "read_back"
    """They were read back from it."""


class Stored(NamedTuple):
    """A transfer whose object is on the store, as it was written down."""

    no: int
    source_no: int
    path: bytes
    """Relative to its source."""
    key: str
    fingerprint: Fingerprint
    """Of the file as it was sent."""
    receipt: Receipt
    deleting: bool
    """Whether its source was about to be deleted."""

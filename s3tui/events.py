"""Facts: something now true about one transfer, in the past tense. They are the transfer engine's only output.

A fact is written to the state store before the step that depends on it; what is not a fact (bytes in flight, rates) is sampled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from s3tui.model import Action, FileState, Fingerprint, ObjectRef, Proof, Receipt


class Planned(NamedTuple):
    """The scan met an entry. Its number is given when it is written down.

    `state` is PLANNED for what is to be sent, SKIPPED or FAILED (with `reason`) for what the scan already decided.
    """

    source_no: int
    """Which of the job's sources it was found in, from 0."""
    path: bytes
    """Relative to that source; the base name for a source that is a file."""
    key: str | None
    """The object's key, or None if the name cannot be one."""
    fingerprint: Fingerprint
    state: FileState = FileState.PLANNED
    reason: str | None = None
    error: str | None = None


class Compared(NamedTuple):
    """The plan was held against what the target has. SKIP and FAIL actions carry a `reason`."""

    no: int
    action: Action
    reason: str | None = None
    error: str | None = None
    receipt: Receipt | None = None
    """Of the object that is there, if it is proven to be the file."""


class Uploaded(NamedTuple):
    """The store took the object and answered so; a multipart upload of it has ended by that."""

    no: int
    attempts: int
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Verified:
    """The stored object was proven to hold the bytes that were sent."""

    no: int
    proof: Proof


@dataclass(frozen=True, slots=True)
class Unverified:
    """The object was stored, and nothing proves its bytes; `error` says why."""

    no: int
    error: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What had been stored has failed after all: its object is not what was sent, or its source could not be deleted as asked."""

    no: int
    reason: str
    error: str


@dataclass(frozen=True, slots=True)
class DeletionIntended:
    """The source is about to be deleted: durable before it is."""

    no: int


@dataclass(frozen=True, slots=True)
class SourceDeleted:
    """The source was deleted, after proof."""

    no: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """The file was left alone for a stated reason."""

    no: int
    attempts: int
    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The file could not be sent; `error` is a sentence."""

    no: int
    attempts: int
    reason: str
    error: str


@dataclass(frozen=True, slots=True)
class UploadIntended:
    """A multipart upload is about to be created: durable before the store is asked to.

    While an upload of this file is open it changes nothing; `UploadDropped` makes room for another.
    """

    no: int
    target: ObjectRef
    part_size: int
    fingerprint: Fingerprint
    """Of the file as it was opened."""
    checksum: str
    """The algorithm's name."""


@dataclass(frozen=True, slots=True)
class UploadOpened:
    """The store created the upload that was intended."""

    no: int
    upload_id: str


@dataclass(frozen=True, slots=True)
class PartStored:
    """The store took a part of the open upload."""

    no: int
    part: int
    """From 1."""
    size: int
    checksum: str
    """Base64, over this part alone."""
    etag: str


@dataclass(frozen=True, slots=True)
class UploadDropped:
    """The open upload was aborted, and the store says that it is gone."""

    no: int


Step = Verified | Unverified | Withdrawn | DeletionIntended | SourceDeleted
"""What follows an upload."""

Fact = Uploaded | Skipped | Failed | Step | UploadIntended | UploadOpened | PartStored | UploadDropped

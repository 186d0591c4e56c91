"""Multipart uploads that are under way, and their parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from s3tui.model.files import Fingerprint
from s3tui.model.jobs import JobState
from s3tui.model.objects import ObjectRef


class StoredPart(NamedTuple):
    """A part of a multipart upload that the store has confirmed."""

    number: int
    """From 1."""
    size: int
    checksum: str
    """Base64, over this part alone."""
    etag: str


@dataclass(frozen=True, slots=True)
class OpenUpload:
    """A multipart upload of ours that is neither completed nor aborted."""

    no: int
    """The transfer's number."""
    target: ObjectRef
    upload_id: str
    """Empty: it was intended, and the store's answer is not known."""
    part_size: int
    """Chosen when it was begun, and kept."""
    fingerprint: Fingerprint
    """Of the file as it was opened then."""
    checksum: str
    """The algorithm."""
    intended_at: int
    parts: tuple[StoredPart, ...]
    """By number; there may be parts on the store that are not among them."""


@dataclass(frozen=True, slots=True)
class LingeringUpload:
    """An open upload as a person sees it: what it belongs to, and what it holds on the store."""

    job_id: str
    job_state: JobState
    target: ObjectRef
    upload_id: str
    stored: int
    """Bytes in its confirmed parts."""
    intended_at: int

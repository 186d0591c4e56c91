"""Objects, what is stored with them, and the S3 on which they lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class ObjectRef(NamedTuple):
    """One object: bucket and key."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True, slots=True)
class Connection:
    """Which S3 to talk to. No secret is ever in here: credentials come from the worker's own settings."""

    endpoint_url: str = ""
    profile: str = ""
    region: str = ""
    addressing_style: str = "auto"


@dataclass(frozen=True, slots=True)
class ObjectHeaders:
    """What is stored with every object of a job; empty means: leave it to the store."""

    storage_class: str = ""
    sse: str = ""
    sse_kms_key_id: str = ""
    metadata: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    cache_control: str = ""
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as a listing shows it."""

    key: str
    size: int
    etag: str
    """Without its quotes; a hash only where the store says so."""
    modified_ms: int

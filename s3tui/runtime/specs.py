"""The spec of a job: the settings' defaults, and over them what was asked for.

Sources become absolute, the target's prefix ends in a slash. All raise SpecError; a name among `overrides` that no noun has is a
TypeError.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from s3tui.config import Settings
from s3tui.errors import SpecError
from s3tui.jobs.backup import BackupSpec
from s3tui.jobs.ingest import IngestSpec
from s3tui.jobs.upload import UploadSpec
from s3tui.jobs.video import VideoSpec
from s3tui.model import Connection, ObjectHeaders, Policy
from s3tui.storage.bucket import check_bucket_name
from s3tui.transfer.choice import Choice

_S = TypeVar("_S", UploadSpec, BackupSpec, VideoSpec, IngestSpec)


def upload_spec(settings: Settings, sources: Sequence[str], target: str, overrides: dict[str, Any]) -> UploadSpec:
    """The spec of an upload; `overrides` are fields of UploadSpec, Choice, Policy, ObjectHeaders, Connection."""
    return _spec(UploadSpec, settings, sources, target, overrides)


def backup_spec(settings: Settings, sources: Sequence[str], target: str, overrides: dict[str, Any]) -> BackupSpec:
    """The spec of a backup, likewise; the settings have defaults for its own fields, too, for its sources and its target."""
    sources = sources or settings.backup.sources
    if not target and settings.s3.bucket_name:
        target = f"s3://{settings.s3.bucket_name}/{settings.s3.prefix}"
    if not sources:
        raise SpecError("Nothing to back up: give a SOURCE, or set backup.source_directory in the configuration.")
    if not target:
        raise SpecError("The target is missing: give s3://BUCKET/PREFIX, or set s3.bucket_name in the configuration.")
    options = settings.backup.model_dump(include={"delete_after_upload", "prune_empty_dirs", "follow_symlinks"})
    options["extensions"] = tuple(settings.backup.file_extensions)
    return _spec(BackupSpec, settings, sources, target, options | overrides)


def video_spec(settings: Settings, sources: Sequence[str], target: str, overrides: dict[str, Any]) -> VideoSpec:
    """The spec of a video job; `overrides` are fields of VideoSpec, Policy, ObjectHeaders, Connection."""
    names = {"segment_type", "segment_seconds", "ladder", "preset", "hls_key", "hls_key_url"}
    fields = settings.video.model_dump(include=names) | overrides
    if fields["hls_key"]:
        fields["hls_key"] = _absolute(fields["hls_key"])
    return _spec(VideoSpec, settings, sources, target, fields)


def ingest_spec(settings: Settings, sources: Sequence[str], target: str, overrides: dict[str, Any]) -> IngestSpec:
    """The spec of an ingest job; `overrides` are fields of IngestSpec, Policy, ObjectHeaders, Connection."""
    return _spec(IngestSpec, settings, sources, target, settings.ingest.model_dump() | overrides)


def _spec(kind: type[_S], settings: Settings, sources: Sequence[str], target: str, overrides: dict[str, Any]) -> _S:
    left = dict(overrides)
    headers = ObjectHeaders(settings.s3.storage_class, settings.s3.sse, settings.s3.sse_kms_key_id)
    policy = Policy(
        checksum=settings.transfer.checksum, max_attempts=settings.transfer.max_attempts, part_size=settings.transfer.part_bytes
    )
    chosen: dict[str, Any] = {"choice": Choice(**_taken(left, Choice))} if "choice" in kind.__dataclass_fields__ else {}
    spec = kind(
        sources=tuple(map(_absolute, sources)),
        target=_with_slash(target),
        connection=replace(settings.connection, **_taken(left, Connection)),
        **chosen,
        policy=replace(policy, headers=replace(headers, **_taken(left, ObjectHeaders)), **_taken(left, Policy)),
        **_taken(left, kind),
    )
    if left:
        raise TypeError(f"no field of {kind.__name__} is named {', '.join(left)}")
    return spec


def _taken(overrides: dict[str, Any], noun: type[Any]) -> dict[str, Any]:
    """The overrides that are fields of this noun, taken out of the others; what no noun takes is a mistake of the caller."""
    return {name: overrides.pop(name) for name in noun.__dataclass_fields__ if name in overrides}


def _absolute(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111 - keeps `..` of links


def _with_slash(target: str) -> str:
    """The target with a prefix that is empty or ends in a slash."""
    scheme, separator, rest = target.partition("://")
    if scheme != "s3" or not separator:
        raise SpecError(f"{target!r} is not a target: write it as s3://BUCKET or s3://BUCKET/PREFIX.")
    bucket, _, prefix = rest.partition("/")
    if bucket:
        check_bucket_name(bucket)
    prefix = prefix.strip("/")
    return f"s3://{bucket}/{prefix}/" if prefix else f"s3://{bucket}/"

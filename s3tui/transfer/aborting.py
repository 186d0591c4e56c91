"""Ending multipart uploads that nobody goes on with: asked of the store until it says that they are gone."""

from __future__ import annotations

import re
from urllib.parse import quote

from s3tui.errors import StorageError
from s3tui.model import ObjectRef, OpenUpload
from s3tui.storage.api import Api

_UNSPEAKABLE = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_UNSURE_MS = 120_000
"""How long after it was intended a creation may still have reached the store."""


def drop(api: Api, upload: OpenUpload) -> None:
    """Abort an upload that nobody goes on with, until the store says it is gone. Raises StorageError.

    If it was intended and its id is not known, it may exist all the same: it has no parts then, and began right after that moment.
    """
    target = upload.target
    if upload.upload_id:
        abort(api, target, upload.upload_id)
        return
    for listed in api.list_multipart_uploads(target.bucket, target.key):
        recent = -1000 <= listed.initiated_ms - upload.intended_at <= _UNSURE_MS
        if listed.key in _spellings(target.key) and recent and not api.list_parts(target, listed.upload_id).parts:
            abort(api, target, listed.upload_id)


def abort(api: Api, target: ObjectRef, upload_id: str) -> None:
    """Abort an upload; a part in flight may come in late, so the store is asked what it has. Raises StorageError."""
    for _ in range(3):
        try:
            api.abort_multipart_upload(target, upload_id)
            api.list_parts(target, upload_id)
        except StorageError as error:
            if is_gone(error):
                return
            raise
    raise StorageError(
        f"AbortMultipartUpload {target} failed: the store still lists the upload after three requests. Try again later.",
        code="StillOpen",
        reason="lingering",
        retryable=True,
    )


def _spellings(key: str) -> tuple[str, ...]:
    """The key as listings have it: as it is; without what XML cannot spell; quoted by a store that does not say so (Ceph)."""
    return key, _UNSPEAKABLE.sub("\ufffd", key), quote(key)


def is_gone(error: StorageError) -> bool:
    """Whether the store has no such upload; Ceph says so by the key."""
    return error.code in ("NoSuchUpload", "NoSuchKey")

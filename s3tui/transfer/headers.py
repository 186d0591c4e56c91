"""What is stored with an object: from a policy's headers to boto3's parameters."""

from __future__ import annotations

import mimetypes
import posixpath
from typing import Any
from urllib.parse import urlencode

from s3tui.model import ObjectHeaders

_COMPRESSED = {
    "gzip": "application/gzip",
    "bzip2": "application/x-bzip2",
    "xz": "application/x-xz",
    "compress": "application/x-compress",
}


def content_type(key: str) -> str:
    """The media type that a key's extension stands for, empty if none. A compressed file is what it is, not what it holds."""
    guessed, encoding = mimetypes.guess_type(posixpath.basename(key))
    if encoding:
        return _COMPRESSED.get(encoding, "application/octet-stream")
    return guessed or ""


def object_parameters(headers: ObjectHeaders, key: str) -> dict[str, Any]:
    """Parameters that PutObject and CreateMultipartUpload share; what is empty is left to the store."""
    parameters: dict[str, Any] = {
        "StorageClass": headers.storage_class,
        "ServerSideEncryption": headers.sse,
        "SSEKMSKeyId": headers.sse_kms_key_id,
        "Metadata": dict(headers.metadata),
        "Tagging": urlencode(headers.tags),
        "CacheControl": headers.cache_control,
        "ContentType": headers.content_type or content_type(key),
    }
    return {name: value for name, value in parameters.items() if value}

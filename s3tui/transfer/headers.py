"""What is stored with an object: from a policy's headers to the fields of HTTP."""

from __future__ import annotations

import mimetypes
import posixpath
import re
from urllib.parse import urlencode

from s3tui.errors import SpecError
from s3tui.model import ObjectHeaders

_COMPRESSED = {
    "gzip": "application/gzip",
    "bzip2": "application/x-bzip2",
    "xz": "application/x-xz",
    "compress": "application/x-compress",
}

_METADATA = "x-amz-meta-"
_TOKEN = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[ -~]*")


def content_type(key: str) -> str:
    """The media type that a key's extension stands for, empty if none. A compressed file is what it is, not what it holds."""
    guessed, encoding = mimetypes.guess_type(posixpath.basename(key))
    if encoding:
        return _COMPRESSED.get(encoding, "application/octet-stream")
    return guessed or ""


def header_fields(headers: ObjectHeaders) -> dict[str, str]:
    """The fields that every object of a policy has, names in lower case; what is empty is left to the store."""
    fields = {
        "x-amz-storage-class": headers.storage_class,
        "x-amz-server-side-encryption": headers.sse,
        "x-amz-server-side-encryption-aws-kms-key-id": headers.sse_kms_key_id,
        **{f"{_METADATA}{name.lower()}": value for name, value in headers.metadata},
        "x-amz-tagging": urlencode(headers.tags),
        "cache-control": headers.cache_control,
        "content-type": headers.content_type,
    }
    return {name: value for name, value in fields.items() if value or name.startswith(_METADATA)}


def check_headers(headers: ObjectHeaders) -> None:
    """Raises SpecError for what cannot stand in a request: S3 takes printable ASCII alone."""
    for name, value in header_fields(headers).items():
        if not _TOKEN.fullmatch(name):
            raise SpecError(f"{name.removeprefix(_METADATA)!r} cannot name metadata: use letters, digits and hyphens.")
        if not _VALUE.fullmatch(value):
            raise SpecError(f"The value {value!r} for {name} has characters that no header takes: use printable ASCII.")


def object_fields(headers: ObjectHeaders, key: str) -> dict[str, str]:
    """The fields of one object: a policy's, and the content type that its key stands for."""
    fields = header_fields(headers)
    if "content-type" not in fields and (guessed := content_type(key)):
        fields["content-type"] = guessed
    return fields

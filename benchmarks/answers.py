"""What the sink answers: S3's words for a store in which there is nothing, and in which everything succeeds."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_XML = b'<?xml version="1.0" encoding="UTF-8"?>'
_STORED = b'HTTP/1.1 200 OK\r\nETag: "d41d8cd98f00b204e9800998ecf8427e"\r\nContent-Length: 0\r\n\r\n'
_CHECKSUM = b"\r\nx-amz-checksum-"


def answer(status: bytes, body: bytes = b"", headers: bytes = b"") -> bytes:
    """An answer in full; `headers` are whole lines."""
    return b"HTTP/1.1 %b\r\n%bContent-Length: %d\r\n\r\n%b" % (status, headers, len(body), body)


def _error(status: bytes, code: bytes, message: bytes) -> bytes:
    return answer(status, _XML + b"<Error><Code>%b</Code><Message>%b</Message></Error>" % (code, message))


_DENIED = _error(b"403 Forbidden", b"AccessDenied", b"Access Denied")
_SLOW_DOWN = _error(b"503 Service Unavailable", b"SlowDown", b"Slow down")
_NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
_CONSTANT = {
    "CreateBucket": answer(b"200 OK"),
    "CreateMultipartUpload": answer(
        b"200 OK",
        _XML
        + b"<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>k</Key><UploadId>1</UploadId></InitiateMultipartUploadResult>",
    ),
    "CompleteMultipartUpload": answer(
        b"200 OK",
        _XML + b'<CompleteMultipartUploadResult><Bucket>b</Bucket><Key>k</Key><ETag>"0-1"</ETag></CompleteMultipartUploadResult>',
    ),
    "DeleteObjects": answer(b"200 OK", _XML + b"<DeleteResult></DeleteResult>"),
    "ListObjects": answer(b"200 OK", _XML + b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"),
    "ListParts": answer(b"200 OK", _XML + b"<ListPartsResult><IsTruncated>false</IsTruncated></ListPartsResult>"),
    "ListMultipartUploads": answer(
        b"200 OK", _XML + b"<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>"
    ),
    "GetObject": _error(b"404 Not Found", b"NoSuchKey", b"The specified key does not exist."),
    "HeadBucket": answer(b"200 OK"),
    "HeadObject": answer(b"404 Not Found"),
    "AbortMultipartUpload": _NO_CONTENT,
    "DeleteObject": _NO_CONTENT,
}
READS = frozenset({"HeadBucket", "HeadObject", "GetObject", "ListObjects", "ListParts", "ListMultipartUploads"})
"""Answered at once, whatever the delay."""
STORES = frozenset({"PutObject", "UploadPart"})
"""What carries the bytes of files."""


def operation(method: bytes, target: bytes) -> str:
    """S3's name for what a request asks; `target` is path style, with its query."""
    if method == b"PUT" and target.find(b"?") < 0 and 0 < target.find(b"/", 1) < len(target) - 1:
        return "PutObject"  # the one that must be cheap
    path, _, query = target.partition(b"?")
    of_object = path.find(b"/", 1) not in (-1, len(path) - 1)
    if method == b"PUT":
        if not of_object:
            return "CreateBucket"
        return "UploadPart" if b"partNumber=" in query else "PutObject"
    if method == b"POST":
        if b"delete" in query:
            return "DeleteObjects"
        return "CompleteMultipartUpload" if b"uploadId=" in query else "CreateMultipartUpload"
    if method == b"HEAD":
        return "HeadObject" if of_object else "HeadBucket"
    if method == b"DELETE":
        return "AbortMultipartUpload" if b"uploadId=" in query else "DeleteObject"
    if of_object:
        return "ListParts" if b"uploadId=" in query else "GetObject"
    return "ListMultipartUploads" if b"uploads" in query else "ListObjects"


@dataclass
class Answers:
    """How the store behaves."""

    refuse: str = ""
    """Keys in which this pattern is found are refused for good."""
    stumble: str = ""
    """Keys with this text in them are sent away once with 503."""
    _sent_away: set[str] = field(default_factory=set)

    def refuses(self, target: bytes) -> bool:
        """Whether nothing may be stored there."""
        return bool(self.refuse) and re.search(self.refuse, target.decode("latin-1")) is not None

    def to(self, asked: str, target: bytes, head: bytes, lowered: bytes) -> bytes:
        """The answer to an operation; `lowered` is its head in lower case."""
        if asked not in READS:
            if self.refuse and self.refuses(target):
                return _DENIED
            if self.stumble and self._stumbles(target.decode("latin-1")):
                return _SLOW_DOWN
        if asked not in STORES:
            return _CONSTANT[asked]
        return _STORED if (start := lowered.find(_CHECKSUM)) < 0 else _echo(head, lowered, start)

    def _stumbles(self, target: str) -> bool:
        if self.stumble not in target or target in self._sent_away:
            return False
        self._sent_away.add(target)
        return True


def _echo(head: bytes, lowered: bytes, start: int) -> bytes:
    """The answer of a store that has checked the checksums it was sent, of which the first is at `start`."""
    lines = b""
    while start >= 0:
        end = lowered.index(b"\r\n", start + 2)
        lines += head[start + 2 : end + 2]
        start = lowered.find(_CHECKSUM, end)
    return _STORED[:-2] + lines + b"\r\n"

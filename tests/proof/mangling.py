"""What may become of a store's answer on its way, as pieces of bytes; see `FaultFront.mangle`."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from http.client import HTTPResponse

_TOO_LARGE = 80 << 20
_OTHER = "AAAAAAAAAAE="
"""A checksum that nothing here has."""


def torn(method: str, answer: HTTPResponse, body: bytes) -> Iterator[bytes]:
    """The first half of it, and no more."""
    whole = _head(method, answer, body) + _sent(method, body)
    yield whole[: len(whole) // 2]


def slow(method: str, answer: HTTPResponse, body: bytes) -> Iterator[bytes]:
    """In twenty pieces."""
    whole = _head(method, answer, body) + _sent(method, body)
    size = len(whole) // 20 + 1
    for start in range(0, len(whole), size):
        time.sleep(0.05)
        yield whole[start : start + size]


def oversized(method: str, answer: HTTPResponse, body: bytes) -> Iterator[bytes]:
    """Followed by far more than anybody has asked for."""
    longer = body + b" " * (_TOO_LARGE if method != "HEAD" else 0)
    yield _head(method, answer, longer)
    for start in range(0, len(longer), 1 << 20):
        yield longer[start : start + (1 << 20)]
    if method == "HEAD":
        yield b" " * (1 << 20)


def wrong_checksum(method: str, answer: HTTPResponse, body: bytes) -> Iterator[bytes]:
    """With the checksum of something else."""
    field = f"<ChecksumCRC64NVME>{_OTHER}</ChecksumCRC64NVME>".encode()
    other = re.sub(rb"(</\w+Result>)\s*$", field + rb"\1", body)
    yield _head(method, answer, other, ("x-amz-checksum-crc64nvme", _OTHER)) + _sent(method, other)


def _sent(method: str, body: bytes) -> bytes:
    return b"" if method == "HEAD" else body


def _head(method: str, answer: HTTPResponse, body: bytes, *more: tuple[str, str]) -> bytes:
    length = answer.getheader("Content-Length", "0") if method == "HEAD" else str(len(body))
    kept = [field for field in answer.getheaders() if field[0].lower() not in ("connection", "transfer-encoding", "content-length")]
    fields = [*kept, ("Content-Length", length), *more]
    lines = [f"HTTP/1.1 {answer.status} {answer.reason}", *(f"{name}: {value}" for name, value in fields), "", ""]
    return "\r\n".join(lines).encode()

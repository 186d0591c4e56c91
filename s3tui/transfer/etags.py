"""The ETag that many stores give: the MD5 of an object, or that of the MD5s of its parts. Others mean nothing by it."""

from __future__ import annotations

import hashlib
import re

from s3tui.transfer.checksums import Bytes

_LIKE_MD5 = re.compile(r"[0-9a-f]{32}(?:-([0-9]+))?")


def parts_told(etag: str) -> int | None:
    """How many parts an ETag says it is of, 0 for an object sent as a whole; None if it cannot be made of MD5."""
    match = _LIKE_MD5.fullmatch(etag)
    return int(match[1] or 0) if match else None


class RunningETag:
    """The ETag of bytes in order, cut in parts of one size."""

    __slots__ = ("_md5", "_part_size", "_parts", "_room")

    def __init__(self, part_size: int = 0) -> None:
        """`part_size` of 0: they are one object, sent as a whole."""
        self._part_size = part_size
        self._room = part_size
        self._parts: list[bytes] = []
        self._md5 = _md5()

    def update(self, data: Bytes) -> None:
        """Take the next bytes."""
        view = memoryview(data)
        while self._part_size and len(view) >= self._room:
            self._md5.update(view[: self._room])
            self._parts.append(self._md5.digest())
            view = view[self._room :]
            self._md5, self._room = _md5(), self._part_size
        self._md5.update(view)
        self._room -= len(view)

    @property
    def value(self) -> str:
        """The ETag, without quotes."""
        if not self._part_size:
            return self._md5.hexdigest()
        parts = [*self._parts, self._md5.digest()] if self._room < self._part_size else self._parts
        return f"{_md5(b''.join(parts)).hexdigest()}-{len(parts)}"


def _md5(data: bytes = b"") -> hashlib._Hash:
    return hashlib.md5(data, usedforsecurity=False)

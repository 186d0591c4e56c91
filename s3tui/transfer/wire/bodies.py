"""Bodies of requests: bytes whose checksum is known, given away block by block, and the last of them only after a hard look.

A `HeldBody` is in memory: the very bytes that were hashed are sent. A `StreamedBody` reads its range a second time while it leaves;
if the file has changed by then, or these are other bytes than the ones that were hashed, its end is held back, so that the request
stays short of its length and the store discards it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from s3tui.transfer.checksums import Checksum
from s3tui.transfer.source import PinnedSource

BLOCK = 256 << 10
"""Bytes of a streamed body that are in memory at a time."""


class Body(Protocol):
    """What is left of a body."""

    @property
    def left(self) -> int:
        """Bytes that have not been taken."""

    def block(self) -> bytes | bytearray | memoryview:
        """The next bytes, at least one while any is left. Raises SourceChanged, SourceError."""

    def took(self, count: int) -> None:
        """So many of the block's bytes are on their way."""

    def rewind(self) -> None:
        """Begin anew, for a request that is sent again."""

    def close(self) -> None:
        """Give back what it holds. Idempotent."""


class HeldBody:
    """A body in memory; `release` is called when it is not needed any more."""

    __slots__ = ("_data", "_position", "_release")

    def __init__(self, data: bytes | bytearray | memoryview, release: Callable[[], None] | None = None) -> None:
        self._data: bytes | bytearray | memoryview = data
        self._position = 0
        self._release = release

    @property
    def left(self) -> int:
        """See `Body`."""
        return len(self._data) - self._position

    def block(self) -> bytes | bytearray | memoryview:
        """See `Body`."""
        return self._data if self._position == 0 else memoryview(self._data)[self._position :]

    def took(self, count: int) -> None:
        """See `Body`."""
        self._position += count

    def rewind(self) -> None:
        """See `Body`."""
        self._position = 0

    def close(self) -> None:
        """See `Body`."""
        self._data = b""
        self._position = 0
        if self._release is not None:
            self._release()
            self._release = None


class StreamedBody:
    """A range of a source that was hashed before. It owns the source, and closes it."""

    __slots__ = ("_block", "_expected", "_leaving", "_offset", "_position", "_source")

    def __init__(self, source: PinnedSource, offset: int, expected: Checksum) -> None:
        self._source = source
        self._offset = offset
        self._expected = expected
        self._position = 0
        self._block: bytes | bytearray | memoryview = b""
        self._leaving = Checksum(expected.algorithm)

    @property
    def left(self) -> int:
        """See `Body`."""
        return self._expected.length - self._position

    def block(self) -> bytes | bytearray | memoryview:
        """See `Body`."""
        if not self._block:
            data = self._source.read_range(self._offset + self._position, min(BLOCK, self.left))
            self._leaving.update(data)
            if len(data) == self.left:
                self._source.ensure_unchanged()
                if self._leaving.raw != self._expected.raw:
                    raise self._source.changed()
            self._block = data
        return self._block

    def took(self, count: int) -> None:
        """See `Body`."""
        self._position += count
        self._block = memoryview(self._block)[count:] if count < len(self._block) else b""

    def rewind(self) -> None:
        """See `Body`."""
        self._position = 0
        self._block = b""
        self._leaving = Checksum(self._expected.algorithm)

    def close(self) -> None:
        """See `Body`."""
        self._block = b""
        self._source.close()

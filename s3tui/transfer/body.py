"""The body of a request: a range of a pinned source that watches itself while it leaves."""

from __future__ import annotations

import os
from collections.abc import Callable

from s3tui.errors import S3tuiError
from s3tui.transfer.checksums import Checksum
from s3tui.transfer.source import PinnedSource

_BLOCK = 256 << 10
"""Bytes read from the disk at a time."""


class Body:
    """A readable range of a source whose checksum is known already.

    On plain http the body is read once to be signed, before it `leaves`; only what is read after that is counted and held against
    the checksum. The signer runs in a foreign thread that would print what is raised there, so that is kept for `leaves` to raise.

    The last block is given away only if the source is unchanged and the bytes are the ones that the checksum is of: otherwise the
    request stays short of its Content-Length, and the store discards it. `read` raises SourceChanged for that, and whatever `watch`
    raises.
    """

    def __init__(
        self,
        source: PinnedSource,
        offset: int,
        checksum: Checksum,
        *,
        watch: Callable[[], None],
        spend: Callable[[int], None],
        advance: Callable[[int], None],
    ) -> None:
        """`spend` waits until bytes may leave; `advance` is told of those that did."""
        self._source = source
        self._offset = offset
        self._length = checksum.length
        self._expected = checksum
        self._watch = watch
        self._spend = spend
        self._advance = advance
        self._leaving: Checksum | None = None
        self._failure: S3tuiError | None = None
        self._position = 0
        self._block = b""
        self._block_start = 0
        self.sent = 0
        """Bytes counted by `advance`."""

    def leaves(self) -> None:
        """From here on, what is read goes to the store. Raises what went wrong before."""
        if self._failure is not None:
            raise self._failure
        self.seek(0)
        self._leaving = Checksum(self._expected.algorithm)

    def read(self, amount: int = -1) -> bytes:
        """The next bytes, none at the end."""
        if self._leaving is not None:
            data = self._next(amount)
            self._account_for(data, self._leaving)
            return data
        try:
            return self._next(amount)
        except S3tuiError as error:
            self._failure = error
            return b""

    def _account_for(self, data: bytes, leaving: Checksum) -> None:
        """Count bytes that are about to leave; look hard before the last of them do."""
        leaving.update(data)
        if data and self._position == self._length:
            self._source.ensure_unchanged()
            if leaving.raw != self._expected.raw:
                raise self._source.changed()
        self._spend(len(data))
        self._advance(len(data))
        self.sent += len(data)

    def _next(self, amount: int) -> bytes:
        self._watch()
        rest = self._length - self._position
        amount = rest if amount < 0 else min(amount, rest)
        if amount > _BLOCK:
            data = self._source.read_range(self._offset + self._position, amount)
        else:
            start = self._position - self._block_start
            if start + amount > len(self._block) or start < 0:
                size = min(_BLOCK, self._length - self._position)
                self._block = self._source.read_range(self._offset + self._position, size)
                self._block_start, start = self._position, 0
            data = self._block[start : start + amount]
        self._position += len(data)
        return data

    def seek(self, position: int, whence: int = os.SEEK_SET) -> int:
        """As files have it."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._length}[whence]
        self._position = max(0, min(base + position, self._length))
        return self._position

    def tell(self) -> int:
        """As files have it."""
        return self._position

    def withdraw(self) -> None:
        """The request failed: what left does not count."""
        self._advance(-self.sent)
        self.sent = 0

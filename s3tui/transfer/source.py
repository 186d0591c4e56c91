"""A local file, pinned: everything is read through one descriptor, and the file is known to be the same until the end."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from types import TracebackType

from s3tui.errors import NotAFile, S3tuiError, SourceChanged, SourceDenied, SourceError, SourceVanished
from s3tui.model import SIGNED_64, Fingerprint
from s3tui.text import display_text
from s3tui.transfer.checksums import ALGORITHMS, Algorithm, Checksum, whole_digest

_BLOCK = 256 << 10
"""Bytes read from the disk at a time."""

_NO_WAIT = getattr(os, "RWF_NOWAIT", 0)
"""Linux tells for most file systems whether a read would have to wait; 0 where the system never does."""

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


class PinnedSource:
    """An open regular file and what it was like when it was opened. Reading is positional, so threads may share it."""

    __slots__ = ("_status", "descriptor", "fingerprint", "path")

    def __init__(self, path: bytes, descriptor: int, status: os.stat_result) -> None:
        self.path = path
        self.fingerprint = Fingerprint.of(status)
        self.descriptor = descriptor
        self._status = status

    @property
    def size(self) -> int:
        """Bytes when it was opened; more than these are never read."""
        return self.fingerprint.size

    @property
    def changed_ms(self) -> int:
        """When its bytes, its name or its attributes were changed last; milliseconds since 1970. No program can set it."""
        return self._status.st_ctime_ns // 1_000_000

    def read_range(self, offset: int, length: int) -> bytes:
        """Exactly these bytes. Raises SourceChanged if the file has become shorter, SourceError if it cannot be read."""
        pieces: list[bytes] = []
        while length > 0:
            try:
                piece = os.pread(self.descriptor, length, offset)
            except OSError as error:
                raise _unreadable(self.path, error) from error
            if not piece:
                raise _changed(self.path)
            pieces.append(piece)
            offset += len(piece)
            length -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def read_into(self, offset: int, view: memoryview) -> None:
        """Fill the view from there. Raises as `read_range` does."""
        while view:
            try:
                count = os.preadv(self.descriptor, [view], offset)
            except OSError as error:
                raise _unreadable(self.path, error) from error
            if count == 0:
                raise _changed(self.path)
            offset += count
            view = view[count:]

    def checksum_of(self, algorithm: Algorithm, offset: int, length: int, watch: Callable[[], None]) -> Checksum:
        """The checksum of a range, in bounded memory. Raises as `read_range` does, and what `watch` raises between blocks."""
        checksum = Checksum(algorithm)
        for start in range(offset, offset + length, _BLOCK):
            watch()
            checksum.update(self.read_range(start, min(_BLOCK, offset + length - start)))
        return checksum

    def receipt_checksum(self, like: str, part_size: int, watch: Callable[[], None]) -> str:
        """The checksum of the whole file as a receipt writes it, of the same kind as another one: `crc64nvme:BASE64`.

        A composite one is that of parts of `part_size`. Raises as `checksum_of` does.
        """
        name, _, digest = like.partition(":")
        algorithm = ALGORITHMS[name]
        if "-" not in digest:
            return f"{name}:{self.checksum_of(algorithm, 0, self.size, watch).digest}"
        starts = range(0, self.size, part_size)
        parts = [self.checksum_of(algorithm, start, min(part_size, self.size - start), watch) for start in starts]
        return f"{name}:{whole_digest(algorithm, [(part.digest, part.length) for part in parts])}"

    def ensure_unchanged(self) -> None:
        """See that size and times are what they were when it was opened. Raises SourceChanged.

        Necessary, not sufficient: writes through a shared mapping may leave the times alone, so who needs proof reads again.
        """
        try:
            now = os.fstat(self.descriptor)
        except OSError as error:
            raise _unreadable(self.path, error) from error
        then = self._status
        if (now.st_size, now.st_mtime_ns, now.st_ctime_ns) != (then.st_size, then.st_mtime_ns, then.st_ctime_ns):
            raise _changed(self.path)

    def changed(self) -> SourceChanged:
        """The error for a reader who found other bytes than the first time."""
        return _changed(self.path)

    def close(self) -> None:
        """Close the descriptor. Idempotent."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def __enter__(self) -> PinnedSource:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def open_source(path: bytes, *, follow: bool = False) -> PinnedSource:
    """Open and pin a regular file; never blocks on a FIFO or a device.

    A link is followed only with `follow`. Raises NotAFile, SourceDenied, SourceVanished, or SourceError for anything else.
    """
    try:
        descriptor = os.open(path, _FLAGS | (0 if follow else os.O_NOFOLLOW))
    except OSError as error:
        raise _unreadable(path, error) from error
    return pinned(path, descriptor)


def pinned(path: bytes, descriptor: int) -> PinnedSource:
    """Pin a file that is open already; it is closed if that fails. Raises NotAFile."""
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _not_a_file(path)
    except BaseException:
        os.close(descriptor)
        raise
    return PinnedSource(path, descriptor, status)


def open_planned(path: bytes, planned: Fingerprint) -> PinnedSource:
    """Open what the plan saw: a link only if it still leads to the very file that the plan saw through it.

    The contents may have changed since the plan; what is sent is what is there now.
    """
    try:
        return open_source(path)
    except NotAFile:
        source = open_source(path, follow=True)
        if source.fingerprint.inode == planned.inode:
            return source
        source.close()
        raise


def read_small(
    path: bytes, planned: Fingerprint, most: int, *, waits: bool = True
) -> tuple[bytes | bytearray, Fingerprint | None] | None:
    """All that a regular file holds, read at once and unchanged meanwhile, and what the file is like if that is not as planned.

    None if it holds more than `most` bytes.

    What `open_planned` and `PinnedSource` do, in as few steps as can be, because there may be millions of them. Raises what these
    raise; without `waits` also BlockingIOError, where the system can tell that reading would have to wait for a disk.
    """
    try:
        descriptor = os.open(path, _FLAGS | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise _unreadable(path, error) from error
        with open_planned(path, planned) as source:
            descriptor = os.dup(source.descriptor)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _not_a_file(path)
        size = status.st_size
        if size > most:
            return None
        data = _read_at_once(descriptor, size + 1) if not waits and _NO_WAIT else os.read(descriptor, size + 1)
        now = os.fstat(descriptor)
    except BlockingIOError:
        raise
    except OSError as error:
        raise _unreadable(path, error) from error
    finally:
        os.close(descriptor)
    if len(data) != size or now.st_size != size or now.st_mtime_ns != status.st_mtime_ns or now.st_ctime_ns != status.st_ctime_ns:
        raise _changed(path)
    as_planned = status.st_mtime_ns == planned[1] and size == planned[0] and status.st_ino & SIGNED_64 == planned[2]
    return data, None if as_planned else Fingerprint.of(status)


def _read_at_once(descriptor: int, length: int) -> bytes | bytearray:
    """Up to `length` bytes from the beginning, one less at least, if they are in memory. Raises BlockingIOError if not."""
    data = bytearray(length)
    try:
        count = os.preadv(descriptor, [data], 0, _NO_WAIT)
    except BlockingIOError:
        raise
    except OSError:
        return os.read(descriptor, length)  # the file system cannot tell, or there is a reason that an ordinary read will name
    if count < length - 1:
        raise BlockingIOError
    del data[count:]
    return data


def _unreadable(path: bytes, error: OSError) -> S3tuiError:
    shown = display_text(path)
    if error.errno in (errno.EACCES, errno.EPERM):
        return SourceDenied(f"{shown} cannot be read: permission denied. Give yourself the right to read it, and retry.")
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return SourceVanished(f"{shown} was there when the job was planned and is gone now. Nothing was sent.")
    if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
        return _not_a_file(path)
    unreadable = SourceError(f"{shown} cannot be read: {(error.strerror or 'unknown error').lower()}. Check the disk, and retry.")
    unreadable.retryable = error.errno in (errno.EMFILE, errno.ENFILE, errno.ESTALE)
    return unreadable


def _not_a_file(path: bytes) -> NotAFile:
    return NotAFile(f"{display_text(path)} is not a regular file any more. Only regular files can be sent; plan the job again.")


def _changed(path: bytes) -> SourceChanged:
    return SourceChanged(f"{display_text(path)} changed while it was being read, so nothing was stored. Retry when it is at rest.")

"""A local file, pinned: everything is read through one descriptor, and the file is known to be the same until the end."""

from __future__ import annotations

import errno
import os
import stat
from types import TracebackType

from s3tui.errors import NotAFile, S3tuiError, SourceChanged, SourceDenied, SourceError, SourceVanished
from s3tui.model import Fingerprint
from s3tui.text import display_text

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


class PinnedSource:
    """An open regular file and what it was like when it was opened. Reading is positional, so threads may share it."""

    __slots__ = ("_descriptor", "_status", "fingerprint", "path")

    def __init__(self, path: bytes, descriptor: int, status: os.stat_result) -> None:
        self.path = path
        self.fingerprint = Fingerprint.of(status)
        self._descriptor = descriptor
        self._status = status

    @property
    def size(self) -> int:
        """Bytes when it was opened; more than these are never read."""
        return self.fingerprint.size

    def read_range(self, offset: int, length: int) -> bytes:
        """Exactly these bytes. Raises SourceChanged if the file has become shorter, SourceError if it cannot be read."""
        pieces: list[bytes] = []
        while length > 0:
            try:
                piece = os.pread(self._descriptor, length, offset)
            except OSError as error:
                raise _unreadable(self.path, error) from error
            if not piece:
                raise _changed(self.path)
            pieces.append(piece)
            offset += len(piece)
            length -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def ensure_unchanged(self) -> None:
        """See that size and times are what they were when it was opened. Raises SourceChanged.

        Necessary, not sufficient: writes through a shared mapping may leave the times alone, so who needs proof reads again.
        """
        try:
            now = os.fstat(self._descriptor)
        except OSError as error:
            raise _unreadable(self.path, error) from error
        then = self._status
        if (now.st_size, now.st_mtime_ns, now.st_ctime_ns) != (then.st_size, then.st_mtime_ns, then.st_ctime_ns):
            raise _changed(self.path)

    def changed(self) -> SourceChanged:
        """The error for a reader who found other bytes than the first time."""
        return _changed(self.path)

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self._descriptor)

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

"""Where bodies wait until their jobs have ended: `DIRECTORY/ID/NAME`, ID being that of the job. Private to this user.

While a file is received, and until its job is written, it is locked; the lock ends with the process that held it. This module alone
knows where bodies are: staging them elsewhere (a prefix on S3) would be another one beside it.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from s3tui.errors import ConfigError
from s3tui.text import display_text, format_size

_LEAST_FREE = 256 << 20

_MOST_PIECES = 512
"""Of one writev; the system takes 1024."""

Piece = bytes | memoryview


_FLUSH = 8 << 20
"""So many bytes are begun to be written out while more come: of a large body little is left for the end."""

_BEGIN_TO_WRITE = 2
"""SYNC_FILE_RANGE_WRITE, which waits for nothing."""

_sync_file_range = getattr(ctypes.CDLL(None), "sync_file_range", None)
"""Linux has it."""
if _sync_file_range is not None:
    _sync_file_range.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)


class NoSpace(Exception):
    """The disk of the staging directory is full, but for what others need of it."""


class Staging:
    """One directory. Every method blocks."""

    def __init__(self, directory: Path, *, least_free: int = _LEAST_FREE) -> None:
        """`least_free`: bytes that are left to others on its disk. Raises ConfigError if it cannot be made or written to."""
        self.directory = directory.absolute()
        self._least_free = least_free
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise self._unusable(error) from error
        self._ensure_writable()

    def path(self, body_id: str, name: str) -> Path:
        """Where a body is, or will be."""
        return self.directory / body_id / name

    def ensure_room(self, size: int) -> None:
        """Raises NoSpace if so many bytes more would leave too little to others."""
        free = shutil.disk_usage(self.directory).free
        if free - size < self._least_free:
            raise NoSpace(f"{format_size(free)} are free, and {format_size(size)} are to come")

    def ensure_ready(self) -> None:
        """Raises ConfigError if a small body could not be staged now."""
        try:
            self.ensure_room(0)
        except NoSpace as error:
            raise self._unusable(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))) from error
        self._ensure_writable()

    def begin(self, body_id: str, name: str) -> StagedFile:
        """Make the file of a body, locked. What an earlier attempt of the same request has left is removed. Raises OSError."""
        self.remove(body_id)
        path = self.path(body_id, name)
        path.parent.mkdir(mode=0o700, parents=True)
        return StagedFile(path, os.O_CREAT | os.O_EXCL, self._least_free)

    def go_on(self, body_id: str, name: str) -> StagedFile:
        """Open what there is of a resumable upload, locked. Raises OSError; BlockingIOError if another process has it."""
        return StagedFile(self.path(body_id, name), 0, self._least_free)

    def size(self, body_id: str, name: str) -> int | None:
        """Bytes there are of a body; None: it is not here."""
        try:
            return self.path(body_id, name).stat().st_size
        except OSError:
            return None

    def has(self, body_id: str) -> bool:
        """Whether anything is here of a body."""
        return (self.directory / body_id).is_dir()

    def is_locked(self, body_id: str) -> bool:
        """Whether a process that is alive has a file of it."""
        for path in (self.directory / body_id).glob("*"):
            try:
                with path.open("rb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            except OSError:
                continue
        return False

    def remove(self, body_id: str) -> None:
        """Remove all of a body; that there is none is no error."""
        shutil.rmtree(self.directory / body_id, ignore_errors=True)

    def ids(self) -> Iterator[str]:
        """What is here, of whatever age."""
        with os.scandir(self.directory) as entries:
            yield from [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]

    def _ensure_writable(self) -> None:
        if not os.access(self.directory, os.W_OK | os.X_OK):
            raise self._unusable(PermissionError(errno.EACCES, os.strerror(errno.EACCES)))

    def _unusable(self, error: OSError) -> ConfigError:
        where = display_text(str(self.directory))
        return ConfigError(
            f"Bodies cannot be staged in {where}: {error.strerror}. Set api.staging_directory to a directory of yours."
        )


class StagedFile:
    """A file that is being received. Every method blocks, and belongs to one thread at a time; but see `steps`."""

    def __init__(self, path: Path, flags: int, least_free: int) -> None:
        self._least_free = least_free
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | flags, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.size = self._flushed = os.fstat(self._file).st_size
        except BaseException:
            os.close(self._file)
            raise
        self._hash = hashlib.sha256()
        self._more: list[hashlib._Hash] = []

    @property
    def sha256(self) -> str:
        """In hex, of what was written to this object."""
        return self._hash.hexdigest()

    def also_hash(self, algorithm: str) -> hashlib._Hash:
        """A further checksum of what will be written."""
        self._more.append(hashlib.new(algorithm, usedforsecurity=False))
        return self._more[-1]

    @property
    def steps(self) -> Sequence[Callable[[Sequence[Piece]], None]]:
        """See `bodies.Sink`: a hash takes as long as a disk."""
        return self._update, self._write

    def _update(self, pieces: Sequence[Piece]) -> None:
        for piece in pieces:
            self._hash.update(piece)
            for more in self._more:
                more.update(piece)

    def _write(self, pieces: Sequence[Piece]) -> None:
        """Raises NoSpace, OSError."""
        status = os.fstatvfs(self._file)
        if status.f_bavail * status.f_frsize < self._least_free:
            raise NoSpace("the disk has filled up meanwhile")
        try:
            for start in range(0, len(pieces), _MOST_PIECES):
                self._write_all(pieces[start : start + _MOST_PIECES])
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise NoSpace("the disk has filled up meanwhile") from error
            raise
        if _sync_file_range is not None and self.size - self._flushed >= _FLUSH:
            _sync_file_range(self._file, self._flushed, self.size - self._flushed, _BEGIN_TO_WRITE)
            self._flushed = self.size

    def _write_all(self, pieces: Sequence[Piece]) -> None:
        left = list(pieces)
        while left:
            written = os.writev(self._file, left)
            self.size += written
            while left and written >= len(left[0]):
                written -= len(left.pop(0))
            if written:
                left[0] = memoryview(left[0])[written:]

    def cut(self, size: int) -> None:
        """Take back what is beyond so many bytes."""
        os.ftruncate(self._file, size)
        self.size = self._flushed = size

    def sync(self) -> None:
        """Let it survive a power cut."""
        os.fsync(self._file)
        for directory in (self._path.parent, self._path.parent.parent):
            descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def close(self) -> None:
        """Give the lock back."""
        os.close(self._file)

    def abandon(self) -> bool:
        """Remove it; False if another attempt has its place, which is left alone then."""
        try:
            ours = os.path.samestat(self._path.stat(), os.fstat(self._file))
        except OSError:
            ours = False
        if ours:
            shutil.rmtree(self._path.parent, ignore_errors=True)
        return ours

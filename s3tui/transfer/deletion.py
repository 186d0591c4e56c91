"""Deleting sources: the one place in the program that unlinks a file of the user's, and the one that removes a directory of his.

A source goes only if it is, at that moment, the very file whose bytes were stored: found below its source by a way that has no link
in it, the same inode, size and time as planned, nobody writing to it, and read once more from its first byte to its last with the
checksum that the object was proven to have. Times alone prove nothing: writes through a shared mapping may leave them as they were.

Nothing can be unlinked on condition that it is still the same file, and in the last moment another one may have taken its name. So
what bears the name is first moved aside, to a name that nobody else uses, and goes only if it is the file that was read.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

from s3tui.errors import SourceError, SourceKept, SourceVanished
from s3tui.model import Fingerprint
from s3tui.text import display_text
from s3tui.transfer.leases import Writer, read_lease
from s3tui.transfer.source import PinnedSource, pinned

_WAY = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Deletion:
    """Deletes files of one source."""

    def __init__(self, source: bytes, *, own: bytes) -> None:
        """`source` is absolute: a directory, or the file itself. `own`: the directory of our own state, which is never touched."""
        self._source = source
        self._own = _identity(own)
        self._lies_in_own = self._own is not None and self._own in map(_identity, _with_those_above(source))

    def delete(
        self, path: bytes, stored: Fingerprint, checksum: str, part_size: int, watch: Callable[[], None], *, aside: bytes
    ) -> None:
        """Delete the file at `path`, relative to the source, if it is the one that was stored, byte for byte.

        `stored`: as it was when it was sent. `checksum`: as receipts write it, of parts of `part_size` if it is composite. `aside`:
        the name that it has in its last moment, always the same for it; one that was left so by a kill is deleted, too.

        Raises SourceVanished if it is not there, SourceKept, and what `watch` raises, which is called between blocks.
        """
        directory, name = os.path.split(path)
        with self._opened(directory, path) as parent, _translated(path):
            try:
                descriptor = os.open(name, _FILE, dir_fd=parent)
            except FileNotFoundError:
                name = aside
                descriptor = os.open(name, _FILE, dir_fd=parent)
            with pinned(path, descriptor) as source, _unwritten(source) as is_wanted:
                if source.fingerprint != stored or source.receipt_checksum(checksum, part_size, watch) != checksum:
                    raise _changed(path)
                source.ensure_unchanged()
                _unlink(parent, name, aside, source, is_wanted)

    def is_gone(self, path: bytes) -> bool:
        """Whether there is nothing at this path, though its source can be looked at."""
        try:
            with self._opened(os.path.dirname(path), path) as parent:  # noqa: PTH120 - bytes
                os.stat(os.path.basename(path), dir_fd=parent, follow_symlinks=False)  # noqa: PTH119 - bytes
        except (SourceVanished, FileNotFoundError):
            return os.path.isdir(self._root(path))  # noqa: PTH112 - bytes
        except (OSError, SourceKept):
            return False
        return False

    def prune(self, paths: Iterable[bytes]) -> None:
        """Remove the directories that held these files, and those above them, as far as they are empty; never the source itself."""
        for directory in sorted({os.path.dirname(path) for path in paths}, reverse=True):  # noqa: PTH120 - bytes
            while directory and self._remove(directory):
                directory = os.path.dirname(directory)  # noqa: PTH120 - bytes

    def _root(self, path: bytes) -> bytes:
        """The directory that a path is relative to. A directory that vanished must not make us look beside it."""
        alone = path == os.path.basename(self._source) and not os.path.isdir(self._source)  # noqa: PTH112, PTH119 - bytes
        return os.path.dirname(self._source) if alone else self._source  # noqa: PTH120 - bytes

    def _remove(self, directory: bytes) -> bool:
        above, name = os.path.split(directory)
        with suppress(SourceError, OSError), self._opened(above, directory) as parent:
            os.rmdir(name, dir_fd=parent)
            return True
        return False

    @contextmanager
    def _opened(self, directory: bytes, path: bytes) -> Iterator[int]:
        """The directory, by a way from the source that has no link in it. Raises SourceKept, SourceVanished."""
        if self._lies_in_own:
            raise _own_state(path)
        with _translated(path):
            descriptor = os.open(self._root(path), _WAY & ~os.O_NOFOLLOW)
        try:
            for step in directory.split(b"/") if directory else ():
                if step in (b"", b".", b".."):
                    raise _not_in_source(path)
                with _translated(path):
                    below = os.open(step, _WAY, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = below
                if self._own is not None and _identity_of(os.fstat(descriptor)) == self._own:
                    raise _own_state(path)
            yield descriptor
        finally:
            os.close(descriptor)


def _unlink(parent: int, name: bytes, aside: bytes, source: PinnedSource, is_wanted: Callable[[], bool]) -> None:
    """Unlink what bears the name, if it is the file that is open; anything else gets its name back. Raises SourceKept.

    Nobody finds it to open it any more once it is aside, so whether somebody has is asked after that.
    """
    if name != aside:
        _ensure_free(parent, aside, source.path)
        os.rename(name, aside, src_dir_fd=parent, dst_dir_fd=parent)
    there = os.stat(aside, dir_fd=parent, follow_symlinks=False)
    is_it = os.path.samestat(there, os.fstat(source.descriptor))
    if is_it and not is_wanted():
        os.unlink(aside, dir_fd=parent)
        return
    if name != aside:
        _put_back(parent, name, aside, source.path)
    raise _written(source.path) if is_it else _changed(source.path)


def _ensure_free(parent: int, aside: bytes, path: bytes) -> None:
    """Raises SourceKept if something lies aside already: what once replaced the file and could not be put back."""
    with suppress(FileNotFoundError):
        os.stat(aside, dir_fd=parent, follow_symlinks=False)
        beside = display_text(os.path.join(os.path.dirname(path), aside))  # noqa: PTH118, PTH120 - bytes
        sentence = f"{display_text(path)} is stored and proven, but cannot be deleted: {beside} is in the way."
        raise SourceKept(f"{sentence} Look at it and move it elsewhere, and retry.", "delete_denied")


def _put_back(parent: int, name: bytes, aside: bytes, path: bytes) -> None:
    """Give a file its name back, unless yet another one has taken it. Raises SourceKept."""
    try:
        os.link(aside, name, src_dir_fd=parent, dst_dir_fd=parent, follow_symlinks=False)
    except OSError as error:
        beside = display_text(os.path.join(os.path.dirname(path), aside))  # noqa: PTH118, PTH120 - bytes
        sentence = f"{display_text(path)} was replaced while it was being deleted, and what replaced it lies in {beside} now."
        raise SourceKept(f"{sentence} Move it back.", "changed_after_upload") from error
    os.unlink(aside, dir_fd=parent)


@contextmanager
def _unwritten(source: PinnedSource) -> Iterator[Callable[[], bool]]:
    """While it is entered nobody begins to write to the file unseen, as far as the system can see to that. Raises SourceKept."""
    try:
        with read_lease(source.descriptor) as is_wanted:
            yield is_wanted
    except Writer:
        raise _written(source.path) from None


@contextmanager
def _translated(path: bytes) -> Iterator[None]:
    """What the system refuses, and a file that changes while it is read, as what it means for a source that was to be deleted."""
    shown = display_text(path)
    try:
        yield
    except (SourceKept, SourceVanished):
        raise
    except SourceError as error:
        raise _changed(path) from error
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise SourceVanished(f"{shown} was stored and proven, and was gone before it could be deleted.") from error
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise _not_in_source(path) from error
        cause = (error.strerror or "unknown error").lower()
        step = "Give yourself the right to write to its directory, and retry."
        raise SourceKept(f"{shown} is stored and proven, but cannot be deleted: {cause}. {step}", "delete_denied") from error


def _changed(path: bytes) -> SourceKept:
    sentence = f"{display_text(path)} is not what was stored any more, so it is not deleted. Retry to store what it is now."
    return SourceKept(sentence, "changed_after_upload")


def _written(path: bytes) -> SourceKept:
    sentence = f"{display_text(path)} is stored and proven, but open for writing, so it is not deleted. Retry when it is closed."
    return SourceKept(sentence, "open_for_write")


def _not_in_source(path: bytes) -> SourceKept:
    sentence = f"{display_text(path)} is stored and proven, but reached through a link, so it is not deleted. Delete it yourself."
    return SourceKept(sentence, "reached_through_link")


def _own_state(path: bytes) -> SourceKept:
    return SourceKept(f"{display_text(path)} is part of the state of s3tui itself, and stays.", "own_state")


def _with_those_above(path: bytes) -> Iterator[bytes]:
    """What a path leads to, and the directories that it lies in."""
    path = os.path.realpath(path)
    yield path
    while path != (path := os.path.dirname(path)):  # noqa: PTH120 - bytes
        yield path


def _identity(directory: bytes) -> tuple[int, int] | None:
    try:
        return _identity_of(os.stat(directory))  # noqa: PTH116 - bytes
    except OSError:
        return None


def _identity_of(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino

"""The scan: what is in the sources, in the order of S3's keys, lazily and in memory that does not grow with the tree.

Order: the sources as given; within one, the paths relative to it by their bytes. As `a/b` comes after `a.txt`, the entries of a
directory are sorted with directories as if their names ended in a slash, and walked depth first. The order depends on nothing but
the names, so a scan goes on after the last entry that was written down: that is how planning survives a kill.

Nothing is open between two entries: a directory is listed at once, or, if it is huge, in windows of names, each a new listing.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from s3tui.errors import SpecError
from s3tui.events import Planned
from s3tui.model import FileState, Fingerprint
from s3tui.text import display_text
from s3tui.transfer.filters import Rules
from s3tui.transfer.listing import Listing
from s3tui.transfer.naming import Unnameable, key_for

ROOT = b"."
"""The path of the row that says a SOURCE itself could not be read."""

_UNKNOWN = Fingerprint(0, 0, 0)


def scan(
    sources: Sequence[bytes],
    *,
    prefix: str,
    rules: Rules,
    follow_symlinks: bool,
    encode_names: str,
    after: tuple[int, bytes] | None = None,
) -> Iterator[Planned]:
    """Every entry of the sources but directories: PLANNED what is to be sent, SKIPPED or FAILED what is already decided.

    `after` is (source_no, path) of the last entry that is known already; what lies before it is not even listed. A directory that
    cannot be read is one FAILED row; its path ends in a slash, which is its place in the order.
    """
    first, floor = after if after is not None else (0, b"")
    for source_no in range(first, len(sources)):
        scanned = _Source(source_no, sources[source_no], prefix, rules, follow_symlinks, encode_names)
        yield from scanned.entries(floor if source_no == first else b"")


def check_sources(sources: Sequence[bytes]) -> None:
    """See that each SOURCE is there and can be read. Raises SpecError."""
    for source in sources:
        try:
            if stat.S_ISDIR(os.stat(source).st_mode):  # noqa: PTH116 - paths are bytes
                os.scandir(source).close()
            else:
                os.close(os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
        except OSError as error:
            if error.errno != errno.ENXIO:  # a socket: the scan skips it and says so
                raise SpecError(f"The source {display_text(source)} cannot be read: {_cause(error)}. {_remedy(error)}") from error


def shards(planned: Iterable[Planned], *, max_files: int = 1000, max_bytes: int = 1 << 30) -> Iterator[list[Planned]]:
    """Cut a plan into the lists that one unit carries: so many entries, or so many bytes to be sent (a larger file goes alone)."""
    shard: list[Planned] = []
    size = 0
    for entry in planned:
        weight = entry.fingerprint.size if entry.state is FileState.PLANNED else 0
        if shard and (len(shard) >= max_files or size + weight > max_bytes):
            yield shard
            shard, size = [], 0
        shard.append(entry)
        size += weight
    if shard:
        yield shard


@dataclass(frozen=True, slots=True)
class _Source:
    """One source and how it is to be seen."""

    no: int
    path: bytes
    prefix: str
    rules: Rules
    follow: bool
    encode_names: str

    def entries(self, floor: bytes) -> Iterator[Planned]:
        if floor == ROOT:
            return
        try:
            status = os.stat(self.path)  # noqa: PTH116
        except OSError as error:
            yield self._failed_root(error)
            return
        if stat.S_ISDIR(status.st_mode):
            yield from self._walk(floor)
        elif not floor:
            yield self._judged(os.path.basename(self.path), status)  # noqa: PTH119

    def _walk(self, floor: bytes) -> Iterator[Planned]:
        """Depth first, with a stack of our own: a tree may be deeper than Python's."""
        root = self.path.rstrip(b"/") + b"/"
        stack = [Listing(root, b"", floor, follow=self.follow)]
        while stack:
            directory = stack[-1]
            try:
                name = next(directory, None)
            except OSError as error:
                stack.pop()
                if not directory.relative:
                    yield self._failed_root(error)
                elif directory.relative > floor:
                    yield self._failed_directory(directory.relative, error)
                continue
            if name is None:
                stack.pop()
            elif name.endswith(b"/"):
                stack.append(directory.below(name))
            else:
                yield self._entry(directory, name)

    def _entry(self, directory: Listing, name: bytes) -> Planned:
        relative, path = directory.relative + name, directory.path + name
        try:
            status = os.lstat(path)
            if self.follow and stat.S_ISLNK(status.st_mode):
                return self._linked(relative, path, status)
        except OSError as error:
            if self.rules.excludes(relative):
                return self._skipped(relative, _UNKNOWN, "excluded")
            sentence = f"{_shown(relative)} cannot be read: {_cause(error)}. {_remedy(error)}"
            return self._failed(relative, _UNKNOWN, _reason(error), sentence)
        return self._judged(relative, status)

    def _linked(self, relative: bytes, path: bytes, link: os.stat_result) -> Planned:
        try:
            status = os.stat(path)  # noqa: PTH116
        except OSError as error:
            if self.rules.excludes(relative):
                return self._skipped(relative, _UNKNOWN, "excluded")
            if error.errno == errno.ELOOP:
                return self._failed(relative, Fingerprint.of(link), "symlink_loop", _loop(relative))
            if error.errno in (errno.ENOENT, errno.ENOTDIR):
                error_text = f"The link {_shown(relative)} points to nothing. Remove it, or restore what it points to."
                return self._failed(relative, Fingerprint.of(link), "dangling_link", error_text)
            raise
        if stat.S_ISDIR(status.st_mode) and not self.rules.excludes(relative):
            return self._failed(relative, Fingerprint.of(link), "symlink_loop", _loop(relative))
        return self._judged(relative, status)

    def _judged(self, relative: bytes, status: os.stat_result) -> Planned:
        """A row for what a stat has shown."""
        fingerprint = Fingerprint.of(status)
        if self.rules.excludes(relative):
            return self._skipped(relative, fingerprint, "excluded")
        if not stat.S_ISREG(status.st_mode):
            return self._skipped(relative, fingerprint, "not_a_file")
        key = key_for(relative, self.prefix, self.encode_names)
        if isinstance(key, Unnameable):
            return Planned(self.no, relative, None, fingerprint, FileState.FAILED, key.reason, key.error)
        return Planned(self.no, relative, key, fingerprint)

    def _skipped(self, relative: bytes, fingerprint: Fingerprint, reason: str) -> Planned:
        return Planned(self.no, relative, self._key(relative), fingerprint, FileState.SKIPPED, reason)

    def _failed(self, relative: bytes, fingerprint: Fingerprint, reason: str, error: str) -> Planned:
        return Planned(self.no, relative, self._key(relative), fingerprint, FileState.FAILED, reason, error)

    def _key(self, relative: bytes) -> str | None:
        key = key_for(relative, self.prefix, self.encode_names)
        return key if isinstance(key, str) else None

    def _failed_directory(self, relative: bytes, error: OSError) -> Planned:
        if self.rules.excludes_all_below(relative.rstrip(b"/")):
            return Planned(self.no, relative, None, _UNKNOWN, FileState.SKIPPED, "excluded")
        sentence = f"The directory {_shown(relative)} cannot be listed, its contents are unknown: {_cause(error)}. {_remedy(error)}"
        return Planned(self.no, relative, None, _UNKNOWN, FileState.FAILED, _reason(error), sentence)

    def _failed_root(self, error: OSError) -> Planned:
        shown = display_text(self.path)
        sentence = f"The source {shown} cannot be read, its contents are unknown: {_cause(error)}. {_remedy(error)}"
        return Planned(self.no, ROOT, None, _UNKNOWN, FileState.FAILED, _reason(error), sentence)


def _reason(error: OSError) -> str:
    if error.errno in (errno.EACCES, errno.EPERM):
        return "permission_denied"
    return "source_vanished" if error.errno in (errno.ENOENT, errno.ENOTDIR) else "unreadable"


def _cause(error: OSError) -> str:
    return (error.strerror or "unknown error").lower()


def _remedy(error: OSError) -> str:
    if error.errno in (errno.EACCES, errno.EPERM):
        return "Give yourself the right to read it, or exclude it."
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return "Check the path; if something else removed it, there is nothing left to send."
    return "Check the disk or the mount, and try again."


def _loop(relative: bytes) -> str:
    return f"The link {_shown(relative)} leads back to a directory it lies in. Remove it, or exclude it."


def _shown(relative: bytes) -> str:
    return display_text(relative.rstrip(b"/"))

"""The scan: what is in the sources, in the order of S3's keys, lazily and in memory that does not grow with the tree.

Order: the sources as given; within one, the paths relative to it by their bytes. As `a/b` comes after `a.txt`, the entries of a
directory are sorted with directories as if their names ended in a slash, and walked depth first. The order depends on nothing but
the names, so a scan goes on after the last entry that was written down: that is how planning survives a kill.

What a choice leaves out is a row as well: each file by itself, and a directory that is left out as a whole by one row, without a
look into it. Nothing is open between two entries: a directory is listed at once, or, if it is huge, in windows of names, each a new
listing.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import chain

from s3tui.events import Planned
from s3tui.model import FileState, Fingerprint
from s3tui.transfer.choice import Choice
from s3tui.transfer.file_list import FileList
from s3tui.transfer.judging import ROOT, Judge
from s3tui.transfer.listed import listed_entries
from s3tui.transfer.listing import Listing, reach
from s3tui.transfer.naming import MAX_KEY_BYTES
from s3tui.transfer.sieve import Sieve

_SLASH = ord("/")
_PLANNED = FileState.PLANNED  # looking a member up costs as much as all else that a shard does with an entry


def scan(
    sources: Sequence[bytes],
    *,
    prefix: str,
    choice: Choice,
    created_at: int,
    files: FileList | None = None,
    after: tuple[int, bytes] | None = None,
) -> Iterator[Planned]:
    """Every entry of the sources but directories: PLANNED what is to be sent, SKIPPED or FAILED what is already decided.

    `created_at` is the moment, in milliseconds, from which the ages of the choice count back: that of the job, so that a scan that
    goes on decides as the one before it. `files` is the list that `choice.files_from` names: nothing else is looked at then.

    `after` is (source_no, path) of the last entry that is known already; what lies before it is not even listed. A directory that
    cannot be read is one FAILED row, and one that is left out as a whole one SKIPPED row; its path ends in a slash, which is its
    place in the order.
    """
    judging = judges(sources, prefix, choice, created_at)
    first, floor = after if after is not None else (0, b"")

    def entries(no: int) -> Iterable[Planned]:
        judge, behind = judging[no], floor if no == first else b""
        return _entries(judge, behind) if files is None else listed_entries(judge, files.after(behind))

    return chain.from_iterable(map(entries, range(first, len(sources))))


def judges(sources: Sequence[bytes], prefix: str, choice: Choice, created_at: int) -> list[Judge]:
    """Who judges what is in each of the sources, as a scan does it."""
    sieve = Sieve(choice, created_at)
    return [Judge(no, source, prefix, sieve, choice.follow_symlinks, choice.encode_names) for no, source in enumerate(sources)]


def everything(judging: Iterable[Judge]) -> Iterator[Planned]:
    """What a scan with these judges, one for each source, would find."""
    return chain.from_iterable(_entries(judge, b"") for judge in judging)


def look(judge: Judge, relative: bytes) -> Iterator[Planned]:
    """What a scan would find at one path of a source, and below it; nothing where it would find nothing.

    `relative` is the path of an entry of a scan, or of a directory.
    """
    root = judge.source.rstrip(b"/") + b"/"
    try:
        if not stat.S_ISDIR(os.stat(judge.source).st_mode):  # noqa: PTH116
            return (entry for entry in _entries(judge, b"") if entry.path == relative)
        if relative == ROOT:
            os.scandir(root).close()
            return iter(())
        first = reach(root, relative.rstrip(b"/"), follow=judge.follow, prunes=judge.sieve.prunes)
    except OSError as error:
        return iter((judge.unreadable_source(error),) if relative == ROOT else ())
    return _walk(judge, first, b"")


def shards(
    planned: Iterable[Planned], *, max_files: int = 1000, max_bytes: int = 1 << 30, first_files: int = 100
) -> Iterator[list[Planned]]:
    """Cut a plan into the lists that one unit carries: so many entries, or so many bytes to be sent (a larger file goes alone).

    The first list is shorter, so that carrying begins early.
    """
    shard: list[Planned] = []
    size, most = 0, min(first_files, max_files)
    for entry in planned:
        weight = entry.fingerprint.size if entry.state is _PLANNED else 0
        if shard and (len(shard) >= most or size + weight > max_bytes):
            yield shard
            shard, size, most = [], 0, max_files
        shard.append(entry)
        size += weight
    if shard:
        yield shard


def _entries(judge: Judge, floor: bytes) -> Iterable[Planned]:
    """The entries of one source behind a path."""
    if floor == ROOT:
        return ()
    try:
        status = os.stat(judge.source)  # noqa: PTH116
    except OSError as error:
        return (judge.unreadable_source(error),)
    if stat.S_ISDIR(status.st_mode):
        root = judge.source.rstrip(b"/") + b"/"
        return _walk(judge, Listing(root, b"", floor, follow=judge.follow), floor)
    name = os.path.basename(judge.source)  # noqa: PTH119
    excludes = judge.sieve.excludes
    return () if floor else (judge.entry(name, status, excluded=excludes is not None and excludes(name)),)


def _walk(judge: Judge, first: Listing, floor: bytes) -> Iterator[Planned]:
    """Depth first, with a stack of our own: a tree may be deeper than Python's."""
    stack = [first]
    while stack:
        directory = stack[-1]
        try:
            below = yield from _files(judge, directory)
        except OSError as error:
            stack.pop()
            if not directory.relative:
                yield judge.unreadable_source(error)
            elif directory.relative > floor:
                yield judge.unreadable_directory(directory.relative, error)
            continue
        if below is None:
            stack.pop()
        else:
            stack.append(below)


def _files(judge: Judge, directory: Listing) -> Generator[Planned, None, Listing | None]:
    """The entries of a directory up to the next that is to be descended into, which is returned. Raises OSError.

    This is where a scan spends its time: an ordinary file with an ordinary name is planned without a further call.
    """
    no, prefix, room = judge.no, judge.prefix, MAX_KEY_BYTES - len(judge.prefix.encode())
    excludes, prunes, unlimited = judge.sieve.excludes, judge.sieve.prunes, judge.sieve.limits is None
    for name in directory:
        relative, path = directory.relative + name, directory.path + name
        if name[-1] == _SLASH:
            if prunes is None or not prunes(relative):
                return directory.below(name)
            if name != directory.floor:
                yield judge.pruned(relative)
            continue
        excluded = excludes is not None and excludes(relative)
        try:
            status = os.lstat(path)
        except OSError as error:
            yield judge.unreadable(relative, error, excluded=excluded)
            continue
        if not excluded and unlimited and stat.S_ISREG(status.st_mode) and relative.isascii() and len(relative) <= room:
            yield Planned(no, relative, prefix + relative.decode(), Fingerprint.of(status))
        else:
            yield judge.entry(relative, status, excluded=excluded)
    return None

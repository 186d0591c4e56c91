"""Whether a machine sees the sources of a job, or only something else that has their names.

Who makes a job looks at its sources and writes landmarks down: inode and change time of each source and of a few things in it and
around it. Both are the file server's, the same on every machine that has mounted it, and no program can set a change time; the
number of the file system is not, so it is not asked. One landmark that is still so is proof, and so is one file that is still as it
was planned. That nothing is as it was proves nothing: then the machine leaves the job to others.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from s3tui.errors import SourceUnseen
from s3tui.model import SIGNED_64, Fingerprint
from s3tui.text import display_text
from s3tui.transfer.places import Place

_ENTRIES = 8
"""Things in a directory that are written down."""
_ABOVE = 4
"""Directories above a source that are."""


class Landmark(NamedTuple):
    """Something by which a file system is recognized."""

    path: bytes
    """Absolute."""
    inode: int
    changed_ns: int

    def is_there(self, device: int) -> bool:
        """Whether it is, as it was, in the file system with this number."""
        return _landmark(self.path) == self and _device(self.path) == device


Planned = tuple[int, bytes, Fingerprint]
"""(source number, relative path, fingerprint) of a file of the plan."""


def landmarks_of(sources: Sequence[bytes]) -> str:
    """What the sources, as they are now, are recognized by: ASCII for `recognize`; of one that is not there, nothing."""
    found = [[[os.fsdecode(path), *rest] for path, *rest in _around(source)] for source in sources]
    return json.dumps(found, separators=(",", ":"))


def recognize(sources: Sequence[bytes], landmarks: str, planned: Iterable[Planned], *, known: bool) -> None:
    """See that each source is here, and the one that the landmarks were taken of. Raises SourceUnseen.

    `planned`: files that are expected to be there still. `known`: this machine has recognized them before, so that it is enough
    that no other directory has come in their place.
    """
    taken = json.loads(landmarks or "[]")
    for no, source in enumerate(sources):
        there = _landmark(source)
        if there is None:
            raise SourceUnseen(f"{display_text(source)} is not there")
        marks = [Landmark(os.fsencode(path), inode, changed) for path, inode, changed in (taken[no] if no < len(taken) else ())]
        if not marks:
            continue
        device = _device(source)
        is_same = known or any(mark.is_there(device) for mark in marks) or _any_planned(no, source, planned)
        if there.inode != marks[0].inode or not is_same:
            raise SourceUnseen(f"what is called {display_text(source)} there is something else")


def _around(source: bytes) -> Iterator[Landmark]:
    """The source first, then what is in it and above it, as far as that lies in the same file system."""
    itself = _landmark(source)
    if itself is None:
        return
    yield itself
    paths = [*_entries(source), *_above(source)]
    yield from (mark for mark in map(_landmark, paths) if mark is not None)


def _entries(source: bytes) -> list[bytes]:
    try:
        with os.scandir(source) as entries:
            return [entry.path for entry in islice(entries, _ENTRIES)]
    except OSError:
        return []


def _above(source: bytes) -> Iterator[bytes]:
    device = _device(source)
    for _ in range(_ABOVE):
        source = os.path.dirname(source)  # noqa: PTH120 - bytes
        if _device(source) != device:
            return
        yield source


def _any_planned(no: int, source: bytes, planned: Iterable[Planned]) -> bool:
    place = Place(source)
    return any(_is(place.of(path), fingerprint) for source_no, path, fingerprint in planned if source_no == no)


def _is(path: bytes, fingerprint: Fingerprint) -> bool:
    try:
        status = os.stat(path)  # noqa: PTH116 - bytes
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and Fingerprint.of(status) == fingerprint


def _device(path: bytes) -> int:
    """The number that this machine gives to the file system; -1 if there is nothing."""
    try:
        return os.stat(path).st_dev  # noqa: PTH116 - bytes
    except OSError:
        return -1


def _landmark(path: bytes) -> Landmark | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - bytes
    except OSError:
        return None
    return Landmark(path, status.st_ino & SIGNED_64, status.st_ctime_ns)

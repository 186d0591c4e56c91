"""How much lies below a path: files and bytes, summed while somebody looks on."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from s3tui.text import format_size

if TYPE_CHECKING:
    Scan: TypeAlias = "os._ScandirIterator[str]"

_DEPTH = 200
"""Folders within folders that are gone into: each keeps a descriptor open."""


@dataclass(slots=True)
class Tally:
    """What was found so far. One thread counts, others may look."""

    files: int = 0
    size: int = 0
    """Bytes."""
    unseen: int = 0
    """Folders that could not be looked into."""
    done: bool = False

    @property
    def words(self) -> str:
        """`1.2 GiB`, with a sign behind it while it grows, and one before it if there is more that cannot be seen."""
        return format_size(self.size) + "…" if not self.done else ("≥" if self.unseen else "") + format_size(self.size)


class Total(NamedTuple):
    """How much some paths are together."""

    size: int
    """Bytes."""
    files: int
    unknown: int
    """Paths of which nobody knows how much they are."""
    growing: bool


class Sums:
    """What was summed up, is being, or waits for it; one path after the other."""

    def __init__(self) -> None:
        self._tallies: dict[str, Tally] = {}
        self._files: dict[str, int] = {}
        self._stop = threading.Event()
        self._at_work = ""

    def of(self, path: str) -> Tally | None:
        """What is known of a path."""
        return self._tallies.get(path)

    def note(self, files: Mapping[str, int]) -> None:
        """Know the sizes of these files."""
        self._files |= files

    def toggle(self, path: str) -> None:
        """Sum up a path, anew if need be; or stop that."""
        tally = self._tallies.pop(path, None)
        if tally is None or tally.done:
            self._tallies[path] = Tally()
        elif path == self._at_work:
            self._stop.set()

    def toggle_all(self, paths: Iterable[str]) -> None:
        """Sum up those of which nothing is known; or stop all that is under way."""
        waiting = [path for path, tally in self._tallies.items() if not tally.done]
        for path in waiting:
            self.toggle(path)
        if not waiting:
            self._tallies |= {path: Tally() for path in paths if path not in self._tallies and path not in self._files}

    def next(self) -> Callable[[], None] | None:
        """What a thread has to do now, if there is something."""
        path = next((path for path, tally in self._tallies.items() if not tally.done), None)
        if path is None:
            return None
        self._stop, self._at_work = threading.Event(), path
        return partial(measure, path, self._tallies[path], self._stop.is_set)

    def end(self) -> None:
        """Sum up no further."""
        self._tallies.clear()
        self._stop.set()

    def total(self, paths: Collection[str]) -> Total:
        """How much these are together, as far as that is known."""
        tallies = [tally for path in paths if (tally := self._tallies.get(path)) is not None]
        files = [self._files[path] for path in paths if path in self._files and path not in self._tallies]
        size, count = sum(tally.size for tally in tallies) + sum(files), sum(tally.files for tally in tallies) + len(files)
        return Total(size, count, len(paths) - len(tallies) - len(files), not all(tally.done for tally in tallies))


def measure(path: str, tally: Tally, stopped: Callable[[], bool]) -> None:
    """Add up the regular files at and below a path, links not followed, until that is done or `stopped`.

    Blocks on the disk. Memory does not grow with what there is; one file or a million make no difference to whoever looks on.
    """
    if not _add(path, tally):
        _walk(path, tally, stopped)
    tally.done = not stopped()


def _walk(path: str, tally: Tally, stopped: Callable[[], bool]) -> None:
    levels = _opened(path, tally)
    try:
        while levels and not stopped():
            try:
                entry = next(levels[-1], None)
                folder = entry is not None and entry.is_dir(follow_symlinks=False)
            except OSError:
                tally.unseen += 1
                entry = None
            if entry is None:
                levels.pop().close()
            elif not folder:
                _add(entry.path, tally)
            elif len(levels) < _DEPTH:
                levels += _opened(entry.path, tally)
            else:
                tally.unseen += 1
    finally:
        for scan in levels:
            scan.close()


def _opened(folder: str, tally: Tally) -> list[Scan]:
    try:
        return [os.scandir(folder)]
    except OSError:
        tally.unseen += 1
        return []


def _add(path: str, tally: Tally) -> bool:
    """Count a file; returns False for a folder."""
    try:
        status = os.lstat(path)
    except OSError:
        return True
    if stat.S_ISREG(status.st_mode):
        tally.files += 1
        tally.size += status.st_size
    return not stat.S_ISDIR(status.st_mode)

"""Lists of files that a user gives, kept on this machine until the plan that reads them is whole.

A list is sorted, without doubles, under the name of its content: the same list given again is the same list, so the same command
goes on with the same job, and a plan that was interrupted goes on in any process of this machine. Sorting takes runs to disk and
merges them, so memory does not grow with the list.
"""

from __future__ import annotations

import hashlib
import heapq
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import dropwhile, groupby, islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from s3tui.errors import SpecError
from s3tui.text import display_text

_RUN = 250_000
"""Paths that are sorted in memory."""

_BLOCK = 1 << 13
"""Bytes that are read at a time, from each run while they are merged."""

_MAX_PATH = 1 << 15
"""Bytes; no system takes longer paths."""

_KEPT_SECONDS = 7 * 86_400
"""What no plan has asked for in this time is left from commands that were given up."""

_SEPARATOR = b"\0"


class FileList:
    """A kept list, as a plan reads it. Raises SpecError when it is not there any more."""

    def __init__(self, directory: Path, name: str) -> None:
        self.name = name
        self._path = directory / name
        try:
            self._inode = self._path.stat().st_ino
        except OSError as error:
            raise SpecError(
                f"The list that --files-from gave cannot be read on this machine: {display_text(str(self._path))} is gone. "
                "Give the command again, with its list."
            ) from error

    def after(self, floor: bytes) -> Iterator[bytes]:
        """The paths behind a path, in the order of their bytes."""
        with self._path.open("rb") as file:
            yield from dropwhile(lambda path: path <= floor, _split(file, _SEPARATOR))

    def forget(self) -> None:
        """Delete it, unless a command has given it again since it was opened here."""
        with suppress(FileNotFoundError):
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()


def keep_list(stream: IO[bytes], separator: bytes, source: bytes, directory: Path) -> str:
    """Keep the list of files below a source that a stream holds, and return its name.

    Each path is relative to the source, an absolute one below it becomes so, and one that cannot be below it stays as it is. Raises
    SpecError.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    _drop_stale(directory)
    source = (source.strip(b"/") + b"/").lstrip(b"/")
    paths = (_below(source, entry) for entry in _split(stream, separator))
    unfinished = directory / f"{os.getpid()}.partial"
    digest = hashlib.sha256()
    try:
        with ExitStack() as stack:
            kept = stack.enter_context(unfinished.open("wb"))
            runs = [stack.enter_context(run) for run in _runs(paths, directory)]
            for path, _ in groupby(heapq.merge(*(_split(run, _SEPARATOR) for run in runs))):
                digest.update(path + _SEPARATOR)
                kept.write(path + _SEPARATOR)
            kept.flush()
            os.fsync(kept.fileno())
        name = digest.hexdigest()[:32]
        unfinished.replace(directory / name)
    finally:
        unfinished.unlink(missing_ok=True)
    return name


def is_outside(path: bytes) -> bool:
    """Whether a path of a kept list does not lie below its source, or cannot be known to."""
    return path.startswith(b"/") or b".." in path.split(b"/")


def _below(source: bytes, entry: bytes) -> bytes:
    """The path relative to the source (in the form of `home/me/`) in its shortest form; the entry itself if there is none."""
    parts = [part for part in entry.split(b"/") if part not in (b"", b".")]
    path = b"/".join(parts)
    if b".." in parts or (entry.startswith(b"/") and not (path + b"/").startswith(source)):
        return entry
    return (path[len(source) :] if entry.startswith(b"/") else path) or b"."


def _runs(paths: Iterator[bytes], directory: Path) -> Iterator[IO[bytes]]:
    """Sorted pieces of the list, each in a file without a name."""
    while run := sorted(islice(paths, _RUN)):
        file = TemporaryFile(dir=directory)  # noqa: SIM115 - closed by whoever merges it
        file.writelines(path + _SEPARATOR for path in run)
        file.seek(0)
        yield file


def _split(stream: IO[bytes], separator: bytes) -> Iterator[bytes]:
    """The entries of a stream that are not empty. Raises SpecError for what cannot be a path."""
    rest = b""
    while block := stream.read(_BLOCK):
        *entries, rest = (rest + block).split(separator)
        yield from _checked(entries)
        _checked([rest])
    yield from _checked([rest])


def _checked(entries: list[bytes]) -> list[bytes]:
    for entry in entries:
        if len(entry) > _MAX_PATH:
            raise SpecError(
                f"The list of files has an entry of more than {_MAX_PATH} bytes, which is no path. "
                "Give --null if its paths end in NUL characters, and leave it out if they end in newlines."
            )
        if _SEPARATOR in entry:
            raise SpecError("The list of files holds NUL characters. Give --null if its paths end in them.")
    return [entry for entry in entries if entry]


def _drop_stale(directory: Path) -> None:
    for path in directory.iterdir():
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - _KEPT_SECONDS:
                path.unlink()

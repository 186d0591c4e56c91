"""What a job of videos takes of the folders that it watches: files that are videos by their names, each in a unit of its own.

A video has all that is below its prefix, and clears it when it is broken off. So no other may lie there, or around it: of `a.mp4`
and `a.mov`, and of `a.mp4` and `a/b.mp4`, the one that came first is made.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Protocol

from s3tui.events import Planned
from s3tui.jobs.context import Context
from s3tui.jobs.intake import clashing
from s3tui.media.opening import EXTENSIONS
from s3tui.media.served import MASTER
from s3tui.model import FileState
from s3tui.text import display_text
from s3tui.transfer.choice import Choice
from s3tui.transfer.judging import Judge
from s3tui.transfer.naming import Unnameable, key_for
from s3tui.transfer.sieve import Sieve

_OF_FOLDERS = Choice(extensions=EXTENSIONS, hidden=False)


class WatchedFilms(Protocol):
    """What is asked of the spec of a job of videos."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Absolute paths."""

    @property
    def prefix(self) -> str:
        """Of the keys."""


class Films:
    """Every video becomes a master playlist, and what that leads to; implements `Intake`."""

    def __init__(self, context: Context[WatchedFilms]) -> None:
        self._context = context
        self._sources = [os.fsencode(source) for source in context.spec.sources]

    def judges(self, now: int) -> list[Judge]:
        """A file that is given by its own name is a video whatever that name is."""
        named, of_folders = Sieve(Choice(), now), Sieve(_OF_FOLDERS, now)
        sieves = [named if _is_no_folder(source) else of_folders for source in self._sources]
        prefix = self._context.spec.prefix
        return [Judge(no, source, prefix, sieves[no], follow=False, encode_names="") for no, source in enumerate(self._sources)]

    def rows(self, entries: Iterable[Planned]) -> Iterable[Planned]:
        """What is no video by its name has no row: a folder of videos is full of other files."""
        return (film_row(entry, self._context.spec.prefix) for entry in entries if entry.reason != "excluded")

    def units(self, rows: Iterable[Planned]) -> Iterator[list[Planned]]:
        """Each by itself."""
        return ([row] for row in rows)

    def told_apart(self, unit: list[Planned]) -> list[Planned]:
        """No two of the job's videos may have one place, and none may lie in another's."""
        return [self._told_apart(entry) for entry in unit]

    def _told_apart(self, entry: Planned) -> Planned:
        if entry.state is not FileState.PLANNED:
            return entry
        other = next((path for place in self._places(entry.path) for path in self._takers(entry, *place)), None)
        if other is None:
            return entry
        mine, others = display_text(entry.path), display_text(other)
        place = display_text((entry.key or "").removesuffix(MASTER))
        has = "that place" if stem_of(other) == stem_of(entry.path) else "a place that overlaps it"
        return clashing(entry, f"{mine} cannot become a video at {place}: {others}, which came first, has {has}. Rename {mine}.")

    def _places(self, path: bytes) -> Iterator[tuple[bytes, bytes]]:
        """(stem, end of the paths to look at): the file's own and what lies below it, then those that it lies below."""
        stem = stem_of(path)
        yield stem, stem + b"0"  # which comes after the slash
        while stem := os.path.dirname(stem):  # noqa: PTH120 - bytes
            yield stem, stem + b"/"

    def _takers(self, entry: Planned, stem: bytes, behind: bytes) -> Iterator[bytes]:
        """The files, other than this one, that have the place of a stem, or one below it."""
        watched, lease = self._context.store.watched, self._context.lease
        for no in range(len(self._sources)):
            for path in watched.wanted(lease, no, stem, behind):
                takes = stem_of(path) == stem or path.startswith(stem + b"/")
                if takes and (no, path) != (entry.source_no, entry.path):
                    yield path


def _is_no_folder(source: bytes) -> bool:
    """What is not there may come as a folder."""
    return os.path.exists(source) and not os.path.isdir(source)  # noqa: PTH110, PTH112 - bytes


def stem_of(path: bytes) -> bytes:
    """A path without its extension: what its video is called."""
    return os.path.splitext(path)[0]  # noqa: PTH122 - bytes


def film_row(entry: Planned, prefix: str) -> Planned:
    """The row of a file that becomes a video: its object is the master playlist."""
    if entry.key is None:
        return entry
    key = key_for(stem_of(entry.path) + b"/" + MASTER.encode(), prefix)
    if isinstance(key, Unnameable):
        return entry._replace(key=None, state=FileState.FAILED, reason=key.reason, error=key.error)
    return entry._replace(key=key)

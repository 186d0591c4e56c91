"""What a watching job makes of the entries it finds: which of them concern it, what they become, and which of them share a unit."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Protocol

from s3tui.events import Planned
from s3tui.jobs.context import Context
from s3tui.model import FileState
from s3tui.transfer.choice import Choice
from s3tui.transfer.compare import key_collision
from s3tui.transfer.judging import Judge
from s3tui.transfer.plan import judges, shards

_FIRST_FILES = 1000
"""All of a list has come to rest, so nobody waits for a short first unit."""


class Intake(Protocol):
    """How a kind of job takes what comes to its sources."""

    def judges(self, now: int) -> list[Judge]:
        """Who judges what is in each of the sources; `now`, in milliseconds since 1970, is what ages count back from."""

    def rows(self, entries: Iterable[Planned]) -> Iterable[Planned]:
        """Those of the entries of a scan that concern the job, as the rows that they are to become."""

    def units(self, rows: Iterable[Planned]) -> Iterator[list[Planned]]:
        """The rows, cut into what one unit carries, or none carries."""

    def told_apart(self, unit: list[Planned]) -> list[Planned]:
        """The unit; in it a file fails whose place in the bucket another one has taken, as the first one cannot be called back."""


class WatchedFiles(Protocol):
    """What is asked of the spec of a job that stores files as they are."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Absolute paths."""

    @property
    def prefix(self) -> str:
        """Of the keys."""

    @property
    def choice(self) -> Choice:
        """What is taken of the sources."""


class Files:
    """Every file that is chosen becomes an object; implements `Intake`."""

    def __init__(self, context: Context[WatchedFiles]) -> None:
        self._context = context
        self._sources = [os.fsencode(source) for source in context.spec.sources]

    def judges(self, now: int) -> list[Judge]:
        """See `Intake`."""
        return judges(self._sources, self._context.spec.prefix, self._context.spec.choice, now)

    def rows(self, entries: Iterable[Planned]) -> Iterable[Planned]:
        """All of them, as they are."""
        return entries

    def units(self, rows: Iterable[Planned]) -> Iterator[list[Planned]]:
        """So many files, or so many bytes, to a unit."""
        return shards(rows, first_files=_FIRST_FILES)

    def told_apart(self, unit: list[Planned]) -> list[Planned]:
        """Only files of two sources can have one key."""
        if len(self._sources) < 2:
            return unit
        context = self._context
        taken = context.store.watched.elsewhere(context.lease, unit, len(self._sources))
        seen: dict[bytes, int] = {}
        told: list[Planned] = []
        for entry in unit:
            wanted = entry.state is FileState.PLANNED and entry.key is not None
            clashes = wanted and (entry.path in taken or seen.setdefault(entry.path, entry.source_no) != entry.source_no)
            told.append(clashing(entry, key_collision(entry.key or "")) if clashes else entry)
        return told


def clashing(entry: Planned, sentence: str) -> Planned:
    """The row of a file whose place another one has taken."""
    return entry._replace(state=FileState.FAILED, reason="key_collision", error=sentence)

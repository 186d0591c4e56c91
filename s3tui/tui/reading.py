"""What one poll of a job's screen reads: runs in a thread, comes home whole."""

from __future__ import annotations

import time
from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from s3tui.model import WHOLE, FileChoice, FileRow, FileState, Job, View
from s3tui.tui.csv_files import CsvSeen, read_csv
from s3tui.tui.door import Door, Sight
from s3tui.tui.videos import Published
from s3tui.tui.widgets.file_list import Wanted

IN_FLIGHT = FileChoice(View.ACTIVE)
"""A list that the newest samples are enough for."""


@dataclass(frozen=True, slots=True)
class Glance:
    """What to read."""

    job_id: str
    wanted: Wanted
    choice: FileChoice = WHOLE
    page: tuple[int, int] | None = None
    """First line and lines of the page that is to follow what is in flight; None: it stays where it is."""

    described: int | None = None
    """The file in the detail pane: of a CSV file it is told how that is written."""
    reasons: bool = False
    """Whether to count the rejects by their reasons, which takes long if there are many."""

    @property
    def whole(self) -> bool:
        """Whether every file is on show, so that no list of numbers is needed."""
        return self.choice == WHOLE


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read."""

    glance: Glance
    sight: Sight
    numbers: array[int] | None
    """The numbers of the files in flight, if these are chosen, and nothing else."""
    rows: Sequence[FileRow]
    passing: frozenset[FileState]
    """The states in which a file has not come to its end."""
    start: int | None = None
    """Where the page that follows is to begin."""
    published: Mapping[int, Published] = field(default_factory=dict)
    """Those of the rows that are published videos, by number."""
    csv: CsvSeen = field(default_factory=CsvSeen)
    """What an ingest job has besides."""


def read(door: Door, glance: Glance) -> Seen:
    """Look at a job: its counters, what is in flight, and the rows that the table wants. Blocks on the database."""
    sight = door.watch(glance.job_id)
    seen = _read(door, glance, sight)
    if sight.job.kind == "ingest":
        return replace(seen, csv=read_csv(door, sight, glance.described, reasons=glance.reasons))
    if sight.job.kind != "video":
        return seen
    return replace(seen, published=door.videos(sight.job, [row.no for row in seen.rows]))


def _read(door: Door, glance: Glance, sight: Sight) -> Seen:
    passing = door.passing(sight.job)
    if glance.whole and glance.page is not None:
        first, lines = glance.page
        start = busiest(array("I", sorted(sample.no for sample in sight.active)), first, lines)
        return Seen(glance, sight, None, door.window(sight.job, max(0, start - lines), 3 * lines), passing, start)
    if glance.choice == IN_FLIGHT:
        numbers = array("I", sorted(sample.no for sample in sight.active))
        return Seen(glance, sight, numbers, _rows(door, sight.job, _around(numbers, glance.wanted)), passing)
    if glance.whole or glance.wanted.numbers is None:  # while a list is being made, every file may be on show still
        return Seen(glance, sight, None, door.window(sight.job, glance.wanted.first, glance.wanted.count), passing)
    return Seen(glance, sight, None, _rows(door, sight.job, glance.wanted.numbers), passing)


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of chosen files."""

    choice: FileChoice
    numbers: array[int]
    rows: Sequence[FileRow]
    """Those that will be in sight."""
    seconds: float
    """How long it took."""


def list_files(door: Door, job: Job, choice: FileChoice, wanted: Wanted) -> Listed:
    """Choose and sort the files of a job, and read the rows around those that the table shows now. Blocks on the database."""
    begun = time.monotonic()
    numbers = door.numbers(job, choice)
    return Listed(choice, numbers, _rows(door, job, _around(numbers, wanted)), time.monotonic() - begun)


def _around(numbers: array[int], wanted: Wanted) -> Sequence[int]:
    first = min(wanted.first, max(0, len(numbers) - 1))
    return [*numbers[:100], *numbers[first : first + max(wanted.count, 100)]]


def busiest(active: Sequence[int], first: int, lines: int) -> int:
    """Where a page of `lines` begins that shows most of what is in flight, given the ascending numbers of that.

    The page at `first` stays as long as it shows half as much, so that rows end where the eye has found them.
    """

    def shown_from(start: int) -> int:
        return bisect_left(active, start + lines) - bisect_left(active, start)

    best = max(active, key=shown_from, default=first)
    return first if 2 * shown_from(first) >= shown_from(best) else best


def _rows(door: Door, job: Job, numbers: Sequence[int]) -> Sequence[FileRow]:
    return door.rows(job, list(numbers[:500])) if numbers else ()

"""What one poll of a job's screen reads: runs in a thread, comes home whole."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from s3tui.model import WHOLE, FileChoice, FileRow, FileState, Job, View
from s3tui.tui.csv_files import CsvSeen, read_csv
from s3tui.tui.door import Door, Sight
from s3tui.tui.videos import Published
from s3tui.tui.widgets.file_table import Wanted


@dataclass(frozen=True, slots=True)
class Glance:
    """What to read."""

    job_id: str
    wanted: Wanted
    choice: FileChoice = WHOLE
    count: bool = False
    """Whether to make the list of the chosen files' numbers anew."""
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
    """The numbers of the chosen files, if they were made anew."""
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
    if glance.whole:
        return Seen(glance, sight, None, door.window(sight.job, glance.wanted.first, glance.wanted.count), passing)
    numbers = _numbers(door, glance, sight)
    if numbers is None:
        chosen: Sequence[int] = glance.wanted.numbers or ()
    else:
        first = min(glance.wanted.first, max(0, len(numbers) - 1))
        chosen = numbers[first : first + max(glance.wanted.count, 100)]
    return Seen(glance, sight, numbers, _rows(door, sight.job, chosen), passing)


def busiest(active: Sequence[int], first: int, lines: int) -> int:
    """Where a page of `lines` begins that shows most of what is in flight, given the ascending numbers of that.

    The page at `first` stays as long as it shows half as much, so that rows end where the eye has found them.
    """

    def shown_from(start: int) -> int:
        return bisect_left(active, start + lines) - bisect_left(active, start)

    best = max(active, key=shown_from, default=first)
    return first if 2 * shown_from(first) >= shown_from(best) else best


def _numbers(door: Door, glance: Glance, sight: Sight) -> array[int] | None:
    if glance.choice == FileChoice(View.ACTIVE):
        return array("I", sorted(sample.no for sample in sight.active))
    return door.numbers(sight.job, glance.choice) if glance.count else None


def _rows(door: Door, job: Job, numbers: Sequence[int]) -> Sequence[FileRow]:
    return door.rows(job, list(numbers[:500])) if numbers else ()

"""What one poll of a job's screen reads: runs in a thread, comes home whole."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from s3tui.model import FileRow, Job, View
from s3tui.tui.door import Door, Sight
from s3tui.tui.widgets.file_table import Wanted


@dataclass(frozen=True, slots=True)
class Glance:
    """What to read."""

    job_id: str
    wanted: Wanted
    view: View = View.ALL
    containing: str = ""
    count: bool = False
    """Whether to make the list of the view's numbers anew."""

    @property
    def whole(self) -> bool:
        """Whether every file is on show, so that no list of numbers is needed."""
        return self.view is View.ALL and not self.containing


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read."""

    glance: Glance
    sight: Sight
    numbers: array[int] | None
    """The view's numbers, if they were made anew."""
    rows: Sequence[FileRow]


def read(door: Door, glance: Glance) -> Seen:
    """Look at a job: its counters, what is in flight, and the rows that the table wants. Blocks on the database."""
    sight = door.watch(glance.job_id)
    if glance.whole:
        return Seen(glance, sight, None, door.window(sight.job, glance.wanted.first, glance.wanted.count))
    numbers = _numbers(door, glance, sight)
    if numbers is None:
        chosen: Sequence[int] = glance.wanted.numbers or ()
    else:
        first = min(glance.wanted.first, max(0, len(numbers) - 1))
        chosen = numbers[first : first + max(glance.wanted.count, 100)]
    return Seen(glance, sight, numbers, _rows(door, sight.job, chosen))


def _numbers(door: Door, glance: Glance, sight: Sight) -> array[int] | None:
    if glance.view is View.ACTIVE and not glance.containing:
        return array("I", sorted(sample.no for sample in sight.active))
    return door.numbers(sight.job, glance.view, glance.containing) if glance.count else None


def _rows(door: Door, job: Job, numbers: Sequence[int]) -> Sequence[FileRow]:
    return door.rows(job, list(numbers[:500])) if numbers else ()

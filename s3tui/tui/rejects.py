"""Rejected records as a list of any length: what one look at it reads, and the way to a page of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from s3tui.model import RejectChoice, RejectLine, RejectWay
from s3tui.tui.csv_files import CsvCounts, counts_of
from s3tui.tui.door import Door, Sight

_LANDMARKS = 64


@dataclass(slots=True)
class Landmarks:
    """Where some lines of a list are in the database: from the nearest one a page is read.

    What is on the screen is a landmark, so going on from there costs nothing; and both ends of the list are.
    """

    _keys: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By line, from 0: number of the file, and of the record in it."""

    def way(self, first: int, most: int, total: int) -> RejectWay:
        """The shortest way to the page of at most so many lines that begins with line `first` of a list of `total`."""
        most = max(0, min(most, total - first))
        last = first + most - 1
        ways = [RejectWay(None, False, first, most), RejectWay(None, True, total - 1 - last, most)]
        ways += [RejectWay(key, False, first - line, most) for line, key in self._keys.items() if line <= first]
        ways += [RejectWay(key, True, line - last, most) for line, key in self._keys.items() if line >= last]
        return min(ways, key=lambda way: way.skip)

    def learn(self, first: int, found: Sequence[RejectLine]) -> None:
        """A page was read. What was learned long ago is forgotten."""
        for line in {0, len(found) - 1} if found else ():
            self._keys.pop(first + line, None)
            self._keys[first + line] = (found[line].file_no, found[line].record)
        for line in list(self._keys)[:-_LANDMARKS]:
            del self._keys[line]

    def forget(self) -> None:
        """The list is another one now, and its lines are elsewhere."""
        self._keys.clear()


@dataclass(frozen=True, slots=True)
class RejectsGlance:
    """What to read."""

    job_id: str
    chosen: RejectChoice
    first: int
    most: int
    total: int | None
    """Records of the chosen reason, if there is one and they were counted."""


@dataclass(frozen=True, slots=True)
class RejectsSeen:
    """What was read."""

    glance: RejectsGlance
    sight: Sight
    counts: Mapping[int, CsvCounts]
    """By number, of each file whose header was read."""
    rejected: int
    """Records of all reasons, of the chosen file or of all files."""
    total: int
    """Lines of the list."""
    lines: Sequence[RejectLine]
    """From line `first` on."""
    first: int
    names: Mapping[int, bytes]
    """Paths of the files of these lines, by number."""


class RejectsReader:
    """Reads one list. Ask it one question at a time; it blocks on the database."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._landmarks = Landmarks()
        self._list: tuple[RejectChoice, int] | None = None

    def read(self, glance: RejectsGlance) -> RejectsSeen:
        """Look at the job, and at a page of its rejects. Raises NotFound, StateError."""
        sight = self._door.watch(glance.job_id)
        counts = counts_of(self._door, sight.job)
        file_no, reason = glance.chosen
        rejected = sum(one.rejected for no, one in counts.items() if file_no in (None, no))
        total = rejected if reason is None else min(rejected, glance.total or 0)
        if self._list != (glance.chosen, total):
            self._landmarks.forget()
            self._list = (glance.chosen, total)
        first = max(0, min(glance.first, total - 1))
        way = self._landmarks.way(first, glance.most, total)
        lines = self._door.reject_lines(sight.job, glance.chosen, way) if way.most else []
        self._landmarks.learn(first, lines)
        rows = self._door.rows(sight.job, sorted({line.file_no for line in lines} | ({file_no} if file_no is not None else set())))
        return RejectsSeen(glance, sight, counts, rejected, total, lines, first, {row.no: row.path for row in rows})

"""Rows of `watched`: what a watching job has taken of its sources, so that it takes each version of a file once.

A path has one newest transfer. As long as the unit of that one is at work, a later version of the file waits: two transfers
to one key would race. When it has failed, a later version takes its place, and what failed counts as skipped: `outdated`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from s3tui.events import Planned
from s3tui.model import Action, FileState, Fingerprint, Lease
from s3tui.state.database import Database
from s3tui.state.planning import tell_refused, write_shard
from s3tui.state.settling import DONE
from s3tui.state.sql import Connection
from s3tui.state.units import assert_held, forgive_crashes

OUTDATED = "outdated"
"""Why what failed counts as skipped after all: a later version was taken, it is gone, or it can be read again."""

_PAGE = 1000
_AT_ONCE = 100
_NAMES = [f"path{number}" for number in range(_AT_ONCE)]
_TAKEN = f"""
SELECT watched.source_no, watched.path, transfer.size, transfer.mtime_ns, transfer.inode,
    transfer.no, transfer.state, transfer.action, transfer.reason, coalesce(unit.state, {DONE}), video.url IS NOT NULL
FROM watched JOIN transfer ON transfer.job_no = watched.job_no AND transfer.no = watched.no
    LEFT JOIN unit ON unit.job_no = transfer.job_no AND unit.no = transfer.unit_no
    LEFT JOIN video ON video.job_no = transfer.job_no AND video.no = transfer.no
WHERE watched.job_no = :job_no AND watched.source_no = ANY(:sources) AND watched.path IN (:{", :".join(_NAMES)})"""

_TAKE = """
INSERT INTO watched (job_no, source_no, path, no) VALUES (?, ?, ?, ?)
ON CONFLICT (job_no, source_no, path) DO UPDATE SET no = excluded.no"""

_WANTED = f"""
SELECT watched.path FROM watched JOIN transfer ON transfer.job_no = watched.job_no AND transfer.no = watched.no
WHERE watched.job_no = :job_no AND watched.source_no = :source_no AND watched.path >= :first AND watched.path < :behind
    AND transfer.action NOT IN ({Action.SKIP}, {Action.FAIL})
ORDER BY watched.path LIMIT {_PAGE}"""

# What an earlier version has left in the bucket is its own, and so it is the later one's.
_HAND_OVER = "UPDATE video SET no = ? WHERE job_no = ? AND no = ? AND url IS NULL"

_FAILED = f"""
SELECT watched.no, watched.source_no, watched.path FROM watched JOIN transfer
    ON transfer.job_no = watched.job_no AND transfer.no = watched.no
WHERE transfer.job_no = :job_no AND transfer.state = {FileState.FAILED}
    AND (transfer.key IS NULL OR transfer.reason IN ('source_vanished', 'key_collision')) AND transfer.no > :after
ORDER BY transfer.no LIMIT {_PAGE}"""


class _Taken(NamedTuple):
    """The newest that was taken of a path."""

    no: int
    fingerprint: Fingerprint
    """As planned, then as sent."""
    state: FileState
    action: Action
    reason: str | None
    on_its_way: bool
    """Whether the unit that carries it is not done."""
    published: bool
    """Whether it became a video, whose size is another than the file's."""

    def is_all_of(self, entry: Planned) -> bool:
        """Whether this is the entry as it is now.

        A decision that was made again is not written again, whatever changed beside it; what was left out and is wanted now is
        news, and so is what was deleted and is there again, though a new file may look like the old one in every number.
        """
        if entry.state is FileState.PLANNED:
            is_over = self.action is Action.SKIP or self.state is FileState.DELETED
            known = slice(1, None) if self.published else slice(None)
            return entry.fingerprint[known] == self.fingerprint[known] and not is_over
        return (entry.state, entry.reason) == (self.state, self.reason)


class Watched:
    """What the watching jobs of one database have taken."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def news(self, lease: Lease, page: Sequence[Planned]) -> list[Planned]:
        """Those entries of a scan that were not taken as they are now, in their order."""
        with self._database.read() as connection:
            taken = _taken(connection, lease.job_no, page, {entry.source_no for entry in page})
        return [entry for entry in page if not _is_known(entry, taken)]

    def elsewhere(self, lease: Lease, page: Sequence[Planned], sources: int) -> set[bytes]:
        """The paths of these entries that were taken, to be sent, of another of the job's so many sources.

        One that has failed since counts: a retry may send it yet.
        """
        with self._database.read() as connection:
            taken = _taken(connection, lease.job_no, page, range(sources))
        wanted = {(entry.source_no, entry.path) for entry in page}
        refused = (Action.SKIP, Action.FAIL)
        return {path for (source_no, path), row in taken.items() if (source_no, path) not in wanted and row.action not in refused}

    def wanted(self, lease: Lease, source_no: int, first: bytes, behind: bytes) -> Iterator[bytes]:
        """The paths from `first` on, up to but without `behind`, that were taken of a source, to be sent; as in `elsewhere`."""
        while True:
            place = {"job_no": lease.job_no, "source_no": source_no}
            with self._database.read() as connection:
                page = [bytes(path) for (path,) in connection.rows(_WANTED, **place, first=first, behind=behind)]
            yield from page
            if len(page) < _PAGE:
                return
            first = page[-1] + b"\0"

    def take(self, lease: Lease, shard: Sequence[Planned]) -> list[Planned]:
        """Write what is new of a shard, and the unit that will carry it; returns what has to wait. Raises LeaseLost."""
        with self._database.write() as connection:
            assert_held(connection, lease)
            taken = _taken(connection, lease.job_no, shard, {entry.source_no for entry in shard})
            late, fresh = _sorted_by_time(shard, taken)
            places = [(entry.source_no, entry.path) for entry in fresh]
            _outdate(connection, lease.job_no, [taken[place].no for place in places if place in taken])
            first = write_shard(connection, lease, fresh, hold=False)
            numbered = list(enumerate(places, first))
            connection.execute_each(_TAKE, [(lease.job_no, *place, no) for no, place in numbered])
            connection.execute_each(_HAND_OVER, [(no, lease.job_no, taken[place].no) for no, place in numbered if place in taken])
        tell_refused(self._database, lease, fresh, first)
        return late

    def failed(self, lease: Lease) -> Iterator[tuple[int, int, bytes]]:
        """(number, source number, path) of what failed because it is not there, cannot be listed, or has no key of its own."""
        after = -1
        while True:
            with self._database.read() as connection:
                page = connection.rows(_FAILED, job_no=lease.job_no, after=after)
            yield from ((no, source_no, bytes(path)) for no, source_no, path in page)
            if len(page) < _PAGE:
                return
            after = page[-1][0]

    def forgive(self, lease: Lease, no: int) -> None:
        """What failed with this number is not so any more. Raises LeaseLost."""
        with self._database.write() as connection:
            assert_held(connection, lease)
            _outdate(connection, lease.job_no, [no])
            connection.execute("DELETE FROM watched WHERE job_no = :job_no AND no = :no", job_no=lease.job_no, no=no)

    def went_round(self, lease: Lease) -> None:
        """All sources were looked at: workers that died before this count no more against the unit. Raises LeaseLost."""
        with self._database.write() as connection:
            assert_held(connection, lease)
            forgive_crashes(connection, lease)


def _is_known(entry: Planned, taken: dict[tuple[int, bytes], _Taken]) -> bool:
    row = taken.get((entry.source_no, entry.path))
    return row is not None and row.is_all_of(entry)


def _sorted_by_time(shard: Sequence[Planned], taken: dict[tuple[int, bytes], _Taken]) -> tuple[list[Planned], list[Planned]]:
    """What has to wait for an earlier version, and what can be taken; nothing of what is known."""
    late: list[Planned] = []
    fresh: list[Planned] = []
    for entry in shard:
        row = taken.get((entry.source_no, entry.path))
        if row is None or not row.is_all_of(entry):
            (late if row is not None and row.on_its_way else fresh).append(entry)
    return late, fresh


def _taken(connection: Connection, job_no: int, page: Sequence[Planned], sources: Iterable[int]) -> dict[tuple[int, bytes], _Taken]:
    """What was taken of these paths, by source number and path."""
    found: dict[tuple[int, bytes], _Taken] = {}
    for paths in _hundreds([entry.path for entry in page]):
        rows = connection.rows(_TAKEN, job_no=job_no, sources=list(sources), **dict(zip(_NAMES, paths, strict=True)))
        for source_no, path, *fingerprint, no, state, action, reason, unit, published in rows:
            seen = Fingerprint._make(fingerprint)
            row = _Taken(no, seen, FileState(state), Action(action), reason, unit != DONE, bool(published))
            found[source_no, bytes(path)] = row
    return found


def _hundreds(paths: Sequence[bytes]) -> Iterator[list[bytes]]:
    """The paths, a hundred at a time; the last one is repeated to make the hundred full, so that there is one statement."""
    for start in range(0, len(paths), _AT_ONCE):
        some = list(paths[start : start + _AT_ONCE])
        yield some + some[-1:] * (_AT_ONCE - len(some))


def _outdate(connection: Connection, job_no: int, numbers: list[int]) -> None:
    """Count as skipped what has failed of these transfers."""
    outdated = connection.execute(
        f"""
        UPDATE transfer SET state = {FileState.SKIPPED}, reason = '{OUTDATED}', error = NULL
        WHERE job_no = :job_no AND no = ANY(:numbers) AND state = {FileState.FAILED}""",
        job_no=job_no,
        numbers=numbers,
    )
    connection.execute(
        "UPDATE job SET failed = failed - :outdated, skipped = skipped + :outdated WHERE no = :job_no",
        job_no=job_no,
        outdated=outdated,
    )

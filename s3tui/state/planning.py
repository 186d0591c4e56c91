"""Writing a plan down: transfers, numbered in the order of the scan, with the units that will carry them.

Each shard is one transaction: rows, unit, counters and message. The number of the next transfer is the job's `found`, so the
numbers are dense, and the last row says where a scan that was killed goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from s3tui.events import Compared, Planned
from s3tui.model import Action, FileState, Fingerprint, Lease, Receipt, UnitKind
from s3tui.state.chronicle import tell_files
from s3tui.state.database import Database
from s3tui.state.jobs import ADD_UNIT
from s3tui.state.outbox import post_units
from s3tui.state.settling import HELD, READY, settle
from s3tui.state.sql import Connection, Row
from s3tui.state.units import assert_held, finish_unit, forgive_crashes

_ACTIONS = {FileState.SKIPPED: Action.SKIP, FileState.FAILED: Action.FAIL}
_PLANNED = int(FileState.PLANNED)
_REFUSED = {Action.SKIP: int(FileState.SKIPPED), Action.FAIL: int(FileState.FAILED)}
_PAGE = 1000

# As many values as there must be: each of them costs as much as a tenth of the row.
_TO_SEND = f"""
INSERT INTO transfer (job_no, no, unit_no, source_no, path, key, size, mtime_ns, inode, state, action, attempts)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, {FileState.PLANNED}, {Action.UPLOAD}, 0)"""

_DECIDED = """
INSERT INTO transfer (job_no, no, source_no, path, key, size, mtime_ns, inode, state, action, attempts, reason, error)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?)"""

# What may be sent, and what an interrupted comparison has refused already: its key still counts.
_COMPARABLE = f"""
SELECT no, key, source_no, path, size, mtime_ns, inode FROM transfer
WHERE job_no = :job_no AND key IS NOT NULL AND (state = {FileState.PLANNED} OR reason IN ('key_collision', 'exists'))"""

# The newest job between the same places that got to its end, and whether its rows may not have the order of keys.
_PREDECESSOR = """
SELECT earlier.no, earlier.created_at, EXISTS (SELECT 1 FROM watched WHERE watched.job_no = earlier.no)
FROM job JOIN job AS earlier ON earlier.place = job.place AND earlier.no <> job.no
WHERE job.no = :job_no AND job.place <> '' AND NOT earlier.dry_run AND earlier.state IN ('completed', 'partial')
ORDER BY earlier.no DESC LIMIT 1"""

# Of what has failed after all, or was left without proof, a receipt proves nothing.
_RECEIPTS = f"""
SELECT no, key, size, mtime_ns, inode, checksum, etag, version_id FROM transfer
WHERE job_no = :job_no AND key IS NOT NULL AND etag IS NOT NULL
    AND state IN ({FileState.UPLOADED}, {FileState.VERIFIED}, {FileState.DELETED}, {FileState.SKIPPED})
    AND coalesce(reason, 'unchanged') = 'unchanged'"""

_NEW = f"UPDATE transfer SET action = {Action.NEW} WHERE job_no = ? AND no BETWEEN ? AND ? AND state = {FileState.PLANNED}"

Comparable = tuple[int, str, int, bytes, Fingerprint]
"""(number, key, source number, path relative to it, fingerprint) of a file that may be sent."""

Remembered = tuple[str, Fingerprint, Receipt, int]
"""(key, the file as it was planned, receipt, milliseconds since 1970 before which it was not read) of a file that was sent."""


class Planning:
    """The writer's side of a plan."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, lease: Lease, shard: Sequence[Planned], *, hold: bool) -> None:
        """Write a shard of the scan, and the unit that will carry it; `hold` keeps the unit back. Raises LeaseLost."""
        with self._database.write() as connection:
            assert_held(connection, lease)
            first = write_shard(connection, lease, shard, hold=hold)
        tell_refused(self._database, lease, shard, first)

    def last(self, lease: Lease) -> tuple[int, bytes] | None:
        """(source number, relative path) of the last entry written, for a scan to go on after."""
        with self._database.read() as connection:
            row = connection.first(
                "SELECT source_no, path FROM transfer WHERE job_no = :job_no ORDER BY no DESC LIMIT 1", job_no=lease.job_no
            )
            return None if row is None else (row[0], row[1])

    def by_key(self, lease: Lease, *, numbered_by_key: bool = False) -> Iterator[Comparable]:
        """All that may be sent, sorted by the bytes of the key; memory stays flat.

        `numbered_by_key`: the numbers have the order of the keys already, as those of a single source have it; otherwise the
        database sorts.
        """
        rows = self._by_number if numbered_by_key else self._sorted
        for no, key, source_no, path, *fingerprint in rows(_COMPARABLE, lease.job_no):
            yield no, key, source_no, path, Fingerprint._make(fingerprint)

    def remembered(self, lease: Lease, *, numbered_by_key: bool = False) -> Iterator[Remembered]:
        """What the newest earlier job from the same sources to the same target has receipts for, in the same way."""
        with self._database.read() as connection:
            predecessor = connection.first(_PREDECESSOR, job_no=lease.job_no)
        if predecessor is None:
            return
        number, created_at, watched = predecessor
        rows = self._by_number if numbered_by_key and not watched else self._sorted
        for _no, key, size, mtime_ns, inode, checksum, etag, version_id in rows(_RECEIPTS, number):
            yield key, Fingerprint(size, mtime_ns, inode), Receipt(size, checksum or "", etag, version_id or ""), created_at

    def compared(self, lease: Lease, page: Sequence[Compared]) -> None:
        """Write what comparing found about files that are still planned; at most 1,000 of them. Raises LeaseLost."""
        new = _runs(sorted(fact.no for fact in page if fact.action is Action.NEW))
        others = [fact for fact in page if fact.action is not Action.NEW]
        with self._database.write() as connection:
            assert_held(connection, lease)
            connection.execute_each(_NEW, [(lease.job_no, first, last) for first, last in new])
            if others:
                _write_decisions(connection, lease.job_no, others)
        tell_files(self._database, lease.job_no, [fact.no for fact in others if fact.action is Action.FAIL])

    def finish(self, lease: Lease) -> None:
        """The plan is whole: a dry run ends here, otherwise the units held back are released. Raises LeaseLost."""
        with self._database.write() as connection:
            finish_unit(connection, lease)
            [(dry_run, queue, job_id, home)] = connection.rows(
                "UPDATE job SET planned = TRUE WHERE no = :job_no RETURNING dry_run, queue, id, home", job_no=lease.job_no
            )
            if not dry_run:
                released = connection.rows(
                    f"UPDATE unit SET state = {READY} WHERE job_no = :job_no AND state = {HELD} RETURNING no", job_no=lease.job_no
                )
                if home is None:
                    post_units(connection, queue, job_id, sorted(no for (no,) in released))
            settle(connection, lease.job_no)

    def _by_number(self, query: str, job_no: int) -> Iterator[Row]:
        after = -1
        while True:
            with self._database.read() as connection:
                page = connection.rows(f"{query} AND no > :after ORDER BY no LIMIT :page", job_no=job_no, after=after, page=_PAGE)
            yield from page
            if len(page) < _PAGE:
                return
            after = page[-1][0]

    def _sorted(self, query: str, job_no: int) -> Iterator[Row]:
        """By key; of several rows with one key, the newest first."""
        with self._database.read() as connection:
            yield from connection.stream(f'{query} ORDER BY key COLLATE "C", no DESC', job_no=job_no)


def write_shard(connection: Connection, lease: Lease, shard: Sequence[Planned], *, hold: bool) -> int:
    """Write a shard and the unit that will carry it, on the caller's transaction; returns the number of its first transfer."""
    [(first, unit_no, queue, job_id, home)] = connection.rows(
        "SELECT found, units, queue, id, home FROM job WHERE no = :job_no", job_no=lease.job_no
    )
    forgive_crashes(connection, lease)
    sizes = _insert(connection, lease.job_no, first, unit_no, shard)
    if sizes:
        state, last = HELD if hold else READY, first + len(shard) - 1
        place = {"job_no": lease.job_no, "unit_no": unit_no}
        connection.execute(ADD_UNIT, **place, kind=UnitKind.CARRY, first=first, last=last, state=state)
        if not hold and home is None:
            post_units(connection, queue, job_id, [unit_no])
    skipped = sum(planned.state is FileState.SKIPPED for planned in shard)
    connection.execute(
        """
        UPDATE job SET found = found + :found, skipped = skipped + :skipped, failed = failed + :failed,
            bytes_found = bytes_found + :bytes, units = units + :units
        WHERE no = :job_no""",
        job_no=lease.job_no,
        found=len(shard),
        skipped=skipped,
        failed=len(shard) - len(sizes) - skipped,
        bytes=sum(sizes),
        units=1 if sizes else 0,
    )
    return int(first)


def tell_refused(database: Database, lease: Lease, shard: Sequence[Planned], first: int) -> None:
    """Log what failed already in the plan; `first` is the number of the shard's first transfer."""
    tell_files(database, lease.job_no, [no for no, entry in enumerate(shard, first) if entry.state is FileState.FAILED])


def _insert(connection: Connection, job_no: int, first: int, unit_no: int, shard: Sequence[Planned]) -> list[int]:
    """Write the rows of a shard, numbered from `first`; returns the sizes of those that the unit will carry."""
    to_send, decided, sizes = [], [], []
    for no, (source_no, path, key, (size, mtime_ns, inode), state, reason, error) in enumerate(shard, first):
        if state is FileState.PLANNED:
            to_send.append((job_no, no, unit_no, source_no, path, key, size, mtime_ns, inode))
            sizes.append(size)
        else:
            action = _ACTIONS[state]
            decided.append((job_no, no, source_no, path, key, size, mtime_ns, inode, state, action, reason, error))
    connection.insert(_TO_SEND, to_send)
    connection.insert(_DECIDED, decided)
    return sizes


def _runs(numbers: Iterable[int]) -> list[list[int]]:
    """Ascending numbers as [first, last] of those that follow each other."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return runs


def _write_decisions(connection: Connection, job_no: int, facts: Sequence[Compared]) -> None:
    """Write what will happen to files that are still planned, and count those that will not be sent."""
    sizes: dict[int, int] = dict(
        connection.rows(
            f"SELECT no, size FROM transfer WHERE job_no = :job_no AND no = ANY(:numbers) AND state = {FileState.PLANNED}",
            job_no=job_no,
            numbers=[fact.no for fact in facts],
        )
    )
    facts = [fact for fact in facts if fact.no in sizes]
    connection.execute_each(
        """
        UPDATE transfer SET action = ?, state = ?, reason = ?, error = ?, checksum = ?, etag = ?, version_id = ?
        WHERE job_no = ? AND no = ?""",
        [
            (int(action), _REFUSED.get(action, _PLANNED), reason, error, *_written(receipt), job_no, no)
            for no, action, reason, error, receipt in facts
        ],
    )
    refused = [fact for fact in facts if fact.action in _REFUSED]
    connection.execute(
        """
        UPDATE job SET skipped = skipped + :skipped, failed = failed + :failed, bytes_found = bytes_found - :bytes
        WHERE no = :job_no""",
        job_no=job_no,
        skipped=sum(fact.action is Action.SKIP for fact in refused),
        failed=sum(fact.action is Action.FAIL for fact in refused),
        bytes=sum(sizes[fact.no] for fact in refused),
    )


def _written(receipt: Receipt | None) -> tuple[str | None, str | None, str | None]:
    """(checksum, ETag, version id) as a row has them."""
    if receipt is None:
        return None, None, None
    return receipt.checksum or None, receipt.etag, receipt.version_id or None

"""Rows of `transfer`: the files of a job. Windows for screens, pages for engines and reports, facts for the journal."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from s3tui.errors import StateError
from s3tui.events import Fact, Failed, Skipped, Step, Uploaded
from s3tui.model import (
    Action,
    FileChoice,
    FileRow,
    FileState,
    Fingerprint,
    Lease,
    OpenUpload,
    Order,
    Receipt,
    Stored,
    View,
)
from s3tui.state.database import Database
from s3tui.state.multiparts import LedgerFact, close_uploads, open_uploads, write_ledger
from s3tui.state.sql import Connection, Row
from s3tui.state.steps import write_steps
from s3tui.state.units import assert_held, forgive_crashes

_PAGE = 1000
_PLANNED = int(FileState.PLANNED)
_SHOWN = (
    "SELECT no, path, key, size, state, action, attempts, reason, error, checksum, etag, proof FROM transfer WHERE job_no = :job_no"
)
_IN_VIEW = {
    View.FAILED: f"AND state = {FileState.FAILED}",
    View.QUEUED: f"AND state = {FileState.PLANNED}",
    View.DONE: f"AND state NOT IN ({FileState.FAILED}, {FileState.PLANNED})",
    View.ACTIVE: "AND no = ANY(:active)",
    View.ALL: "",
}
_SORTED = {
    Order.NUMBER: (),
    Order.PATH: ("path",),
    Order.SIZE: ("size",),
    Order.STATE: ("state", "action"),
    Order.TRIES: ("attempts",),
    Order.REASON: ("coalesce(reason, '')",),
}
REASON = "coalesce(reason, 'unknown')"
_CAUSES = f"""
SELECT {REASON}, count(*), sum(CASE WHEN action <> {Action.FAIL} THEN 1 ELSE 0 END), sum(size), min(no), max(no)
FROM transfer WHERE job_no = :job_no AND state = {FileState.FAILED} GROUP BY 1 ORDER BY 2 DESC, 1"""

_REPORTED = """
SELECT path, key, size, state, action, attempts, checksum, etag, reason, error, proof FROM transfer
WHERE job_no = :job_no AND no BETWEEN :first AND :last ORDER BY no"""

_BY_ACTION = """
SELECT action, count(*), sum(size), sum(CASE WHEN size >= :large_from THEN 1 ELSE 0 END), sum(
    CASE WHEN size < :large_from THEN 0 WHEN size > :cut_evenly THEN :most_parts
    ELSE (size + :part_size - 1) / :part_size END)
FROM transfer WHERE job_no = :job_no GROUP BY action ORDER BY action"""

_TO_CARRY = f"""
SELECT source_no, path, no, key, action, size, mtime_ns, inode, attempts FROM transfer
WHERE job_no = :job_no AND no BETWEEN :first AND :last AND unit_no = :unit_no AND state = {FileState.PLANNED}
ORDER BY no LIMIT {_PAGE}"""

_STORED = f"""
SELECT no, source_no, path, key, size, mtime_ns, inode, checksum, etag, version_id, deleting FROM transfer
WHERE job_no = :job_no AND no BETWEEN :first AND :last AND unit_no = :unit_no AND state = :state ORDER BY no LIMIT {_PAGE}"""

# The rows are all there, so this only ever updates them; but an INSERT is one statement for many of them, and SQLite takes a
# quarter less time for it than for as many UPDATEs.
_WRITE_RECEIPTS = f"""
INSERT INTO transfer (job_no, no, size, attempts, checksum, etag, version_id, source_no, path, mtime_ns, inode, state, action)
VALUES (?, ?, ?, ?, ?, ?, ?, 0, '', 0, 0, 0, 0)
ON CONFLICT (job_no, no) DO UPDATE SET state = {FileState.UPLOADED}, size = excluded.size, attempts = excluded.attempts,
    checksum = excluded.checksum, etag = excluded.etag, version_id = excluded.version_id"""

_WRITE_REFUSAL = "UPDATE transfer SET state = ?, attempts = ?, reason = ?, error = ? WHERE job_no = ? AND no = ?"

End = Uploaded | Skipped | Failed
"""The facts of which every transfer that was started has one in the end."""

_BEFORE = "SELECT no, state, attempts, size FROM transfer WHERE job_no = :job_no"

Carried = tuple[int, bytes, int, str, int, Fingerprint, int, OpenUpload | None]
"""(source number, relative path, number, key, action, fingerprint, attempts, open upload) of a file still to be carried."""


class Cause(NamedTuple):
    """The files of a job that failed for one reason."""

    reason: str
    files: int
    mendable: int
    """How many of them sending again could help; what the plan itself refused stays refused."""
    size: int
    first: int
    """Number of the first, and of the last."""
    last: int


class Transfers:
    """The transfers of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def window(self, job_no: int, first: int, count: int) -> list[FileRow]:
        """The files numbered from `first`, at most `count`, in O(log n + count)."""
        with self._database.read() as connection:
            rows = connection.rows(
                f"{_SHOWN} AND no BETWEEN :first AND :last ORDER BY no", job_no=job_no, first=first, last=first + count - 1
            )
        return [_file_row(row) for row in rows]

    def rows(self, job_no: int, numbers: Sequence[int]) -> list[FileRow]:
        """The files with these numbers, in this order; numbers that do not exist are left out."""
        with self._database.read() as connection:
            rows = connection.rows(f"{_SHOWN} AND no = ANY(:numbers)", job_no=job_no, numbers=list(numbers))
        found = {row[0]: _file_row(row) for row in rows}
        return [found[number] for number in numbers if number in found]

    def numbers(self, job_no: int, choice: FileChoice, active: Sequence[int]) -> array[int]:
        """The numbers of the chosen files, sorted by the database: 4 bytes each."""
        if choice == FileChoice(View.ACTIVE):
            return array("I", active)
        query = f"""
            SELECT {"no, path" if choice.containing else "no"} FROM transfer
            WHERE job_no = :job_no {_IN_VIEW[choice.view]} {"" if choice.reason is None else f"AND {REASON} = :reason"}
            ORDER BY {_sorted(choice)}"""
        left_out = frozenset(active) if choice.view is View.QUEUED else frozenset()
        needle = choice.containing.lower().encode("utf-8", "surrogateescape")
        with self._database.read() as connection:
            rows = connection.stream(query, job_no=job_no, active=list(active), reason=choice.reason)
            return array("I", (row[0] for row in rows if row[0] not in left_out and (not needle or needle in row[1].lower())))

    def causes(self, job_no: int) -> list[Cause]:
        """The failed files by reason, the most frequent first. O(n) in the database: 0.7 s for a million files."""
        with self._database.read() as connection:
            rows = connection.rows(_CAUSES, job_no=job_no)
        return [Cause(reason, *map(int, counted)) for reason, *counted in rows]

    def failed(self, job_no: int, cause: Cause, most: int) -> list[FileRow]:
        """The first of the files that failed for a cause."""
        query = f"""
            {_SHOWN} AND state = {FileState.FAILED} AND {REASON} = :reason AND no BETWEEN :first AND :last
            ORDER BY no LIMIT :most"""
        with self._database.read() as connection:
            place = {"first": cause.first, "last": cause.last}
            rows = connection.rows(query, job_no=job_no, reason=cause.reason, most=min(most, cause.files), **place)
        return [_file_row(row) for row in rows]

    def skips(self, job_no: int) -> list[tuple[str, int]]:
        """(reason, count) of the skipped files, the most frequent first."""
        query = f"""
            SELECT coalesce(reason, 'unknown'), count(*) FROM transfer WHERE job_no = :job_no AND state = {FileState.SKIPPED}
            GROUP BY 1 ORDER BY 2 DESC, 1"""
        with self._database.read() as connection:
            return [(reason, count) for reason, count in connection.rows(query, job_no=job_no)]

    def pages(self, job_no: int) -> Iterator[list[Row]]:
        """Every file, by number, in pages, as (path, key, size, state, action, attempts, checksum, etag, reason, error, proof)."""
        first = 0
        while True:
            with self._database.read() as connection:
                page = connection.rows(_REPORTED, job_no=job_no, first=first, last=first + _PAGE - 1)
            if not page:
                return
            yield page
            first += _PAGE  # numbers are dense

    def by_action(
        self, job_no: int, *, large_from: int, part_size: int, most_parts: int
    ) -> dict[Action, tuple[int, int, int, int]]:
        """(files, bytes, files of `large_from` bytes and more, the parts that these make) of what is planned, by action."""
        sizes = {"large_from": large_from, "part_size": part_size, "most_parts": most_parts, "cut_evenly": part_size * most_parts}
        with self._database.read() as connection:
            rows = connection.rows(_BY_ACTION, job_no=job_no, **sizes)
        return {Action(action): (int(files), int(size), int(large), int(parts)) for action, files, size, large, parts in rows}

    def to_carry(self, lease: Lease) -> Iterator[Carried]:
        """What the unit has still to carry, by number; read in pages."""
        first = lease.first
        with self._database.read() as connection:
            uploads = {upload.no: upload for upload in open_uploads(connection, lease.job_no, lease.first, lease.last)}
        while True:
            with self._database.read() as connection:
                page = connection.rows(_TO_CARRY, job_no=lease.job_no, first=first, last=lease.last, unit_no=lease.unit_no)
            for source_no, path, no, key, action, size, mtime_ns, inode, attempts in page:
                yield source_no, path, no, key or "", action, Fingerprint._make((size, mtime_ns, inode)), attempts, uploads.get(no)
            if len(page) < _PAGE:
                return
            first = page[-1][2] + 1

    def stored(self, lease: Lease, state: FileState) -> Iterator[list[Stored]]:
        """What the unit has on the store, of this state, by number; in pages, which are read when they are asked for."""
        first = lease.first
        while True:
            with self._database.read() as connection:
                page = connection.rows(
                    _STORED, job_no=lease.job_no, first=first, last=lease.last, unit_no=lease.unit_no, state=state
                )
            if page:
                yield [_stored(*row) for row in page]
            if len(page) < _PAGE:
                return
            first = page[-1][0] + 1


def _sorted(choice: FileChoice) -> str:
    direction = " DESC" if choice.backwards else ""
    keys = [key + direction for key in _SORTED[choice.order]]
    return ", ".join([*keys, "no"] if keys else ["no" + direction])


def write_facts(connection: Connection, lease: Lease, facts: Sequence[Fact]) -> None:
    """Write facts about files of one unit, and count them, on the caller's transaction. Raises LeaseLost.

    A fact that ends a transfer changes only a row that is planned still, so writing it twice counts it once.
    """
    assert_held(connection, lease)
    ends: dict[int, End] = {}
    others: list[Fact] = []
    for fact in facts:
        if isinstance(fact, End):
            ends[fact.no] = fact
        else:
            others.append(fact)
    write_ledger(connection, lease.job_no, [fact for fact in others if isinstance(fact, LedgerFact)])
    if ends:
        _write_ends(connection, lease, ends)
    write_steps(connection, lease.job_no, [fact for fact in others if isinstance(fact, Step)])


def _write_ends(connection: Connection, lease: Lease, ends: dict[int, End]) -> None:
    receipts: list[tuple[int, int, int, int, str, str, str | None]] = []
    refusals: list[tuple[int, int, str, str | None, int, int]] = []
    seen: list[tuple[int, int, int, int]] = []
    retries = sent = planned = skipped = 0
    for no, state, attempts, size in _before(connection, lease.job_no, ends):
        fact = ends.pop(no, None)
        if fact is None or state != _PLANNED:
            continue
        if fact.attempts > 1:
            retries += max(0, fact.attempts - max(1, attempts))
        if isinstance(fact, Uploaded):
            stored, checksum, etag, version_id, read = fact.receipt
            sent += stored
            planned += size
            receipts.append((lease.job_no, no, stored, fact.attempts, checksum, etag, version_id or None))
            if read is not None:
                seen.append((read.mtime_ns, read.inode, lease.job_no, no))
        elif isinstance(fact, Skipped):
            skipped += 1
            refusals.append((FileState.SKIPPED, fact.attempts, fact.reason, None, lease.job_no, no))
        else:
            refusals.append((FileState.FAILED, fact.attempts, fact.reason, fact.error, lease.job_no, no))
    if ends:
        raise StateError(f"Job {lease.job_no} has no files with the numbers {sorted(ends)}: facts about them cannot be written.")
    forgive_crashes(connection, lease)
    connection.insert(_WRITE_RECEIPTS, receipts)
    connection.execute_each("UPDATE transfer SET mtime_ns = ?, inode = ? WHERE job_no = ? AND no = ?", seen)
    connection.execute_each(_WRITE_REFUSAL, refusals)
    close_uploads(connection, lease, {row[1] for row in receipts})
    connection.execute(
        """
        UPDATE job SET uploaded = uploaded + :uploaded, skipped = skipped + :skipped, failed = failed + :failed,
            retries = retries + :retries, bytes = bytes + :sent, bytes_found = bytes_found + :sent - :planned
        WHERE no = :job_no""",
        job_no=lease.job_no,
        uploaded=len(receipts),
        skipped=skipped,
        failed=len(refusals) - skipped,
        retries=retries,
        sent=sent,
        planned=planned,
    )


def _before(connection: Connection, job_no: int, numbers: Collection[int]) -> list[Row]:
    """(number, state, attempts, size) of these files, and perhaps of others between them."""
    first, last = min(numbers), max(numbers)
    if last - first < 2 * len(numbers):
        return connection.rows(f"{_BEFORE} AND no BETWEEN :first AND :last", job_no=job_no, first=first, last=last)
    return connection.rows(f"{_BEFORE} AND no = ANY(:numbers)", job_no=job_no, numbers=list(numbers))


def _stored(
    no: int,
    source_no: int,
    path: bytes,
    key: str,
    size: int,
    mtime_ns: int,
    inode: int,
    checksum: str,
    etag: str,
    version_id: str | None,
    deleting: bool,
) -> Stored:
    receipt = Receipt(size, checksum, etag, version_id or "")
    return Stored(no, source_no, path, key, Fingerprint(size, mtime_ns, inode), receipt, bool(deleting))


def _file_row(row: Row) -> FileRow:
    no, path, key, size, state, action, *rest = row
    return FileRow(no, path, key, size, FileState(state), Action(action), *rest)

"""Rows of `transfer`: the files of a job. Windows for screens, pages for engines and reports, facts for the journal."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Update, bindparam, select, update

from s3tui.events import Fact, Failed, Skipped, SourceDeleted, Uploaded, Verified
from s3tui.model import Action, FileRow, FileState, Fingerprint, Lease, View
from s3tui.state.database import Database
from s3tui.state.schema import job, transfer
from s3tui.state.units import assert_held

_PAGE = 500
_SHOWN = tuple(transfer.c[name] for name in FileRow.__dataclass_fields__)
_IN_VIEW = {
    View.FAILED: (FileState.FAILED,),
    View.QUEUED: (FileState.PLANNED,),
    View.DONE: (FileState.UPLOADED, FileState.VERIFIED, FileState.DELETED, FileState.SKIPPED),
}


class Transfers:
    """The transfers of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def window(self, job_no: int, first: int, count: int) -> list[FileRow]:
        """The files numbered from `first`, at most `count`, in O(log n + count)."""
        query = (
            select(*_SHOWN)
            .where(transfer.c.job_no == job_no, transfer.c.no.between(first, first + count - 1))
            .order_by(transfer.c.no)
        )
        with self._database.read() as connection:
            return [_file_row(row) for row in connection.execute(query)]

    def rows(self, job_no: int, numbers: Sequence[int]) -> list[FileRow]:
        """The files with these numbers, in this order; numbers that do not exist are left out."""
        query = select(*_SHOWN).where(transfer.c.job_no == job_no, transfer.c.no.in_(list(numbers)))
        with self._database.read() as connection:
            found = {row.no: _file_row(row) for row in connection.execute(query)}
        return [found[number] for number in numbers if number in found]

    def numbers(self, job_no: int, view: View, containing: str, active: Sequence[int]) -> array[int]:
        """The numbers of the files in a view, ascending: 8 bytes each."""
        if view is View.ACTIVE and not containing:
            return array("q", active)
        query = select(transfer.c.no, transfer.c.path) if containing else select(transfer.c.no)
        query = query.where(transfer.c.job_no == job_no).order_by(transfer.c.no).execution_options(yield_per=10_000)
        if view in _IN_VIEW:
            query = query.where(transfer.c.state.in_(_IN_VIEW[view]))
        elif view is View.ACTIVE:
            query = query.where(transfer.c.no.in_(list(active)))
        left_out = frozenset(active) if view is View.QUEUED else frozenset()
        needle = containing.lower().encode("utf-8", "surrogateescape")
        with self._database.read() as connection:
            rows = connection.execute(query)
            return array(
                "q", (row[0] for row in rows if row[0] not in left_out and (not needle or needle in bytes(row[1]).lower()))
            )

    def of_state(self, job_no: int, state: FileState) -> Iterator[FileRow]:
        """The files in one state, by number; read in pages, so memory stays flat."""
        after = -1
        while True:
            query = (
                select(*_SHOWN)
                .where(transfer.c.job_no == job_no, transfer.c.state == state, transfer.c.no > after)
                .order_by(transfer.c.no)
                .limit(_PAGE)
            )
            with self._database.read() as connection:
                page = [_file_row(row) for row in connection.execute(query)]
            yield from page
            if len(page) < _PAGE:
                return
            after = page[-1].no

    def to_carry(self, lease: Lease) -> Iterator[tuple[int, bytes, int, str, Fingerprint, int]]:
        """(source number, relative path, number, key, fingerprint, attempts) of what the unit has still to carry; read in pages."""
        after = lease.first - 1
        while True:
            query = (
                select(transfer)
                .where(
                    transfer.c.job_no == lease.job_no,
                    transfer.c.no.between(after + 1, lease.last),
                    transfer.c.unit_no == lease.unit_no,
                    transfer.c.state == FileState.PLANNED,
                )
                .order_by(transfer.c.no)
                .limit(_PAGE)
            )
            with self._database.read() as connection:
                page = connection.execute(query).all()
            for row in page:
                fingerprint = Fingerprint(row.size, row.mtime_ns, row.inode)
                yield row.source_no, bytes(row.path), row.no, row.key or "", fingerprint, row.attempts
            if len(page) < _PAGE:
                return
            after = page[-1].no


def write_facts(connection: Connection, lease: Lease, facts: Sequence[Fact]) -> None:
    """Write facts about files of one unit, and count them, on the caller's transaction. Raises LeaseLost.

    A fact that ends a transfer changes only a row that is planned still, so writing it twice counts it once.
    """
    assert_held(connection, lease)
    before = _before(connection, lease.job_no, [fact.no for fact in facts])
    ended = [fact for fact in facts if isinstance(fact, Uploaded | Skipped | Failed) and before[fact.no].state == FileState.PLANNED]
    uploaded = [fact for fact in ended if isinstance(fact, Uploaded)]
    refused = [fact for fact in ended if not isinstance(fact, Uploaded)]
    if uploaded:
        connection.execute(_write_uploaded(lease.job_no), [_receipt(fact) for fact in uploaded])
    if refused:
        connection.execute(_write_refused(lease.job_no), [_refusal(fact) for fact in refused])
    deleted = _write_steps(connection, lease.job_no, facts)
    connection.execute(
        update(job)
        .where(job.c.no == lease.job_no)
        .values(
            uploaded=job.c.uploaded + len(uploaded),
            skipped=job.c.skipped + sum(isinstance(fact, Skipped) for fact in refused),
            failed=job.c.failed + sum(isinstance(fact, Failed) for fact in refused),
            deleted=job.c.deleted + deleted,
            retries=job.c.retries + sum(max(0, fact.attempts - max(1, before[fact.no].attempts)) for fact in ended),
            bytes=job.c.bytes + sum(fact.receipt.size for fact in uploaded),
            bytes_found=job.c.bytes_found + sum(fact.receipt.size - before[fact.no].size for fact in uploaded),
        )
    )


def _before(connection: Connection, job_no: int, numbers: Sequence[int]) -> dict[int, Row[*tuple[Any, ...]]]:
    found: dict[int, Row[*tuple[Any, ...]]] = {}
    for start in range(0, len(numbers), _PAGE):
        query = select(transfer.c.no, transfer.c.state, transfer.c.attempts, transfer.c.size).where(
            transfer.c.job_no == job_no, transfer.c.no.in_(numbers[start : start + _PAGE])
        )
        found.update((row.no, row) for row in connection.execute(query))
    return found


def _write_steps(connection: Connection, job_no: int, facts: Sequence[Fact]) -> int:
    """Write the facts that follow an upload; returns how many sources were deleted."""
    verified = [fact.no for fact in facts if isinstance(fact, Verified)]
    deleted = [fact.no for fact in facts if isinstance(fact, SourceDeleted)]
    count = 0
    for numbers, state in ((verified, FileState.VERIFIED), (deleted, FileState.DELETED)):
        if numbers:
            earlier = transfer.c.state.in_((FileState.UPLOADED, FileState.VERIFIED))
            count = connection.execute(
                update(transfer).where(transfer.c.job_no == job_no, transfer.c.no.in_(numbers), earlier).values(state=state)
            ).rowcount
    return count if deleted else 0


def _write_uploaded(job_no: int) -> Update:
    return _of_number(job_no).values(
        state=FileState.UPLOADED,
        attempts=bindparam("tries"),
        size=bindparam("bytes"),
        checksum=bindparam("sum"),
        etag=bindparam("tag"),
        version_id=bindparam("version"),
        reason=None,
        error=None,
    )


def _receipt(fact: Uploaded) -> dict[str, object]:
    receipt = fact.receipt
    return {
        "number": fact.no,
        "tries": fact.attempts,
        "bytes": receipt.size,
        "sum": receipt.checksum,
        "tag": receipt.etag,
        "version": receipt.version_id or None,
    }


def _write_refused(job_no: int) -> Update:
    return _of_number(job_no).values(
        state=bindparam("new_state"), attempts=bindparam("tries"), reason=bindparam("why"), error=bindparam("sentence")
    )


def _refusal(fact: Skipped | Failed) -> dict[str, object]:
    if isinstance(fact, Failed):
        return {
            "number": fact.no,
            "new_state": FileState.FAILED,
            "tries": fact.attempts,
            "why": fact.reason,
            "sentence": fact.error,
        }
    return {"number": fact.no, "new_state": FileState.SKIPPED, "tries": fact.attempts, "why": fact.reason, "sentence": None}


def _of_number(job_no: int) -> Update:
    return update(transfer).where(transfer.c.job_no == job_no, transfer.c.no == bindparam("number"))


def _file_row(row: Row[*tuple[Any, ...]]) -> FileRow:
    found = row._mapping
    return FileRow(
        no=found["no"],
        path=bytes(found["path"]),
        key=found["key"],
        size=found["size"],
        state=FileState(found["state"]),
        action=Action(found["action"]),
        attempts=found["attempts"],
        reason=found["reason"],
        error=found["error"],
        checksum=found["checksum"],
        etag=found["etag"],
    )

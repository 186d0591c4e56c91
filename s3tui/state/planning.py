"""Writing a plan down: transfers, numbered in the order of the scan, with the units that will carry them.

Each shard is one transaction: rows, unit, counters and message. The number of the next transfer is the job's `found`, so the
numbers are dense, and the last row says where a scan that was killed goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, Update, bindparam, collate, insert, or_, select, update

from s3tui.events import Compared, Planned
from s3tui.model import Action, FileState, Lease, UnitKind
from s3tui.state.database import Database
from s3tui.state.outbox import post_units
from s3tui.state.schema import job, transfer, unit
from s3tui.state.settling import HELD, READY, settle
from s3tui.state.units import assert_held, finish_unit

_FOUND_BY_COMPARING = ("key_collision", "exists")
_ACTIONS = {FileState.PLANNED: Action.UPLOAD, FileState.SKIPPED: Action.SKIP, FileState.FAILED: Action.FAIL}
_STATES = {Action.SKIP: FileState.SKIPPED, Action.FAIL: FileState.FAILED}


class Planning:
    """The writer's side of a plan."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, lease: Lease, shard: Sequence[Planned], *, hold: bool) -> None:
        """Write a shard of the scan, and the unit that will carry it; `hold` keeps the unit back. Raises LeaseLost."""
        with self._database.write() as connection:
            assert_held(connection, lease)
            found = connection.execute(select(job).where(job.c.no == lease.job_no)).one()
            to_send = [planned for planned in shard if planned.state is FileState.PLANNED]
            unit_no = found.units if to_send else None
            connection.execute(insert(transfer), list(_rows(lease.job_no, found.found, unit_no, shard)))
            if unit_no is not None:
                first, last = found.found, found.found + len(shard) - 1
                state = HELD if hold else READY
                connection.execute(
                    insert(unit).values(job_no=lease.job_no, no=unit_no, kind=UnitKind.CARRY, first=first, last=last, state=state)
                )
                if not hold and found.home is None:
                    post_units(connection, found.queue, found.id, [unit_no])
            connection.execute(
                update(job)
                .where(job.c.no == lease.job_no)
                .values(
                    found=job.c.found + len(shard),
                    skipped=job.c.skipped + sum(planned.state is FileState.SKIPPED for planned in shard),
                    failed=job.c.failed + sum(planned.state is FileState.FAILED for planned in shard),
                    bytes_found=job.c.bytes_found + sum(planned.fingerprint.size for planned in to_send),
                    units=job.c.units + (1 if to_send else 0),
                )
            )

    def last(self, lease: Lease) -> tuple[int, bytes] | None:
        """(source number, relative path) of the last entry written, for a scan to go on after."""
        with self._database.read() as connection:
            row = connection.execute(
                select(transfer.c.source_no, transfer.c.path)
                .where(transfer.c.job_no == lease.job_no)
                .order_by(transfer.c.no.desc())
                .limit(1)
            ).first()
            return None if row is None else (row.source_no, bytes(row.path))

    def by_key(self, lease: Lease) -> Iterator[tuple[int, str]]:
        """(number, key) of all that may be sent, sorted by the bytes of the key; the database sorts, so memory stays flat."""
        with self._database.read() as connection:
            key = collate(transfer.c.key, "C") if connection.dialect.name == "postgresql" else transfer.c.key
            query = (
                select(transfer.c.no, transfer.c.key)
                .where(
                    transfer.c.job_no == lease.job_no,
                    transfer.c.key.is_not(None),
                    or_(transfer.c.state == FileState.PLANNED, transfer.c.reason.in_(_FOUND_BY_COMPARING)),
                )
                .order_by(key, transfer.c.no)
                .execution_options(stream_results=True, yield_per=1000)
            )
            for row in connection.execute(query):
                yield row.no, row.key or ""

    def compared(self, lease: Lease, page: Sequence[Compared]) -> None:
        """Write what comparing found about files that are still planned; at most 1,000 of them. Raises LeaseLost."""
        with self._database.write() as connection:
            assert_held(connection, lease)
            planned = _still_planned(connection, lease.job_no, [fact.no for fact in page])
            changed = [(fact, planned[fact.no]) for fact in page if fact.no in planned]
            if not changed:
                return
            connection.execute(_write_compared(lease.job_no), [_comparison(fact) for fact, _size in changed])
            refused = [(fact, size) for fact, size in changed if fact.action in (Action.SKIP, Action.FAIL)]
            connection.execute(
                update(job)
                .where(job.c.no == lease.job_no)
                .values(
                    skipped=job.c.skipped + sum(fact.action is Action.SKIP for fact, _size in refused),
                    failed=job.c.failed + sum(fact.action is Action.FAIL for fact, _size in refused),
                    bytes_found=job.c.bytes_found - sum(size for _fact, size in refused),
                )
            )

    def finish(self, lease: Lease) -> None:
        """The plan is whole: a dry run ends here, otherwise the units held back are released. Raises LeaseLost."""
        with self._database.write() as connection:
            finish_unit(connection, lease)
            connection.execute(update(job).where(job.c.no == lease.job_no).values(planned=True))
            found = connection.execute(select(job).where(job.c.no == lease.job_no)).one()
            if not found.dry_run:
                released = (
                    connection.execute(
                        update(unit)
                        .where(unit.c.job_no == lease.job_no, unit.c.state == HELD)
                        .values(state=READY)
                        .returning(unit.c.no)
                    )
                    .scalars()
                    .all()
                )
                if found.home is None:
                    post_units(connection, found.queue, found.id, sorted(released))
            settle(connection, lease.job_no)


def _rows(job_no: int, first: int, unit_no: int | None, shard: Sequence[Planned]) -> Iterator[dict[str, object]]:
    for number, planned in enumerate(shard, first):
        yield {
            "job_no": job_no,
            "no": number,
            "unit_no": unit_no if planned.state is FileState.PLANNED else None,
            "source_no": planned.source_no,
            "path": planned.path,
            "key": planned.key,
            "size": planned.fingerprint.size,
            "mtime_ns": planned.fingerprint.mtime_ns,
            "inode": planned.fingerprint.inode,
            "state": planned.state,
            "action": _ACTIONS[planned.state],
            "attempts": 0,
            "reason": planned.reason,
            "error": planned.error,
        }


def _write_compared(job_no: int) -> Update:
    return (
        update(transfer)
        .where(transfer.c.job_no == job_no, transfer.c.no == bindparam("number"))
        .values(action=bindparam("new_action"), state=bindparam("new_state"), reason=bindparam("why"), error=bindparam("sentence"))
    )


def _comparison(fact: Compared) -> dict[str, object]:
    state = _STATES.get(fact.action, FileState.PLANNED)
    return {"number": fact.no, "new_action": fact.action, "new_state": state, "why": fact.reason, "sentence": fact.error}


def _still_planned(connection: Connection, job_no: int, numbers: Sequence[int]) -> dict[int, int]:
    query = select(transfer.c.no, transfer.c.size).where(
        transfer.c.job_no == job_no, transfer.c.no.in_(numbers), transfer.c.state == FileState.PLANNED
    )
    return {row.no: row.size for row in connection.execute(query)}

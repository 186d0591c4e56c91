"""Rows of `job`: what was asked, what is wanted now, and how it stands.

What a change means for the state of the job is drawn by `state.settling`, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, insert, or_, select, update

from s3tui.model import Action, Desired, FileState, Job, JobState, Totals, UnitKind
from s3tui.state.database import Database
from s3tui.state.outbox import post_units
from s3tui.state.schema import job, transfer, unit
from s3tui.state.settling import HELD, READY, UNENDED, fail_job, free_dead, reopen_files, settle

_RETRY_UNIT = 1000
"""Files in one unit of a retry."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """What a face gives to make a job."""

    id: str
    kind: str
    queue: str
    spec: str
    spec_hash: str
    dry_run: bool
    concurrency: int
    home: str | None
    identity: str
    created_at: int


class Jobs:
    """The jobs of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, new: NewJob, *, unless_unfinished: bool = False) -> Job | None:
        """Write the job, the unit that plans it, and the message for that unit.

        `unless_unfinished`: return the unfinished job of the same spec instead, if there is one; of two processes that ask at the
        same time, one creates it and the other gets it.
        """
        with self._database.write() as connection:
            if unless_unfinished:
                self._database.lock(connection, new.spec_hash)
                unfinished = connection.execute(_unfinished(new.spec_hash)).first()
                if unfinished is not None:
                    return job_of(unfinished)
            row = {**asdict(new), "state": JobState.PENDING, "desired": Desired.RUN, "planned": False, "units": 1}
            number = connection.execute(insert(job).values(row).returning(job.c.no)).scalar_one()
            connection.execute(insert(unit).values(job_no=number, no=0, kind=UnitKind.PLAN, first=0, last=-1, state=READY))
            if new.home is None:
                post_units(connection, new.queue, new.id, [0])
            return None

    def find(self, beginning: str) -> list[Job]:
        """The jobs whose id is, or begins with, this text: at most two."""
        upper = beginning.upper()
        return self._read(select(job).where(job.c.id >= upper, job.c.id < upper + "~").order_by(job.c.id).limit(2))

    def by_no(self, number: int) -> Job:
        """The job with this number, which must exist."""
        return self._read(select(job).where(job.c.no == number))[0]

    def newest(self, *, limit: int, before: int | None) -> list[Job]:
        """Jobs, newest first, older than the one with the number `before`."""
        query = select(job).order_by(job.c.no.desc()).limit(limit)
        return self._read(query if before is None else query.where(job.c.no < before))

    def desire(self, number: int, desired: Desired) -> None:
        """Write down what a person wants; it is true at once if no worker has to be waited for."""
        with self._database.write() as connection:
            connection.execute(update(job).where(job.c.no == number).values(desired=desired))
            free_dead(connection, self._database.now())
            settle(connection, number)

    def reopen(self, number: int, *, home: str | None) -> None:
        """Let a job go on: paused, stopped half-way, or left behind by a dead worker. One that has ended stays so."""
        could_go_on = job.c.state.in_((*UNENDED, JobState.FAILED))
        with self._database.write() as connection:
            free_dead(connection, self._database.now())
            if not connection.execute(update(job).where(job.c.no == number, could_go_on).values(desired=Desired.RUN)).rowcount:
                return
            reopen_files(connection, number)
            self._go(connection, number, home)
            settle(connection, number)

    def apply(self, number: int, *, home: str | None) -> None:
        """Let a planned job carry what it planned."""
        with self._database.write() as connection:
            connection.execute(update(unit).where(unit.c.job_no == number, unit.c.state == HELD).values(state=READY))
            connection.execute(update(job).where(job.c.no == number).values(dry_run=False, started_at=None))
            self._go(connection, number, home)
            settle(connection, number)

    def retry(self, number: int, files: Sequence[int] | None, *, home: str | None) -> int:
        """Plan failed files again, in units of their own; returns how many.

        Files that the plan itself refused (a name that cannot be a key, two files for one key) are left as they are.
        """
        with self._database.write() as connection:
            count = 0
            for numbers in _pages(self._failed(connection, number, files), _RETRY_UNIT):
                _plan_again(connection, number, numbers)
                count += len(numbers)
            if count:
                self._go(connection, number, home)
            return count

    def set_concurrency(self, number: int, concurrency: int) -> None:
        """Change the number of transfers in flight."""
        with self._database.write() as connection:
            connection.execute(update(job).where(job.c.no == number).values(concurrency=max(1, concurrency)))

    def fail(self, number: int, reason: str, error: str) -> None:
        """End the job for a cause that all its files share."""
        with self._database.write() as connection:
            fail_job(connection, number, reason, error)

    def _failed(self, connection: Connection, number: int, files: Sequence[int] | None) -> list[int]:
        query = (
            select(transfer.c.no)
            .where(transfer.c.job_no == number, transfer.c.state == FileState.FAILED, transfer.c.action != Action.FAIL)
            .order_by(transfer.c.no)
        )
        if files is None:
            return list(connection.execute(query).scalars())
        return [
            found
            for page in _pages(sorted(set(files)), 500)
            for found in connection.execute(query.where(transfer.c.no.in_(page))).scalars()
        ]

    def _go(self, connection: Connection, number: int, home: str | None) -> None:
        connection.execute(
            update(job)
            .where(job.c.no == number)
            .values(desired=Desired.RUN, state=JobState.PENDING, home=home, reason=None, error=None, finished_at=None)
        )
        if home is None:
            row = connection.execute(select(job.c.queue, job.c.id).where(job.c.no == number)).one()
            ready = connection.execute(select(unit.c.no).where(unit.c.job_no == number, unit.c.state == READY)).scalars().all()
            post_units(connection, row.queue, row.id, ready)

    def _read(self, query: Select[*tuple[Any, ...]]) -> list[Job]:
        with self._database.read() as connection:
            return [job_of(row) for row in connection.execute(query)]


def _unfinished(spec_hash: str) -> Select[*tuple[Any, ...]]:
    """The newest job of the same spec that could go on: not ended, or stopped half-way by a fatal error."""
    half_way = and_(job.c.state == JobState.FAILED, job.c.found > 0, job.c.units_done < job.c.units)
    could_go_on = and_(or_(job.c.state.in_(UNENDED), half_way), job.c.desired != Desired.CANCEL)
    return select(job).where(job.c.spec_hash == spec_hash, ~job.c.dry_run, could_go_on).order_by(job.c.no.desc()).limit(1)


def _plan_again(connection: Connection, number: int, files: list[int]) -> None:
    """Put failed files into a unit of their own; their attempts are kept."""
    next_unit = connection.execute(select(func.max(unit.c.no)).where(unit.c.job_no == number)).scalar_one() + 1
    connection.execute(
        insert(unit).values(job_no=number, no=next_unit, kind=UnitKind.CARRY, first=files[0], last=files[-1], state=READY)
    )
    for page in _pages(files, 500):
        connection.execute(
            update(transfer)
            .where(transfer.c.job_no == number, transfer.c.no.in_(page))
            .values(state=FileState.PLANNED, unit_no=next_unit, reason=None, error=None)
        )
    connection.execute(update(job).where(job.c.no == number).values(units=job.c.units + 1, failed=job.c.failed - len(files)))


def _pages(numbers: Sequence[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(numbers), size):
        yield list(numbers[start : start + size])


def job_of(row: Row[*tuple[Any, ...]]) -> Job:
    """A row of `job` as the noun."""
    found = row._mapping
    return Job(
        no=found["no"],
        id=found["id"],
        kind=found["kind"],
        state=JobState(found["state"]),
        desired=Desired(found["desired"]),
        spec=found["spec"],
        dry_run=found["dry_run"],
        planned=found["planned"],
        totals=Totals(**{name: found[name] for name in Totals.__dataclass_fields__}),
        concurrency=found["concurrency"],
        created_at=found["created_at"],
        started_at=found["started_at"],
        finished_at=found["finished_at"],
        reason=found["reason"],
        error=found["error"],
        home=found["home"],
        identity=found["identity"],
    )

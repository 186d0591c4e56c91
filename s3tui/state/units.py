"""Rows of `unit`: who works on which part of a job, and until when.

A claim is a compare-and-set that raises the fencing token. Whatever a worker writes about a unit carries its token, in the same
transaction; a worker that slept past its lease finds the token gone and writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Select, and_, func, literal, or_, select, update

from s3tui.errors import LeaseLost
from s3tui.model import Desired, Job, JobState, Lease, UnitKind, now_ms
from s3tui.state.database import Database
from s3tui.state.jobs import job_of
from s3tui.state.schema import job, unit, worker
from s3tui.state.settling import DONE, LEASED, READY, anything_dead, free_dead, settle

LEASE_MS = 15_000
"""How long a worker that stopped beating keeps its units."""


@dataclass(frozen=True, slots=True)
class Claimant:
    """A worker, as far as claims care."""

    id: str
    identity: str
    queues: tuple[str, ...]
    home_only: bool


class Units:
    """The units of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, claimant: Claimant, busy: Collection[int] = ()) -> tuple[Lease, Job] | None:
        """Take the oldest unit that this worker may have, of a job that is not `busy`; None if there is none."""
        query = self._claimable(claimant, busy).order_by(unit.c.job_no, unit.c.no).limit(1)
        with self._database.read() as connection:
            if connection.execute(query).first() is None:
                return None
        with self._database.write() as connection:
            found = connection.execute(query.with_for_update(skip_locked=True, of=unit)).first()
            if found is None:
                return None
            return self._take(connection, claimant, found.job_no, found.no)

    def reap(self) -> None:
        """Free what dead workers hold; a read, unless there is any."""
        with self._database.read() as connection:
            if not anything_dead(connection, self._database.now()):
                return
        with self._database.write() as connection:
            free_dead(connection, self._database.now())

    def finish(self, lease: Lease) -> None:
        """Write that the unit is done; the last one ends its job. Raises LeaseLost."""
        with self._database.write() as connection:
            finish_unit(connection, lease)
            settle(connection, lease.job_no)

    def is_done(self, lease: Lease) -> bool:
        """Whether the unit was finished under this lease."""
        mine = and_(unit.c.job_no == lease.job_no, unit.c.no == lease.unit_no, unit.c.token == lease.token)
        with self._database.read() as connection:
            return connection.execute(select(unit.c.no).where(mine, unit.c.state == DONE)).first() is not None

    def release(self, lease: Lease) -> None:
        """Give the unit back unfinished; its next worker goes on from the last fact. A lost lease is no error."""
        with self._database.write() as connection:
            connection.execute(update(unit).where(held(lease)).values(state=READY, worker=None, lease_until=None))
            settle(connection, lease.job_no)

    def orders(self, numbers: Sequence[int]) -> dict[int, tuple[Desired, JobState, int]]:
        """What people want of these jobs: desired, state, concurrency."""
        with self._database.read() as connection:
            rows = connection.execute(select(job.c.no, job.c.desired, job.c.state, job.c.concurrency).where(job.c.no.in_(numbers)))
            return {row.no: (Desired(row.desired), JobState(row.state), row.concurrency) for row in rows}

    def _claimable(self, claimant: Claimant, busy: Collection[int]) -> Select[int, int]:
        now = self._database.now()
        home_lives = select(literal(1)).where(worker.c.id == job.c.home, worker.c.alive_until >= now).exists()
        mine: ColumnElement[bool] = job.c.home == claimant.id
        return (
            select(unit.c.job_no, unit.c.no)
            .join_from(unit, job, unit.c.job_no == job.c.no)
            .where(
                unit.c.state == READY,
                job.c.state.in_((JobState.PENDING, JobState.RUNNING)),
                job.c.desired == Desired.RUN,
                job.c.queue.in_(claimant.queues),
                or_(job.c.identity == "", job.c.identity == claimant.identity),
                mine if claimant.home_only else or_(job.c.home.is_(None), mine, ~home_lives),
                job.c.no.not_in(list(busy)),
            )
        )

    def _take(self, connection: Connection, claimant: Claimant, job_no: int, unit_no: int) -> tuple[Lease, Job]:
        taken = connection.execute(
            update(unit)
            .where(unit.c.job_no == job_no, unit.c.no == unit_no)
            .values(state=LEASED, worker=claimant.id, token=unit.c.token + 1, lease_until=self._database.now() + LEASE_MS)
            .returning(unit.c.kind, unit.c.first, unit.c.last, unit.c.token, unit.c.attempts)
        ).one()
        connection.execute(
            update(job)
            .where(job.c.no == job_no)
            .values(state=JobState.RUNNING, started_at=func.coalesce(job.c.started_at, now_ms()))
        )
        found = job_of(connection.execute(select(job).where(job.c.no == job_no)).one())
        kind, after_crash = UnitKind(taken.kind), taken.attempts > 0
        return Lease(job_no, unit_no, kind, taken.first, taken.last, taken.token, claimant.id, after_crash), found


def held(lease: Lease) -> ColumnElement[bool]:
    """The condition that the lease is still the unit's."""
    return and_(unit.c.job_no == lease.job_no, unit.c.no == lease.unit_no, unit.c.token == lease.token, unit.c.state == LEASED)


def assert_held(connection: Connection, lease: Lease) -> None:
    """Take the unit's row lock and make sure of the lease. Raises LeaseLost."""
    if connection.execute(update(unit).where(held(lease)).values(token=unit.c.token)).rowcount == 0:
        raise LeaseLost(f"Unit {lease.unit_no} is another worker's now.")


def finish_unit(connection: Connection, lease: Lease) -> None:
    """Mark the unit done and count it. Raises LeaseLost."""
    if connection.execute(update(unit).where(held(lease)).values(state=DONE, worker=None, lease_until=None)).rowcount == 0:
        raise LeaseLost(f"Unit {lease.unit_no} is another worker's now.")
    connection.execute(update(job).where(job.c.no == lease.job_no).values(units_done=job.c.units_done + 1))

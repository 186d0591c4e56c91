"""Rows of `unit`: who works on which part of a job, and until when.

A claim is a compare-and-set that raises the fencing token. Whatever a worker writes about a unit carries its token, in the same
transaction; a worker that slept past its lease finds the token gone and writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from s3tui.errors import LeaseLost
from s3tui.model import Desired, Job, JobState, Lease, UnitKind, now_ms
from s3tui.state.chronicle import tell_begun
from s3tui.state.database import Database
from s3tui.state.job_row import JOB, job_of
from s3tui.state.settling import DONE, LEASED, READY, anything_dead, free_dead, settle
from s3tui.state.sightings import BLIND, REASON, this_vantage
from s3tui.state.sql import Connection

LEASE_MS = 15_000
"""How long a worker that stopped beating keeps its units."""


@dataclass(frozen=True, slots=True)
class Claimant:
    """A worker, as far as claims care."""

    id: str
    identity: str
    queues: tuple[str, ...]
    home_only: bool

    @property
    def values(self) -> dict[str, object]:
        """The values of `MAY_TAKE`."""
        return {"claimant": self.id, "identity": self.identity, "queues": list(self.queues), "home_only": self.home_only}


class Orders(NamedTuple):
    """What people want of a job."""

    desired: Desired
    state: JobState
    concurrency: int
    bandwidth: int


MAY_TAKE = """
    job.queue = ANY(:queues) AND job.identity IN ('', :identity)
    AND (job.home = :claimant OR NOT :home_only AND (job.home IS NULL OR NOT EXISTS (
        SELECT 1 FROM worker WHERE worker.id = job.home AND worker.alive_until >= clock_ms())))"""
"""The condition that a claimant may work on a job: its queue, its credentials, and no other worker that the job is bound to."""

_CLAIMABLE = f"""
SELECT unit.job_no, unit.no FROM unit JOIN job ON job.no = unit.job_no
WHERE unit.state = {READY} AND job.state IN ('pending', 'running') AND job.desired = 'run' AND job.no <> ALL(:busy) AND {MAY_TAKE}
    AND (job.home = :claimant OR NOT {BLIND})
ORDER BY unit.job_no, unit.no LIMIT 1"""

_HELD = f"job_no = :job_no AND no = :unit_no AND token = :token AND state = {LEASED}"


class Units:
    """The units of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, claimant: Claimant, busy: Collection[int] = ()) -> tuple[Lease, Job] | None:
        """Take the oldest unit that this worker may have, of a job that is not `busy`; None if there is none."""
        values: dict[str, object] = {"busy": list(busy), "vantage": this_vantage(), **claimant.values}
        if not self._database.is_shared and not self._any_claimable(values):  # a file has one writer at a time
            return None
        with self._database.write() as connection:
            found = connection.first(f"{_CLAIMABLE} FOR UPDATE OF unit SKIP LOCKED", **values)
            return None if found is None else _take(connection, claimant, *found)

    def _any_claimable(self, values: dict[str, object]) -> bool:
        with self._database.read() as connection:
            return connection.first(_CLAIMABLE, **values) is not None

    def reap(self) -> None:
        """Free what dead workers hold; a read, unless there is any."""
        with self._database.read() as connection:
            if not anything_dead(connection):
                return
        with self._database.write() as connection:
            free_dead(connection)

    def finish(self, lease: Lease) -> None:
        """Write that the unit is done; the last one ends its job. Raises LeaseLost."""
        with self._database.write() as connection:
            finish_unit(connection, lease)
            settle(connection, lease.job_no)

    def is_done(self, lease: Lease) -> bool:
        """Whether the unit was finished under this lease."""
        with self._database.read() as connection:
            done = f"SELECT 1 FROM unit WHERE job_no = :job_no AND no = :unit_no AND token = :token AND state = {DONE}"
            return connection.first(done, **_right(lease)) is not None

    def ensure_held(self, lease: Lease) -> None:
        """See that the unit is still ours, before something is done that no transaction guards. Raises LeaseLost."""
        with self._database.read() as connection:
            if connection.first(f"SELECT 1 FROM unit WHERE {_HELD}", **_right(lease)) is None:
                raise LeaseLost(f"Unit {lease.unit_no} is another worker's now.")

    def release(self, lease: Lease) -> None:
        """Give the unit back unfinished; its next worker goes on from the last fact. A lost lease is no error."""
        with self._database.write() as connection:
            connection.execute(f"UPDATE unit SET state = {READY}, worker = NULL, lease_until = NULL WHERE {_HELD}", **_right(lease))
            settle(connection, lease.job_no)

    def orders(self, numbers: Sequence[int]) -> dict[int, Orders]:
        """What people want of these jobs, by number."""
        with self._database.read() as connection:
            rows = connection.rows(
                "SELECT no, desired, state, concurrency, bandwidth FROM job WHERE no = ANY(:numbers)", numbers=list(numbers)
            )
            return {no: Orders(Desired(desired), JobState(state), *limits) for no, desired, state, *limits in rows}


def assert_held(connection: Connection, lease: Lease) -> None:
    """Take the unit's row lock and make sure of the lease. Raises LeaseLost."""
    if not connection.execute(f"UPDATE unit SET token = token WHERE {_HELD}", **_right(lease)):
        raise LeaseLost(f"Unit {lease.unit_no} is another worker's now.")


def forgive_crashes(connection: Connection, lease: Lease) -> None:
    """The unit has got on: what workers died of was not this unit, or not what is left of it. The caller holds the lease."""
    forgiven = "UPDATE unit SET attempts = 0 WHERE job_no = :job_no AND no = :unit_no AND attempts > 0"
    connection.execute(forgiven, job_no=lease.job_no, unit_no=lease.unit_no)


def finish_unit(connection: Connection, lease: Lease) -> None:
    """Mark the unit done and count it. Raises LeaseLost."""
    done = f"UPDATE unit SET state = {DONE}, worker = NULL, lease_until = NULL WHERE {_HELD}"
    if not connection.execute(done, **_right(lease)):
        raise LeaseLost(f"Unit {lease.unit_no} is another worker's now.")
    connection.execute("UPDATE job SET units_done = units_done + 1 WHERE no = :job_no", job_no=lease.job_no)


def _take(connection: Connection, claimant: Claimant, job_no: int, unit_no: int) -> tuple[Lease, Job]:
    [(kind, first, last, token, attempts)] = connection.rows(
        f"""
        UPDATE unit SET state = {LEASED}, worker = :worker, token = token + 1, lease_until = clock_ms() + :lease
        WHERE job_no = :job_no AND no = :unit_no
        RETURNING kind, first, last, token, attempts""",
        worker=claimant.id,
        lease=LEASE_MS,
        job_no=job_no,
        unit_no=unit_no,
    )
    begun = connection.execute(
        "UPDATE job SET state = 'running', started_at = coalesce(started_at, :now) WHERE no = :job_no AND state <> 'running'",
        job_no=job_no,
        now=now_ms(),
    )
    [row] = connection.rows(f"SELECT {JOB} FROM job WHERE no = :job_no", job_no=job_no)
    job = job_of(row)
    if begun and job.reason != REASON:  # whoever looks for its sources again has not begun
        tell_begun(job)
    return Lease(job_no, unit_no, UnitKind(kind), first, last, token, claimant.id, after_crash=attempts > 0), job


def _right(lease: Lease) -> dict[str, int]:
    """The values of `_HELD`."""
    return {"job_no": lease.job_no, "unit_no": lease.unit_no, "token": lease.token}

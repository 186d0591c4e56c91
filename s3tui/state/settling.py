"""What follows from a change: the state of a job, and the fate of units whose worker died.

A job's state follows from three things: what people desire, which units are leased, and how many are done. `settle` draws that
conclusion in the transaction of whatever changed one of the three. Counting and deciding in one UPDATE takes the lock of the job's
row, so that of two workers which finish the last two units one sees both.
"""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, and_, case, delete, literal, select, update

from s3tui.model import Desired, FileState, JobState, now_ms
from s3tui.state.schema import job, transfer, unit, worker

HELD, READY, LEASED, DONE = range(4)
"""States of a unit: held back until the plan is whole, ready, in work, finished."""

UNENDED = (JobState.PENDING, JobState.RUNNING, JobState.PAUSED)
"""Jobs that have something to do."""

_MAX_CRASHES = 5
"""A unit whose workers died this often is not given to another one."""


def settle(connection: Connection, number: int) -> None:
    """Draw the job's state from what is desired, leased and done. Idempotent; call it after each change of the three."""
    leased = select(literal(1)).where(unit.c.job_no == number, unit.c.state == LEASED).exists()
    state = case(
        (job.c.desired == Desired.CANCEL, JobState.CANCELLED),
        (and_(job.c.planned, job.c.dry_run), JobState.PLANNED),
        (
            and_(job.c.planned, job.c.units_done == job.c.units),
            case((job.c.failed > 0, JobState.PARTIAL), else_=JobState.COMPLETED),
        ),
        (job.c.desired == Desired.PAUSE, JobState.PAUSED),
        else_=job.c.state,
    )
    unended = job.c.state.in_((*UNENDED, JobState.PLANNED))
    connection.execute(update(job).where(job.c.no == number, unended, ~leased).values(state=state))
    _close_files(connection, number, leased)
    resting = job.c.state.in_((JobState.CANCELLED, JobState.PARTIAL, JobState.COMPLETED, JobState.PLANNED))
    connection.execute(update(job).where(job.c.no == number, resting, job.c.finished_at.is_(None)).values(finished_at=now_ms()))


def fail_job(connection: Connection, number: int, reason: str, error: str) -> None:
    """Write the failure of a whole job, unless it has ended."""
    connection.execute(
        update(job)
        .where(job.c.no == number, job.c.state.in_(UNENDED))
        .values(state=JobState.FAILED, reason=reason, error=error, finished_at=now_ms())
    )
    settle(connection, number)


def reopen_files(connection: Connection, number: int) -> None:
    """Plan again what the failure of the whole job, not its own, kept from being sent."""
    unfinished = select(unit.c.no).where(unit.c.job_no == number, unit.c.state != DONE)
    shared_cause = select(job.c.reason).where(job.c.no == number, job.c.state == JobState.FAILED).scalar_subquery()
    reopened = connection.execute(
        update(transfer)
        .where(
            transfer.c.job_no == number,
            transfer.c.state == FileState.FAILED,
            transfer.c.reason == shared_cause,
            transfer.c.unit_no.in_(unfinished),
        )
        .values(state=FileState.PLANNED, reason=None, error=None)
    )
    connection.execute(update(job).where(job.c.no == number).values(failed=job.c.failed - reopened.rowcount))


def _close_files(connection: Connection, number: int, leased: ColumnElement[bool]) -> None:
    """What a cancelled job left planned is skipped, what a failed one left planned has failed with it: every file has an end."""
    ended = job.c.state.in_((JobState.CANCELLED, JobState.FAILED))
    found = connection.execute(select(job.c.state, job.c.reason, job.c.error).where(job.c.no == number, ended, ~leased)).first()
    if found is None:
        return
    left = update(transfer).where(transfer.c.job_no == number, transfer.c.state == FileState.PLANNED)
    if found.state == JobState.CANCELLED:
        skipped = connection.execute(left.values(state=FileState.SKIPPED, reason="cancelled")).rowcount
        connection.execute(update(job).where(job.c.no == number).values(skipped=job.c.skipped + skipped))
    else:
        failed = connection.execute(left.values(state=FileState.FAILED, reason=found.reason, error=found.error)).rowcount
        connection.execute(update(job).where(job.c.no == number).values(failed=job.c.failed + failed))


def anything_dead(connection: Connection, now: ColumnElement[int]) -> bool:
    """Whether a worker died that nobody has buried yet."""
    expired = select(literal(1)).where(unit.c.state == LEASED, unit.c.lease_until < now).limit(1)
    return connection.execute(expired).first() is not None or bool(_gone_from_this_host(connection))


def free_dead(connection: Connection, now: ColumnElement[int]) -> None:
    """Make ready again what dead workers hold: those whose lease ran out, and those whose process on this machine is gone."""
    gone = _gone_from_this_host(connection)
    if gone:
        connection.execute(delete(worker).where(worker.c.id.in_(gone)))
    expired = unit.c.lease_until < now
    dead = and_(unit.c.state == LEASED, expired | unit.c.worker.in_(gone) if gone else expired)
    freed = connection.execute(
        update(unit)
        .where(dead)
        .values(state=READY, worker=None, lease_until=None, attempts=unit.c.attempts + 1)
        .returning(unit.c.job_no, unit.c.attempts)
    ).all()
    for job_no in {row.job_no for row in freed if row.attempts >= _MAX_CRASHES}:
        fail_job(connection, job_no, "worker_crashed", f"The job was given up: {_MAX_CRASHES} workers died on the same unit of it.")
    for job_no in {row.job_no for row in freed}:
        settle(connection, job_no)


def _gone_from_this_host(connection: Connection) -> list[str]:
    here = connection.execute(select(worker.c.id, worker.c.pid).where(worker.c.host == this_host())).all()
    return [row.id for row in here if not process_exists(row.pid)]


@cache
def this_host() -> str:
    """Name of this machine within this boot and this space of process ids, for a pid means something only there."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        space = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        boot = space = ""
    return f"{socket.gethostname()}/{boot}/{space}"


def process_exists(pid: int) -> bool:
    """Whether a process with this id runs on this machine (a zombie counts as gone)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return True

"""Rows of `worker`: who is alive, and the sample of what each has in flight."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, delete, insert, select, update

from s3tui.model import ActiveTransfer, Desired, Job, now_ms
from s3tui.state.database import Database
from s3tui.state.schema import job, unit, worker
from s3tui.state.settling import LEASED, READY, UNENDED, free_dead, process_exists, settle, this_host
from s3tui.state.units import LEASE_MS, Claimant


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A worker process, as of its last heartbeat."""

    id: str
    host: str
    pid: int
    version: str
    identity: str
    queues: tuple[str, ...]
    home_only: bool
    started_at: int
    progress: Mapping[str, Any]

    def active(self, job_id: str) -> list[ActiveTransfer]:
        """What it has in flight of a job."""
        return [ActiveTransfer(*flight) for flight in self.progress.get(job_id, {}).get("active", ())]

    def rate(self, job_id: str) -> float:
        """Bytes per second it sends of a job."""
        return float(self.progress.get(job_id, {}).get("rate", 0.0))


class Workers:
    """The workers of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def register(self, claimant: Claimant, *, pid: int, version: str) -> None:
        """A worker begins; what dead ones left behind becomes free."""
        with self._database.write() as connection:
            now = self._database.now()
            free_dead(connection, now)
            connection.execute(delete(worker).where(worker.c.alive_until < now - 100 * LEASE_MS))
            connection.execute(
                insert(worker).values(
                    id=claimant.id,
                    host=this_host(),
                    pid=pid,
                    version=version,
                    identity=claimant.identity,
                    queues=",".join(claimant.queues),
                    home_only=claimant.home_only,
                    started_at=now_ms(),
                    alive_until=now + LEASE_MS,
                    progress="{}",
                )
            )

    def beat(self, worker_id: str, progress: Mapping[str, object]) -> set[tuple[int, int, int]]:
        """Stay alive: renew the worker and all its leases; returns (job, unit, token) of the leases it still holds."""
        with self._database.write() as connection:
            until = self._database.now() + LEASE_MS
            sample = json.dumps(progress, separators=(",", ":"))
            connection.execute(update(worker).where(worker.c.id == worker_id).values(alive_until=until, progress=sample))
            renewed = connection.execute(
                update(unit)
                .where(unit.c.worker == worker_id, unit.c.state == LEASED)
                .values(lease_until=until)
                .returning(unit.c.job_no, unit.c.no, unit.c.token)
            )
            return {(row.job_no, row.no, row.token) for row in renewed}

    def unregister(self, worker_id: str) -> None:
        """The worker leaves, and what it held is free. Jobs that were bound to it pause: nobody else was asked to carry them."""
        with self._database.write() as connection:
            connection.execute(delete(worker).where(worker.c.id == worker_id))
            still_held = and_(unit.c.worker == worker_id, unit.c.state == LEASED)
            connection.execute(update(unit).where(still_held).values(state=READY, worker=None, lease_until=None))
            bound = connection.execute(
                update(job)
                .where(job.c.home == worker_id, job.c.state.in_(UNENDED))
                .values(desired=Desired.PAUSE)
                .returning(job.c.no)
            ).scalars()
            for number in bound.all():
                settle(connection, number)

    def alive(self) -> list[WorkerRow]:
        """The workers whose heart beats, oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(
                select(worker).where(worker.c.alive_until >= self._database.now()).order_by(worker.c.started_at, worker.c.id)
            )
            return [found for found in map(_worker_of, rows) if found.host != this_host() or process_exists(found.pid)]

    def of_job(self, job: Job) -> list[WorkerRow]:
        """The live workers that hold units of the job."""
        with self._database.read() as connection:
            held: Sequence[str | None] = (
                connection.execute(select(unit.c.worker).where(unit.c.job_no == job.no, unit.c.state == LEASED).distinct())
                .scalars()
                .all()
            )
        return [found for found in self.alive() if found.id in held] if held else []

    def carrying(self, job: Job) -> bool:
        """Whether a live worker holds units of the job, or is the one that the job is bound to."""
        return bool(self.of_job(job)) or any(found.id == job.home for found in self.alive())


def _worker_of(row: Row[*tuple[Any, ...]]) -> WorkerRow:
    found = row._mapping
    return WorkerRow(
        id=found["id"],
        host=found["host"],
        pid=found["pid"],
        version=found["version"],
        identity=found["identity"],
        queues=tuple(found["queues"].split(",")),
        home_only=found["home_only"],
        started_at=found["started_at"],
        progress=json.loads(found["progress"]),
    )

"""Rows of `worker`: who is alive, and the sample of what each has in flight."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from s3tui.model import ActiveTransfer, Holding, Job, VideoPhase, VideoSample, WorkerState, now_ms
from s3tui.state.database import Database, ensure_head
from s3tui.state.settling import LEASED, READY, UNENDED, free_dead, process_exists, settle, this_host
from s3tui.state.sightings import this_vantage
from s3tui.state.sql import Row
from s3tui.state.units import LEASE_MS, Claimant

_REGISTER = f"""
INSERT INTO worker (id, host, pid, version, identity, queues, home_only, started_at, alive_until, progress, vantage)
VALUES (:id, :host, :pid, :version, :identity, :queues, :home_only, :now, clock_ms() + {LEASE_MS}, '{{}}', :vantage)"""

_WORKERS = """
SELECT id, host, pid, version, identity, queues, home_only, started_at, progress, alive_until, clock_ms() FROM worker
ORDER BY started_at, id"""

# Who holds how many units of which job, and how many of these an earlier worker died over.
_HOLDINGS = f"""
SELECT unit.worker, job.id, count(*), sum(CASE WHEN unit.attempts > 0 THEN 1 ELSE 0 END)
FROM unit JOIN job ON job.no = unit.job_no WHERE unit.state = {LEASED}"""


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
    seen_at: int
    """Its last heartbeat, by the database's clock."""
    silent_ms: int
    """Since then."""

    @property
    def lost(self) -> bool:
        """Whether it is taken for dead: it has been silent for too long, or its process on this machine is gone."""
        return self.silent_ms > LEASE_MS or (self.host == this_host() and not process_exists(self.pid))

    def active(self, job_id: str) -> list[ActiveTransfer]:
        """What it has in flight of a job."""
        return [ActiveTransfer(*flight) for flight in self.progress.get(job_id, {}).get("active", ())]

    def videos(self, job_id: str) -> list[VideoSample]:
        """The videos of a job that it makes."""
        told = self.progress.get(job_id, {}).get("videos", ())
        samples = [VideoSample(*video) for video in told]
        return [
            video._replace(phase=VideoPhase(video.phase), renditions=tuple(video.renditions), sent=tuple(video.sent))
            for video in samples
        ]

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
            free_dead(connection)
            connection.execute(f"DELETE FROM worker WHERE alive_until < clock_ms() - {100 * LEASE_MS}")
            connection.execute(
                _REGISTER,
                id=claimant.id,
                host=this_host(),
                pid=pid,
                version=version,
                identity=claimant.identity,
                queues=",".join(claimant.queues),
                home_only=claimant.home_only,
                now=now_ms(),
                vantage=this_vantage(),
            )

    def beat(self, worker_id: str, progress: Mapping[str, object]) -> set[tuple[int, int, int]]:
        """Stay alive: renew the worker and all its leases; returns (job, unit, token) of the leases it still holds.

        Raises StateError when a newer version has migrated the database.
        """
        with self._database.write() as connection:
            ensure_head(connection)
            connection.execute(
                f"UPDATE worker SET alive_until = clock_ms() + {LEASE_MS}, progress = :sample WHERE id = :worker",
                worker=worker_id,
                sample=json.dumps(progress, separators=(",", ":")),
            )
            renewed = connection.rows(
                f"""
                UPDATE unit SET lease_until = clock_ms() + {LEASE_MS} WHERE worker = :worker AND state = {LEASED}
                RETURNING job_no, no, token""",
                worker=worker_id,
            )
            return {(job_no, no, token) for job_no, no, token in renewed}

    def count(self) -> int:
        """How many workers are alive that take jobs from the queue."""
        with self._database.read() as connection:
            [(count,)] = connection.rows("SELECT count(*) FROM worker WHERE alive_until >= clock_ms() AND NOT home_only")
            return int(count)

    def unregister(self, worker_id: str) -> None:
        """The worker leaves, and what it held is free. Jobs that were bound to it pause: nobody else was asked to carry them."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM worker WHERE id = :worker", worker=worker_id)
            connection.execute(
                f"""
                UPDATE unit SET state = {READY}, worker = NULL, lease_until = NULL
                WHERE worker = :worker AND state = {LEASED}""",
                worker=worker_id,
            )
            bound = connection.rows(
                f"UPDATE job SET desired = 'pause' WHERE home = :worker AND state IN {UNENDED} RETURNING no", worker=worker_id
            )
            for (number,) in bound:
                settle(connection, number)

    def alive(self) -> list[WorkerRow]:
        """The workers whose heart beats, oldest first."""
        return [found for found in self._all() if not found.lost]

    def crew(self) -> list[WorkerState]:
        """All workers as people see them, oldest first, with those that were lost lately."""
        rows = self._all()
        with self._database.read() as connection:
            held = connection.rows(f"{_HOLDINGS} GROUP BY unit.worker, job.id ORDER BY job.id")
        return [_state_of(row, held) for row in rows]

    def of_job(self, job: Job) -> list[WorkerRow]:
        """The live workers that hold units of the job."""
        return list(self.holders(job)[0])

    def holders(self, job: Job) -> tuple[tuple[WorkerRow, ...], tuple[WorkerState, ...]]:
        """The live workers that hold units of the job; and the same as people see them, with those that are lost."""
        with self._database.read() as connection:
            held = connection.rows(f"{_HOLDINGS} AND job.no = :job_no GROUP BY unit.worker, job.id", job_no=job.no)
        if not held:
            return (), ()
        names = {worker_id for worker_id, *_ in held}
        rows = [row for row in self._all() if row.id in names]
        return tuple(row for row in rows if not row.lost), tuple(_state_of(row, held) for row in rows)

    def carrying(self, job: Job) -> bool:
        """Whether a live worker holds units of the job, or is the one that the job is bound to."""
        return bool(self.of_job(job)) or any(found.id == job.home for found in self.alive())

    def _all(self) -> list[WorkerRow]:
        with self._database.read() as connection:
            return [_worker_of(row) for row in connection.rows(_WORKERS)]


def _worker_of(row: Row) -> WorkerRow:
    worker_id, host, pid, version, identity, queues, home_only, started_at, progress, alive_until, now = row
    seen_at = alive_until - LEASE_MS
    return WorkerRow(
        id=worker_id,
        host=host,
        pid=pid,
        version=version,
        identity=identity,
        queues=tuple(queues.split(",")),
        home_only=bool(home_only),
        started_at=started_at,
        progress=json.loads(progress),
        seen_at=seen_at,
        silent_ms=max(0, now - seen_at),
    )


def _state_of(row: WorkerRow, held: Sequence[Row]) -> WorkerState:
    holdings = [
        Holding(job_id, units, int(taken_over), len(row.active(job_id)), row.rate(job_id))
        for worker_id, job_id, units, taken_over in held
        if worker_id == row.id
    ]
    return WorkerState(
        id=row.id,
        host=row.host.partition("/")[0],
        pid=row.pid,
        version=row.version,
        queues=row.queues,
        home_only=row.home_only,
        started_at=row.started_at,
        seen_at=row.seen_at,
        silent=row.silent_ms / 1000,
        lost=row.lost,
        holdings=tuple(holdings),
        hangs=row.lost and row.host == this_host() and process_exists(row.pid),
    )

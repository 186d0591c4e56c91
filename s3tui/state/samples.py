"""Rows of `sample`: how far a job was, time after time, so that its course can be drawn from the beginning.

A sample holds what the job has counted so far, all its workers together. So it does not matter which of them writes it, and nothing
is counted twice: the first one to come takes the sample of its time, and the others find that it is there.

Samples lie 1, 2, 4, 8, ... seconds apart, the longer the job the further, and those in between go: so there are 600 at most,
however long it takes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from s3tui.model import Job, Sample
from s3tui.state.database import Database
from s3tui.state.ingests import SUM
from s3tui.state.settling import LEASED
from s3tui.state.sql import Connection

MOST = 600
"""Samples of one job."""

# A plan sends nothing, so it has no samples.
_JOBS = """
SELECT job.no, job.id, clock_ms(),
    CASE WHEN clock_ms() > job.started_at THEN (clock_ms() - job.started_at) / 1000 ELSE 0 END,
    (SELECT max(sample.no) FROM sample WHERE sample.job_no = job.no)
FROM job WHERE job.no = ANY(:numbers) AND job.started_at IS NOT NULL AND NOT job.dry_run"""

_HOLDERS = f"""
SELECT progress FROM worker WHERE alive_until >= clock_ms()
    AND id IN (SELECT worker FROM unit WHERE job_no = :job_no AND state = {LEASED})"""

_INSERT = """
INSERT INTO sample (job_no, no, at, bytes, files, row_count, failed, retries)
VALUES (:job_no, :no, :at, :bytes, :files, :rows, :failed, :retries)
ON CONFLICT (job_no, no) DO NOTHING"""

_THIN = """
DELETE FROM sample
WHERE job_no = :job_no AND no NOT IN (SELECT min(no) FROM sample WHERE job_no = :job_no GROUP BY no / :apart)"""


class Samples:
    """The samples of all jobs of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, numbers: Sequence[int]) -> None:
        """Write how far these jobs are, those of them whose time it is; a read, unless there are any."""
        with self._database.read() as connection:
            jobs = connection.rows(_JOBS, numbers=list(numbers))
        due = [job for job in jobs if _is_due(*job[3:])]
        if due:
            with self._database.write() as connection:
                for job in due:
                    _take(connection, *job[:4])

    def of_job(self, job: Job) -> list[Sample]:
        """The course of a job, from its beginning, and to its end if it has ended; empty if it has not begun."""
        if job.started_at is None or job.dry_run:
            return []
        query = "SELECT at, bytes, files, row_count, failed, retries FROM sample WHERE job_no = :job_no ORDER BY no"
        with self._database.read() as connection:
            samples = [Sample(*row) for row in connection.rows(query, job_no=job.no)]
            end = _counted(connection, job.no) if job.finished_at is not None else {}
        if not samples or samples[0].at > job.started_at:
            samples.insert(0, Sample(job.started_at))
        if job.finished_at is not None:
            samples.append(Sample(max(job.finished_at, samples[-1].at), **end))
        return samples


def _apart(second: int) -> int:
    """How many seconds lie between two samples by then."""
    apart = 1
    while second >= MOST * apart:
        apart *= 2
    return apart


def _is_due(second: int, newest: int | None) -> bool:
    apart = _apart(second)
    return newest is None or newest // apart < second // apart


def _take(connection: Connection, job_no: int, job_id: str, now: int, second: int) -> None:
    counted = _counted(connection, job_no)
    holders = connection.rows(_HOLDERS, job_no=job_no)
    in_flight = sum(flight[1] for (progress,) in holders for flight in json.loads(progress).get(job_id, {}).get("active", ()))
    counted["bytes"] += in_flight
    connection.execute(_INSERT, job_no=job_no, no=second, at=now, **counted)
    if (apart := _apart(second)) > 1:
        connection.execute(_THIN, job_no=job_no, apart=apart)


def _counted(connection: Connection, job_no: int) -> dict[str, int]:
    """What the job and its rows say; files in flight are nowhere but in the heartbeats of workers."""
    query = "SELECT bytes, uploaded + skipped, failed, retries FROM job WHERE no = :job_no"
    [(stored, files, failed, retries)] = connection.rows(query, job_no=job_no)
    [(inserted, rejected, landed)] = connection.rows(SUM, job_no=job_no)
    rows = int(inserted) + int(rejected)
    return {"bytes": stored + int(landed), "files": files, "rows": rows, "failed": failed, "retries": retries}

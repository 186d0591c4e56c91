"""A row of `job` as the noun that everybody knows."""

from __future__ import annotations

from s3tui.model import Desired, Job, JobState, Totals
from s3tui.state.sql import Row

JOB = """
    job.no, job.id, job.kind, job.state, job.desired, job.spec, job.dry_run, job.planned, job.concurrency, job.bandwidth,
    job.created_at, job.started_at, job.finished_at, job.reason, job.error, job.home, job.identity, job.applied, job.queue,
    job.found, job.uploaded, job.skipped, job.failed, job.deleted, job.retries, job.bytes_found, job.bytes"""
"""The columns that `job_of` takes."""


def job_of(row: Row) -> Job:
    """A row of `JOB` as the noun."""
    no, job_id, kind, state, desired, spec, dry_run, planned, concurrency, bandwidth, *rest = row
    created_at, started_at, finished_at, reason, error, home, identity, applied, queue, *totals = rest
    return Job(
        no=no,
        id=job_id,
        kind=kind,
        state=JobState(state),
        desired=Desired(desired),
        spec=spec,
        dry_run=bool(dry_run),
        planned=bool(planned),
        totals=Totals(*totals),
        concurrency=concurrency,
        created_at=created_at,
        started_at=started_at,
        finished_at=finished_at,
        reason=reason,
        error=error,
        home=home,
        identity=identity,
        bandwidth=bandwidth,
        applied=bool(applied),
        queue=queue,
    )

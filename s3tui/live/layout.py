"""What stands in Redis, under which key and for how long: pure, and what docs/live.md promises.

Values are text: numbers in decimal, times in UTC as reports have them, `1` or `0` for yes or no, nothing for what is not known. No
path of a source, no sentence of an error and no secret is among them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from s3tui.model import Job, RowCounts
from s3tui.report import job_facts, video_facts
from s3tui.state.workers import WorkerRow
from s3tui.text import format_time

EVENTS = "s3tui:events"
"""The channel that tells which job has changed."""
PROBE = "s3tui:probe"
"""A key that the doctor writes; it is gone after a second."""
LIVE_MS = 3_000
"""Three heartbeats: how long what may change by itself is believed."""
ENDED_MS = 24 * 3600 * 1000
"""How long the end of a job is kept."""


class Hash(NamedTuple):
    """One key, all its fields, and the milliseconds after which it goes unless it is written again."""

    key: str
    fields: dict[str, str]
    ttl_ms: int


def job_key(job_id: str) -> str:
    """The key of a job."""
    return f"s3tui:job:{job_id}"


def worker_key(worker_id: str) -> str:
    """The key of a worker."""
    return f"s3tui:worker:{worker_id}"


def job_hash(job: Job, workers: Sequence[WorkerRow], rows: RowCounts | None = None) -> Hash:
    """A job, and what these workers have in flight of it; of one that has ended nothing is. `rows`: of its CSV files."""
    at_work = [worker for worker in workers if job.id in worker.progress] if not job.state.ended else []
    flights = [flight for worker in at_work for flight in worker.active(job.id)]
    videos = sorted(video for worker in at_work for video in worker.videos(job.id))
    facts = job_facts(job)
    fields = {
        "id": job.id,
        "kind": job.kind,
        "state": str(job.state),
        "target": facts["target"] or "",
        "dry_run": _yes(job.dry_run),
        "planned": _yes(job.planned),
        **{name: str(count) for name, count in facts["totals"].items()},
        "bytes_found": str(job.totals.bytes_found),
        "sent": str(job.totals.bytes + (rows.landed if rows is not None else 0) + sum(flight.sent for flight in flights)),
        "rate": str(round(sum(worker.rate(job.id) for worker in at_work))),
        "in_flight": str(len(flights)),
        "workers": str(len(at_work)),
        "rows_read": str(rows.read) if rows is not None else "",
        "rows_inserted": str(rows.inserted) if rows is not None else "",
        "rows_rejected": str(rows.rejected) if rows is not None else "",
        "videos": json.dumps([{**video_facts(video), "name": video.name} for video in videos]),
        "reason": job.reason or "",
        "created_at": format_time(job.created_at) or "",
        "started_at": facts["started_at"] or "",
        "finished_at": facts["finished_at"] or "",
    }
    return Hash(job_key(job.id), fields, ENDED_MS if job.state.ended else LIVE_MS)


def worker_hash(worker: WorkerRow) -> Hash:
    """A worker, as of its last heartbeat."""
    fields = {
        "id": worker.id,
        "host": worker.host.partition("/")[0],
        "pid": str(worker.pid),
        "version": worker.version,
        "queues": ",".join(worker.queues),
        "home_only": _yes(worker.home_only),
        "jobs": json.dumps(sorted(worker.progress)),
        "in_flight": str(sum(len(worker.active(job_id)) for job_id in worker.progress)),
        "rate": str(round(sum(worker.rate(job_id) for job_id in worker.progress))),
        "started_at": format_time(worker.started_at) or "",
    }
    return Hash(worker_key(worker.id), fields, LIVE_MS)


def event(job: Job, updated_at: str) -> str:
    """The message that a job has changed, as JSON; what it has become stands under its key."""
    return json.dumps({"job": job.id, "state": str(job.state), "updated_at": updated_at})


def _yes(fact: bool) -> str:
    return "1" if fact else "0"

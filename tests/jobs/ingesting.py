"""Ingest jobs in a yard, and what they have brought."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from s3tui.model import Job
from tests.jobs.yard import Yard
from tests.servers import Store


def begin(yard: Yard, *files: Path, dry_run: bool = False, **options: Any) -> str:
    """Begin to ingest files below `p/`; returns the job's id."""
    spec = yard.runtime.ingest_spec([str(file) for file in files], f"s3://{yard.store.bucket}/p", **options)
    service = yard.runtime.service
    if dry_run:
        job_id = service.plan(spec, concurrency=20, home=yard.worker.id)
    else:
        job_id = service.submit(spec, concurrency=20, home=yard.worker.id).job_id
    yard.worker.wake()
    return job_id


def ingest(yard: Yard, *files: Path, **options: Any) -> Job:
    """Ingest files, and wait for the end."""
    return yard.end_of(begin(yard, *files, **options))


def rows(yard: Yard, job: Job | str) -> list[tuple[int, int, dict[str, Any]]]:
    """(file, line, row) of all that a job has in the database, in order."""
    job_id = job if isinstance(job, str) else job.id
    query = "SELECT file, line, data FROM ingest_rows WHERE job_id = :job_id ORDER BY file, line"
    with yard.runtime.store.database.read() as connection:
        found = connection.rows(query, job_id=job_id)
    return [(file, line, json.loads(data) if isinstance(data, str) else data) for file, line, data in found]


def objects(store: Store, job: Job | str) -> dict[str, bytes]:
    """The objects of a job, by their names."""
    prefix = f"p/uploads/{job if isinstance(job, str) else job.id}/"
    return {key.removeprefix(prefix): data for key, data in store.contents().items() if key.startswith(prefix)}


def table(path: Path, count: int, *, first: int = 1) -> Path:
    """A CSV file of so many rows."""
    path.write_text("id,name\n" + "".join(f"{number},name {number}\n" for number in range(first, first + count)))
    return path

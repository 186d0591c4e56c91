"""Ingest jobs in this process, on both databases: every record in one place, once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from s3tui.model import Job, JobState
from tests.front import FaultFront
from tests.jobs.yard import Yard
from tests.servers import Store


@pytest.fixture
def front(rclone_store: Store) -> Iterator[FaultFront]:
    """A fault front before `rclone_store`."""
    with FaultFront(rclone_store.url) as running:
        yield running


@pytest.fixture
def yard(yard_at: Callable[[Store], Yard], rclone_store: Store, front: FaultFront) -> Yard:
    """A yard behind the front."""
    return yard_at(rclone_store.behind(front))


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


def test_rows_come_into_the_database_and_batches_onto_the_store(yard: Yard, tmp_path: Path) -> None:
    job = ingest(yard, table(tmp_path / "a.csv", 25), batch_rows=10)
    assert job.state is JobState.COMPLETED, job.error
    assert rows(yard, job) == [(1, 1 + number, {"id": str(number), "name": f"name {number}"}) for number in range(1, 26)]
    found = objects(yard.store, job)
    assert sorted(found) == [f"batch-{number:06}.json" for number in (1, 2, 3)]
    third = {"upload": job.id, "batch": 3, "first": 21, "columns": ["id", "name"]}
    assert json.loads(found["batch-000003.json"]) == third | {"rows": [[str(n), f"name {n}"] for n in range(21, 26)]}

"""Jobs carried in this process, by the program's own parts, to a real store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s3tui.config import Settings
from s3tui.model import FileRow, Job, JobState
from s3tui.runtime import Runtime
from s3tui.worker import Worker
from tests.databases import empty
from tests.servers import Store
from tests.waiting import wait_until


@dataclass
class Yard:
    """One user's s3tui and one worker of it."""

    runtime: Runtime
    worker: Worker
    store: Store

    @classmethod
    def on(cls, runtime: Runtime, store: Store) -> Yard:
        """A yard with an empty state and a worker that runs; whoever opened it stops the worker."""
        empty(runtime.store)
        worker = runtime.worker(home_only=True)
        worker.start()
        return cls(runtime, worker, store)

    def upload(self, *sources: Path, prefix: str = "", dry_run: bool = False, **overrides: Any) -> Job:
        """Upload, and wait for the end."""
        return self.end_of(self.begin(*sources, prefix=prefix, dry_run=dry_run, **overrides))

    def begin(self, *sources: Path, prefix: str = "", dry_run: bool = False, concurrency: int = 20, **overrides: Any) -> str:
        """Begin an upload; returns the job's id."""
        spec = self.runtime.upload_spec([str(source) for source in sources], f"s3://{self.store.bucket}/{prefix}", **overrides)
        service = self.runtime.service
        if dry_run:
            job_id = service.plan(spec, concurrency=concurrency, home=self.worker.id)
        else:
            job_id = service.submit(spec, concurrency=concurrency, home=self.worker.id).job_id
        self.worker.wake()
        return job_id

    def end_of(self, job_id: str) -> Job:
        """Wait until a job has ended, or its plan is ready."""
        self.worker.wake()
        wait_until(lambda: self._is_over(job_id), 60, "the job to end")
        return self.runtime.service.job(job_id)

    def wait_for_a_whole_beat(self) -> None:
        """Wait until the worker has read what is wanted now; a beat that had begun before may have missed it."""
        for _ in range(2):
            before = self._last_beat()
            wait_until(lambda: self._last_beat() > before, 20, "the worker's heart to beat")  # noqa: B023

    def rows(self, job: Job) -> dict[str, FileRow]:
        """The files of a job by key."""
        return {row.key or "": row for row in self.runtime.service.window(job, 0, 100_000)}

    def unchanged(self, job: Job) -> set[str]:
        """The keys that were skipped as unchanged."""
        return {key for key, row in self.rows(job).items() if row.reason == "unchanged"}

    def _last_beat(self) -> int:
        with self.runtime.store.database.read() as connection:
            [(until,)] = connection.rows("SELECT max(alive_until) FROM worker")
            return int(until)

    def _is_over(self, job_id: str) -> bool:
        state = self.runtime.service.job(job_id).state
        return state.ended or state is JobState.PLANNED


def settings_for(store: Store, state_url: str, **transfer: Any) -> Settings:
    """Settings that lead to a store."""
    return Settings.model_validate(
        {
            "aws": {
                "access_key_id": store.aws.access_key_id,
                "secret_access_key": store.secret,
                "endpoint_url": store.url,
            },
            "s3": {"addressing_style": "path"},
            "state": {"url": state_url},
            "transfer": transfer,
        }
    )

"""A job that watches in a thread of the test."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from s3tui.events import Failed
from s3tui.jobs.context import Context
from s3tui.jobs.intake import Intake
from s3tui.jobs.upload import UploadSpec
from s3tui.jobs.video import VideoSpec
from s3tui.jobs.watching import keep_planning
from s3tui.model import FileRow, Job, Lease, UnitKind
from s3tui.service import Service
from s3tui.state.journal import Journal
from s3tui.state.store import Store
from s3tui.state.transfers import write_facts
from s3tui.transfer.engine import Control
from s3tui.transfer.progress import Progress
from s3tui.transfer.watching import OpenWatcher, open_watcher
from tests.engines import DirectoryResources
from tests.state.scenes import ANN, carry_all, claim
from tests.waiting import wait_until


class Watching:
    """A watching job whose plan is made in a thread of the test; nothing is carried but what the test carries."""

    def __init__(
        self,
        store: Store,
        spec: UploadSpec | VideoSpec,
        intake: Callable[[Context[Any]], Intake],
        directory: Path,
        open_watcher: OpenWatcher = open_watcher,
        limit: int = 100,
    ) -> None:
        self.store = store
        self.error: BaseException | None = None
        self._job_id = Service(store).submit(spec, concurrency=1).job_id
        self.control = Control(1)
        self.journal = Journal(store.database, on_lost=lambda _lease: None)
        self._claimant = replace(ANN, queues=(spec.queue,))
        lease = claim(store, self._claimant)
        assert lease.kind is UnitKind.PLAN
        resources = DirectoryResources(directory / "stored")
        context: Context[Any] = Context(
            self.job, spec, lease, store, self.journal, resources, self.control, Progress(), lambda: None
        )
        self._thread = threading.Thread(target=self._run, args=(context, intake(context), open_watcher, limit))
        self._thread.start()

    def _run(self, context: Context[Any], intake: Intake, open_watcher: OpenWatcher, limit: int) -> None:
        try:
            keep_planning(context, intake, open_watcher, pass_seconds=0.5, limit=limit)
        except BaseException as error:
            self.error = error

    @property
    def job(self) -> Job:
        """The job as it stands."""
        return Service(self.store).job(self._job_id)

    def rows(self) -> list[FileRow]:
        """All files of the job."""
        return self.store.transfers.window(self.job.no, 0, 1_000_000)

    def paths(self) -> list[bytes]:
        """The paths of all files of the job, sorted."""
        return sorted(row.path for row in self.rows())

    def wait_for(self, count: int) -> None:
        """Wait until the job has so many files."""
        wait_until(lambda: self.error is not None or self.job.totals.found >= count, 30, f"{count} planned files")
        assert self.error is None

    def claim(self) -> Lease:
        """Take the next unit."""
        return claim(self.store, self._claimant)

    def carry(self) -> None:
        """Store all that is planned in the next unit."""
        carry_all(self.store, self.claim())

    def fail(self, no: int, reason: str) -> None:
        """Take the next unit, and have this file of it fail."""
        lease = self.claim()
        with self.store.database.write() as connection:
            write_facts(connection, lease, [Failed(no, 1, reason, "It was refused.")])
        self.store.units.finish(lease)

    def stop(self) -> float:
        """Stop it; returns how many seconds that took."""
        began = time.monotonic()
        self.control.pause()
        self._thread.join(30)
        self.journal.close()
        assert self.error is None
        return time.monotonic() - began

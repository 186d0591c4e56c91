"""The thread of a worker that mirrors to Redis what the state database says.

    tick, once a second   workers and jobs as they are committed ─▶ hashes ─▶ Redis, in one transaction
    claim                 the worker tells the number of the job: it is followed until its end has been written
    end of the worker     a last look, for what ended with it

Of which jobs: those that this worker has claimed a unit of, until they have ended, and those that wait for any worker. A worker
that is late may put an older state over a newer one, but it follows the job, too, and mends that a second later.

Concurrency: one thread, which alone touches the line. `follow` may be called by any thread, and waits for nothing: `_lock` is held
for a few instructions only. A Redis that hangs holds up this thread alone.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from s3tui.errors import LiveError, StateError
from s3tui.live.layout import Hash, event, job_hash, worker_hash, worker_key
from s3tui.model import Job, RowCounts, now_ms
from s3tui.state.store import Store
from s3tui.state.workers import WorkerRow
from s3tui.text import format_time

if TYPE_CHECKING:
    from s3tui.live.line import Line

log = logging.getLogger(__name__)

_TICK_SECONDS = 1.0
_LONGEST_PAUSE = 15.0
_MOST_FOLLOWED = 1000
"""Jobs that are followed at a time; of more, those are left to expire that were claimed longest ago."""
_MOST_WAITING = 100
"""Jobs that no worker has taken yet of which one look tells."""


class Mirror:
    """Mirrors one database, as part of one worker."""

    def __init__(self, store: Store, line: Line, *, worker_id: str) -> None:
        """`worker_id` is the worker's own id."""
        self._store = store
        self._line = line
        self._worker_id = worker_id
        self._lock = threading.Lock()
        self._followed: dict[int, int] = {}
        self._claims = 0
        self._told: dict[str, dict[str, str]] = {}
        self._failures = 0
        self._parting = threading.Event()
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mirror", daemon=True)

    def start(self) -> None:
        """Begin to mirror."""
        self._thread.start()

    def follow(self, job_no: int) -> None:
        """The worker has claimed a unit of this job."""
        with self._lock:
            self._claims += 1
            self._followed.pop(job_no, None)
            self._followed[job_no] = self._claims  # last, as of all jobs it was claimed last
            if len(self._followed) > _MOST_FOLLOWED:
                del self._followed[next(iter(self._followed))]

    def part(self, seconds: float) -> None:
        """Write how things stand now that the worker has ended, unless Redis is known to be away; so long at most. Idempotent."""
        self._parting.set()
        if self._thread.is_alive():
            self._thread.join(seconds)
            self._left.set()

    def _run(self) -> None:
        while not self._parting.wait(self._pause):
            self._look()
        if not self._failures and not self._left.is_set():
            self._look()
        self._line.close()

    @property
    def _pause(self) -> float:
        return pause_after(self._failures) if self._failures else _TICK_SECONDS

    def _look(self) -> None:
        """Write what the database says, all of it; a database that cannot be read is the heartbeat's to tell."""
        try:
            workers = self._workers()
            with self._lock:
                followed = dict(self._followed)
            jobs = self._store.jobs.live(list(followed), waiting=_MOST_WAITING)
            self._write(jobs, workers)
            self._forget(followed, jobs, workers)
        except StateError:
            return
        except LiveError as error:
            self._lost(error)
        except Exception as error:
            if not self._failures:
                log.exception("The mirror of live status met a defect of s3tui.")
            self._lost(LiveError(f"An error of s3tui itself kept live status from being mirrored: {type(error).__name__}."))

    def _workers(self) -> list[WorkerRow]:
        """The live workers. When our own has no unit any more, its last sample is of the past."""
        workers = self._store.workers.alive()
        if not self._parting.is_set():
            return workers
        return [replace(worker, progress={}) if worker.id == self._worker_id else worker for worker in workers]

    def _write(self, jobs: Sequence[Job], workers: Sequence[WorkerRow]) -> None:
        updated_at = format_time(now_ms()) or ""
        own = [worker_hash(worker) for worker in workers if worker.id == self._worker_id]
        hashes = [job_hash(job, workers, self._rows(job)) for job in jobs]
        news = [event(job, updated_at) for job, seen in zip(jobs, hashes, strict=True) if self._told.get(job.id) != seen.fields]
        gone = [] if own else [worker_key(self._worker_id)]
        self._line.write(list(_at(updated_at, [*own, *hashes])), gone=gone, messages=news)
        self._told = {job.id: seen.fields for job, seen in zip(jobs, hashes, strict=True)}
        if self._failures:
            self._failures = 0
            log.info("Live status is mirrored again to the Redis at %s.", self._line.place)

    def _rows(self, job: Job) -> RowCounts | None:
        """What has become of its rows, if it has any."""
        return self._store.ingests.sum(job.no) if job.kind == "ingest" else None

    def _forget(self, followed: Mapping[int, int], jobs: Iterable[Job], workers: Iterable[WorkerRow]) -> None:
        """Jobs whose end has been written need no more looks, once no worker has a unit of them: that may still count files.

        One that was claimed again since the look is followed on.
        """
        at_work = {job_id for worker in workers for job_id in worker.progress}
        with self._lock:
            for job in jobs:
                if job.state.ended and job.id not in at_work and self._followed.get(job.no) == followed.get(job.no):
                    self._followed.pop(job.no, None)

    def _lost(self, error: LiveError) -> None:
        self._failures += 1
        level = logging.WARNING if self._failures == 1 else logging.DEBUG
        log.log(level, "%s Jobs go on without it, and it is tried again.", error)


def pause_after(failures: int) -> float:
    """Seconds until Redis is tried again: about 1, then longer, up to 15; never the same, so that many do not come at once."""
    longest: float = min(_TICK_SECONDS * 2 ** min(failures - 1, 10), _LONGEST_PAUSE)
    return longest * random.uniform(0.75, 1.25)


def _at(updated_at: str, hashes: Iterable[Hash]) -> Iterable[Hash]:
    return (seen._replace(fields={**seen.fields, "updated_at": updated_at}) for seen in hashes)

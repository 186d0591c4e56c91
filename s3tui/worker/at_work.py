"""The units at work in this process, each in a thread of its own, and what those of one job share."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from s3tui.model import Job, Lease, UnitKind
from s3tui.transfer.engine import Control
from s3tui.transfer.progress import Progress

_UNITS_PER_JOB = 3
"""One that plans and two that carry: while the last files of one are in flight, the next fills the free slots. More only of a queue
that gives more places than that."""
_UNITS = 12
"""Units at work in one process, over all jobs, but for those that watch: they would keep their places for ever."""


@dataclass(slots=True)
class JobAtWork:
    """What the units of one job share in this process."""

    id: str
    queue: str
    watches: bool
    control: Control
    progress: Progress
    units: int = 0

    @classmethod
    def begin(cls, job: Job) -> JobAtWork:
        """The first of its units is here."""
        return cls(job.id, job.queue, job.watches, Control(job.concurrency, job.bandwidth), Progress())

    def sample(self) -> dict[str, object]:
        """What is in flight, as heartbeats write it."""
        active, _ = self.progress.sample()
        flights = [[flight.no, flight.sent, flight.size, flight.attempt, round(flight.rate)] for flight in active]
        return {"rate": round(self.progress.rate), "active": flights, "videos": self.progress.videos}


class AtWork:
    """The table of them. Every call is safe from any thread; under its lock nothing is called that may block."""

    def __init__(self, at_once: Mapping[str, int], *, on_end: Callable[[], None]) -> None:
        """`at_once`: how many units of a queue may be at work, but for those that watch. `on_end`: a place is free again."""
        self._at_once = at_once
        self._on_end = on_end
        self._lock = threading.Lock()
        self._threads: dict[Lease, threading.Thread] = {}
        self._jobs: dict[int, JobAtWork] = {}
        self._came_to_rest = threading.Event()

    def __len__(self) -> int:
        with self._lock:
            return len(self._threads)

    def room(self, queues: Iterable[str]) -> tuple[tuple[str, ...], list[int]] | None:
        """What may begin: (those of the queues that have a place, numbers of the jobs that have none); None if nothing may."""
        with self._lock:
            full = [number for number, job in self._jobs.items() if job.units >= self._most_of(job) or job.control.stopping]
            watching = sum(job.watches for job in self._jobs.values())
            if len(self._threads) - watching >= _UNITS:
                return None
            taken = Counter(self._jobs[lease.job_no].queue for lease in self._threads if not self._watches(lease))
        return tuple(name for name in queues if name not in self._at_once or taken[name] < self._at_once[name]), full

    def begin(self, lease: Lease, job: Job, work: Callable[[Lease, Job, JobAtWork], None]) -> None:
        """Have a unit worked on; it keeps its place until `work` has returned."""
        with self._lock:
            at_work = self._jobs.setdefault(job.no, JobAtWork.begin(job))
            at_work.units += 1
            thread = threading.Thread(target=self._run, args=(lease, job, at_work, work), name=f"unit-{lease.unit_no}", daemon=True)
            self._threads[lease] = thread
        thread.start()

    def look(self) -> tuple[dict[int, JobAtWork], list[Lease]]:
        """The jobs by number, and the leases, of this moment."""
        with self._lock:
            return dict(self._jobs), list(self._threads)

    def control_of(self, lease: Lease) -> Control | None:
        """The control of a unit's job; None if the unit is not at work any more."""
        with self._lock:
            return self._jobs[lease.job_no].control if lease in self._threads else None

    def each_job(self, wish: Callable[[Control], None]) -> None:
        """Tell every job."""
        jobs, _ = self.look()
        for job in jobs.values():
            wish(job.control)

    def join(self, deadline: float) -> None:
        """Wait until the units that are at work now have ended, but not beyond this moment of the monotonic clock."""
        with self._lock:
            threads = list(self._threads.values())
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def wait_for_rest(self, seconds: float) -> None:
        """Wait until the last unit has ended, so long at most."""
        self._came_to_rest.wait(seconds)
        self._came_to_rest.clear()

    def _run(self, lease: Lease, job: Job, at_work: JobAtWork, work: Callable[[Lease, Job, JobAtWork], None]) -> None:
        try:
            work(lease, job, at_work)
        finally:
            with self._lock:
                del self._threads[lease]
                at_work.units -= 1
                if at_work.units == 0:
                    self._jobs.pop(job.no, None)
                if not self._threads:
                    self._came_to_rest.set()
            self._on_end()

    def _most_of(self, job: JobAtWork) -> int:
        return max(_UNITS_PER_JOB, 1 + self._at_once.get(job.queue, 0))

    def _watches(self, lease: Lease) -> bool:
        """Whether it is the unit of a job that watches by which it does so: such a unit takes no place from others."""
        return lease.kind is UnitKind.PLAN and self._jobs[lease.job_no].watches

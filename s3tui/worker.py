"""The process that does the work.

    queue ──bell──▶ take_unit(job, unit) ─┐
    tick, once a second ─▶ reap ──────────┴─▶ claim ─▶ a thread per unit: KINDS[kind].plan or .work ─▶ finish | release
    heartbeat, once a second: renew every lease, read what people want, write the sample of what is in flight
    courier, if there is a webhook: tell it which jobs have ended
    mirror, if there is a Redis: write there what the database says of jobs and workers, once a second

A message is a bell: the actor returns at once, so no delivery is ever held for a long job, and a lost or doubled message changes
nothing. The claim in the database decides, and the tick finds what no bell announced: units of dead workers, units that came while
every slot was taken.

Concurrency: the claimer thread starts units, one thread each; the heartbeat thread does nothing but beat, so leases are renewed
however busy the units are. `_lock` guards the two tables of units and jobs at work; no call that may block is made under it.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from s3tui.errors import CredentialsExpired, LeaseLost, S3tuiError, SourceUnseen, StateError
from s3tui.jobs import sweep
from s3tui.jobs.context import Context, Resources
from s3tui.jobs.kinds import KINDS
from s3tui.jobs.seeing import ensure_seen
from s3tui.jobs.specs import decode_spec
from s3tui.jobs.workplaces import sweep_workplaces
from s3tui.live.mirror import Mirror
from s3tui.log_context import about
from s3tui.masking import masked
from s3tui.model import Desired, Job, Lease, UnitKind
from s3tui.state.journal import Journal
from s3tui.state.store import Store
from s3tui.state.units import Claimant, Orders
from s3tui.text import display_text
from s3tui.transfer.engine import Control
from s3tui.transfer.progress import Progress
from s3tui.webhooks.courier import Courier

if TYPE_CHECKING:
    from s3tui.live.line import Line
    from s3tui.queues.bells import Bells
    from s3tui.webhooks.posting import Post

log = logging.getLogger(__name__)

_TICK_SECONDS = 1.0
_BREAK_SECONDS = 3.0
"""How long requests that were told to break off may take to do so; a request that the store never answers is left behind."""
_TELLING_SECONDS = 5.0
"""How long a worker that ends may go on telling the webhook what its own jobs have caused."""
_MIRRORING_SECONDS = 2.0
"""How long a worker that ends may go on mirroring how things stand now."""
_UNITS_PER_JOB = 3
"""One that plans and two that carry: while the last files of one are in flight, the next fills the free slots. More only of a queue
that gives more places than that."""
_UNITS = 12
"""Units at work in one process, over all jobs, but for those that watch: they would keep their places for ever."""


@dataclass(slots=True)
class _JobAtWork:
    """What the units of one job share in this process."""

    id: str
    queue: str
    watches: bool
    control: Control
    progress: Progress
    units: int = 0

    @classmethod
    def begin(cls, job: Job) -> _JobAtWork:
        """The first of its units is here."""
        return cls(job.id, job.queue, job.watches, Control(job.concurrency, job.bandwidth), Progress())

    def sample(self) -> dict[str, object]:
        active, _ = self.progress.sample()
        flights = [[flight.no, flight.sent, flight.size, flight.attempt, round(flight.rate)] for flight in active]
        return {"rate": round(self.progress.rate), "active": flights, "videos": self.progress.videos}


class Worker:
    """Takes units from the queue and the database until it is stopped, idle for too long, or unable to go on."""

    def __init__(
        self,
        store: Store,
        resources: Resources,
        *,
        version: str,
        identity: str = "",
        queues: tuple[str, ...] = ("upload",),
        bells: Bells | None = None,
        until_idle: float | None = None,
        at_once: Mapping[str, int] | None = None,
        post: Post | None = None,
        line: Line | None = None,
    ) -> None:
        """Without `bells` it works only on jobs that are bound to it: a headless command.

        `until_idle`: seconds without any unit, and without anything to tell the webhook, after which it stops by itself. `at_once`:
        how many units of a queue may be at work, but for those that watch. `post` is the way to the webhook, if there is one, and
        `line` the way to the Redis that mirrors live status.
        """
        self.id = f"{os.getpid()}-{secrets.token_hex(6)}"
        self.error: StateError | None = None
        self._store = store
        self._resources = resources
        self._version = version
        self._claimant = Claimant(self.id, identity, queues, home_only=bells is None)
        self._bells = bells
        self._until_idle = until_idle
        self._at_once = at_once or {}
        self._journal = Journal(store.database, on_lost=self._lose)
        self._courier = Courier(store.webhooks, post, home=self.id, on_broken=self._break) if post is not None else None
        self._mirror = Mirror(store, line, worker_id=self.id) if line is not None else None
        self._lock = threading.Lock()
        self._at_work: dict[Lease, threading.Thread] = {}
        self._jobs: dict[int, _JobAtWork] = {}
        self._bell = threading.Event()
        self._came_to_rest = threading.Event()
        self._stopping = threading.Event()
        self._drained = threading.Event()
        self._threads: list[threading.Thread] = []
        self._sweeper: threading.Thread | None = None
        self._last_work = time.monotonic()

    def start(self) -> None:
        """Register, and begin to take units. Raises StateError, QueueError."""
        self._store.workers.register(self._claimant, pid=os.getpid(), version=self._version)
        log.info("Worker %s begins: version %s, %s.", self.id, self._version, ", ".join(self._claimant.queues))
        threading.Thread(target=sweep_workplaces, name="tidier", daemon=True).start()
        for name, loop in (("heartbeat", self._heartbeat), ("claimer", self._claim)):
            thread = threading.Thread(target=loop, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)
        if self._courier is not None:
            self._courier.start()
        if self._mirror is not None:
            self._mirror.start()
        if self._bells is not None:
            self._bells.start(self._claimant.queues, self._ring)

    def wake(self) -> None:
        """Look for units now, not at the next tick."""
        self._bell.set()

    def wait_for_rest(self, seconds: float) -> None:
        """Wait until the last of its units has ended, so long at most."""
        self._came_to_rest.wait(seconds)
        self._came_to_rest.clear()

    def stop(self, grace: float = 5.0) -> None:
        """Admit nothing more, give what is in flight `grace` seconds, break it off, save everything and leave. Idempotent."""
        if self._drained.is_set():
            return
        self._stopping.set()
        self._bell.set()
        self._each_job(Control.pause)
        with self._lock:
            at_work = len(self._at_work)
        log.info("Worker %s was told to stop: %d units at work, and %g seconds for what is in flight.", self.id, at_work, grace)
        deadline = time.monotonic() + grace
        self._join_units(deadline)
        self._each_job(Control.break_off)
        self._join_units(time.monotonic() + _BREAK_SECONDS)
        self._drained.set()
        if self._bells is not None:
            self._bells.stop()
        if self._courier is not None:
            self._courier.part(_TELLING_SECONDS)
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()
        self._journal.close()
        with suppress(StateError):
            self._store.workers.unregister(self.id)
        if self._mirror is not None:
            self._mirror.part(_MIRRORING_SECONDS)
        log.info("Worker %s has stopped.", self.id)

    def run_until_stopped(self, grace: float = 5.0) -> None:
        """Start, and block until `request_stop`, idleness or a broken database; then stop, with this grace.

        Raises StateError for a broken database, QueueError if it cannot begin.
        """
        try:
            self.start()
            while not self._stopping.wait(_TICK_SECONDS):
                pass  # a signal may come to another thread, and wakes the main thread, which handles it, only from time to time
        finally:
            self.stop(grace)
        if self.error is not None:
            raise self.error

    def request_stop(self) -> None:
        """Ask `run_until_stopped` to return; safe in a signal handler."""
        self._stopping.set()

    # The claimer.

    def _ring(self, job_id: str, unit_no: int) -> None:
        with about(job=job_id):
            log.debug("The bell rings for unit %d.", unit_no)
        self.wake()

    def _claim(self) -> None:
        while not self._stopping.is_set():
            self._bell.clear()
            try:
                self._store.units.reap()
                self._sweep()
                while not self._stopping.is_set() and self._take_one():
                    pass
            except StateError as error:
                self._break(error)
                return
            if self._idle_for() > (self._until_idle or float("inf")):
                self._stopping.set()
            self._bell.wait(_TICK_SECONDS)

    def _sweep(self) -> None:
        """Remove what cancelled jobs left on the store, in a thread of its own: a store may take its time."""
        busy = self._sweeper is not None and self._sweeper.is_alive()
        if busy or self._bells is None or not (self._store.multiparts.any_cancelled() or self._store.videos.any_cancelled()):
            return
        self._sweeper = threading.Thread(target=self._sweep_all, name="sweeper", daemon=True)
        self._sweeper.start()

    def _sweep_all(self) -> None:
        try:
            sweep.sweep(self._store, self._resources, self._claimant)
            sweep.sweep_videos(self._store, self._resources, self._claimant)
        except StateError as error:
            self._break(error)

    def _take_one(self) -> bool:
        with self._lock:
            full = [number for number, job in self._jobs.items() if job.units >= self._most_of(job) or job.control.stopping]
            watching = sum(job.watches for job in self._jobs.values())
            if len(self._at_work) - watching >= _UNITS:
                return False
            taken = Counter(self._jobs[lease.job_no].queue for lease in self._at_work if not self._watches(lease))
        queues = [name for name in self._claimant.queues if name not in self._at_once or taken[name] < self._at_once[name]]
        claimed = self._store.units.claim(replace(self._claimant, queues=tuple(queues)), full)
        if claimed is None:
            return False
        lease, job = claimed
        if self._mirror is not None:
            self._mirror.follow(job.no)
        with self._lock:
            at_work = self._jobs.setdefault(job.no, _JobAtWork.begin(job))
            at_work.units += 1
            thread = threading.Thread(target=self._run, args=(lease, job, at_work), name=f"unit-{lease.unit_no}", daemon=True)
            self._at_work[lease] = thread
        thread.start()
        return True

    def _most_of(self, job: _JobAtWork) -> int:
        return max(_UNITS_PER_JOB, 1 + self._at_once.get(job.queue, 0))

    def _watches(self, lease: Lease) -> bool:
        """Whether it is the unit of a job that watches by which it does so: such a unit takes no place from others."""
        return lease.kind is UnitKind.PLAN and self._jobs[lease.job_no].watches

    def _idle_for(self) -> float:
        with self._lock:
            if self._at_work or (self._courier is not None and self._courier.waited):
                self._last_work = time.monotonic()
            return time.monotonic() - self._last_work

    # One unit.

    def _run(self, lease: Lease, job: Job, at_work: _JobAtWork) -> None:
        try:
            with about(job=job.id):
                self._carry_out(lease, job, at_work)
        finally:
            with self._lock:
                del self._at_work[lease]
                at_work.units -= 1
                if at_work.units == 0:
                    self._jobs.pop(job.no, None)
                if not self._at_work:
                    self._came_to_rest.set()
            self._bell.set()

    def _carry_out(self, lease: Lease, job: Job, at_work: _JobAtWork) -> None:
        try:
            self._work(lease, job, at_work)
        except LeaseLost:
            log.warning("Unit %d was taken over by another worker.", lease.unit_no)
        except StateError as error:
            self._break(error)
        except SourceUnseen as error:
            self._end_early(lease, partial(self._store.sightings.missed, lease, job.id, str(error)))
        except CredentialsExpired as error:
            with about(code=error.reason):
                log.warning("The job waits for a person: %s", error)
            self._end_early(lease, partial(self._store.jobs.pause_for, job.no, error.reason, str(error)))
        except S3tuiError as error:
            self._fail(lease, job, error.reason, str(error))
        except Exception as error:
            log.exception("Unit %d met a defect of s3tui.", lease.unit_no)
            cause = f"{type(error).__name__}: {display_text(masked(str(error)))}"
            self._fail(lease, job, "internal_error", f"The job stopped on an error of s3tui itself: {cause}. See the log.")

    def _work(self, lease: Lease, job: Job, at_work: _JobAtWork) -> None:
        kind = KINDS[job.kind]
        context: Context[Any] = Context(
            job=job,
            spec=decode_spec(job.kind, job.spec),
            lease=lease,
            store=self._store,
            journal=self._journal,
            resources=self._resources,
            control=at_work.control,
            progress=at_work.progress,
            wake=self.wake,
        )
        ensure_seen(context)
        (kind.plan if lease.kind is UnitKind.PLAN else kind.work)(context)
        if at_work.control.stopping:
            context.flush()
            self._store.units.release(lease)
        elif lease.kind is UnitKind.CARRY:
            self._store.units.finish(lease)

    def _fail(self, lease: Lease, job: Job, reason: str, sentence: str) -> None:
        self._end_early(lease, partial(self._store.jobs.fail, job.no, reason, sentence))

    def _end_early(self, lease: Lease, write: Callable[[], None]) -> None:
        """Write why the job does not go on, and give the unit back."""
        try:
            self._journal.flush()
            write()
            self._store.units.release(lease)
        except StateError as error:
            self._break(error)

    # The heartbeat.

    def _heartbeat(self) -> None:
        while not self._drained.wait(_TICK_SECONDS):
            try:
                self._beat()
            except StateError as error:
                self._break(error)
                return

    def _beat(self) -> None:
        with self._lock:
            jobs = dict(self._jobs)
            leases = list(self._at_work)
        held = self._store.workers.beat(self.id, {job.id: job.sample() for job in jobs.values()})
        for lease in leases:
            # A unit that this moment became done is not held either; only one that is not done has been lost.
            if (lease.job_no, lease.unit_no, lease.token) not in held and not self._store.units.is_done(lease):
                self._lose(lease)
        if jobs:
            self._store.samples.take(list(jobs))
        for number, orders in self._store.units.orders(list(jobs)).items():
            _obey(jobs[number].control, orders)
        if self._bells is not None and self._store.database.is_shared:
            self._bells.share(self._store.workers.count())

    def _lose(self, lease: Lease) -> None:
        """Break off the job of a lease that is not ours any more; its other units are released and may be claimed again."""
        with self._lock:
            job = self._jobs.get(lease.job_no) if lease in self._at_work else None
        if job is not None:
            job.control.break_off()

    # The end.

    def _break(self, error: StateError) -> None:
        """The database cannot be written: nothing more can be proven, so nothing more is started."""
        if self.error is None:
            with about(code=error.reason):
                log.error("%s", error)
            self.error = error
        self._each_job(Control.break_off)
        self._stopping.set()
        self._bell.set()

    def _each_job(self, wish: Callable[[Control], None]) -> None:
        with self._lock:
            controls = [job.control for job in self._jobs.values()]
        for control in controls:
            wish(control)

    def _join_units(self, deadline: float) -> None:
        with self._lock:
            threads = list(self._at_work.values())
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))


def _obey(control: Control, orders: Orders) -> None:
    if orders.desired is Desired.CANCEL:
        control.cancel()
    elif orders.state.ended:
        control.break_off()
    elif orders.desired is Desired.PAUSE:
        control.pause()
    control.tune(concurrency=orders.concurrency, bandwidth=orders.bandwidth)

"""The life of a worker: it takes units while there is room, keeps their leases, and leaves nothing behind when it ends."""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from s3tui.errors import StateError
from s3tui.jobs import sweep
from s3tui.jobs.context import Resources
from s3tui.jobs.workplaces import sweep_workplaces
from s3tui.live.mirror import Mirror
from s3tui.log_context import about
from s3tui.model import Desired, Lease
from s3tui.state.journal import Journal
from s3tui.state.store import Store
from s3tui.state.units import Claimant, Orders
from s3tui.transfer.engine import Control
from s3tui.webhooks.courier import Courier
from s3tui.worker.at_work import AtWork
from s3tui.worker.workbench import Workbench

if TYPE_CHECKING:
    from s3tui.live.line import Line
    from s3tui.queues.bells import Bells
    from s3tui.webhooks.posting import Post

log = logging.getLogger(__package__)

_TICK_SECONDS = 1.0
_BREAK_SECONDS = 3.0
"""How long requests that were told to break off may take to do so; a request that the store never answers is left behind."""
_TELLING_SECONDS = 5.0
"""How long a worker that ends may go on telling the webhook what its own jobs have caused."""
_MIRRORING_SECONDS = 2.0
"""How long a worker that ends may go on mirroring how things stand now."""


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
        self._journal = Journal(store.database, on_lost=self._lose)
        self._courier = Courier(store.webhooks, post, home=self.id, on_broken=self._break) if post is not None else None
        self._mirror = Mirror(store, line, worker_id=self.id) if line is not None else None
        self._bell = threading.Event()
        self._at_work = AtWork(at_once or {}, on_end=self.wake)
        self._workbench = Workbench(store, self._journal, resources, wake=self.wake, on_broken=self._break)
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
        self._at_work.wait_for_rest(seconds)

    def stop(self, grace: float = 5.0) -> None:
        """Admit nothing more, give what is in flight `grace` seconds, break it off, save everything and leave. Idempotent."""
        if self._drained.is_set():
            return
        self._stopping.set()
        self._bell.set()
        self._at_work.each_job(Control.pause)
        units = len(self._at_work)
        log.info("Worker %s was told to stop: %d units at work, and %g seconds for what is in flight.", self.id, units, grace)
        self._at_work.join(time.monotonic() + grace)
        self._at_work.each_job(Control.break_off)
        self._at_work.join(time.monotonic() + _BREAK_SECONDS)
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
        room = self._at_work.room(self._claimant.queues)
        if room is None:
            return False
        queues, full = room
        claimed = self._store.units.claim(replace(self._claimant, queues=queues), full)
        if claimed is None:
            return False
        lease, job = claimed
        if self._mirror is not None:
            self._mirror.follow(job.no)
        self._at_work.begin(lease, job, self._workbench.carry_out)
        return True

    def _idle_for(self) -> float:
        if len(self._at_work) > 0 or (self._courier is not None and self._courier.waited):
            self._last_work = time.monotonic()
        return time.monotonic() - self._last_work

    # The heartbeat.

    def _heartbeat(self) -> None:
        while not self._drained.wait(_TICK_SECONDS):
            try:
                self._beat()
            except StateError as error:
                self._break(error)
                return

    def _beat(self) -> None:
        jobs, leases = self._at_work.look()
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
        control = self._at_work.control_of(lease)
        if control is not None:
            control.break_off()

    # The end.

    def _break(self, error: StateError) -> None:
        """The database cannot be written: nothing more can be proven, so nothing more is started."""
        if self.error is None:
            with about(code=error.reason):
                log.error("%s", error)
            self.error = error
        self._at_work.each_job(Control.break_off)
        self._stopping.set()
        self._bell.set()


def _obey(control: Control, orders: Orders) -> None:
    if orders.desired is Desired.CANCEL:
        control.cancel()
    elif orders.state.ended:
        control.break_off()
    elif orders.desired is Desired.PAUSE:
        control.pause()
    control.tune(concurrency=orders.concurrency, bandwidth=orders.bandwidth)

"""What all routes share, and the one way to calls that block."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import anyio.to_thread
from fastapi import Depends, Request

from s3tui.api.limits import Rate, Slots
from s3tui.api.staging import Staging
from s3tui.config import Settings
from s3tui.errors import NotFound, QueueError, StateError
from s3tui.model import Job
from s3tui.runtime import Runtime
from s3tui.service import Service
from s3tui.state.options import state_directory
from s3tui.state.store import Store
from s3tui.text import display_text, parse_size

_log = logging.getLogger(__name__)

_P = ParamSpec("_P")
_R = TypeVar("_R")

_CALLS = 16
_WRITERS = 16
_STREAMS = 32
_BURST_SECONDS = 4
_FAILURES_PER_SECOND, _FAILURES_AT_ONCE = 1.0, 20.0

JOB_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")


class Desk:
    """The parts of one API process. `runtime` is the caller's, who closes it."""

    def __init__(self, runtime: Runtime) -> None:
        """Raises ConfigError, StateError."""
        self.runtime = runtime
        self.store: Store = runtime.store
        self.service: Service = runtime.service
        options = self.settings.api
        directory = Path(options.staging_directory).expanduser() if options.staging_directory else state_directory() / "staging"
        self.staging = Staging(directory)
        self.max_body = parse_size(options.max_body)
        self.calls_of_token = Rate(options.requests_per_second, options.requests_per_second * _BURST_SECONDS)
        self.failures_of_host = Rate(_FAILURES_PER_SECOND, _FAILURES_AT_ONCE)
        self.bodies_of_token = Slots(options.concurrent_bodies, "bodies on their way")
        self.streams_of_token = Slots(_STREAMS, "streams of events open")
        self.stopping = False
        """Set when the server is to end: whoever would stay for long leaves."""
        self._calls = anyio.CapacityLimiter(_CALLS)
        self._writers = anyio.CapacityLimiter(_WRITERS)
        self._starting = threading.Lock()
        self._errands: set[asyncio.Task[None]] = set()

    @property
    def settings(self) -> Settings:
        """Of the whole program."""
        return self.runtime.settings

    async def call(self, function: Callable[_P, _R], *args: _P.args, **keywords: _P.kwargs) -> _R:
        """Run what blocks on the database, in a thread. Who is cancelled meanwhile learns that when it has ended."""
        return await _to_its_end(anyio.to_thread.run_sync(partial(function, *args, **keywords), limiter=self._calls))

    async def write(self, function: Callable[_P, _R], *args: _P.args, **keywords: _P.kwargs) -> _R:
        """The same for what blocks on the disk: a slow disk must not keep readers of the database."""
        return await _to_its_end(anyio.to_thread.run_sync(partial(function, *args, **keywords), limiter=self._writers))

    def job(self, job_id: str) -> Job:
        """The job with exactly this id. Raises NotFound. Blocks."""
        if not JOB_ID.fullmatch(job_id):
            raise NotFound(f"There is no job {display_text(job_id[:40])!r}.")
        return self.service.job(job_id)

    def wake_worker(self) -> None:
        """See in the background that somebody carries jobs; see `ensure_worker`."""
        self.start(self.write(self.ensure_worker))

    def start(self, errand: Coroutine[Any, Any, None]) -> None:
        """Let something go on that no request waits for."""
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._errands.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("Something in the background met an error", exc_info=error)

    def ensure_worker(self) -> None:
        """See that somebody carries jobs, unless others do by configuration. A job waits if nobody does. Blocks for seconds.

        If another thread is at it already, this one does not wait for that.
        """
        if not self.settings.api.start_worker or self.stopping or not self._starting.acquire(blocking=False):
            return
        try:
            self.runtime.ensure_worker()
        except (QueueError, StateError) as error:
            _log.warning("%s Jobs wait until a worker runs: `s3tui worker` starts one.", error)
        finally:
            self._starting.release()


async def _to_its_end(running: Coroutine[Any, Any, _R]) -> _R:
    """Wait for a thread even if the waiting is cancelled: what it works on must not be taken away under it."""
    task = asyncio.ensure_future(running)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def desk_of(request: Request) -> Desk:
    """The desk of the application that the request came to."""
    desk: Desk = request.app.state.desk
    return desk


AtDesk = Annotated[Desk, Depends(desk_of)]
"""A parameter of a route."""

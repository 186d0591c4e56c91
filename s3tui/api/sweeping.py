"""What is removed from staging, and when.

    received half, and nobody receives it any more    at once: at the start of every server, and every few seconds
    a resumable upload that nobody goes on with       api.resumable_hours after its last piece
    its job has completed, or was cancelled           at once
    its job has failed files                          api.keep_failed_hours after its end: until then it can be retried
    its job has not ended                             never

A resumable upload that came whole just before its server died becomes its job here. Directories whose names are no ids of jobs
are not ours.
"""

from __future__ import annotations

import asyncio
import logging
from itertools import count

from s3tui.api.desk import JOB_ID, Desk
from s3tui.api.intake import wish_of
from s3tui.api.resumable import make_whole
from s3tui.errors import NotFound, S3tuiError, SpecError
from s3tui.model import Job, JobState, now_ms
from s3tui.state.bodies import Body

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 5.0
_SWEEPS_A_LOOK = 2
"""After so many it is looked whether jobs wait in vain, because their worker was killed."""
_SWEEPS_AN_HOUR = int(3600 / _PAUSE_SECONDS)
_HOUR_MS = 3_600_000


async def keep_sweeping(desk: Desk) -> None:
    """Sweep until cancelled, and see that jobs that wait have a worker, even if the last one was killed."""
    for turn in count():
        await asyncio.sleep(_PAUSE_SECONDS)
        try:
            await desk.write(sweep, desk)
            if turn % _SWEEPS_AN_HOUR == 0:
                await desk.call(desk.store.requests.forget)
            if turn % _SWEEPS_A_LOOK == 0 and await desk.call(_somebody_waits, desk):
                await desk.write(desk.ensure_worker)
        except S3tuiError as error:
            _log.warning("Staging was not swept: %s", error)
        except Exception:
            _log.exception("Staging was not swept")


def sweep(desk: Desk) -> None:
    """Remove what may go. Raises StateError. Blocks."""
    for body in desk.store.bodies.unfinished():
        _sweep_unfinished(desk, body)
    for body_id in desk.staging.ids():
        if JOB_ID.fullmatch(body_id) and _may_go(desk, body_id):
            desk.staging.remove(body_id)


def _sweep_unfinished(desk: Desk, body: Body) -> None:
    name = wish_of(body).file_name(body.id)
    if desk.staging.is_locked(body.id):
        return
    if desk.staging.size(body.id, name) == body.size:
        try:
            make_whole(desk, body, sha256=None)
        except SpecError as error:
            _log.warning("A resumable upload came whole, and cannot become a job: %s", error)
        else:
            return
    if body.expires_at is not None and body.expires_at < now_ms():
        desk.store.bodies.drop(body.id)
        desk.staging.remove(body.id)


def _may_go(desk: Desk, body_id: str) -> bool:
    job = _job(desk, body_id)
    if job is not None:
        return _is_done_with(job, desk.settings.api.keep_failed_hours)
    body = desk.store.bodies.get(body_id)
    if body is not None and body.expires_at is not None:
        return False
    if (
        desk.staging.is_locked(body_id) or _job(desk, body_id) is not None
    ):  # in this order: the lock outlasts the writing of the job
        return False
    desk.store.bodies.drop(body_id)
    return True


def _is_done_with(job: Job, keep_hours: float) -> bool:
    if not job.state.ended:
        return False
    if job.state is JobState.FAILED or (job.state is JobState.PARTIAL and job.totals.failed):
        return (job.finished_at or job.created_at) + keep_hours * _HOUR_MS < now_ms()
    return True


def _job(desk: Desk, job_id: str) -> Job | None:
    try:
        return desk.service.job(job_id)
    except NotFound:
        return None


def _somebody_waits(desk: Desk) -> bool:
    states = (JobState.PENDING, JobState.RUNNING)
    return any(job.home is None for state in states for job in desk.service.browse(limit=20, state=state))

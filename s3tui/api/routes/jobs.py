"""`/v1/jobs`: look at jobs and steer them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import logging
from collections.abc import Callable, Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from starlette.concurrency import iterate_in_threadpool
from starlette.responses import Response, StreamingResponse

from s3tui.api import shapes
from s3tui.api.auth import READS, Reader, Writer
from s3tui.api.desk import AtDesk, Desk
from s3tui.api.events import Sights, begun, is_over, stream
from s3tui.api.idempotency import IdempotencyKey, attempt
from s3tui.api.jobs_shown import accepted, digest, etag, files_of, is_known, json_response, page_of, shown_whole
from s3tui.api.problems import Problem
from s3tui.errors import Conflict, S3tuiError
from s3tui.model import JobState

_log = logging.getLogger(__name__)

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

IfNoneMatch = Annotated[str | None, Header(alias="If-None-Match", max_length=2000, description="An ETag that is known already.")]
Cursor = Annotated[str | None, Query(max_length=64, description="`next` of the page before.")]

_NO_BODY = hashlib.sha256(b"").hexdigest()
_NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "It is as the caller knows it"}}
_JOB: dict[int | str, dict[str, Any]] = {200: {"model": shapes.Job}, **_NOT_MODIFIED}
_ACCEPTED: dict[int | str, dict[str, Any]] = {202: {"model": shapes.Job, "description": "It will be done"}}


@router.get("", responses={200: {"model": shapes.Jobs}, **_NOT_MODIFIED}, dependencies=READS)
async def list_jobs(
    desk: AtDesk,
    kind: Annotated[shapes.Kind | None, Query()] = None,
    state: Annotated[JobState | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Cursor = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Jobs, newest first."""
    before = None if cursor is None else _number(cursor)

    def look() -> dict[str, Any]:
        jobs = desk.service.browse(limit=limit + 1, before=before, kind=kind, state=state)
        more = len(jobs) > limit
        return {"jobs": page_of(desk, jobs[:limit]), "next": _cursor(jobs[limit - 1].no) if more else None}

    return _versioned(await desk.call(look), if_none_match)


@router.get("/{job_id}", responses=_JOB, dependencies=READS)
async def show_job(desk: AtDesk, job_id: str, if_none_match: IfNoneMatch = None) -> Response:
    """One job, and what moves of it at the moment."""
    return _versioned(await desk.call(shown_whole, desk, job_id), if_none_match)


@router.get("/{job_id}/files", responses={200: {"model": shapes.Files}}, dependencies=READS)
async def list_files(
    desk: AtDesk, job_id: str, limit: Annotated[int, Query(ge=1, le=1000)] = 100, cursor: Cursor = None
) -> Response:
    """The files of a job, in the order in which they were found."""
    first = 0 if cursor is None else _number(cursor)

    def look() -> dict[str, Any]:
        files = files_of(desk, desk.job(job_id), first, limit + 1)
        return {"files": files[:limit], "next": _cursor(first + limit) if len(files) > limit else None}

    return json_response(await desk.call(look))


@router.get("/{job_id}/report", responses={200: {"model": shapes.Report}}, dependencies=READS)
async def show_report(desk: AtDesk, job_id: str) -> Response:
    """The report, as `s3tui jobs report` writes it; streamed, as it may have a million files."""
    job = await desk.call(desk.job, job_id)
    pieces: Iterator[str] = desk.service.report(job)
    return StreamingResponse(iterate_in_threadpool(pieces), media_type="application/json")


@router.get(
    "/{job_id}/events",
    responses={
        200: {"description": "Server-Sent Events: `job` at each change, `end` at the end", "content": {"text/event-stream": {}}},
        204: {"description": "The job has ended, and the caller knows it"},
    },
    response_class=Response,
)
async def follow_job(
    request: Request,
    desk: AtDesk,
    caller: Reader,
    job_id: str,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", max_length=64)] = None,
) -> Response:
    """The job at each of its changes, until it ends."""
    sights: Sights = request.app.state.sights
    facts = await sights.look((await desk.call(desk.job, job_id)).id)
    if is_over(facts) and digest(facts) == last_event_id:
        return Response(status_code=204)
    events = await begun(stream(request, desk, sights, caller, job_id, last_event_id))
    return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


@router.post("/{job_id}/pause", status_code=202, responses=_ACCEPTED)
async def pause_job(request: Request, desk: AtDesk, caller: Writer, job_id: str, key: IdempotencyKey = None) -> Response:
    """Begin no further file; what is in flight ends."""
    return await _steer(request, desk, caller, job_id, key, desk.service.pause)


@router.post("/{job_id}/resume", status_code=202, responses=_ACCEPTED)
async def resume_job(request: Request, desk: AtDesk, caller: Writer, job_id: str, key: IdempotencyKey = None) -> Response:
    """Go on with a job that is paused, was left behind, or failed half-way."""

    def resume(job_id: str) -> None:
        _ensure_body(desk, job_id)
        desk.service.resume(job_id)

    return await _steer(request, desk, caller, job_id, key, resume, then=desk.wake_worker)


@router.post("/{job_id}/cancel", status_code=202, responses=_ACCEPTED)
async def cancel_job(request: Request, desk: AtDesk, caller: Writer, job_id: str, key: IdempotencyKey = None) -> Response:
    """Break it off for good; what is stored stays, and what was begun is removed."""
    return await _steer(request, desk, caller, job_id, key, desk.service.cancel, then=lambda: desk.start(desk.write(_sweep, desk)))


@router.post("/{job_id}/retry", status_code=202, responses=_ACCEPTED)
async def retry_job(
    request: Request,
    desk: AtDesk,
    caller: Writer,
    job_id: str,
    reason: Annotated[str | None, Query(max_length=64, pattern="^[a-z0-9_]+$")] = None,
    key: IdempotencyKey = None,
) -> Response:
    """Send its failed files again, or those of them that failed for this reason.

    A body that was posted is there for it as long as api.keep_failed_hours says.
    """

    def retry(job_id: str) -> None:
        _ensure_body(desk, job_id)
        desk.service.retry(job_id, reason=reason)

    return await _steer(request, desk, caller, job_id, key, retry, then=desk.wake_worker)


async def _steer(
    request: Request,
    desk: Desk,
    caller: Writer,
    job_id: str,
    key: str | None,
    act: Callable[[str], object],
    *,
    then: Callable[[], None] | None = None,
) -> Response:
    """Do one thing to a job, and begin what is to follow; answer with the job as it is then."""
    job = await desk.call(desk.job, job_id)

    async def body_hash() -> str:
        return _NO_BODY

    async with attempt(desk, request, caller, key, body_hash=body_hash, steers=job.id) as trying:
        if not isinstance(trying, str):

            def steer() -> None:
                trying.seal(_NO_BODY)
                act(job.id)
                trying.finish(job.id)

            await desk.call(steer)
            if then is not None:
                then()
        return await desk.call(accepted, desk, job.id)


def _ensure_body(desk: Desk, job_id: str) -> None:
    """See that what was posted is there still. Raises Conflict."""
    if desk.store.bodies.get(job_id) is not None and not desk.staging.has(job_id):
        raise Conflict(f"Job {job_id} cannot go on: its body is not in staging any more. Post it again.")


def _sweep(desk: Desk) -> None:
    """Drop what cancelled jobs have left open on the store, unless a worker that is alive does. What fails is tried again later."""
    try:
        desk.runtime.sweep()
    except S3tuiError as error:
        _log.warning("What cancelled jobs left on the store could not be removed yet: %s", error)


def _versioned(facts: dict[str, Any], if_none_match: str | None) -> Response:
    tag = etag(facts)
    if is_known(tag, if_none_match):
        return Response(status_code=304, headers={"ETag": tag})
    return json_response(facts, headers={"ETag": tag})


def _cursor(number: int) -> str:
    return base64.urlsafe_b64encode(f"v1:{number}".encode()).decode().rstrip("=")


def _number(cursor: str) -> int:
    """Raises Problem 422."""
    try:
        version, _, number = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii").partition(":")
    except (binascii.Error, ValueError):
        version = number = ""
    if version != "v1" or not number.isdecimal() or len(number) > 18:
        raise Problem(422, "bad_cursor", "This cursor is none of ours: take `next` of the page before, as it is.")
    return int(number)

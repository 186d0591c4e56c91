"""This side: the state database and its disk, unfinished uploads, queue, worker, live status, the webhook, ffmpeg."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from s3tui import __version__
from s3tui.doctor.findings import Finding, found
from s3tui.errors import ConfigError
from s3tui.live.line import Line
from s3tui.media.binary import find_ffmpeg
from s3tui.model import JobState
from s3tui.text import format_size, format_time
from s3tui.webhooks.options import WebhookOptions
from s3tui.webhooks.posting import Post

if TYPE_CHECKING:
    from s3tui.model import Job, LingeringUpload
    from s3tui.runtime import Runtime

_DATABASE_SECONDS = 5.0
_QUEUE_SECONDS = 12.0
_LIVE_SECONDS = 5.0
_WEBHOOK_SECONDS = 5.0
_LEAST_FREE = 100 << 20


def examine(runtime: Runtime, webhook: WebhookOptions) -> Iterator[Finding]:
    """Look at what is on this side of the network, at the servers of a cluster, and at the webhook's host."""
    database = found("database", lambda: _database(runtime), seconds=_DATABASE_SECONDS)
    yield database
    if database.state == "failed":
        yield Finding("queue", "-", "is not looked at without a database")
        yield Finding("worker", "-", "is not looked at without a database")
    else:
        if (path := runtime.store.database.path) is not None:
            yield disk(path.parent, shutil.disk_usage(path.parent).free)
        yield from _lingering(runtime)
        yield found("queue", lambda: _queue(runtime), seconds=_QUEUE_SECONDS)
        yield found("worker", lambda: _workers(runtime), seconds=_DATABASE_SECONDS)
    yield from _live(runtime)
    yield from _webhook(runtime, webhook, counted=database.state == "ok")
    yield _ffmpeg(runtime.settings.video.ffmpeg)


def _database(runtime: Runtime) -> str:
    from s3tui.state.database import HEAD

    database = runtime.store.database
    database.prove_writable()
    return f"{database.path or runtime.settings.state.url}, writable, schema {HEAD}"


def disk(directory: Path, free: int) -> Finding:
    """Whether the state directory's disk has room for what jobs write down."""
    facts = {"free": free}
    detail = f"{format_size(free)} free in {directory}"
    if free >= _LEAST_FREE:
        return Finding("disk", "ok", detail, facts)
    return Finding("disk", "failed", f"{detail}: free some, or set XDG_STATE_HOME to a directory on another disk", facts)


def _lingering(runtime: Runtime) -> Iterator[Finding]:
    """What unfinished uploads of large files hold on the store, job by job."""
    by_job: dict[str, list[LingeringUpload]] = {}
    for upload in runtime.store.multiparts.lingering():
        by_job.setdefault(upload.job_id, []).append(upload)
    for job_id, uploads in by_job.items():
        job = runtime.service.job(job_id)
        stored = format_size(sum(upload.stored for upload in uploads))
        some = f"{uploads[0].target}" + (f" and {len(uploads) - 1} more" if len(uploads) > 1 else "")
        since = format_time(min(upload.intended_at for upload in uploads))
        ways = _ways(job, carried=runtime.service.carried(job))
        detail = f"{stored} in unfinished uploads of the {job.state} job: {some}, since {since}; {ways}"
        yield Finding("uploads", "-", detail, _upload_facts(job, uploads))


def _ways(job: Job, *, carried: bool) -> str:
    """What may become of the uploads that a job has open."""
    drops = f"`s3tui jobs cancel {job.id}` drops them"
    if carried:
        return "a worker is at work on them"
    if job.state.ended and job.state is not JobState.FAILED:
        return drops
    return f"`s3tui jobs resume {job.id}` goes on with them, {drops}"


def _upload_facts(job: Job, uploads: Sequence[LingeringUpload]) -> dict[str, object]:
    open_uploads = [
        {
            "target": str(upload.target),
            "upload_id": upload.upload_id or None,
            "stored": upload.stored,
            "since": format_time(upload.intended_at),
        }
        for upload in uploads
    ]
    return {"job": job.id, "job_state": str(job.state), "uploads": open_uploads}


def _queue(runtime: Runtime) -> str:
    from s3tui.queues.broker import open_broker

    url = runtime.settings.queue.url
    open_broker(url, state_file=runtime.store.database.path).close()
    return "in the state file" if url == "sqlite" else url


def _workers(runtime: Runtime) -> str:
    workers = [worker for worker in runtime.service.workers() if not worker.home_only]
    if not workers:
        return "none runs; one is started when it is needed"
    return ", ".join(f"{worker.id} (process {worker.pid}, version {worker.version})" for worker in workers)


def _live(runtime: Runtime) -> Iterator[Finding]:
    """Whether the Redis that mirrors live status, if there is one, takes it: a key is written that is gone after a second."""
    if not runtime.settings.live.url:
        return

    def look() -> str:
        line = Line(runtime.settings.live.url)
        line.look()
        line.close()
        return f"{line.place} takes live status"

    yield found("live", look, seconds=_LIVE_SECONDS)


def _webhook(runtime: Runtime, options: WebhookOptions, *, counted: bool) -> Iterator[Finding]:
    """Whether the webhook, if there is one, may be told, and how many notices wait for it. Nothing is sent."""
    if not options.url:
        return

    def look() -> str:
        options.check()
        post = Post(options, version=__version__)
        post.look()
        waiting = runtime.store.webhooks.waiting() if counted else 0
        return post.place + (f"; ends of jobs that wait to be told: {waiting}, the log says why" if waiting else "")

    yield found("webhook", look, seconds=_WEBHOOK_SECONDS)


def _ffmpeg(chosen: str) -> Finding:
    """Only videos need one, so none is no failure; one that was named and cannot be used is."""
    try:
        ffmpeg = find_ffmpeg(chosen)
    except ConfigError as error:
        return Finding("ffmpeg", "failed" if chosen else "-", str(error))
    return Finding("ffmpeg", "ok", f"{ffmpeg.path}, version {ffmpeg.version}", {"path": ffmpeg.path, "version": ffmpeg.version})

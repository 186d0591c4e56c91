"""A job as a resource: what of it is told, and the digest by which its versions are told apart.

Faces read snapshots of the state database, which has no numbered history of a job. So the version of a job is the digest of what is
told of it, less what only the clock changes: the same for every server, before and after a restart. It is the ETag of the resource
and the id of each event.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from s3tui.api.desk import Desk
from s3tui.model import Job
from s3tui.report import file_facts, job_facts, video_facts
from s3tui.service import JobSight
from s3tui.state.bodies import Body
from s3tui.text import format_time

AGAIN_SECONDS = 1
"""When a job that was just made or steered is worth another look."""


def json_response(facts: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON in ASCII: paths that are not UTF-8 have lone surrogates, which only an escape can carry."""
    return Response(json.dumps(facts), status, headers, "application/json")


def shown(job: Job, body: Body | None) -> dict[str, Any]:
    """What a list tells of a job."""
    facts = job_facts(job)
    return {
        "id": facts.pop("job"),
        "name": body.name if body else None,
        **facts,
        "desired": str(job.desired),
        "created_at": format_time(job.created_at),
        "planned": job.planned,
        "body": {"size": body.size, "sha256": body.sha256} if body else None,
        "links": {"self": f"/v1/jobs/{job.id}", **{name: f"/v1/jobs/{job.id}/{name}" for name in ("files", "report", "events")}},
    }


def shown_whole(desk: Desk, job_id: str) -> dict[str, Any]:
    """What is told of one job: also what moves at the moment. Raises NotFound. Blocks."""
    job = desk.job(job_id)
    sight = desk.service.watch(job.id)
    rows = desk.service.rows_of(sight.job)
    published = desk.service.videos(sight.job, [0]) if job.kind == "video" else {}
    return {
        **shown(sight.job, desk.store.bodies.get(job.id)),
        "progress": _progress(sight),
        "rows": rows,
        "videos": [video_facts(video) for video in sight.videos],
        "url": published[0][0] if 0 in published else None,
    }


def page_of(desk: Desk, jobs: list[Job]) -> list[dict[str, Any]]:
    """What a list tells of these jobs. Blocks."""
    bodies = desk.store.bodies.of([job.id for job in jobs])
    return [shown(job, bodies.get(job.id)) for job in jobs]


def files_of(desk: Desk, job: Job, first: int, count: int) -> list[dict[str, Any]]:
    """The files numbered from `first`, as the report has them, with their numbers. Blocks."""
    rows = desk.service.window(job, first, count)
    more: dict[int, dict[str, Any]] = {}
    if job.kind == "video":
        videos = desk.service.videos(job, [row.no for row in rows])
        more = {row.no: dict(zip(("url", "renditions"), videos.get(row.no, (None, None)), strict=True)) for row in rows}
    elif job.kind == "ingest":
        counts = desk.service.row_counts(job)
        more = {row.no: counts.get(row.no, {"rows": None, "rejects_url": None}) for row in rows}
    return [{"no": row.no, **file_facts(row), **more.get(row.no, {})} for row in rows]


def digest(facts: Mapping[str, Any]) -> str:
    """The version of a job, or of a list of them, as it is told."""
    text = json.dumps(_timeless(facts), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def etag(facts: Mapping[str, Any]) -> str:
    """The same as an ETag; weak, as `seconds` may differ."""
    return f'W/"{digest(facts)}"'


def is_known(tag: str, if_none_match: str | None) -> bool:
    """Whether the caller has this version already."""
    if if_none_match is None:
        return False
    known = {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
    return "*" in known or tag.removeprefix("W/") in known


def accepted(desk: Desk, job_id: str) -> Response:
    """202: the job, and where it is. Blocks."""
    facts = shown_whole(desk, job_id)
    headers = {"Location": f"/v1/jobs/{facts['id']}", "Retry-After": str(AGAIN_SECONDS), "ETag": etag(facts)}
    return json_response(facts, 202, headers)


def _progress(sight: JobSight) -> dict[str, Any]:
    return {"sent": sight.sent, "rate": round(sight.rate), "in_flight": len(sight.active), "workers": len(sight.workers)}


def _timeless(value: Any) -> Any:  # noqa: ANN401 - what JSON has
    if isinstance(value, Mapping):
        return {name: _timeless(one) for name, one in value.items() if name != "seconds"}
    return [_timeless(one) for one in value] if isinstance(value, list) else value

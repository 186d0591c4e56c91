"""`POST /v1/uploads`: directories and files of the server's machine to S3."""

from __future__ import annotations

import hashlib

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.responses import Response

from s3tui.api import shapes
from s3tui.api.auth import Writer
from s3tui.api.bodies import chunks_of, media_type
from s3tui.api.desk import AtDesk, Desk
from s3tui.api.idempotency import IdempotencyKey, attempt
from s3tui.api.jobs_shown import accepted
from s3tui.api.problems import Problem
from s3tui.api.sources import allowed
from s3tui.jobs.upload import UploadSpec

router = APIRouter(prefix="/v1/uploads", tags=["uploads"])

_JSON = "application/json"
_MOST_JSON = 1 << 20


@router.post(
    "",
    status_code=202,
    responses={202: {"model": shapes.Job, "description": "It will be uploaded"}},
    openapi_extra={
        "requestBody": {"required": True, "content": {_JSON: {"schema": shapes.UploadRequest.model_json_schema()}}},
    },
)
async def post_upload(request: Request, desk: AtDesk, caller: Writer, key: IdempotencyKey = None) -> Response:
    """Upload what is on the server's machine. An unfinished job of the same sources and target goes on instead of a new one."""
    body = await _read(request)
    spec = await desk.call(_spec, desk, _asked(body))

    async def body_hash() -> str:
        return hashlib.sha256(body).hexdigest()

    async with attempt(desk, request, caller, key, body_hash=body_hash) as trying:
        if isinstance(trying, str):
            return await desk.call(accepted, desk, trying)
        sealed = await body_hash()

        def submit() -> str:
            trying.seal(sealed)
            limits = desk.settings.transfer
            submitted = desk.service.submit(
                spec, concurrency=limits.concurrency, bandwidth=limits.bytes_per_second, job_id=trying.job_id
            )
            trying.finish(submitted.job_id)
            return submitted.job_id

        job_id = await desk.call(submit)
    desk.wake_worker()
    return await desk.call(accepted, desk, job_id)


async def _read(request: Request) -> bytes:
    """The body. Raises Problem 413, 415."""
    media = media_type(request.headers.get("content-type", _JSON))
    if media != _JSON:
        raise Problem(415, "unsupported_type", f"An upload is asked for in {_JSON}.", headers={"Accept-Post": _JSON})
    return b"".join([chunk async for chunk in chunks_of(request, largest=_MOST_JSON)])


def _asked(body: bytes) -> shapes.UploadRequest:
    """Raises RequestValidationError."""
    try:
        return shapes.UploadRequest.model_validate_json(body)
    except ValidationError as error:
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in error.errors()]) from error


def _spec(desk: Desk, asked: shapes.UploadRequest) -> UploadSpec:
    """Raises Problem 403, SpecError."""
    sources = allowed(asked.sources, desk.settings.api.allowed_sources)
    rules = tuple(("exclude", glob) for glob in asked.exclude)
    return desk.runtime.upload_spec(
        sources, asked.target, rules=rules, if_exists=asked.if_exists, skip_unchanged=asked.skip_unchanged
    )

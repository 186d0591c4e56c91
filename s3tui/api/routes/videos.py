"""`POST /v1/videos`: a video file becomes HLS on S3, at a prefix that is called by the job's id."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from s3tui.api import shapes
from s3tui.api.arrivals import Takes, take
from s3tui.api.auth import Writer
from s3tui.api.desk import AtDesk
from s3tui.api.idempotency import IdempotencyKey
from s3tui.api.intake import wished

router = APIRouter(prefix="/v1/videos", tags=["videos"])

TAKES = Takes(("video/", "application/octet-stream", "application/mp4", "application/x-matroska", "application/ogg"))

BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
FORM: dict[str, Any] = {
    "schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}, "required": ["file"]}
}


@router.post(
    "",
    status_code=202,
    responses={202: {"model": shapes.Job, "description": "It came, and will be made"}},
    openapi_extra={"requestBody": {"required": True, "content": {"video/mp4": BINARY, "multipart/form-data": FORM}}},
)
async def post_video(
    request: Request, desk: AtDesk, caller: Writer, asked: Annotated[shapes.VideoQuery, Query()], key: IdempotencyKey = None
) -> Response:
    """Take a video as the body, or as the one file of a form."""
    return await take(request, desk, caller, wished("video", asked), TAKES, key)

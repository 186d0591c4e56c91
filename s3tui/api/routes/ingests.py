"""`POST /v1/ingests`: a CSV file, plain or gzip, becomes batches on S3 and rows in the database."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from s3tui.api import shapes
from s3tui.api.arrivals import Takes, take
from s3tui.api.auth import Writer
from s3tui.api.desk import AtDesk
from s3tui.api.idempotency import IdempotencyKey
from s3tui.api.intake import wished
from s3tui.api.routes.videos import BINARY, FORM

router = APIRouter(prefix="/v1/ingests", tags=["ingests"])

TAKES = Takes(
    (
        *("text/csv", "text/plain", "text/tab-separated-values", "application/csv", "application/vnd.ms-excel"),
        *("application/gzip", "application/x-gzip", "application/octet-stream"),
    ),
    gzip=True,
)

_CONTENT = {"text/csv": BINARY, "application/gzip": BINARY, "multipart/form-data": FORM}


@router.post(
    "",
    status_code=202,
    responses={202: {"model": shapes.Job, "description": "It came, and will be ingested"}},
    openapi_extra={"requestBody": {"required": True, "content": _CONTENT}},
)
async def post_ingest(
    request: Request, desk: AtDesk, caller: Writer, asked: Annotated[shapes.IngestQuery, Query()], key: IdempotencyKey = None
) -> Response:
    """Take a CSV file as the body, or as the one file of a form."""
    return await take(request, desk, caller, wished("ingest", asked), TAKES, key)

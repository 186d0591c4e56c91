"""The application: routes, errors, headers, and the OpenAPI document."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException

from s3tui import __version__
from s3tui.api import problems
from s3tui.api.auth import Guard
from s3tui.api.desk import Desk
from s3tui.api.events import Sights
from s3tui.api.front import Front
from s3tui.api.readiness import Readiness
from s3tui.api.resumable import Turns
from s3tui.api.routes import health, ingests, jobs, page, tus, uploads, videos
from s3tui.api.sweeping import keep_sweeping
from s3tui.errors import S3tuiError

_ABOUT = "Videos to HLS, CSV files to rows, and directories to S3. Every call but /healthz and /readyz needs a token."

_REFUSALS = {
    "400": "The request cannot be understood",
    "401": "No token, or none that is good",
    "403": "The token may not do this",
    "404": "There is no such thing",
    "408": "The body did not go on",
    "409": "The state of the job or of an earlier request does not allow it",
    "412": "Another version of tus",
    "413": "The body is too large",
    "415": "The body is of a type that is not taken here",
    "422": "The request cannot be used",
    "423": "Another request is at work on it",
    "429": "Too many requests; Retry-After says when to come again",
    "460": "The piece is not what its checksum says",
    "500": "An error that is not known",
    "503": "Not at the moment; Retry-After says when to come again",
}

_PROBLEM = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "reason", "detail"],
    "properties": {
        "type": {"type": "string", "description": "urn:s3tui:problem:REASON"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "reason": {"type": "string", "description": "A stable word"},
        "detail": {"type": "string", "description": "A sentence for people"},
    },
}


def create_app(desk: Desk) -> FastAPI:
    """The application over a desk, which its caller made and closes."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        sweeping = asyncio.create_task(keep_sweeping(desk))
        yield
        sweeping.cancel()
        with suppress(asyncio.CancelledError):
            await sweeping

    app = FastAPI(
        title="s3tui",
        version=__version__,
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    app.state.desk = desk
    app.state.guard = Guard(desk)
    app.state.sights = Sights(desk)
    app.state.readiness = Readiness(desk)
    app.state.turns = Turns()
    for routes in (jobs, videos, ingests, uploads, tus, health, page):
        app.include_router(routes.router)
    app.add_exception_handler(problems.Problem, problems.answer_problem)
    app.add_exception_handler(S3tuiError, problems.answer_error)
    app.add_exception_handler(OSError, problems.answer_os_error)
    app.add_exception_handler(RequestValidationError, problems.answer_invalid)
    app.add_exception_handler(HTTPException, problems.answer_http)
    app.add_middleware(Front)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    """The document, with the refusals that every call may meet in one shape."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        schemas["Problem"] = _PROBLEM
        for operations in document["paths"].values():
            for operation in operations.values():
                _add_refusals(operation["responses"])
        app.openapi_schema = document
    return app.openapi_schema


def _add_refusals(responses: dict[str, Any]) -> None:
    for status, description in _REFUSALS.items():
        responses[status] = {
            "description": description,
            "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }

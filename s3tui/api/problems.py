"""Everything that is refused, as RFC 9457 problem documents: the one place that makes them.

`type` is `urn:s3tui:problem:REASON`; `reason` is the same stable word by itself, `detail` a sentence for people.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from s3tui.errors import (
    ConfigError,
    Conflict,
    NotFound,
    QueueError,
    S3tuiError,
    SourceError,
    SpecError,
    StateError,
    StorageError,
)
from s3tui.masking import masked
from s3tui.text import display_text

_log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

_STATUSES: tuple[tuple[type[S3tuiError], int], ...] = (
    (NotFound, 404),
    (Conflict, 409),
    (SpecError, 422),
    (SourceError, 422),
)
"""What the caller may know of in our own words."""

_OURS = (StateError, QueueError, StorageError, ConfigError)
"""What is wrong with this side: the log tells it, the caller learns to come again."""

_AGAIN_SECONDS = 5


class Problem(Exception):
    """A refusal."""

    def __init__(
        self, status: int, reason: str, detail: str, *, headers: Mapping[str, str] | None = None, **members: object
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = members

    def response(self) -> Response:
        """The document."""
        status = HTTPStatus(self.status) if self.status in HTTPStatus._value2member_map_ else None
        facts = {
            "type": f"urn:s3tui:problem:{self.reason}",
            "title": status.phrase if status else "Checksum Mismatch",
            "status": self.status,
            "reason": self.reason,
            "detail": masked(display_text(self.detail)),
            **self.members,
        }
        return Response(json.dumps(facts), self.status, self.headers, MEDIA_TYPE)


def busy(reason: str, detail: str, seconds: int = _AGAIN_SECONDS) -> Problem:
    """503: come again."""
    return Problem(503, reason, detail, headers={"Retry-After": str(seconds)})


def of_error(error: S3tuiError) -> Problem:
    """The refusal that an error of ours is."""
    for kind, status in _STATUSES:
        if isinstance(error, kind):
            return Problem(status, error.reason, str(error))
    _log.warning("A request cannot be answered: %s", error)
    if isinstance(error, _OURS):
        return busy(error.reason, "The service cannot do this at the moment; its log says why. Send the request again later.")
    return Problem(500, error.reason, "The service met an error; its log says more.")


async def answer_problem(_request: Request, error: Exception) -> Response:
    """For `Problem`."""
    assert isinstance(error, Problem)
    return error.response()


async def answer_error(_request: Request, error: Exception) -> Response:
    """For our own errors."""
    assert isinstance(error, S3tuiError)
    return of_error(error).response()


async def answer_os_error(_request: Request, error: Exception) -> Response:
    """For what the system refuses: only staging asks it for something."""
    assert isinstance(error, OSError)
    _log.error("Staging does not work: %s", error.strerror or error, exc_info=error)
    return busy("staging", "Bodies cannot be kept at the moment; the log of the service says why.").response()


async def answer_invalid(_request: Request, error: Exception) -> Response:
    """For what does not fit the OpenAPI document. What was sent is not repeated."""
    assert isinstance(error, RequestValidationError)
    wrong = [{"where": ".".join(map(str, one["loc"])), "what": str(one["msg"])} for one in error.errors()[:20]]
    said = "; ".join(f"{one['where']}: {one['what']}" for one in wrong[:3])
    return Problem(422, "bad_arguments", f"The request cannot be used: {said}.", errors=wrong).response()


async def answer_http(_request: Request, error: Exception) -> Response:
    """For what the framework refuses: unknown paths and methods."""
    assert isinstance(error, HTTPException)
    reasons = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 400: "bad_request"}
    details = {404: "There is nothing at this path; /docs shows what there is.", 405: "This path does not take this method."}
    detail = details.get(error.status_code, str(error.detail))
    return Problem(error.status_code, reasons.get(error.status_code, "refused"), detail, headers=error.headers).response()

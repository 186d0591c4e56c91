"""The outermost layer: headers of every answer, one line of the log for each request, and the last resort.

The log tells method and path, never a query, a header or a body.
"""

from __future__ import annotations

import logging
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from s3tui.api.problems import Problem

_log = logging.getLogger(__name__)

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""What an answer does not say otherwise."""

_SHORT = 1 << 20

_LOOKS = ("GET", "HEAD", "OPTIONS")
"""What pollers send without end: the log has them at DEBUG."""


class _Body:
    """How much of a body is still to come: who is refused in the middle of a long one shall not go on with it."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        headers = Headers(scope=scope)
        length = headers.get("content-length", "")
        self._left = float(length) if length.isdecimal() else float("inf") if "transfer-encoding" in headers else 0.0

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left = self._left - len(message.get("body", b"")) if message.get("more_body", False) else 0.0
        return message

    @property
    def is_long(self) -> bool:
        """Whether reading it to its end costs more than a new connection."""
        return self._left > _SHORT


class Front:
    """ASGI middleware. No error gets past it, so the server's own log has nothing to tell."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), 0
        body = _Body(scope, receive)

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(raw=message["headers"])
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if body.is_long:
                    headers["Connection"] = "close"
                message["headers"] = headers.raw
            await send(message)

        try:
            await self._app(scope, body.receive, answer)
        except ClientDisconnect:
            _log.info("%s %s: the client broke off", scope["method"], scope["path"])
            return
        except Exception:
            _log.exception("%s %s met an error that s3tui does not know", scope["method"], scope["path"])
            if not status:
                problem = Problem(500, "error", "The service met an error that it does not know; its log says more.")
                await problem.response()(scope, receive, answer)
        took = (time.monotonic() - began) * 1000
        token = scope.get("state", {}).get("token_id", "-")
        looks = scope["method"] in _LOOKS and status < 400
        level = logging.DEBUG if looks else logging.INFO
        _log.log(level, "%s %s %d in %.0f ms, token %s", scope["method"], scope["path"], status, took, token)

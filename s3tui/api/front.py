"""The outermost layer: headers of every answer, one line of the log for each request, and the last resort.

The log tells method and path, never a query, a header or a body.
"""

from __future__ import annotations

import logging
import time

from starlette.datastructures import MutableHeaders
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


class Front:
    """ASGI middleware. No error gets past it, so the server's own log has nothing to tell."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(raw=message["headers"])
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                message["headers"] = headers.raw
            await send(message)

        try:
            await self._app(scope, receive, answer)
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
        _log.info("%s %s %d in %.0f ms, token %s", scope["method"], scope["path"], status, took, token)

"""What is answered, with which headers, and how many sessions at a time."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from s3tui.masking import masked
from s3tui.text import display_text
from s3tui.web.gate import Gate
from s3tui.web.session import Session, cells

_log = logging.getLogger(__name__)

_MOST_SESSIONS = 8
_MOST_TYPED = 1 << 20
"""Bytes of one message of a page: something pasted."""
_HEARTBEAT_SECONDS = 15.0
_CLOSE_SECONDS = 2.0
"""What a page gets to answer that it hangs up, too."""

_OURS, _THEIRS = resources.files("s3tui.web") / "page", resources.files("textual_serve") / "static"
_FILES: dict[str, tuple[Traversable, str]] = {
    "page.css": (_OURS / "page.css", "text/css"),
    "page.js": (_OURS / "page.js", "text/javascript"),
    "xterm.css": (_THEIRS / "css" / "xterm.css", "text/css"),
    "textual.js": (_THEIRS / "js" / "textual.js", "text/javascript"),
    "mono.ttf": (_THEIRS / "fonts" / "RobotoMono-VariableFont_wght.ttf", "font/ttf"),
}

_HEADERS = {
    # the terminal makes style elements while it runs, hence 'unsafe-inline' for them
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Pages:
    """The application. `command` starts the terminal UI."""

    def __init__(self, gate: Gate, command: Sequence[str]) -> None:
        self._gate = gate
        self._command = command
        self._sockets: set[web.WebSocketResponse] = set()
        self._ended = asyncio.Event()
        self._is_closing = False
        self.app = web.Application(middlewares=[self._guard])
        self.app.add_routes([web.get("/", self._page), web.get("/static/{name}", self._file), web.get("/ws", self._session)])
        self.app.on_response_prepare.append(_add_headers)

    async def close(self) -> None:
        """End all sessions, and wait until they are."""
        self._is_closing = True
        await asyncio.gather(*(_hang_up(socket) for socket in self._sockets if socket.prepared))
        while self._sockets:
            self._ended.clear()
            await self._ended.wait()

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Every request passes here first, whether there is an answer to it or not."""
        gate, host, origin = self._gate, request.headers.get("Host", ""), request.headers.get("Origin")
        if not gate.takes_host(host):
            return _refused(request, 403, "This name is not one of this server: open the address that `s3tui web` printed.")
        is_foreign = origin is not None and not gate.takes_origin(origin, host)
        if is_foreign or (origin is None and "Upgrade" in request.headers):
            return _refused(request, 403, "This was asked for by the page of another site.")
        if request.path == "/" and "token" in request.query:
            return self._entered(request)
        if not gate.takes_session(request.cookies.get(gate.cookie)):
            return _refused(request, 401, "This needs the token: open the address that `s3tui web` printed.")
        try:
            return await handler(request)
        except web.HTTPException:
            raise
        except Exception:
            _log.exception("The answer to %s has failed", display_text(request.path[:200]))
            raise

    def _entered(self, request: web.Request) -> web.StreamResponse:
        if not self._gate.takes_token(request.query["token"]):
            return _refused(request, 401, "This token is not the one: open the address that `s3tui web` printed last.")
        answer = web.Response(status=303, headers={"Location": "/"})
        answer.set_cookie(
            self._gate.cookie, self._gate.session, path="/", httponly=True, samesite="Strict", secure=self._gate.is_secure
        )
        return answer

    async def _page(self, request: web.Request) -> web.StreamResponse:
        if self._is_full():
            return self._full(request)
        return web.Response(body=(_OURS / "index.html").read_bytes(), content_type="text/html", charset="utf-8")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["name"] not in _FILES:
            raise web.HTTPNotFound
        file, kind = _FILES[request.match_info["name"]]
        charset = "utf-8" if kind.startswith("text/") else None
        return web.Response(body=file.read_bytes(), content_type=kind, charset=charset)

    def _is_full(self) -> bool:
        return self._is_closing or len(self._sockets) >= _MOST_SESSIONS

    def _full(self, request: web.Request) -> web.StreamResponse:
        return _refused(
            request, 503, f"{_MOST_SESSIONS} sessions are open, and more are not taken: close one, and load this again."
        )

    async def _session(self, request: web.Request) -> web.StreamResponse:
        if self._is_full():
            return self._full(request)
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT_SECONDS, max_msg_size=_MOST_TYPED, timeout=_CLOSE_SECONDS)
        self._sockets.add(socket)
        try:
            await socket.prepare(request)
            if not self._is_closing:
                await self._serve(socket, cells(request.query.get("width"), request.query.get("height")))
        finally:
            self._sockets.discard(socket)
            self._ended.set()
        return socket

    async def _serve(self, socket: web.WebSocketResponse, size: tuple[int, int]) -> None:
        session = await Session.open(self._command, size)
        _log.info("A browser has opened the UI; its process is %d", session.pid)
        try:
            await _converse(session, socket)
        finally:
            await session.end()
            _log.info("The UI process %d has ended", session.pid)


async def _converse(session: Session, socket: web.WebSocketResponse) -> None:
    """Carry what both say until one of them hangs up."""
    painting = asyncio.create_task(_paint(session, socket))
    try:
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await _obey(session, socket, message.data)
    finally:
        painting.cancel()
        await asyncio.wait([painting])


async def _paint(session: Session, socket: web.WebSocketResponse) -> None:
    """Show what the process paints until it ends, then say why if that was not meant, and hang up."""
    with suppress(ConnectionError):
        async for data in session.painted():
            await socket.send_bytes(data)
        if complaint := await session.failure():
            sentence = display_text(masked(complaint.splitlines()[-1]))
            _log.warning("A UI process has failed: %s", sentence)
            await socket.send_bytes(f"\x1b[?1049l\x1b[2J\x1b[H{sentence}\r\n".encode())
        await socket.close()


async def _obey(session: Session, socket: web.WebSocketResponse, text: str) -> None:
    """Do what a message of the page says: a JSON array of a word and perhaps one more."""
    try:
        kind, value = [*json.loads(text), None][:2]
    except (ValueError, TypeError, RecursionError):
        await socket.close(code=WSCloseCode.UNSUPPORTED_DATA)
        return
    if kind == "stdin" and isinstance(value, str):
        await session.type(value)
    elif kind == "resize" and isinstance(value, dict):
        await _resize(session, value)
    elif kind in ("focus", "blur"):
        await session.focus(has_it=kind == "focus")
    elif kind == "ping" and isinstance(value, str):
        await socket.send_json(["pong", value])


async def _resize(session: Session, value: dict[str, Any]) -> None:
    size = cells(value.get("width"), value.get("height"), (0, 0))
    if all(size):
        await session.resize(size)


async def _hang_up(socket: web.WebSocketResponse) -> None:
    with suppress(ConnectionError):
        await socket.close(code=WSCloseCode.GOING_AWAY)


def _refused(request: web.Request, status: int, sentence: str) -> web.Response:
    _log.info("Refused with %d: %s %s from %s", status, request.method, display_text(request.path[:200]), request.remote)
    return web.Response(status=status, text=sentence + "\n")


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
    response.headers.popall("Server", None)

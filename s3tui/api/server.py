"""The process: its socket, its first token, what an earlier one left, and its end."""

from __future__ import annotations

import ipaddress
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn

from s3tui.api.app import create_app
from s3tui.api.desk import Desk
from s3tui.api.sweeping import sweep
from s3tui.errors import ConfigError
from s3tui.runtime import Runtime
from s3tui.text import display_text

_GRACE_SECONDS = 10
"""What requests on their way get to end after the first signal."""

_KEEP_ALIVE_SECONDS = 30
_BACKLOG = 512


@dataclass(frozen=True, slots=True)
class Place:
    """Where it listens."""

    host: str
    port: int
    """0: any that is free."""
    certificate: Path | None = None
    key: Path | None = None


def serve(runtime: Runtime, place: Place, note: Callable[[str], None], show_token: Callable[[str], None]) -> None:
    """Answer until a signal comes. `note` tells people, `show_token` shows the first token.

    Raises ConfigError, StateError.
    """
    desk = Desk(runtime)
    config = _config(desk, place)
    with _listening(place) as listener:
        sweep(desk)
        token = desk.store.tokens.create_first()
        if token is not None:
            note("There was no token yet. This one may do everything; it is shown once, and only its hash is kept:")
            show_token(token)
        for sentence in warnings(place):
            note(sentence)
        scheme = "https" if place.certificate else "http"
        host, port = listener.getsockname()[:2]
        url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
        _Server(desk, config, lambda: note(f"The REST API answers at {url}; Ctrl-C stops it.")).run([listener])


def warnings(place: Place) -> list[str]:
    """What whoever starts it must know."""
    if place.certificate is not None or _is_loopback(place.host):
        return []
    return [
        f"Warning: {display_text(place.host)} can be reached from other machines, and without TLS whoever sees the traffic can "
        "read tokens and bodies. Give --tls-cert and --tls-key, or put a proxy that speaks TLS before it."
    ]


class _Server(uvicorn.Server):
    def __init__(self, desk: Desk, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._desk = desk
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """From here on signals are the server's."""
        await super().startup(sockets)
        self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._desk.stopping = True
        super().handle_exit(sig, frame)


def _config(desk: Desk, place: Place) -> uvicorn.Config:
    quiet = logging.getLogger("uvicorn")
    quiet.propagate, quiet.level = False, logging.CRITICAL + 1  # `front` tells every request, and every error
    config = uvicorn.Config(
        create_app(desk),
        ssl_certfile=place.certificate,
        ssl_keyfile=place.key,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        lifespan="on",
    )
    try:
        config.load()
    except OSError as error:
        raise ConfigError(f"TLS cannot be set up: {error.strerror or error}. Check --tls-cert and --tls-key.") from error
    return config


def _listening(place: Place) -> socket.socket:
    """Raises ConfigError."""
    try:
        family = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        return socket.create_server((place.host, place.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        where = f"{display_text(place.host)} port {place.port}"
        raise ConfigError(
            f"The REST API cannot listen at {where}: {error.strerror or error}. Choose another --port, or --host."
        ) from error


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

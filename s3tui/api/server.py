"""The process: its socket, its first token, what an earlier one left, and its end."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn

from s3tui.api.app import create_app
from s3tui.api.desk import Desk
from s3tui.api.sweeping import sweep
from s3tui.listening import Place, listen, no_tls, url_of, warnings
from s3tui.runtime import Runtime

_GRACE_SECONDS = 10
"""What requests on their way get to end after the first signal."""

_KEEP_ALIVE_SECONDS = 30


def serve(runtime: Runtime, place: Place, note: Callable[[str], None], show_token: Callable[[str], None]) -> None:
    """Answer until a signal comes. `note` tells people, `show_token` shows the first token.

    Raises ConfigError, StateError.
    """
    desk = Desk(runtime)
    config = _config(desk, place)
    with listen(place, "The REST API") as listener:
        sweep(desk)
        token = desk.store.tokens.create_first()
        if token is not None:
            note("There was no token yet. This one may do everything; it is shown once, and only its hash is kept:")
            show_token(token)
        for sentence in warnings(place, "tokens and bodies"):
            note(sentence)
        url = url_of(place.scheme, *listener.getsockname()[:2])
        _Server(desk, config, lambda: note(f"The REST API answers at {url}; Ctrl-C stops it.")).run([listener])


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
        raise no_tls(error) from error
    return config

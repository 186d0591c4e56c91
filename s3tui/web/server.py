"""The process: its socket, its signals, its end."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import web

from s3tui import masking
from s3tui.errors import ConfigError
from s3tui.listening import Place, listen, no_tls, url_of, warnings
from s3tui.web.gate import Gate
from s3tui.web.pages import Pages

_GRACE_SECONDS = 2.0
"""What answers on their way get to end after the first signal."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """How browsers come in."""

    place: Place
    token: str = ""
    """Empty: a random one is made."""
    public_url: str = ""
    """What browsers call it, if a proxy stands between."""


def serve(entrance: Entrance, command: Sequence[str], note: Callable[[str], None], show_url: Callable[[str], None]) -> None:
    """Serve until a signal comes; `command` starts the terminal UI. `note` tells people, `show_url` shows the address and token.

    Raises ConfigError, SpecError.
    """
    place = entrance.place
    tls = _tls(place)
    with listen(place, "The terminal UI in a browser") as listener:
        port = listener.getsockname()[1]
        gate = Gate(place, port, token=entrance.token, public_url=entrance.public_url)
        masking.hide([gate.token, gate.session])
        for sentence in warnings(place, "the token and all that is shown and typed"):
            note(sentence)
        url = entrance.public_url.rstrip("/") or url_of(place.scheme, place.known_as, port)

        def ready() -> None:
            note("The terminal UI opens at this address, for whoever has it; Ctrl-C stops it and every UI it shows:")
            show_url(f"{url}/?token={quote(gate.token, safe='')}")

        asyncio.run(_serve(listener, tls, Pages(gate, command), ready))


async def _serve(listener: socket.socket, tls: ssl.SSLContext | None, pages: Pages, ready: Callable[[], None]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            loop.add_signal_handler(number, stop.set)
    quiet = logging.getLogger("aiohttp")
    quiet.propagate, quiet.level = False, logging.CRITICAL + 1  # `pages` tells what matters; addresses may hold the token
    runner = web.AppRunner(pages.app, access_log=None, shutdown_timeout=_GRACE_SECONDS)
    await runner.setup()
    try:
        site = web.SockSite(runner, listener, ssl_context=tls)
        await site.start()
        ready()
        await stop.wait()
        await site.stop()
        await pages.close()
    finally:
        await runner.cleanup()


def _tls(place: Place) -> ssl.SSLContext | None:
    if place.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(place.certificate, place.key, password=_no_password)
    except OSError as error:
        raise no_tls(error) from error
    return context


def _no_password() -> str:
    raise ConfigError("TLS cannot be set up: the key has a password. Give one without, by --tls-key.")

"""`s3tui web`: the terminal UI in a browser."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from s3tui.cli.parser import Parser, add_connection_options, add_global_options, port
from s3tui.errors import ConfigError, SpecError

_PORT = 8001
_TOKEN = "S3TUI_WEB_TOKEN"  # noqa: S105 - the name of a variable
_EPILOG = (
    f"Whoever has the printed address may do what you may. {_TOKEN} in the environment gives the token, else each start makes one."
)


def add_options(parser: Parser) -> None:
    """What `web` takes."""
    parser.description = "Serve the terminal UI to browsers until stopped."
    parser.epilog = _EPILOG
    parser.add_argument("--host", metavar="ADDRESS", default="127.0.0.1", help="where it listens (default: 127.0.0.1)")
    parser.add_argument("--port", metavar="N", type=port, default=_PORT, help=f"(default: {_PORT}; 0: any free port)")
    parser.add_argument("--tls-cert", metavar="FILE", type=Path, help="certificate chain, PEM: speak TLS")
    parser.add_argument("--tls-key", metavar="FILE", type=Path, help="its key, if it is not in the same file")
    parser.add_argument("--public-url", metavar="URL", default="", help="what browsers call it, if a proxy stands between")
    add_connection_options(parser)
    add_global_options(parser, after=True)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal comes. Stopping is how a server ends: the exit code is 0."""
    from s3tui.cli import logs, output, settings
    from s3tui.listening import Place

    if arguments.tls_key and not arguments.tls_cert:
        raise SpecError("--tls-key needs --tls-cert, too: the certificate that it belongs to.")
    token = os.environ.pop(_TOKEN, "")  # the UI processes, and what they start, have no use for it
    try:
        from s3tui.web.server import Entrance, serve
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("s3tui"):
            raise
        raise ConfigError(
            "The terminal UI in a browser needs libraries that are not installed: pip install 's3tui[web]'."
        ) from error
    loaded = settings.load(arguments)
    logs.open_log(loaded.settings.logging, verbose=arguments.verbose)
    place = Place(arguments.host, arguments.port, arguments.tls_cert, arguments.tls_key)
    command = [sys.executable, "-m", "s3tui", *loaded.arguments, "tui", *_connection(arguments)]
    serve(Entrance(place, token, arguments.public_url), command, output.note, _show_url)
    return 0


def _connection(arguments: argparse.Namespace) -> list[str]:
    """The connection options as they were given."""
    given = {name: getattr(arguments, name) for name in ("endpoint_url", "profile", "region")}
    return [f"--{name.replace('_', '-')}={value}" for name, value in given.items() if value is not None]


def _show_url(url: str) -> None:
    print(url)
    sys.stdout.flush()

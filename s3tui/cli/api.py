"""`s3tui api`: the REST API, and its tokens."""

from __future__ import annotations

import argparse
import sys
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from s3tui.cli.parser import Commands, Parser, add_connection_options, add_global_options, port
from s3tui.errors import ConfigError, SpecError
from s3tui.text import display_text, format_time

if TYPE_CHECKING:
    from s3tui.runtime import Runtime
    from s3tui.state.tokens import Token

_PORT = 8000


def add_options(parser: Parser) -> None:
    """What `api` takes."""
    parser.description = "Serve the REST API until stopped (docs/api.md)."
    parser.add_argument("--host", metavar="ADDRESS", default="127.0.0.1", help="where it listens (default: 127.0.0.1)")
    parser.add_argument("--port", metavar="N", type=port, default=_PORT, help=f"(default: {_PORT}; 0: any free port)")
    parser.add_argument("--tls-cert", metavar="FILE", type=Path, help="certificate chain, PEM: speak TLS")
    parser.add_argument("--tls-key", metavar="FILE", type=Path, help="its key, if it is not in the same file")
    add_connection_options(parser)
    add_global_options(parser, after=True)
    parser.set_defaults(run=run)
    verbs: Commands = parser.add_subparsers(title="verbs", metavar="VERB")  # type: ignore[assignment]
    _add_token_options(verbs.add_parser("token", help="create, list and revoke tokens"))


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal comes. Stopping is how a server ends: the exit code is 0."""
    from s3tui.cli import output

    if arguments.tls_key and not arguments.tls_cert:
        raise SpecError("--tls-key needs --tls-cert, too: the certificate that it belongs to.")
    try:
        from s3tui.api.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("s3tui"):
            raise
        raise ConfigError("The REST API needs libraries that are not installed: pip install 's3tui[api]'.") from error
    from s3tui.listening import Place

    place = Place(arguments.host, arguments.port, arguments.tls_cert, arguments.tls_key)
    with _opened(arguments) as runtime, suppress(KeyboardInterrupt):
        serve(runtime, place, output.note, _show_token)
    return 0


def run_list(arguments: argparse.Namespace) -> int:
    """Print the tokens, newest first; what was kept of them tells no secret."""
    from s3tui.cli import output

    with _opened(arguments) as runtime:
        tokens = runtime.store.tokens.all()
    if arguments.json:
        output.print_json([_facts(token) for token in tokens])
    elif not tokens:
        output.note("There are no tokens yet; `s3tui api token create` makes one, and so does the first `s3tui api`.")
    for token in tokens if not arguments.json else ():
        used = f"last used {format_time(token.used_at)}" if token.used_at else "never used"
        expires = f", expires {format_time(token.expires_at)}" if token.expires_at else ""
        print(f"{token.id}  {token.scope:5}  {token.state:7}  {display_text(token.name)}  ({used}{expires})")
    return 0


def run_create(arguments: argparse.Namespace) -> int:
    """Make a token, and print it: the one time that it is seen."""
    from s3tui.cli import output

    expires_at = None if arguments.expires is None else _moment_ahead(arguments.expires)
    with _opened(arguments) as runtime:
        token = runtime.store.tokens.create(name=display_text(arguments.name), scope=arguments.scope, expires_at=expires_at)
    if not arguments.quiet:
        output.note("This is shown once; only its hash is kept.")
    _show_token(token)
    return 0


def run_revoke(arguments: argparse.Namespace) -> int:
    """Let a token be good for nothing from now on."""
    from s3tui.cli import output

    with _opened(arguments) as runtime:
        runtime.store.tokens.revoke(arguments.id)
    if not arguments.quiet:
        output.note(f"Token {arguments.id} is revoked.")
    return 0


def _add_token_options(parser: Parser) -> None:
    parser.description = "Create, list and revoke tokens. Without a verb: list."
    _add_listing(parser)
    verbs: Commands = parser.add_subparsers(title="verbs", metavar="VERB")  # type: ignore[assignment]
    create = verbs.add_parser("create", help="make one and print it")
    create.add_argument("--name", metavar="TEXT", default="", help="what you call it")
    create.add_argument("--scope", choices=("read", "write"), default="write", help="(default: write, which is more than read)")
    create.add_argument("--expires", metavar="AGE", help="like 30d, 12h or 2030-12-31 (default: never)")
    add_global_options(create, after=True)
    create.set_defaults(run=run_create)
    _add_listing(verbs.add_parser("list", help="all there are, newest first"))
    revoke = verbs.add_parser("revoke", help="let one be good for nothing")
    revoke.add_argument("id", metavar="ID", help="the middle of s3t_ID_SECRET")
    add_global_options(revoke, after=True)
    revoke.set_defaults(run=run_revoke)


def _add_listing(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help="as one JSON array")
    add_global_options(parser, after=True)
    parser.set_defaults(run=run_list)


def _moment_ahead(text: str) -> int:
    """The moment that a span from now, or a date, names. Raises SpecError."""
    from s3tui.model import now_ms
    from s3tui.text import parse_age

    try:
        moment = parse_age(text, 0)
    except ValueError as error:
        raise SpecError(f"--expires cannot be used: {error}.") from error
    ahead = now_ms() - moment if moment <= 0 else moment  # a span counts back from 0
    if ahead <= now_ms():
        raise SpecError("--expires must lie ahead: write it like 30d, 12h or 2030-12-31.")
    return ahead


def _facts(token: Token) -> dict[str, object]:
    times = {name: format_time(getattr(token, name)) for name in ("created_at", "expires_at", "revoked_at", "used_at")}
    return {"id": token.id, "name": token.name, "scope": token.scope, "state": token.state, **times}


def _opened(arguments: argparse.Namespace) -> AbstractContextManager[Runtime]:
    from s3tui.cli import foreground, settings

    return foreground.opened(settings.load(arguments), arguments)


def _show_token(token: str) -> None:
    print(token)
    sys.stdout.flush()

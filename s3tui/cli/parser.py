"""The options that many commands share, and a parser whose complaints are ours."""

from __future__ import annotations

import argparse
import re
from typing import NoReturn, Protocol

from s3tui.errors import SpecError

_UNKNOWN = re.compile(r"argument (?:COMMAND|VERB): invalid choice: (.*) \(choose from .*\)")
_REQUIRED = re.compile(r"the following arguments are required: (.*)")


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, as an error of the job's arguments."""

    def __init__(self, **keywords: object) -> None:
        super().__init__(**{"allow_abbrev": False, **keywords})  # type: ignore[arg-type]

    def _unknown_command(self, quoted: str) -> str:
        from difflib import get_close_matches

        known = next(list(action.choices) for action in self._actions if isinstance(action, argparse._SubParsersAction))
        near = get_close_matches(quoted[1:-1], known, n=1)
        meant = f" Did you mean `{self.prog} {near[0]}`?" if near else f" `{self.prog} --help` lists them."
        return f"`{self.prog}` has no command {quoted}.{meant}"

    def synopsis(self) -> str:
        """How the command is written, its options aside. Metavars of arguments say themselves how often they come."""
        words = [self.prog, "[options]"]
        for action in self._get_positional_actions():
            name = str(action.metavar or action.dest)
            optional = action.nargs in ("?", "*") or not action.required
            words.append(f"[{name}]" if optional and not name.startswith("[") else name)
        return " ".join(words)

    def format_help(self) -> str:
        """The help, headed by the synopsis: a usage that repeats every option hides what matters."""
        self.usage = self.synopsis().replace("%", "%%")
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Raise SpecError instead of leaving the process."""
        if unknown := _UNKNOWN.fullmatch(message):
            raise SpecError(self._unknown_command(unknown[1]))
        missing = _REQUIRED.fullmatch(message)
        what = f"{missing[1]} is missing" if missing else message.rstrip(".")
        raise SpecError(f"`{self.prog}` cannot be run: {what}; `{self.prog} --help` shows what it takes.")


class Commands(Protocol):
    """Where a group of commands hangs its parsers."""

    def add_parser(self, name: str, *, help: str, **keywords: object) -> Parser:
        """A parser for one command."""


def add_global_options(parser: Parser, *, after: bool) -> None:
    """The options that are taken before and after the command.

    Those after it must have no default: argparse would lay it over what stood before.
    """
    default = argparse.SUPPRESS if after else None
    options = parser.add_argument_group("global options")
    options.add_argument(
        "--config", metavar="FILE", default=default, help="YAML configuration (default: ./config.yaml, else the user's)"
    )
    options.add_argument("--env-file", metavar="FILE", default=default, help="variables (default: ./.env)")
    options.add_argument("-q", "--quiet", action="store_true", default=default or False, help="no progress, no notes")
    dest = "verbose_after" if after else "verbose"
    options.add_argument(
        "-v", "--verbose", action="count", dest=dest, default=default or 0, help="say more; -vv also shows tracebacks"
    )


def add_connection_options(parser: Parser) -> None:
    """Which S3, as in the AWS CLI."""
    options = parser.add_argument_group("connection")
    options.add_argument("--endpoint-url", metavar="URL", help="an S3 that is not Amazon's")
    options.add_argument("--profile", metavar="NAME", help="credentials of this profile")
    options.add_argument("--region", metavar="NAME", help="region of the bucket")


def add_result_options(parser: Parser) -> None:
    """What a command that sees a job to its end writes about it."""
    options = parser.add_argument_group("results")
    options.add_argument("--output-json", metavar="FILE", help="write the report there; - is standard output")
    options.add_argument("--output-csv", metavar="FILE", help="write the files of the report there, one a line; - likewise")
    options.add_argument("--json-lines", action="store_true", help="one JSON object per event on standard output")


def add_carrying_options(parser: Parser) -> None:
    """What every command takes that carries a job."""
    parser.add_argument("--concurrency", metavar="N", help="transfers in flight (default: 100)")
    parser.add_argument("--bandwidth", metavar="RATE", help="limit for all transfers together, like 10MB/s (default: none)")
    parser.add_argument("--detach", action="store_true", help="hand the job to the background worker, print its id, leave")
    add_metrics_options(parser)


def add_metrics_options(parser: Parser) -> None:
    """What every command takes that works for long."""
    options = parser.add_argument_group("metrics")
    options.add_argument(
        "--metrics-port", metavar="N", type=port, help="serve Prometheus metrics there meanwhile; 0: any free port"
    )
    options.add_argument("--metrics-host", metavar="ADDRESS", default="127.0.0.1", help="where it listens (default: 127.0.0.1)")


def port(text: str) -> int:
    """A port's number, for argparse."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: give a number from 0 to 65535")
    return int(text)


def pair(text: str) -> tuple[str, str]:
    """`K=V` as a pair, for argparse."""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not K=V")
    return key, value

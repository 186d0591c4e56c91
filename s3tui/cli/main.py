"""Parse, dispatch, and turn what went wrong into one sentence and an exit code."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Container, Sequence
from importlib import import_module
from io import TextIOWrapper
from types import FrameType

from s3tui.cli.parser import Parser, add_global_options
from s3tui.cli.version import VersionAction
from s3tui.errors import S3tuiError, SpecError
from s3tui.masking import masked
from s3tui.text import display_text

DONE, FATAL, INTERRUPTED = 0, 1, 130

COMMANDS = {
    "tui": "open the terminal UI (the default)",
    "demo": "try it: a local S3 endpoint, a sample tree, and the UI on them",
    "upload": "upload directories and files",
    "backup": "upload, prove, and delete the sources if asked to",
    "video": "make HLS of videos, on S3 while they are encoded",
    "ingest": "CSV files to batches on S3 and rows in the database",
    "jobs": "list, watch and steer jobs",
    "status": "check configuration, credentials, bucket, database, queue",
    "config": "write, show and check the configuration",
    "api": "serve the REST API, and manage its tokens",
    "web": "serve the terminal UI to browsers",
    "worker": "take jobs from the queue until stopped",
    "completion": "print what lets a shell complete all of this",
}
"""What `--help` says of each command. The module `s3tui.cli.NAME` has its options, and is imported only for who names it."""

_DESCRIPTION = "Moves local data into S3 and shows it happening. Without a command it opens the terminal UI."
_EPILOG = "Begin with `s3tui demo`, which needs nothing, or with `s3tui status s3://BUCKET`, which says what an upload needs."


def run(argv: Sequence[str]) -> int:
    """Run one command line (without the program's name); returns the exit code."""
    verbose = 0
    try:
        signal.signal(signal.SIGTERM, _interrupt)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # a terminal that cannot show a name must not stop the work
        arguments = parse(argv)
        verbose = arguments.verbose
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except S3tuiError as error:
        return _complain(str(error), verbose)
    except BrokenPipeError:
        _forget_stdout()
        return FATAL
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return INTERRUPTED
    except OSError as error:
        return _complain(_os_sentence(error), verbose)
    except Exception as error:
        hint = "" if verbose > 1 else " -vv shows where."
        return _complain(f"s3tui met an error it does not know: {type(error).__name__}: {error}.{hint}", verbose)
    return code


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The command line as a namespace, whose `run` is the command. Raises SpecError."""
    arguments, rest = build_parser(argv).parse_known_args(list(argv))
    if rest:
        # Positional arguments that stand behind an option reach us here: argparse takes only the first run of them.
        known = next(
            (word for word in rest if word.startswith("-") and word != "-"), "" if hasattr(arguments, "paths") else rest[0]
        )
        if known:
            raise SpecError(f"`s3tui` does not know {display_text(known)!r} here; `--help` shows what the command takes.")
        arguments.paths += rest
    arguments.verbose += getattr(arguments, "verbose_after", 0)
    return arguments


def build_parser(words: Container[str]) -> Parser:
    """The parser of all commands; those that are not among the words have no options yet."""
    parser = Parser(prog="s3tui", description=_DESCRIPTION, epilog=_EPILOG)
    parser.add_argument("--version", action=VersionAction, nargs=0, help="say which version this is, and leave")
    add_global_options(parser, after=False)
    parser.set_defaults(run=_run_bare)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, help_text in COMMANDS.items():
        command = commands.add_parser(name, help=help_text)
        if name in words:
            import_module(f"s3tui.cli.{name}").add_options(command)
    return parser


def _run_bare(arguments: argparse.Namespace) -> int:
    from s3tui.cli import tui

    return tui.run_bare(arguments)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _complain(sentence: str, verbose: int) -> int:
    if verbose > 1:
        import traceback

        print(masked(traceback.format_exc()), end="", file=sys.stderr)
    print("s3tui: " + display_text(masked(sentence)), file=sys.stderr)
    return FATAL


def _os_sentence(error: OSError) -> str:
    name = f" {os.fsdecode(error.filename)!r}" if isinstance(error.filename, str | bytes) else ""
    return f"The operating system refused{name}: {error.strerror or error}."


def _forget_stdout() -> None:
    """Whoever read our output is gone: keep the interpreter from complaining about it when it leaves."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

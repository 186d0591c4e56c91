"""Which files a command takes: the options, and the fields of `Choice` that they fill."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from s3tui.cli.parser import Parser
from s3tui.errors import SpecError
from s3tui.text import display_text, parse_size

_DESCRIPTION = """\
A file is taken if it passes all of these: each can only leave out more. A directory that an ignore file or --no-hidden leaves out
is not even looked into, so no --include takes anything below it.
"""


def add_choosing_options(parser: Parser) -> None:
    """The options that `choice_fields` reads."""
    options = parser.add_argument_group("choosing", _DESCRIPTION)
    for action in ("include", "exclude"):
        options.add_argument(
            f"--{action}",
            metavar="GLOB",
            action=_Rule,
            dest="rules",
            default=(),
            help=f"{action} what matches; of all globs the last match wins",
        )
    options.add_argument(
        "--ignore-file",
        metavar="FILE",
        action="append",
        default=[],
        help="leave out what its patterns match, in the syntax of .gitignore and relative to SOURCE (repeatable)",
    )
    options.add_argument("--no-hidden", action="store_true", help="leave out names that begin with a dot, and what lies below them")
    options.add_argument("--min-size", metavar="SIZE", type=_size, default=0, help="leave out smaller files, like 1KiB")
    options.add_argument("--max-size", metavar="SIZE", type=_size, help="leave out larger files, like 5GB")
    options.add_argument(
        "--min-age", metavar="AGE", default="", help="leave out files modified since: 30d, 12h, 90m ago, or a date like 2026-11-21"
    )
    options.add_argument("--max-age", metavar="AGE", default="", help="leave out files not modified since")
    options.add_argument(
        "--files-from",
        metavar="FILE",
        help="take the files that it lists, one path a line, relative to SOURCE; - is stdin",
    )
    options.add_argument("-0", "--null", action="store_true", help="the paths of --files-from end in NUL characters")
    options.add_argument("--follow-symlinks", action="store_true", help="follow symbolic links instead of skipping them")
    options.add_argument(
        "--encode-names", choices=("percent",), default="", help="write bytes of a name that are not UTF-8 as %%XX"
    )


def choice_fields(arguments: argparse.Namespace, sources: Sequence[str]) -> dict[str, Any]:
    """The fields of `Choice` that the options give. Files that they name are read, and a list is kept. Raises SpecError."""
    from s3tui.transfer.ignore import read_ignore_file

    return {
        "rules": tuple(arguments.rules),
        "ignore": tuple(line for path in arguments.ignore_file for line in read_ignore_file(path)),
        "hidden": not arguments.no_hidden,
        "min_size": arguments.min_size,
        "max_size": arguments.max_size,
        "min_age": arguments.min_age,
        "max_age": arguments.max_age,
        "files_from": _kept_list(arguments, sources),
        "follow_symlinks": arguments.follow_symlinks,
        "encode_names": arguments.encode_names,
    }


def _kept_list(arguments: argparse.Namespace, sources: Sequence[str]) -> str:
    """The name of the list that --files-from gives; empty without one."""
    if arguments.files_from is None:
        if arguments.null:
            raise SpecError("--null says how the paths of --files-from end: give that option, too.")
        return ""
    if len(sources) != 1 or not Path(sources[0]).is_dir():
        raise SpecError("--files-from lists files below one directory: give exactly one SOURCE, a directory.")
    from s3tui.jobs.lists import keep_list

    source = os.path.abspath(os.fsencode(sources[0]))  # noqa: PTH100 - as the job's source becomes absolute
    try:
        with nullcontext(sys.stdin.buffer) if arguments.files_from == "-" else Path(arguments.files_from).open("rb") as stream:
            return keep_list(stream, b"\0" if arguments.null else b"\n", source)
    except OSError as error:
        shown = display_text(arguments.files_from)
        cause = (error.strerror or "unknown error").lower()
        raise SpecError(f"The list of files {shown} cannot be taken: {cause}. Check the path given to --files-from.") from error


def _size(text: str) -> int:
    try:
        return parse_size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


class _Rule(argparse.Action):
    """--include and --exclude share one list, because their order counts."""

    def __call__(self, parser: object, namespace: argparse.Namespace, values: object, option_string: str | None = None) -> None:  # noqa: ARG002
        rule = ((option_string or "").lstrip("-"), str(values))
        namespace.rules = (*namespace.rules, rule)

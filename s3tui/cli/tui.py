"""`s3tui` and `s3tui tui`: the terminal UI."""

from __future__ import annotations

import argparse

from s3tui.cli.parser import Parser, add_connection_options, add_global_options
from s3tui.errors import SpecError


def add_options(parser: Parser) -> None:
    """What `tui` takes."""
    parser.description = "Open the terminal UI."
    parser.add_argument("paths", nargs="*", metavar="SOURCE [TARGET]", help="open New job with these; Enter shows the plan")
    parser.add_argument("--job", metavar="ID", help="open this job")
    add_connection_options(parser)
    add_global_options(parser, after=True)
    parser.set_defaults(run=run)


def run_bare(arguments: argparse.Namespace) -> int:
    """`s3tui` without a command."""
    return _open(arguments, source=None, target=None, job=None)


def run(arguments: argparse.Namespace) -> int:
    """`s3tui tui [SOURCE [TARGET]] [--job ID]`. Raises SpecError."""
    if len(arguments.paths) > 2:
        raise SpecError("`s3tui tui` takes one SOURCE and one TARGET; choose more sources on its screen, or use `s3tui upload`.")
    source, target = (*arguments.paths, None, None)[:2]
    if arguments.job and source:
        raise SpecError("Open a job with --job ID, or a new one with SOURCE: not both at once.")
    return _open(arguments, source=source, target=target, job=arguments.job)


def _open(arguments: argparse.Namespace, *, source: str | None, target: str | None, job: str | None) -> int:
    from s3tui.cli import settings
    from s3tui.tui.app import run_tui, terminal_problem

    if problem := terminal_problem():
        raise SpecError(problem)
    loaded = settings.load(arguments)
    return run_tui(loaded.settings, source=source, target=target, job=job, worker_arguments=loaded.arguments, loaded=loaded)

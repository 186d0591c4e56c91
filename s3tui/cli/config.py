"""`s3tui config`: write, show and check the configuration."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from s3tui import masking
from s3tui.cli.parser import Commands, Parser, add_connection_options, add_global_options
from s3tui.text import display_text


def add_options(parser: Parser) -> None:
    """What `config` takes."""
    parser.description = "Write, show and check the configuration."
    add_connection_options(parser)
    add_global_options(parser, after=True)
    parser.set_defaults(run=run_show, json=False)
    verbs: Commands = parser.add_subparsers(title="verbs", metavar="VERB")  # type: ignore[assignment]
    init = _add_verb(verbs, "init", run_init, "write config.yaml, with every key explained")
    init.add_argument("--force", action="store_true", help="write over an existing file")
    show = _add_verb(verbs, "show", run_show, "the effective settings, and where each came from")
    show.add_argument("--json", action="store_true", help="as one JSON object")
    add_connection_options(show)
    _add_verb(verbs, "check", run_check, "say whether the settings can be used")


def run_init(arguments: argparse.Namespace) -> int:
    """Write the template to ./config.yaml, or where --config says."""
    from s3tui.config.template import write_config

    path = Path(arguments.config or "config.yaml")
    write_config(path, force=arguments.force)
    print(f"{display_text(str(path))} is written: every value in it is the default. `s3tui status` says whether it works.")
    return 0


def run_show(arguments: argparse.Namespace) -> int:
    """Print the settings as YAML, each with its origin as a comment."""
    from s3tui.cli import settings
    from s3tui.config.shown import paths_in_use, shown_settings, yaml_words

    loaded = settings.load(arguments)
    if arguments.json:
        told = {f"{one.section}.{one.key}": {"value": one.value, "origin": one.origin} for one in shown_settings(loaded)}
        print(json.dumps(told))
        return 0
    for what, where in paths_in_use(loaded):
        print(f"# {what}: {where}")
    for section, settings_of in groupby(shown_settings(loaded), key=attrgetter("section")):
        print(f"\n{section}:")
        for one in settings_of:
            print(f"  {f'{one.key}: {yaml_words(one.value)}':<46} # {display_text(one.origin)}")
    return 0


def run_check(arguments: argparse.Namespace) -> int:
    """Load the settings: what is malformed is the error; what will not work is told line by line, and the exit code is 1."""
    from s3tui.cli import settings
    from s3tui.cli.config_check import problems

    loaded = settings.load(arguments)
    found = list(problems(loaded))
    for problem in found:
        print(f"s3tui: {masking.masked(problem)}", file=sys.stderr)
    if found:
        return 1
    files = " and ".join(display_text(str(path)) for path in (loaded.config_file, loaded.env_file) if path)
    print(f"The settings can be used ({files or 'no file is read'}).")
    return 0


def _add_verb(verbs: Commands, name: str, run: Callable[[argparse.Namespace], int], help_text: str) -> Parser:
    parser = verbs.add_parser(name, help=help_text, description=help_text[0].upper() + help_text[1:] + ".")
    add_global_options(parser, after=True)
    parser.set_defaults(run=run)
    return parser

"""`s3tui config`: write, show and check the configuration."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from s3tui import masking
from s3tui.cli.parser import Commands, Parser, add_connection_options, add_global_options
from s3tui.masking import MASK, shown_url
from s3tui.text import display_text

if TYPE_CHECKING:
    from s3tui.config import Loaded


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
    print(f"{display_text(str(path))} is written: every value in it is the default.")
    return 0


def run_show(arguments: argparse.Namespace) -> int:
    """Print the settings as YAML, each with its origin as a comment."""
    from s3tui.cli import settings

    loaded = settings.load(arguments)
    if arguments.json:
        print(
            json.dumps(
                {f"{section}.{key}": {"value": value, "origin": origin} for section, key, value, origin in effective(loaded)}
            )
        )
        return 0
    for line in _paths(loaded):
        print(f"# {line}")
    shown = ""
    for section, key, value, origin in effective(loaded):
        if section != shown:
            print(f"\n{section}:")
            shown = section
        print(f"  {f'{key}: {_yaml(value)}':<46} # {display_text(origin)}")
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


def effective(loaded: Loaded) -> Iterator[tuple[str, str, object, str]]:
    """(section, key, value, origin) of every setting, secrets masked."""
    from s3tui.config.settings import effective_value, known_keys

    for section, key, _ in known_keys():
        yield section, key, masked(effective_value(loaded.settings, section, key)), loaded.origin(section, key)


def masked(value: object) -> object:
    """The value without what nobody may see: secrets, and passwords in URLs."""
    if hasattr(value, "get_secret_value"):
        return MASK if value.get_secret_value() else ""
    return shown_url(value) if isinstance(value, str) else value


def _yaml(value: object) -> str:
    """The value as YAML writes it in one line. JSON is YAML, and a plain word needs no quotes."""
    if (
        isinstance(value, str)
        and (not value or re.fullmatch(r"[A-Za-z_/.][\w/.:@+-]*", value))
        and value not in ("null", "true", "false")
    ):
        return value
    return display_text(json.dumps(value, ensure_ascii=False))


def _paths(loaded: Loaded) -> Iterator[str]:
    from s3tui.cli.logs import log_path
    from s3tui.state.options import state_directory

    yield f"configuration: {display_text(str(loaded.config_file or 'none'))}"
    yield f"environment file: {display_text(str(loaded.env_file or 'none'))}"
    yield f"state directory: {display_text(str(state_directory()))}"
    yield f"log file: {display_text(str(log_path(loaded.settings.logging)))}"


def _add_verb(verbs: Commands, name: str, run: Callable[[argparse.Namespace], int], help_text: str) -> Parser:
    parser = verbs.add_parser(name, help=help_text, description=help_text[0].upper() + help_text[1:] + ".")
    add_global_options(parser, after=True)
    parser.set_defaults(run=run)
    return parser

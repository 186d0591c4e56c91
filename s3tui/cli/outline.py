"""All commands and their options as data, read from the parser: completions, the manual page and the reference are made of it.

The only module that touches private names of argparse.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from s3tui.cli.main import COMMANDS, build_parser
from s3tui.cli.parser import Parser

_FILES = frozenset({"FILE", "PATH"})
_SOURCES = ("SOURCE", "FILE...")


@dataclass(frozen=True, slots=True)
class Option:
    """An option, or without `flags` an argument that stands by itself."""

    flags: tuple[str, ...]
    metavar: str
    """How its value is called; empty for one that takes none."""
    help: str
    choices: tuple[str, ...]
    group: str

    @property
    def takes_a_path(self) -> bool:
        """Whether a value is a file on this machine."""
        return self.metavar in _FILES or any(word in self.metavar for word in _SOURCES)


@dataclass(frozen=True, slots=True)
class Command:
    """A command, or the program itself, whose `words` has the program's name only."""

    words: tuple[str, ...]
    summary: str
    description: str
    epilog: str
    usage: str
    arguments: tuple[Option, ...]
    options: tuple[Option, ...]
    """Those without a help text are not told to anybody."""
    commands: tuple[Command, ...]

    def walk(self) -> Iterator[Command]:
        """This command, and all below it, in the order of the help."""
        yield self
        for command in self.commands:
            yield from command.walk()


def outline() -> Command:
    """The program."""
    return _command(build_parser(COMMANDS), "")


def _command(parser: Parser, summary: str) -> Command:
    commands: tuple[Command, ...] = ()
    taken: list[Option] = []
    for group in parser._action_groups:
        for action in group._group_actions:
            if isinstance(action, argparse._SubParsersAction):
                summaries = {choice.dest: choice.help or "" for choice in action._choices_actions}
                commands = tuple(_command(parser, summaries[name]) for name, parser in action.choices.items())
            elif action.help is not argparse.SUPPRESS:
                taken.append(_option(action, group.title or "", parser))
    return Command(
        words=tuple(parser.prog.split()),
        summary=summary,
        description=parser.description or "",
        epilog=parser.epilog or "",
        usage=parser.synopsis(),
        arguments=tuple(option for option in taken if not option.flags),
        options=tuple(option for option in taken if option.flags),
        commands=commands,
    )


def _option(action: argparse.Action, group: str, parser: Parser) -> Option:
    choices = tuple(map(str, action.choices or ()))
    name: Any = action.metavar or ("" if action.nargs == 0 else "{" + ",".join(choices) + "}" if choices else action.dest.upper())
    more = "..." if action.option_strings and action.nargs == "+" else ""
    return Option(
        flags=tuple(action.option_strings),
        metavar=f"{name}{more}",
        help=parser._get_formatter()._expand_help(action) if action.help else "",
        choices=choices,
        group=group,
    )

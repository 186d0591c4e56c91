"""Every command with its arguments and options, from the parser."""

from __future__ import annotations

from itertools import groupby

from docs.reference.table import code, plain, table
from s3tui.cli.outline import Command, Option, outline

_EVERYWHERE = "global options"
_HEAD = """# Commands

From the program's own parser: `s3tui COMMAND --help` says the same, `man s3tui` too, and `s3tui completion SHELL` lets a shell
complete it. Results go to standard output, everything else to standard error.

| exit code | meaning |
|---|---|
| 0 | every file was uploaded, or skipped for a stated reason |
| 1 | nothing could be done, or nothing could go on |
| 2 | some files failed; the report names each |
| 130 | interrupted; the same command goes on |

These options stand before or after any command:

"""


def commands_page() -> str:
    """The page."""
    program = outline()
    parts = [_HEAD + _options([option for option in program.options if "--help" not in option.flags])]
    parts += [_section(command) for command in program.walk() if command is not program]
    return "\n".join(parts)


def _section(command: Command) -> str:
    level = "#" * min(len(command.words), 4)
    text = f"{level} {' '.join(command.words)}\n\n"
    text += plain(command.description or f"{command.summary[:1].upper()}{command.summary[1:]}.")
    text += f"\n\n```text\n{command.usage}\n```\n\n"
    if command.epilog:
        text += plain(command.epilog) + "\n\n"
    if command.arguments:
        text += table(["argument", ""], [(code(argument.metavar), plain(argument.help)) for argument in command.arguments]) + "\n"
    for group, options in groupby(command.options, key=lambda option: option.group):
        shown = [option for option in options if "--help" not in option.flags]
        if shown and group != _EVERYWHERE:
            text += ("" if group == "options" else f"{plain(group.capitalize())}:\n\n") + _options(shown) + "\n"
    return text


def _options(options: list[Option]) -> str:
    return table(["option", ""], [(code(_spelled(option)), plain(option.help)) for option in options])


def _spelled(option: Option) -> str:
    return f"{', '.join(option.flags)} {option.metavar}".rstrip()

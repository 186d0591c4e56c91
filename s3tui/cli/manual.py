"""The manual page, s3tui(1), made from the outline of all commands: `python -m s3tui.cli.manual` prints it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from s3tui import __version__
from s3tui.cli.outline import Command, Option, outline

_EVERYWHERE = "global options"
_BEFORE = """\
.TH S3TUI 1 "" "s3tui {version}" "User Commands"
.SH NAME
s3tui \\- move local data into S3 and show it happening
.SH SYNOPSIS
.B s3tui
[\\fIOPTIONS\\fR] [\\fICOMMAND\\fR ...]
.SH DESCRIPTION
Without a command it opens the terminal UI. Jobs are carried by a process of its own, which a closed terminal does not end.
Results go to standard output, everything else to standard error.
"""
_AFTER = """\
.SH EXIT STATUS
.TP
.B 0
Every file was uploaded, or skipped for a stated reason.
.TP
.B 1
Nothing could be done, or nothing could go on.
.TP
.B 2
Some files failed; the report names each.
.TP
.B 130
Interrupted; the same command goes on.
.SH FILES
.TP
.I ./config.yaml\\fR, \\fI$XDG_CONFIG_HOME/s3tui/config.yaml
The configuration; \\fBs3tui config init\\fR writes one with every key explained.
.TP
.I ./.env
Variables, outranked by the environment.
.TP
.I $XDG_STATE_HOME/s3tui/state.db
Jobs, and what became of their files. The log, s3tui.log, is beside it.
.SH ENVIRONMENT
The names of the AWS SDK, and S3TUI_<SECTION>__<KEY> for every key of the configuration.
"""


def manual(program: Command) -> str:
    """The page, for man(7)."""
    parts = [_BEFORE.format(version=_text(__version__)), ".SH OPTIONS\n", *_options(program, everywhere=True), ".SH COMMANDS\n"]
    for command in list(program.walk())[1:]:
        parts.append(f".SS {_text(command.usage)}\n{_text(command.description or command.summary)}\n")
        parts += _options(command, everywhere=False)
        if command.epilog:
            parts.append(f".PP\n{_text(command.epilog)}\n")
    return "".join([*parts, _AFTER])


def _options(command: Command, *, everywhere: bool) -> Iterator[str]:
    taken = [one for one in (*command.arguments, *command.options) if "--help" not in one.flags]
    for group, options in groupby(taken, key=lambda option: option.group):
        if everywhere or group != _EVERYWHERE:
            yield from map(_option, options)


def _option(option: Option) -> str:
    flags = ", ".join(f"\\fB{_text(flag)}\\fR" for flag in option.flags)
    return f".TP\n{flags}{' ' if flags and option.metavar else ''}\\fI{_text(option.metavar)}\\fR\n{_text(option.help)}\n"


def _text(text: str) -> str:
    """The text as it is: no sign of it is a request or an escape."""
    safe = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return f"\\&{safe}" if safe.startswith(".") else safe


if __name__ == "__main__":
    print(manual(outline()), end="")

"""Completion in fish, 3 or newer."""

from __future__ import annotations

from collections.abc import Iterator

from s3tui.cli.outline import Command, Option

_HEAD = """\
# fish completion for s3tui: s3tui completion fish > ~/.config/fish/completions/s3tui.fish

function __s3tui_at --description 'Whether this is the command that the line has so far'
    set -l at
    set -l valued
    for word in (commandline -opc)[2..-1]
        if test -n "$valued"
            set valued
            continue
        end
        switch $word
            case {valued}
                set valued $word
                continue
        end
        switch "$at $word"
            case {commands}
                set at (string trim -- "$at $word")
        end
    end
    test "$at" = "$argv"
end

complete -c s3tui -f
"""


def fish_script(program: Command) -> str:
    """The script."""
    commands = list(program.walk())
    valued = dict.fromkeys(flag for one in commands for option in one.options if option.metavar for flag in option.flags)
    names = [_quoted(f"{' '.join(command.words[1:-1])} {command.words[-1]}") for command in commands[1:]]
    lines = [line for command in commands for line in _lines(command)]
    return _HEAD.format(valued=" ".join(valued), commands=" ".join(names)) + "\n".join(lines) + "\n"


def _lines(command: Command) -> Iterator[str]:
    at = f"complete -c s3tui -n {_quoted(' '.join(['__s3tui_at', *command.words[1:]]))}"
    for name in command.commands:
        yield f"{at} -a {name.words[-1]} -d {_quoted(name.summary)}"
    for argument in command.arguments:
        if argument.choices:
            yield f"{at} -a {_quoted(' '.join(argument.choices))}"
        elif argument.takes_a_path:
            yield f"{at} -F"
        elif command.words[1] == "jobs":
            yield f"{at} -a '(s3tui -q jobs list --limit 50 2>/dev/null | string split -f 1 \" \")'"
    for option in command.options:
        yield f"{at} {_option(option)}"


def _option(option: Option) -> str:
    words = [f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in option.flags]
    if option.choices:
        words.append(f"-x -a {_quoted(' '.join(option.choices))}")
    elif option.takes_a_path:
        words.append("-r -F")
    elif option.metavar:
        words.append("-x")
    return " ".join([*words, f"-d {_quoted(option.help)}"])


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

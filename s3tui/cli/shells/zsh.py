"""Completion in zsh, 5 or newer."""

from __future__ import annotations

import re

from s3tui.cli.outline import Command, Option

_HEAD = """\
#compdef s3tui
# zsh completion for s3tui: s3tui completion zsh > DIRECTORY/_s3tui, where DIRECTORY is in fpath before compinit

_s3tui_job_ids() {
  local -a ids=(${${(f)"$(s3tui -q jobs list --limit 50 2>/dev/null)"}%% *})
  compadd -a ids
}

"""
_GROUP = """\
{name}() {{
  local curcontext=$curcontext context state state_descr line
  typeset -A opt_args
  _arguments -C \\
{options}
    '1:command:(({commands}))' \\
    '*::argument:->rest'
  [[ $state == rest ]] || return 0
  curcontext="${{curcontext%:*}}-$line[1]:"
  case $line[1] in
{cases}
  esac
}}

"""
_PLAIN = """\
{name}() {{
  _arguments \\
{options}{arguments}
}}

"""


def zsh_script(program: Command) -> str:
    """The script; it can be a file in fpath, or be sourced."""
    functions = "".join(map(_function, program.walk()))
    return f'{_HEAD}{functions}if [[ $funcstack[1] == _s3tui ]]; then\n  _s3tui "$@"\nelse\n  compdef _s3tui s3tui\nfi\n'


def _function(command: Command) -> str:
    options = " \\\n".join(f"    {_option(option)}" for option in command.options)
    if not command.commands:
        arguments = "".join(f" \\\n    {_argument(command, argument)}" for argument in command.arguments)
        return _PLAIN.format(name=_name(command), options=options, arguments=arguments)
    return _GROUP.format(
        name=_name(command),
        options=options + " \\",
        commands=" ".join(f'{one.words[-1]}\\:"{_safe(one.summary)}"' for one in command.commands),
        cases="\n".join(f"    {one.words[-1]}) {_name(one)} ;;" for one in command.commands),
    )


def _option(option: Option) -> str:
    value = f":{_safe(option.metavar)}:{_values(option)}" if option.metavar else ""
    text = f"'[{_safe(option.help)}]{value}'"
    if len(option.flags) == 1:
        return f"'*'{option.flags[0]}{text}"
    return f"'*'{{{','.join(option.flags)}}}{text}"


def _argument(command: Command, argument: Option) -> str:
    asked = "_s3tui_job_ids" if command.words[1] == "jobs" else _values(argument)
    return f"'*:{_safe(argument.metavar)}:{asked}'"


def _values(option: Option) -> str:
    if option.choices:
        return f"({' '.join(choice.replace(':', chr(92) + ':') for choice in option.choices)})"
    return "_files" if option.takes_a_path else " "


def _name(command: Command) -> str:
    return "_" + "_".join(command.words)


def _safe(text: str) -> str:
    """The text within single quotes, where _arguments reads brackets and colons."""
    return re.sub(r"([\[\]:\\\"`$])", r"\\\1", text).replace("'", "'\\''")

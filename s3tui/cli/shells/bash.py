"""Completion in bash, 4 or newer."""

from __future__ import annotations

from collections.abc import Iterable

from s3tui.cli.outline import Command, Option

_SCRIPT = """\
# bash completion for s3tui: source <(s3tui completion bash)

_s3tui() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}} command="" words="" at
  COMPREPLY=()
  for ((at = 1; at < COMP_CWORD; at++)); do
    case "${{COMP_WORDS[at - 1]}}" in
      {valued}) continue ;;
    esac
    case "$command ${{COMP_WORDS[at]}}" in
      {commands}) command="${{command:+$command }}${{COMP_WORDS[at]}}" ;;
    esac
  done
  case "$before" in
{choices}
    {files}) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    {valued}) return ;;
  esac
  case "$command" in
{words}
  esac
  if [[ $word != -* ]]; then
    case "$command" in
      {paths}) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
      {jobs}) words=$(s3tui -q jobs list --limit 50 2>/dev/null | cut -d ' ' -f 1) ;;
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}}
complete -F _s3tui s3tui
"""


def bash_script(program: Command) -> str:
    """The script."""
    commands = list(program.walk())
    options = [option for command in commands for option in command.options]
    return _SCRIPT.format(
        valued=_pattern(flag for option in options if option.metavar for flag in option.flags),
        files=_pattern(flag for option in options if option.takes_a_path for flag in option.flags),
        commands=_pattern(f'"{" ".join(command.words[1:-1])} {command.words[-1]}"' for command in commands[1:]),
        choices="\n".join(dict.fromkeys(map(_choices, filter(lambda option: option.choices, options)))),
        words="\n".join(map(_words, commands)),
        paths=_pattern(_quoted(command) for command in commands if any(one.takes_a_path for one in command.arguments)),
        jobs=_pattern(_quoted(command) for command in commands if command.words[1:2] == ("jobs",) and command.arguments),
    )


def _words(command: Command) -> str:
    flags = [flag for option in command.options for flag in option.flags]
    standing = [name.words[-1] for name in command.commands] + [choice for one in command.arguments for choice in one.choices]
    return f'    {_quoted(command)}) words="{" ".join(flags)}"; [[ $word == -* ]] || words="{" ".join(standing)}" ;;'


def _choices(option: Option) -> str:
    return f'    {"|".join(option.flags)}) mapfile -t COMPREPLY < <(compgen -W "{" ".join(option.choices)}" -- "$word"); return ;;'


def _quoted(command: Command) -> str:
    return f'"{" ".join(command.words[1:])}"'


def _pattern(words: Iterable[str]) -> str:
    return "|".join(dict.fromkeys(words))

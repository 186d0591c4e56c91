"""What makes a shell complete `s3tui`: scripts made from the outline of all commands, so that a TAB starts no Python.

    bash.py zsh.py fish.py      one function each: outline -> script

A script knows the commands, their options, the choices of those that have any, and which values are files. Job ids are asked of
`s3tui jobs list` when they are wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from s3tui.cli.outline import Command
from s3tui.cli.shells.bash import bash_script
from s3tui.cli.shells.fish import fish_script
from s3tui.cli.shells.zsh import zsh_script

SCRIPTS: Mapping[str, Callable[[Command], str]] = {"bash": bash_script, "zsh": zsh_script, "fish": fish_script}
"""By the name of the shell."""

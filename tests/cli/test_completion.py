"""Completion in real shells: what a TAB makes of a line."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from s3tui.cli.outline import outline
from s3tui.cli.shells import SCRIPTS
from tests.cli.command import Home
from tests.missing import missing
from tests.terminal import Terminal

SET_UP = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "source ./script"),
    "zsh": (["zsh", "-f", "-i"], "autoload -Uz compinit; compinit -u -D; source ./script"),
}
LINES = [
    ("s3tui jo", "s3tui jobs"),
    ("s3tui jobs res", "s3tui jobs resume"),
    ("s3tui upload --skip-u", "s3tui upload --skip-unchanged"),
    ("s3tui upload --checksum crc64", "s3tui upload --checksum crc64nvme"),
    ("s3tui -q upload some-f", "s3tui -q upload some-file"),
    ("s3tui --config jobs bac", "s3tui --config jobs backup"),
    ("s3tui completion f", "s3tui completion fish"),
]
_CLEAR, _TAB = "\x15", "\t"


@pytest.fixture(params=SCRIPTS)
def shell(request: pytest.FixtureRequest, home: Home) -> str:
    """Each shell, with its script and a file where it starts."""
    name: str = request.param
    if shutil.which(name) is None:
        missing(name)
    (home.work / "script").write_text(home.run("completion", name).stdout)
    (home.work / "some-file").touch()
    return name


def test_a_tab_completes_commands_options_choices_and_files(home: Home, shell: str) -> None:
    if shell == "fish":
        for typed, whole in LINES:
            asked = f"source ./script; complete -C '{typed}'"
            given = subprocess.run(
                ["fish", "-N", "-c", asked], cwd=home.work, env=home.variables, capture_output=True, text=True, check=True
            )
            assert [line.partition("\t")[0] for line in given.stdout.splitlines()] == [whole.rpartition(" ")[2]], given.stderr
        return
    words, load = SET_UP[shell]
    script = f"import os; os.execvp({words[0]!r}, {words!r})"
    with Terminal(["-c", script], home.variables | {"PS1": "ready> "}, directory=home.work, columns=100) as terminal:
        terminal.until_seen("ready>")
        terminal.press(f"{load}; PS1='loaded> '; clear\n")
        terminal.until_seen("loaded>")
        for typed, whole in LINES:
            terminal.press(typed, _TAB)
            terminal.until_seen(f"loaded> {whole}")
            terminal.press(_CLEAR)
            terminal.until_unseen(whole)


def test_job_ids_are_asked_of_the_program(home: Home, tmp_path: Path) -> None:
    (home.work / "script").write_text(SCRIPTS["bash"](outline()))
    shim = tmp_path / "bin" / "s3tui"
    shim.parent.mkdir()
    shim.write_text("#!/bin/sh\necho '01ABC  upload  completed'\necho '01ABD  upload  failed'\n")
    shim.chmod(0o755)
    ask = "source ./script; COMP_WORDS=(s3tui jobs show ''); COMP_CWORD=3; _s3tui; echo ${COMPREPLY[*]}"
    environment = home.variables | {"PATH": f"{shim.parent}{os.pathsep}{os.environ['PATH']}"}
    told = subprocess.run(["bash", "-c", ask], cwd=home.work, env=environment, capture_output=True, text=True, check=True)

    assert told.stdout == "01ABC 01ABD\n"


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_knows_every_option(name: str) -> None:
    script = SCRIPTS[name](outline())
    options = {option for command in outline().walk() for option in command.options}
    spelled = {
        flag if name != "fish" else f"-l {flag[2:]} " for option in options for flag in option.flags if flag.startswith("--")
    }

    assert len(spelled) > 60
    assert [flag for flag in sorted(spelled) if flag not in script] == []


def test_a_shell_that_is_not_known_is_told(home: Home) -> None:
    result = home.run("completion", "tcsh")
    assert result.code == 1
    assert "invalid choice: 'tcsh'" in result.sentence

"""Leaving: whatever ends the UI, and whatever it hangs on, the terminal is what it was, and no traceback is seen."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections import deque
from itertools import cycle
from pathlib import Path

import pytest

from tests.terminal import Terminal
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=8)

UI = ["-m", "s3tui"]
AFTER_NOHUP = [
    "-c",
    "import os, signal, sys\n"
    "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    "os.execv(sys.executable, [sys.executable, '-m', 's3tui'])",
]
IN_ANOTHER_SESSION = [
    "-c",
    "import os, signal, sys\n"
    "if (child := os.fork()) == 0:\n"
    "    os.setsid()\n"
    "    os.execv(sys.executable, [sys.executable, '-m', 's3tui'])\n"
    "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))",
]
"""The UI is not told when the terminal goes away: it has another session."""
CTRL_Z = "\x1a"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A place of its own."""
    return {"XDG_STATE_HOME": str(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path / "config")}


def ended(terminal: Terminal, timeout: float = 20) -> int:
    """Wait for the program to end; its exit code."""
    wait_until(lambda: terminal.process.poll() is not None, timeout, "the program to end")
    return int(terminal.process.returncode)


def choke(terminal: Terminal) -> None:
    """Read nothing more, and have so much painted that the program hangs in writing it: more work makes it work no more."""
    terminal.stop_reading()
    sizes = cycle([(300, 100), (290, 100)])
    used = deque([-1.0], maxlen=60)

    def stuck() -> bool:
        terminal.resize(*next(sizes))
        used.append(cpu_seconds(terminal.process.pid))
        return len(used) == used.maxlen and used[0] == used[-1]

    wait_until(stuck, 60, "the program to hang")


def cpu_seconds(pid: int) -> float:
    """CPU time of the process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def has_come_to(moment: float, terminal: Terminal) -> bool:
    """Whether the program has taken so many seconds of CPU time, or has started with fewer."""
    return cpu_seconds(terminal.process.pid) >= moment or "No jobs yet" in terminal.text()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 130), (signal.SIGINT, 130), (signal.SIGHUP, 129), (signal.SIGQUIT, 131)]
)
def test_a_signal_ends_the_ui_with_its_code_and_leaves_the_terminal_in_order(
    environment: dict[str, str], number: signal.Signals, code: int
) -> None:
    with Terminal(UI, environment) as terminal:
        terminal.until_seen("No jobs yet")
        assert terminal.left_behind()
        terminal.process.send_signal(number)
        assert ended(terminal) == code
        wait_until(lambda: not terminal.left_behind(), 5, "the terminal to be in order")
        assert "Traceback" not in terminal.text()


@pytest.mark.parametrize("key", ["q", "d", "\x11"])
def test_a_key_that_leaves_leaves_the_terminal_in_order(environment: dict[str, str], key: str) -> None:
    with Terminal(UI, environment) as terminal:
        terminal.until_seen("No jobs yet")
        terminal.press(key)
        assert ended(terminal) == 0
        wait_until(lambda: not terminal.left_behind(), 5, "the terminal to be in order")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_terminal_that_takes_nothing_more_keeps_nobody_from_ending_the_ui_nor_from_getting_it_back_in_order(
    environment: dict[str, str], number: signal.Signals
) -> None:
    with Terminal(UI, environment) as terminal:
        terminal.until_seen("No jobs yet")
        choke(terminal)
        terminal.process.send_signal(number)
        assert ended(terminal, 5) == 130
        terminal.go_on_reading()
        wait_until(lambda: not terminal.left_behind(), 5, "the terminal to be in order")


@pytest.mark.parametrize("choked", [False, True])
@pytest.mark.parametrize("arguments", [UI, AFTER_NOHUP, IN_ANOTHER_SESSION])
def test_a_dropped_line_ends_the_ui_at_once(environment: dict[str, str], arguments: list[str], choked: bool) -> None:
    with Terminal(arguments, environment) as terminal:
        terminal.until_seen("No jobs yet")
        if choked:
            choke(terminal)
        began = time.monotonic()
        terminal.hang_up()
        assert ended(terminal) == 129
        assert time.monotonic() - began < 3


def test_whenever_a_signal_comes_the_terminal_is_in_order_and_no_traceback_is_seen(environment: dict[str, str]) -> None:
    chance = random.Random(8)
    for _ in range(8):
        with Terminal(UI, environment) as terminal:
            moment = chance.uniform(0.02, 0.8)
            wait_until(lambda: has_come_to(moment, terminal), what="some moment of the start")  # noqa: B023
            number = chance.choice([signal.SIGTERM, signal.SIGINT])
            terminal.process.send_signal(number)
            assert ended(terminal) in (130, -number), moment
            wait_until(lambda: not terminal.left_behind(), 5, "the terminal to be in order")
            assert "Traceback" not in terminal.text(), moment


def test_ctrl_z_gives_the_terminal_back_to_the_shell_and_fg_takes_it_again(environment: dict[str, str]) -> None:
    shell = ["-c", "import os; os.execvp('bash', ['bash', '--norc', '--noprofile', '-i'])"]
    with Terminal(shell, environment | {"PS1": "READY> "}) as terminal:
        terminal.until_seen("READY>")
        terminal.press(f"{sys.executable} -m s3tui\r")
        for _ in range(2):
            terminal.until_seen("No jobs yet")
            terminal.until_seen("Help")
            terminal.press(CTRL_Z)
            terminal.until_seen("Stopped")
            assert {mode for mode in (1049, 1000, 1004) if terminal.modes[mode]} == set()
            assert terminal.keyboards == 0
            terminal.press("echo sh''ell\r")
            terminal.until_seen("shell")
            terminal.press("fg\r")
            terminal.until_unseen("shell")
        terminal.until_seen("No jobs yet")
        terminal.press("?")
        terminal.until_seen("Esc closes")
        terminal.press("q", "q")
        wait_until(lambda: not terminal.modes[1049], what="the UI to be left")
        terminal.press("exit\r")
        assert ended(terminal) == 0


def test_ctrl_z_stays_where_there_is_no_shell_to_go_back_to(environment: dict[str, str]) -> None:
    with Terminal(UI, environment) as terminal:
        terminal.until_seen("No jobs yet")
        terminal.press(CTRL_Z)
        terminal.until_seen("There is no shell to go back to")
        terminal.press("q")
        assert ended(terminal) == 0

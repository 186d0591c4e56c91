"""Progress waits for the terminal, keys do not: on terminals that answer late or never, and at the end of a slow line."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from s3tui.tui.link import PATIENCE
from tests.slow_line import SlowTerminal
from tests.terminal import Terminal
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=8)

STAGE = ["-m", "tests.tui.stage", "fast", "moving"]
AFTERWARDS = """
import os, select, subprocess, sys, tty
subprocess.run([sys.executable, *sys.argv[1:]])
print("It has ended", flush=True)
tty.setraw(0)
print("It left", repr(os.read(0, 99) if select.select([0], [], [], 1)[0] else b"nothing"), flush=True)
"""


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    return {"COLORTERM": "truecolor", "XDG_CONFIG_HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}


@pytest.fixture
def terminal(environment: Mapping[str, str]) -> Iterator[Terminal]:
    """A terminal on which a job moves with every look."""
    with Terminal(STAGE, environment) as terminal:
        terminal.until_seen("look 9.")
        yield terminal


def look(terminal: Terminal) -> int:
    """Which look at the job is on the screen."""
    found = re.search(r"look (\d+)\.", terminal.text())
    return int(found[1]) if found else 0


def until_further(terminal: Terminal, than: int) -> None:
    wait_until(lambda: look(terminal) > than, PATIENCE * 3, "progress")


def until_moved(terminal: Terminal, key: str) -> None:
    before = terminal.marked_line("▌")
    terminal.press(key)
    wait_until(lambda: terminal.marked_line("▌") not in ("", before), 10, f"the key {key!r} to be painted")


def test_while_an_answer_is_out_keys_are_painted_and_progress_is_not(terminal: Terminal) -> None:
    until_moved(terminal, "g")
    terminal.hold_answers()
    wait_until(lambda: terminal.unanswered, 10, "a question")
    before = look(terminal)
    for key in "jjjjjjjjkkkkkkkk":
        until_moved(terminal, key)
    assert look(terminal) <= before + 1, "one look may have been on its way"
    assert terminal.unanswered == 1
    terminal.release_answers()
    until_further(terminal, before + 2)


def test_a_terminal_that_never_answers_is_painted_all_the_same_and_not_asked_again(terminal: Terminal) -> None:
    terminal.hold_answers()
    wait_until(lambda: terminal.unanswered, 10, "a question")
    until_further(terminal, look(terminal) + 5)
    assert terminal.unanswered == 1


def test_without_pacing_nothing_is_asked(environment: Mapping[str, str]) -> None:
    with Terminal([*STAGE, "unpaced"], environment) as terminal:
        terminal.hold_answers()
        terminal.until_seen("look 9.")
        assert terminal.unanswered == 0


def test_the_output_of_textual_is_paced_as_well(environment: Mapping[str, str]) -> None:
    with Terminal(["-m", "tests.tui.stage", "plain", "moving"], environment) as terminal:
        terminal.until_seen("look 9.")
        terminal.hold_answers()
        wait_until(lambda: terminal.unanswered, 10, "a question")
        before = look(terminal)
        terminal.release_answers()
        until_further(terminal, before)


@pytest.mark.parametrize(("rate", "round_trip"), [(100_000, 0.08), (8_000, 0.15)])
def test_a_slow_line_does_not_fill_and_keys_come_through(environment: Mapping[str, str], rate: float, round_trip: float) -> None:
    with SlowTerminal(STAGE, environment, rate=rate, round_trip=round_trip) as terminal:
        terminal.until_seen("look")
        until_moved(terminal, "g")
        wait_until(lambda: terminal.backlog == 0, 20, "the first screens to be sent")
        terminal.most_backlog, first, until = 0, look(terminal), time.monotonic() + 30
        for _ in range(20):
            until_moved(terminal, "j")
        while look(terminal) < first + 3 and time.monotonic() < until:
            until_moved(terminal, "j")
        assert 0 < terminal.most_backlog < 8_000  # a frame or two that scroll
        assert look(terminal) >= first + 3


def test_people_see_that_the_line_is_slow(environment: Mapping[str, str]) -> None:
    with SlowTerminal(STAGE, environment, rate=50_000, round_trip=0.4) as terminal:
        terminal.until_seen("line: ")
        terminal.until_seen(" ms ")


def test_the_last_answer_is_not_left_to_the_shell(environment: Mapping[str, str]) -> None:
    with Terminal(["-c", AFTERWARDS, *STAGE], environment) as terminal:
        terminal.until_seen("look 5.")
        terminal.hold_answers()
        wait_until(lambda: terminal.unanswered, 10, "a question")
        terminal.press("d")
        with pytest.raises(AssertionError):
            terminal.until_seen("It has ended", 1.5)
        terminal.release_answers()
        terminal.until_seen("It has ended")
        terminal.until_seen("It left b'nothing'")

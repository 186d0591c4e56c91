"""The mouse on a real terminal: what is asked of it, and that clicks do what keys do."""

from __future__ import annotations

from pathlib import Path

import pytest

from s3tui.config import Settings
from s3tui.runtime import Runtime
from tests.state.scenes import ANN, plan, planned, register
from tests.terminal import Terminal

pytestmark = pytest.mark.thorough(one_in=5)


@pytest.fixture
def place(tmp_path: Path) -> dict[str, str]:
    """A place of its own, with a plan in it."""
    with Runtime(Settings()) as runtime:
        register(runtime.store, ANN)
        runtime.service.plan(runtime.upload_spec(["/tree"], "s3://bucket/x"), concurrency=1, home=ANN.id)
        plan(runtime.store, [[planned(f"file-{number}") for number in range(9)]], hold=True)
    return {"XDG_STATE_HOME": str(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path / "config")}


def click(terminal: Terminal, words: str) -> None:
    """Click where these words begin."""
    terminal.until_seen(words)
    y, line = next((y, line) for y, line in enumerate(terminal.text().splitlines(), 1) if words in line)
    x = line.index(words) + 1
    terminal.press(f"\x1b[<0;{x};{y}M", f"\x1b[<0;{x};{y}m")


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ({}, {1000, 1003, 1006, 1015}),
        ({"SSH_TTY": "/dev/pts/9"}, {1000, 1002, 1006, 1015}),
        ({"SSH_TTY": "/dev/pts/9", "S3TUI_UI__MOUSE": "on"}, {1000, 1003, 1006, 1015}),
        ({"S3TUI_UI__MOUSE": "off"}, set()),
    ],
    ids=["here", "ssh", "ssh-on", "off"],
)
def test_moves_of_the_mouse_are_not_asked_for_over_ssh_and_nothing_where_it_is_off(
    place: dict[str, str], options: dict[str, str], asked: set[int]
) -> None:
    with Terminal(["-m", "s3tui"], place | options) as terminal:
        terminal.until_seen("planned")
        assert {
            mode for mode, on in terminal.modes.items() if (on and 1000 <= mode <= 1003) or (on and mode in (1006, 1015))
        } == asked
        terminal.press("q")
        assert terminal.process.wait(20) == 0
        assert not {mode for mode in asked if terminal.modes[mode]}


def test_clicks_open_a_job_choose_a_view_and_do_what_the_key_bar_says(place: dict[str, str]) -> None:
    with Terminal(["-m", "s3tui"], place | {"SSH_TTY": "/dev/pts/9"}) as terminal:
        click(terminal, "planned")
        terminal.until_seen("file-8")
        click(terminal, "Will fail")
        terminal.until_unseen("file-8")
        click(terminal, "All 9")
        terminal.until_seen("file-8")
        click(terminal, "Help")
        terminal.until_seen("Esc closes")
        terminal.press("\x1b")
        terminal.until_unseen("Esc closes")
        click(terminal, "Cancel")
        click(terminal, "Keep going")
        terminal.until_unseen("Keep going")
        click(terminal, "Quit")
        assert terminal.process.wait(20) == 0

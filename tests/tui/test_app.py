"""What is around the application: the terminal check, the environment, crash reports, what is imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from s3tui.config import Settings
from s3tui.config.settings import UiOptions
from s3tui.tui.app import prepare_environment, run_tui
from tests.terminal import Terminal
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=5)


def test_without_a_terminal_there_is_one_sentence_and_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_tui(Settings()) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "needs a terminal" in captured.err


def test_a_job_that_does_not_exist_opens_no_screen(tmp_path: Path) -> None:
    with Terminal(["-m", "s3tui", "tui", "--job", "NOPE"], {"XDG_STATE_HOME": str(tmp_path)}) as terminal:
        terminal.until_seen("There is no job 'NOPE'; `s3tui jobs list` shows them all.")
        assert terminal.process.wait(20) == 1


def test_the_environment_is_prepared_without_overruling_the_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    monkeypatch.setenv("ESCDELAY", "77")
    monkeypatch.setenv("SSH_TTY", "/dev/pts/1")
    monkeypatch.delenv("TEXTUAL_ANIMATIONS", raising=False)
    prepare_environment()
    assert "NO_COLOR" not in os.environ
    assert (os.environ["ESCDELAY"], os.environ["TEXTUAL_ANIMATIONS"]) == ("77", "none")
    monkeypatch.setenv("NO_COLOR", "1")
    prepare_environment()
    assert os.environ["NO_COLOR"] == "1"


def test_options_say_what_colours_there_are_and_whether_things_glide(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "TEXTUAL_COLOR_SYSTEM", "TEXTUAL_ANIMATIONS", "SSH_TTY", "SSH_CONNECTION"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    prepare_environment(UiOptions(color="none", animations="off"))
    assert (os.environ["NO_COLOR"], os.environ["TEXTUAL_ANIMATIONS"]) == ("1", "none")
    prepare_environment(UiOptions(color="16"))
    assert "NO_COLOR" not in os.environ
    assert os.environ["TEXTUAL_COLOR_SYSTEM"] == "standard"
    prepare_environment(UiOptions(color="256"))
    assert os.environ["TEXTUAL_COLOR_SYSTEM"] == "standard"  # a variable of the person's own stays


def test_words_that_yaml_takes_for_something_else_are_understood() -> None:
    options = UiOptions.model_validate({"mouse": False, "animations": True, "color": 16})
    assert (options.mouse, options.animations, options.color) == ("off", "on", "16")


@pytest.mark.parametrize(
    ("terminal", "words"),
    [({"TERM": "dumb"}, "TERM says dumb"), ({"TERM": "vt100"}, ""), ({"TERM": ""}, ""), ({"LC_ALL": "C"}, "")],
)
def test_odd_terminals_show_the_ui_or_one_sentence(tmp_path: Path, terminal: dict[str, str], words: str) -> None:
    place = {"XDG_STATE_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    with Terminal(["-m", "s3tui"], place | terminal) as screen:
        screen.until_seen(words or "No jobs yet")
        if not words:
            screen.press("q")
        assert screen.process.wait(20) == (1 if words else 0)
        assert "Traceback" not in screen.text()


def test_the_ui_is_on_the_terminal_though_standard_error_leads_elsewhere(tmp_path: Path) -> None:
    place = {"XDG_STATE_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "COLUMNS": "200", "LINES": "60"}
    code = (
        "import os, sys; os.dup2(os.open('errors', os.O_WRONLY | os.O_CREAT), 2)\n"
        "os.execv(sys.executable, [sys.executable, '-m', 's3tui'])"
    )
    with Terminal(["-c", code], place, directory=tmp_path) as terminal:
        terminal.until_seen("No jobs yet")
        terminal.until_seen("q Quit")  # at the size of the terminal, whatever COLUMNS says
        terminal.press("q")
        assert terminal.process.wait(20) == 0
        assert (tmp_path / "errors").read_bytes() == b""
        wait_until(lambda: not terminal.left_behind(), what="the terminal to be in order")


@pytest.mark.parametrize(
    "statement",
    [
        "import s3tui.tui.app",
        "import s3tui.tui.application, s3tui.tui.screens.plan, s3tui.tui.screens.transfers",
        "import s3tui.tui.application, s3tui.runtime, s3tui.service",
        "import s3tui.tui.screens.places, s3tui.tui.screens.targets",
    ],
)
def test_the_terminal_ui_imports_neither_the_sdk_nor_the_worker(statement: str) -> None:
    unwanted = [
        "boto3",
        "botocore",
        "fastapi",
        "psycopg",
        "dramatiq",
        "plotext",
        "textual_plotext",
        "s3tui.worker",
        "s3tui.jobs.upload",
        "s3tui.jobs.video",
        "s3tui.jobs.ingest",
        "s3tui.storage.sdk",
        "s3tui.transfer.s3transfer",
    ]
    code = f"{statement}\nimport sys\nprint([name for name in {unwanted!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert found == "[]"


def test_textual_is_not_imported_before_the_environment_is_set() -> None:
    code = "import s3tui.tui.app, sys; print('textual' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"

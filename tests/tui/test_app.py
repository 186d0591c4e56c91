"""What is around the application: the terminal check, the environment, crash reports, what is imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from s3tui.config import Settings
from s3tui.tui.app import prepare_environment, run_tui, write_report
from tests.terminal import Terminal


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


def test_a_crash_report_holds_the_traceback_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    try:
        raise ValueError("odd \udcff name")
    except ValueError as error:
        path = write_report(error)
    assert path.parent == tmp_path / "state" / "s3tui"
    assert path.stat().st_mode & 0o777 == 0o600
    assert "ValueError: odd \\udcff name" in path.read_text()
    assert "Traceback" in path.read_text()


@pytest.mark.parametrize(
    "statement",
    [
        "import s3tui.tui.app",
        "import s3tui.tui.application, s3tui.tui.screens.plan, s3tui.tui.screens.transfers",
        "import s3tui.tui.application, s3tui.runtime, s3tui.service",
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
        "s3tui.storage.sdk",
        "s3tui.transfer.s3transfer",
    ]
    code = f"{statement}\nimport sys\nprint([name for name in {unwanted!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert found == "[]"


def test_textual_is_not_imported_before_the_environment_is_set() -> None:
    code = "import s3tui.tui.app, sys; print('textual' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"

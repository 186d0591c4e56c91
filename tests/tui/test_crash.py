"""What a crash leaves: one sentence, and a report that helps whoever mends it and tells no secret."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from s3tui.config import Settings
from s3tui.runtime import Runtime
from s3tui.tui.app import tell_failure
from s3tui.tui.crash import KEPT, write_report
from tests.terminal import Terminal
from tests.tui.driving import application
from tests.tui.seeded import SeededHouse
from tests.waiting import wait_until

SECRET = "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLE"


def test_a_row_that_cannot_be_read_ends_the_ui_with_one_sentence_and_a_report(tmp_path: Path) -> None:
    place = {
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "AWS_SECRET_ACCESS_KEY": SECRET,
    }
    (tmp_path / "file").touch()
    with Runtime(Settings()) as runtime:
        runtime.service.plan(runtime.upload_spec([str(tmp_path / "file")], "s3://bucket/x"), concurrency=1)
    with sqlite3.connect(tmp_path / "state" / "s3tui" / "state.db") as database:
        database.execute("UPDATE job SET state = ?", [SECRET])
    with Terminal(["-m", "s3tui"], place | {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE"}) as terminal:
        terminal.until_seen("s3tui stopped: ValueError. Running jobs go on; the report is in")
        assert terminal.process.wait(20) == 1
        wait_until(lambda: not terminal.left_behind(), what="the terminal to be in order")
        assert "Traceback" not in terminal.text()
    [path] = (tmp_path / "state" / "s3tui").glob("crash-*.txt")
    report = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert SECRET not in report
    for needed in ("Traceback", "ValueError: '********'", "screens: 'Screen > JobsPage'", "size: '80x24'", "TERM=xterm-256color"):
        assert needed in report, report


def test_only_the_newest_reports_are_kept_and_none_is_endless(tmp_path: Path) -> None:
    directory = tmp_path / "state" / "s3tui"
    directory.mkdir(parents=True)
    for day in range(10, 19):
        (directory / f"crash-202501{day}T000000-1.txt").touch()
    try:
        raise ValueError("odd \udcff name " * 100_000)
    except ValueError as error:
        path = write_report(error, {"screens": "JobsPage"})
    assert path in directory.iterdir()
    assert len(list(directory.iterdir())) == KEPT
    assert not (directory / "crash-20250114T000000-1.txt").exists()
    assert path.stat().st_size < 2_000_000
    assert "odd \\udcff name" in path.read_text()


def test_where_no_report_can_be_written_the_sentence_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    app = application(SeededHouse())
    app.failure = ValueError("odd")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert tell_failure(app) == 1
    told = capsys.readouterr().err
    assert told == "s3tui stopped: ValueError. Running jobs go on. No report could be written: Not a directory.\n"

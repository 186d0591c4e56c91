"""A state database that is locked, goes away or belongs to a newer version while somebody looks at it."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from s3tui.config import Settings
from s3tui.runtime import Runtime
from tests.terminal import Terminal
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=5)

UI = ["-m", "s3tui"]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A place of its own with a job that waits for a worker; ends the worker that the UI starts for it."""
    (tmp_path / "file").write_text("x")
    with Runtime(Settings()) as runtime:
        spec = runtime.upload_spec([str(tmp_path / "file")], "s3://bucket/x")
        runtime.service.pause(runtime.service.submit(spec, concurrency=1).job_id)
    yield {
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    with Runtime(Settings()) as runtime:
        for worker in runtime.service.workers():
            with suppress(ProcessLookupError):
                os.kill(worker.pid, signal.SIGTERM)
        wait_until(lambda: not runtime.service.workers(), 30, "the worker to end")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where the state is."""
    return tmp_path / "state" / "s3tui" / "state.db"


def told(terminal: Terminal) -> str:
    """What is on the screen, sentences that break in one piece."""
    return " ".join(terminal.text().split())


def test_a_database_that_is_removed_is_told_and_another_one_is_not_taken_for_it(place: dict[str, str], database: Path) -> None:
    with Terminal(UI, place) as terminal:
        terminal.until_seen("paused")
        for path in database.parent.glob("state.db*"):
            path.rename(path.with_name(f"old-{path.name}"))
        wait_until(lambda: "removed or replaced" in told(terminal), 60, "the cause")
        assert "Start s3tui again" in told(terminal)
        assert not database.exists()
        with Runtime(Settings()):
            terminal.press("p")
            terminal.until_seen("paused")
        terminal.press("q")
        assert terminal.process.wait(20) == 0
    for path in database.parent.glob("state.db*"):
        path.unlink()
    for path in database.parent.glob("old-*"):
        path.rename(path.with_name(path.name.removeprefix("old-")))


def test_a_worker_that_the_system_does_not_let_start_is_told_and_the_ui_goes_on(place: dict[str, str], database: Path) -> None:
    (database.parent / "worker.err").mkdir()
    with Terminal(UI, place) as terminal:
        terminal.until_seen("paused")
        terminal.press("p")
        terminal.until_seen("The operating system refused")
        terminal.press("?")
        terminal.until_seen("Esc closes")
        terminal.press("\x1b")
        terminal.until_unseen("Esc closes")
        terminal.press("d")
        assert terminal.process.wait(20) == 0
    (database.parent / "worker.err").rmdir()


def test_a_newer_version_that_has_migrated_the_database_is_told(place: dict[str, str], database: Path) -> None:
    with Terminal(UI, place) as terminal:
        terminal.until_seen("paused")
        with closing(sqlite3.connect(database)) as newer:
            [(version,)] = newer.execute("SELECT version_num FROM alembic_version")
            newer.execute("UPDATE alembic_version SET version_num = '9999'")
            newer.commit()
            terminal.until_seen("written by a newer s3tui (schema 9999)")
            terminal.press("p")
            terminal.press("q")
            assert terminal.process.wait(20) == 0
            newer.execute("UPDATE alembic_version SET version_num = ?", [version])
            newer.commit()


def test_a_database_that_somebody_holds_is_told_and_keeps_nobody_from_leaving(place: dict[str, str], database: Path) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as holder:
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN IMMEDIATE")
        holder.execute("UPDATE alembic_version SET version_num = version_num")
        with Terminal(UI, place) as terminal:
            terminal.until_seen("has not answered for some seconds")
            began = time.monotonic()
            terminal.press("d")
            assert terminal.process.wait(20) == 0
            assert time.monotonic() - began < 5
            wait_until(lambda: not terminal.left_behind(), what="the terminal to be in order")
        with Terminal(UI, place) as terminal:
            terminal.until_seen("has not answered for some seconds")
            holder.close()
            terminal.until_seen("paused")
            terminal.until_unseen("has not answered")
            terminal.press("q")
            assert terminal.process.wait(20) == 0


def test_a_wish_that_waits_for_another_writer_keeps_nobody_from_leaving(place: dict[str, str], database: Path) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as holder, Terminal(UI, place) as terminal:
        terminal.until_seen("paused")
        holder.execute("BEGIN IMMEDIATE")
        terminal.press("p")
        terminal.press("d")
        assert terminal.process.wait(5) == 0

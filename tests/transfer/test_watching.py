"""What the operating system tells about changes, and what becomes of events that it loses."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from s3tui.transfer.watching import Deaf, Watcher, open_watcher
from tests.waiting import wait_until


@contextmanager
def watching(*paths: Path) -> Iterator[Watcher]:
    watcher = open_watcher([os.fsencode(path) for path in paths])
    try:
        yield watcher
    finally:
        watcher.close()


def hears(watcher: Watcher, path: Path) -> None:
    """Wait until it tells that this path has changed."""
    wait_until(lambda: os.fsencode(path) in (watcher.changes() or ()), what=f"an event for {path}")


def test_files_in_new_directories_and_renamed_ones_are_heard_of(tmp_path: Path) -> None:
    with watching(tmp_path) as watcher:
        (tmp_path / "new").mkdir()
        hears(watcher, tmp_path / "new")
        (tmp_path / "new" / "file").touch()
        hears(watcher, tmp_path / "new" / "file")
        (tmp_path / "new" / "file").rename(tmp_path / "renamed")
        hears(watcher, tmp_path / "renamed")


def test_nothing_is_missed_once_it_is_open(tmp_path: Path) -> None:
    with watching(tmp_path) as watcher:
        (tmp_path / "file").touch()
        hears(watcher, tmp_path / "file")


def test_a_name_that_cannot_be_told_means_that_events_were_lost_and_another_watcher_hears_again(tmp_path: Path) -> None:
    with watching(tmp_path) as watcher:
        Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9")).touch()
        wait_until(lambda: watcher.changes() is None, what="the loss")
    with watching(tmp_path) as watcher:
        (tmp_path / "file").touch()
        hears(watcher, tmp_path / "file")


def test_where_the_system_cannot_watch_nothing_is_heard_and_the_log_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = bytes(tmp_path) + b"/caf\xe9"
    Path(os.fsdecode(path)).mkdir()
    watcher = open_watcher([path])
    assert isinstance(watcher, Deaf)
    assert watcher.changes() == set()
    assert "found by looking" in caplog.text
    assert isinstance(open_watcher([]), Deaf)

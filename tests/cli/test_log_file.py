"""The log file as several processes write it: whole lines, bounded size, and no process that waits or stops for it."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from s3tui.cli.log_file import SharedLogFile

WRITER = """
import logging, sys
from pathlib import Path
from s3tui.cli.log_file import SharedLogFile
path, name, count, max_bytes, backups = sys.argv[1:]
handler = SharedLogFile(Path(path), max_bytes=int(max_bytes), backups=int(backups))
handler.setFormatter(logging.Formatter("%(message)s"))
sys.stdin.readline()
for number in range(int(count)):
    handler.handle(logging.makeLogRecord({"msg": f"{name} {number} {'x' * (number % 300)} end"}))
"""


def record(message: str) -> logging.LogRecord:
    """Something to log."""
    return logging.makeLogRecord({"msg": message})


@contextmanager
def log_file(path: Path, *, max_bytes: int = 1 << 20, backups: int = 3) -> Iterator[SharedLogFile]:
    """A log file that is closed in the end."""
    handler = SharedLogFile(path, max_bytes=max_bytes, backups=backups)
    yield handler
    handler.close()


def lines_of(directory: Path) -> list[str]:
    """Every line of every file."""
    return [line for path in directory.iterdir() for line in path.read_text().splitlines()]


def write_from_processes(path: Path, names: str, count: int, *, max_bytes: int, backups: int) -> None:
    """Let processes write at the same time, until all have ended."""
    command = [sys.executable, "-c", WRITER, str(path)]
    limits = [str(count), str(max_bytes), str(backups)]
    writers = [subprocess.Popen([*command, name, *limits], stdin=subprocess.PIPE) for name in names]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0


def test_processes_that_rotate_one_file_lose_no_line_and_tear_none(tmp_path: Path) -> None:
    write_from_processes(tmp_path / "log", "abc", 2000, max_bytes=50_000, backups=100)
    expected = {f"{name} {number} {'x' * (number % 300)} end" for name in "abc" for number in range(2000)}
    found = lines_of(tmp_path)
    assert len(found) == len(expected)
    assert set(found) == expected
    assert len(list(tmp_path.iterdir())) > 10
    assert max(path.stat().st_size for path in tmp_path.iterdir()) < 2 * 50_000


def test_processes_keep_no_more_old_files_than_they_may(tmp_path: Path) -> None:
    write_from_processes(tmp_path / "log", "ab", 1000, max_bytes=5_000, backups=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "log.1", "log.2"]
    assert all(line.endswith(" end") for line in lines_of(tmp_path))


def test_without_old_files_the_log_begins_anew(tmp_path: Path) -> None:
    with log_file(tmp_path / "log", max_bytes=100, backups=0) as handler:
        for number in range(50):
            handler.handle(record(f"line {number:03}"))
    assert [path.name for path in tmp_path.iterdir()] == ["log"]
    assert lines_of(tmp_path)[-1] == "line 049"
    assert (tmp_path / "log").stat().st_size <= 100


def test_the_newest_old_file_is_number_one(tmp_path: Path) -> None:
    with log_file(tmp_path / "log", max_bytes=10, backups=2) as handler:
        for name in ("first", "second", "third", "fourth"):
            handler.handle(record(name))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "log": "fourth\n",
        "log.1": "third\n",
        "log.2": "second\n",
    }


def test_a_line_longer_than_the_file_may_be_is_written_whole(tmp_path: Path) -> None:
    with log_file(tmp_path / "log", max_bytes=100) as handler:
        handler.handle(record("x" * 100_000))
    assert lines_of(tmp_path) == ["x" * 100_000]


def test_a_file_that_was_moved_away_is_begun_anew(tmp_path: Path) -> None:
    with log_file(tmp_path / "log") as handler:
        handler.handle(record("before"))
        (tmp_path / "log").rename(tmp_path / "log.old")
        handler.handle(record("after"))
    assert (tmp_path / "log").read_text() == "after\n"


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    with log_file(tmp_path / "log", max_bytes=10) as handler:
        handler.handle(record("first line"))
        handler.handle(record("second line"))
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_what_cannot_be_written_is_lost_in_silence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    directory = tmp_path / "directory"
    directory.mkdir()
    with log_file(directory / "log") as handler:
        (directory / "log").unlink()
        directory.rmdir()
        handler.handle(record("lost"))
        directory.mkdir()
        handler.handle(record("found"))
    assert (directory / "log").read_text() == "found\n"
    assert capfd.readouterr() == ("", "")


def test_a_full_disk_loses_lines_and_the_next_line_begins_anew(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: it takes the beginning of a line, and refuses the next."""
    script = f"""
import logging, resource, signal
from pathlib import Path
from s3tui.cli.log_file import SharedLogFile
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
handler = SharedLogFile(Path({str(tmp_path / "log")!r}), max_bytes=1 << 20, backups=1)
def write(text):
    handler.handle(logging.makeLogRecord({{"msg": text}}))
write("whole")
resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))
write("torn apart")
write("refused")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
write("whole again")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert (tmp_path / "log").read_text() == "whole\ntorn\nwhole again\n"

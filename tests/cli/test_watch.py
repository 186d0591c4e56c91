"""`--watch`: what comes to a directory while the command runs, written by other processes in their own ways."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from s3tui.model import JobState, Totals
from tests.cli.command import Home, ended
from tests.front import FaultFront
from tests.servers import Store
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=8)

WRITERS, FILES = 5, 200
SLOW = 20
"""Of the files of each writer, those that are written slowly; as many are renamed into place."""

_WRITER = """
import os, sys, time
root, writer, files, slow = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
for number in range(files):
    directory = os.path.join(root, f"{number % 7}", f"w{writer}", f"{number % 3}")
    os.makedirs(directory, exist_ok=True)
    path, content = os.path.join(directory, f"file-{number:03}"), f"file {number} of {writer}\\n" * (number % 50 + 1)
    if number < slow:
        with open(path, "w") as stream:
            for start in range(0, len(content), len(content) // 4):
                stream.write(content[start : start + len(content) // 4])
                stream.flush()
                time.sleep(0.05)
    elif number < 2 * slow:
        unfinished = os.path.join(root, f"unfinished-{writer}.tmp")
        with open(unfinished, "w") as stream:
            stream.write(content)
        os.rename(unfinished, path)
    else:
        with open(path, "w") as stream:
            stream.write(content)
"""


def write_files(root: Path, writer: int) -> subprocess.Popen[bytes]:
    """Begin to write files as other programs do."""
    return subprocess.Popen([sys.executable, "-c", _WRITER, str(root), str(writer), str(FILES), str(SLOW)])


def contents_of(root: Path) -> dict[str, bytes]:
    """The files below a directory as the keys and bytes they are to become."""
    files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def totals(home: Home) -> Totals:
    """The counters of the newest job, if there is one."""
    jobs = home.jobs()
    return jobs[0].totals if jobs else Totals()


def wait_for(home: Home, uploaded: int) -> None:
    """Wait until so many versions of files are stored."""
    wait_until(lambda: totals(home).uploaded >= uploaded, 60, f"{uploaded} stored files")


@pytest.fixture
def source(home: Home) -> Path:
    """An empty directory."""
    directory = home.work / "tree"
    directory.mkdir()
    return directory


class Watching:
    """The command at watching, which is stopped as a person would."""

    def __init__(self, home: Home, store: Store, *options: str) -> None:
        self.home = home
        self.words = ["upload", "tree", f"s3://{store.bucket}", "--watch", "--settle", "0.5", *options]
        self.process = home.start(*self.words)

    def stop(self, number: int = signal.SIGINT) -> str:
        """Stop it; returns what it said."""
        self.process.send_signal(number)
        end = ended(self.process)
        assert end.code == 130, end.stderr
        return end.stderr

    def kill(self) -> None:
        """Kill it, and start it again."""
        self.process.kill()
        ended(self.process)
        self.process = self.home.start(*self.words)


@pytest.fixture
def watching(home: Home, rclone_store: Store, front: FaultFront, source: Path) -> Iterator[Watching]:
    home.at(rclone_store.behind(front))
    running = Watching(home, rclone_store, "--exclude", "*.tmp")
    yield running
    if running.process.poll() is None:
        running.process.kill()
        ended(running.process)


def test_a_thousand_files_of_several_writers_arrive_complete_and_once(
    watching: Watching, home: Home, rclone_store: Store, front: FaultFront, source: Path
) -> None:
    writers = [write_files(source, writer) for writer in range(WRITERS)]
    assert [writer.wait(60) for writer in writers] == [0] * WRITERS
    wait_for(home, WRITERS * FILES)
    watching.stop()
    contents = contents_of(source)
    assert len(contents) == WRITERS * FILES
    assert rclone_store.contents() == contents
    assert {key: front.accepted["PutObject", key] for key in contents} == dict.fromkeys(contents, 1)
    assert (totals(home).uploaded, totals(home).failed) == (WRITERS * FILES, 0)


def test_a_watch_that_is_killed_goes_on_and_sends_hardly_anything_twice(
    watching: Watching, home: Home, rclone_store: Store, front: FaultFront, source: Path
) -> None:
    in_flight, kills = 100, 3
    writers = [write_files(source, writer) for writer in range(2)]
    for kill in range(1, kills + 1):
        wait_until(lambda: front.count("PutObject") >= 80 * kill, 60, "some files")  # noqa: B023
        watching.kill()
    assert [writer.wait(60) for writer in writers] == [0, 0]
    wait_for(home, 2 * FILES)
    watching.stop()
    contents = contents_of(source)
    assert rclone_store.contents() == contents
    assert sum(front.accepted["PutObject", key] for key in contents) - len(contents) <= kills * in_flight
    assert len(home.jobs()) == 1


def test_a_file_is_sent_again_when_it_has_changed_and_never_deleted(
    watching: Watching, home: Home, rclone_store: Store, source: Path
) -> None:
    (source / "kept").write_bytes(b"as it was")
    (source / "gone").write_bytes(b"once")
    wait_for(home, 2)
    (source / "kept").write_bytes(b"as it is")
    (source / "gone").unlink()
    wait_for(home, 3)
    watching.stop(signal.SIGTERM)
    assert rclone_store.contents() == {"kept": b"as it is", "gone": b"once"}
    assert home.jobs()[0].state is JobState.PAUSED


def test_what_came_and_changed_while_nobody_watched_is_found_and_nothing_is_sent_twice(
    watching: Watching, home: Home, rclone_store: Store, front: FaultFront, source: Path
) -> None:
    for name in ("same", "changed"):
        (source / name).write_bytes(b"before")
    wait_for(home, 2)
    watching.stop()
    (source / "changed").write_bytes(b"behind")
    (source / "new").write_bytes(b"new")
    watching.process = home.start(*watching.words)
    wait_for(home, 4)
    assert "Resuming job" in watching.stop()
    assert rclone_store.contents() == {"same": b"before", "changed": b"behind", "new": b"new"}
    assert front.accepted["PutObject", "same"] == 1
    assert len(home.jobs()) == 1


def test_what_is_no_file_or_excluded_is_told_once_and_never_sent(
    watching: Watching, home: Home, rclone_store: Store, source: Path
) -> None:
    os.mkfifo(source / "fifo")
    (source / "link").symlink_to("/etc")
    (source / "part.tmp").write_bytes(b"1")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(source / "socket"))
        (source / b"caf\xe9".decode("utf-8", "surrogateescape")).write_bytes(b"no key")
        (source / "file").write_bytes(b"file")
        wait_until(lambda: totals(home).found == 6, 30, "all entries")
        (source / "part.tmp").write_bytes(b"12")
        (source / "second").write_bytes(b"second")
        wait_for(home, 2)
        watching.stop()
    assert rclone_store.contents() == {"file": b"file", "second": b"second"}
    assert (totals(home).found, totals(home).skipped, totals(home).failed) == (7, 4, 1)


def test_a_source_that_vanishes_is_a_failure_until_it_is_back(
    watching: Watching, home: Home, rclone_store: Store, source: Path
) -> None:
    (source / "file").write_bytes(b"file")
    wait_for(home, 1)
    source.rename(source.with_name("away"))
    wait_until(lambda: totals(home).failed == 1, 30, "the failure")
    source.with_name("away").rename(source)
    (source / "second").write_bytes(b"second")
    wait_for(home, 2)
    wait_until(lambda: totals(home).failed == 0, 30, "the end of the failure")
    watching.stop()
    assert rclone_store.contents() == {"file": b"file", "second": b"second"}
    assert [row["state"] for row in home.report()] == ["uploaded", "skipped", "uploaded"]


def test_a_watched_backup_deletes_what_is_proven_and_takes_the_next_version(home: Home, moto_store: Store, source: Path) -> None:
    home.at(moto_store)
    process = home.start("backup", "tree", f"s3://{moto_store.bucket}", "--watch", "--settle", "0.5", "--delete-after-upload")
    for version in (1, 2):
        (source / "file").write_bytes(b"%d" % version)
        wait_until(lambda: totals(home).deleted == version, 30, "the deletion")  # noqa: B023
    process.send_signal(signal.SIGTERM)
    assert ended(process).code == 130
    assert not list(source.iterdir())
    assert moto_store.contents() == {"file": b"2"}
    assert [row["state"] for row in home.report()] == ["deleted", "deleted"]


def test_json_lines_tell_each_file_while_the_job_watches(home: Home, moto_store: Store, source: Path) -> None:
    home.at(moto_store)
    process = home.start("upload", "tree", f"s3://{moto_store.bucket}", "--watch", "--settle", "0.5", "--json-lines")
    for name in ("first", "second"):
        (source / name).touch()
        assert process.stdout is not None
        while json.loads(line := process.stdout.readline())["event"] != "file":
            assert line
        assert json.loads(line)["path"] == name
    process.send_signal(signal.SIGINT)
    end = ended(process)
    assert end.code == 130
    assert end.events[-1]["event"] == "interrupted"


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        (["--dry-run"], "cannot be planned"),
        (["--if-exists", "skip"], "--if-exists"),
        (["--encode-names", "percent"], "--encode-names"),
        (["--settle", "0"], "--settle"),
    ],
)
def test_what_only_a_whole_plan_could_give_is_refused(
    home: Home, moto_store: Store, source: Path, options: list[str], cause: str
) -> None:
    home.at(moto_store)
    end = home.run("upload", "tree", f"s3://{moto_store.bucket}", "--watch", *options)
    assert end.code == 1
    assert cause in end.sentence
    assert home.run("upload", "tree", f"s3://{moto_store.bucket}", "--settle", "1").code == 1

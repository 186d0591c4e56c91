"""Something is wrong with the state database of a backup that deletes: it costs a sentence, no source, and it goes on later."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.command import Home
from tests.proof.errands import SMALL, Errand, tree_of
from tests.proof.scale import FULL
from tests.proof.trial import Trial, tried
from tests.servers import Store

pytestmark = pytest.mark.thorough(one_in=5)

_MANY = SMALL | {f"many/{number:03}": b"%d" % number * 99 for number in range(400)}
_ERRAND = Errand("backup", ("backup", "tree", "--delete-after-upload"), tree_of(_MANY), len(_MANY), deletes=True)


@pytest.fixture
def trial(tmp_path: Path, rclone: Store) -> Iterator[Trial]:
    """A backup that deletes."""
    with tried(_ERRAND, tmp_path / "home", rclone) as trial:
        yield trial


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, of a megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = (
        os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=False).returncode == 0
    )
    if not mounted:
        pytest.skip("Only root may mount a small disk")
    yield disk
    subprocess.run(["umount", disk], check=True)


def state_directory(home: Home) -> Path:
    """Where the database is."""
    return home.directory / "state" / "s3tui"


def sentence_of(trial: Trial, *causes: str) -> None:
    """Run the command, which must fail with one sentence that has one of these causes, and lose nothing."""
    ended = trial.run()
    assert ended is not None
    assert ended.code == 1, ended
    assert "Traceback" not in ended.stderr
    complaint = ended.stderr.splitlines()[-1]
    assert complaint.startswith("s3tui: ")
    assert any(cause in complaint for cause in causes), complaint
    assert trial.wrong_now() == []


def test_a_disk_that_is_full_stops_it_and_with_room_it_goes_on(trial: Trial, small_disk: Path) -> None:
    trial.home.environment["XDG_STATE_HOME"] = str(small_disk)
    (trial.home.directory / "state").symlink_to(small_disk)
    ballast = small_disk / "ballast"
    assert trial.say("jobs", "list").code == 0
    ballast.write_bytes(bytes(shutil.disk_usage(small_disk).free - (96 << 10)))
    sentence_of(trial, "full", "disk I/O error")
    ballast.unlink()
    assert trial.wrong_at_the_end(trial.sources) == []


def test_a_directory_that_nobody_may_write_to_costs_a_sentence(trial: Trial) -> None:
    trial.home.ordinary = True
    assert trial.say("jobs", "list").code == 0
    directory = state_directory(trial.home)
    for path in (*directory.iterdir(), directory):
        path.chmod(0o500 if path.is_dir() else 0o400)
    ended = trial.say(*_ERRAND.words, f"s3://{trial.store.bucket}/p")
    directory.chmod(0o700)
    assert (ended.code, "Permission denied" in ended.stderr.splitlines()[-1], "Traceback" in ended.stderr) == (1, True, False)
    assert trial.present() == trial.sources


@pytest.mark.parametrize("page", ["first", "any"])
def test_a_file_that_is_damaged_costs_a_sentence_and_no_source(trial: Trial, page: str) -> None:
    trial.front.fail("PutObject", status=403, code="AccessDenied", times=10**6)
    begun = trial.run()
    assert begun is not None
    assert begun.code != 0
    trial.front.heal()
    path = state_directory(trial.home) / "state.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(0 if page == "first" else 4096)
        file.write(os.urandom(4096 if page == "first" else size - 4096))
    sentence_of(trial, "malformed", "not a database")
    assert trial.present() == trial.sources


@pytest.mark.parametrize("seconds", [2, *([45] if FULL else [])])
def test_a_file_that_somebody_has_locked_is_waited_for_and_no_longer_than_that(trial: Trial, seconds: int) -> None:
    assert trial.say("jobs", "list").code == 0
    lock = f"import sqlite3, time; c = sqlite3.connect({str(state_directory(trial.home) / 'state.db')!r}, isolation_level=None);"
    code = f"{lock} c.execute('BEGIN EXCLUSIVE'); print(flush=True); time.sleep({seconds})"
    with subprocess.Popen(["python3", "-c", code], stdout=subprocess.PIPE) as locker:
        assert locker.stdout is not None
        locker.stdout.readline()
        if seconds > 30:
            sentence_of(trial, "locked")
        locker.wait(60)
    assert trial.wrong_at_the_end(trial.sources) == []

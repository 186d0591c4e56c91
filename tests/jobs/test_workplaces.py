"""The directories of work at hand: their owners' as long as these live, and swept after their death."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from s3tui.jobs.workplaces import abandon, sweep_workplaces, unit_workplace, workplace
from s3tui.model import Lease, UnitKind
from tests.jobs.yard import Yard
from tests.servers import Store
from tests.waiting import wait_until

OWNER = """
import subprocess, sys
from s3tui.jobs.workplaces import workplace
with workplace("01OWNER", 3) as directory:
    (directory / "segment").write_bytes(b"x" * 1000)
    child = subprocess.Popen(["sleep", "600"])
    print(child.pid, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the directories are."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "s3tui"


def lease(unit_no: int = 1, token: int = 1) -> Lease:
    """That of a unit."""
    return Lease(job_no=1, unit_no=unit_no, kind=UnitKind.CARRY, first=0, last=0, worker="w", token=token)


@contextmanager
def an_owner() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Another process that has a directory of a video, and a child of its own; both are gone afterwards."""
    with subprocess.Popen([sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        child = int(owner.stdout.readline())
        try:
            yield owner, child
        finally:
            owner.kill()
            os.kill(child, 9)


def test_a_directory_is_its_owners_until_that_dies_and_then_the_next_sweep_removes_it(work: Path) -> None:
    with an_owner() as (owner, child):
        sweep_workplaces()
        [directory] = (work / "video").iterdir()
        assert (directory / "segment").stat().st_size == 1000
        owner.kill()
        owner.wait()
        os.kill(child, 0)  # what the owner had started lives, and holds nothing
        sweep_workplaces()
        assert list((work / "video").iterdir()) == []


def test_whoever_takes_a_unit_sweeps_what_dead_owners_of_others_left(work: Path) -> None:
    left = work / "ingest" / "01DEAD-7-1-abcd"
    left.mkdir(parents=True)
    (left / "batch-000001.json").write_bytes(b"{}")
    with unit_workplace(lease(), "01JOB") as one, unit_workplace(lease(unit_no=2), "01JOB") as other:
        assert sorted((work / "ingest").iterdir()) == sorted([one, other])
    assert list((work / "ingest").iterdir()) == []


def test_a_unit_that_is_taken_again_loses_what_its_sleeping_owner_has(work: Path) -> None:
    with unit_workplace(lease(token=1), "01JOB") as asleep:
        with unit_workplace(lease(token=2), "01JOB") as ours:
            assert (asleep.exists(), ours.exists()) == (False, True)
            (ours / "batch").write_bytes(b"")
        assert list((work / "ingest").iterdir()) == []


def test_the_end_of_a_sleeping_owner_leaves_the_new_ones_directory(work: Path) -> None:
    asleep = workplace("01JOB", 1)
    asleep.__enter__()
    with workplace("01JOB", 1) as ours:
        asleep.__exit__(None, None, None)
        sweep_workplaces()
        assert list((work / "video").iterdir()) == [ours]
        with workplace("01JOB", 11) as other:
            abandon("01JOB", 1)
            assert list((work / "video").iterdir()) == [other]


def test_no_sweep_takes_a_directory_that_was_only_just_made(work: Path) -> None:
    lost: list[Path] = []
    owners = 4

    def own(number: int) -> None:
        for turn in range(100):
            with workplace(f"01JOB{number}", turn) as directory:
                if not directory.is_dir():
                    lost.append(directory)

    threads = [threading.Thread(target=own, args=(number,)) for number in range(owners)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        sweep_workplaces()
    assert (lost, list((work / "video").iterdir())) == ([], [])


def test_a_worker_that_starts_removes_what_the_dead_left(
    yard_at: Callable[[Store], Yard], rclone_store: Store, tmp_path: Path
) -> None:
    left = tmp_path / "state" / "s3tui" / "video" / "01DEAD-0"
    left.mkdir(parents=True)
    (left / "00001.m4s").write_bytes(b"x")
    yard_at(rclone_store)
    wait_until(lambda: not left.exists(), 20, "the directory to be removed")

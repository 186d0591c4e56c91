"""A worker that freezes for longer than its lease, and wakes when another one is at work on the same: it writes nothing."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pytest

from s3tui.model import Job, JobState
from s3tui.state.settling import LEASED
from tests.front import Fault
from tests.proof.conftest import Flights
from tests.proof.scale import FULL
from tests.proof.scene import Scene, batch_of
from tests.proof.verdict import judged
from tests.waiting import wait_until

_TOGETHER = 10
"""Batches that land in one transaction."""
_TABLES = {
    "job": "no, state, found, bytes_found, units, units_done, uploaded, failed",
    "transfer": "job_no, no, state, key, etag, attempts",
    "csv_file": "job_no, no, facts, whole, landed, batches, batches_done, inserted, rejected, rejects_url, reason",
    "batch": "job_no, no, unit_no, done, inserted, rejected, etag",
    "reject": "job_no, file_no, record",
}
"""What a worker writes; not what a heart writes that beats."""


@pytest.mark.parametrize("place", ["embedded", "clustered"] if FULL else ["clustered"])
def test_a_worker_that_wakes_after_its_lease_writes_nothing(request: pytest.FixtureRequest, flights: Flights, place: str) -> None:
    scene: Scene = request.getfixturevalue(place)
    first = scene.workforce.hire()
    scene.workforce.wait_for_all()
    job = scene.submit(flights.file)
    wait_until(lambda: is_cut(scene, job), 120, "the file to be cut")
    held = scene.front.hold_answer("PutObject", "batch-", times=9999, seconds=300)
    wait_until(lambda: holds_a_group(scene, job, held), 60, "batches that would land together")
    units = frozen(scene, first.pid, job)
    assert units
    held.times = 0  # what it has sent is stored, and it does not know yet
    with closed_to_new_batches(scene) as door:
        if not FULL:
            expire(scene)
        wait_until(lambda: is_expired(scene), 60, "the leases to end")
        scene.workforce.hire()
        wait_until(lambda: has_passed_on(scene, job, units), 60, "another worker to take what the first has")
        assert door.arrived.wait(30)
        before = contents(scene, job, units)
        with heart_held(scene, first.pid):
            held.open()
            os.killpg(first.pid, signal.SIGCONT)
            wait_until(lambda: scene.database is None or sees_it(scene, first.pid), 60, "the first to see it")
        wait_until(lambda: has_let_go(scene, job, first.pid, units), 60, "the first to let go of what it had")
        assert contents(scene, job, units) == before
        scene.front.put_seconds = 0  # of the rest nothing is asked but that it comes
    wait_until(lambda: scene.job(job).state.ended, 600, "the job to end")
    scene.workforce.dismiss()
    assert scene.job(job).state is JobState.PARTIAL
    verdict = judged(scene.state, job, scene.bucket, flights.expected, flights.objects)
    assert verdict.clean, verdict


@contextmanager
def closed_to_new_batches(scene: Scene) -> Iterator[Fault]:
    """Batches that come now wait, until the block is left."""
    door = scene.front.hold("PutObject", "batch-", times=9999, seconds=300)
    yield door
    door.times = 0
    door.open()


def holds_a_group(scene: Scene, job: Job, held: Fault) -> bool:
    """Whether all is stored that one transaction would bring."""
    query = "SELECT unit_no FROM batch WHERE job_no = :no AND no = ANY(:numbers)"
    with scene.state.database.read() as connection:
        units = connection.rows(query, no=job.no, numbers=[batch_of(key) for key in [*held.met]])
    return bool(units) and Counter(units).most_common(1)[0][1] >= _TOGETHER


def frozen(scene: Scene, pid: int, job: Job) -> set[tuple[int, int]]:
    """Freeze a worker, but not within a transaction, which others would wait for; returns the (unit, token)s that it has."""
    while True:
        os.killpg(pid, signal.SIGSTOP)
        if not in_transaction(scene):
            return tokens(scene, job)
        os.killpg(pid, signal.SIGCONT)
        wait_until(lambda: not in_transaction(scene), 30, "the end of a transaction")


def in_transaction(scene: Scene) -> bool:
    """Whether anybody is about to write."""
    if scene.database is not None:
        with scene.state.database.read() as connection:
            others = "datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            return connection.first(f"SELECT 1 FROM pg_stat_activity WHERE xact_start IS NOT NULL AND {others}") is not None
    with closing(sqlite3.connect(scene.home.directory / "state" / "s3tui" / "state.db", timeout=0.1)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
    return False


def is_cut(scene: Scene, job: Job) -> bool:
    """Whether all batches of the file are known."""
    file = scene.state.ingests.file(job.no, 0)
    return file is not None and file.whole


def tokens(scene: Scene, job: Job) -> set[tuple[int, int]]:
    """The units that anybody has, each with its token."""
    with scene.state.database.read() as connection:
        held = connection.rows(f"SELECT no, token FROM unit WHERE job_no = :no AND state = {LEASED}", no=job.no)
        return {(no, token) for no, token in held}


def is_expired(scene: Scene) -> bool:
    """Whether the time of all leases is over."""
    with scene.state.database.read() as connection:
        return connection.first(f"SELECT 1 FROM unit WHERE state = {LEASED} AND lease_until >= clock_ms()") is None


def has_passed_on(scene: Scene, job: Job, units: set[tuple[int, int]]) -> bool:
    """Whether somebody else has all of these units."""
    now = tokens(scene, job)
    return {no for no, _ in now} >= {no for no, _ in units} and not now & units


@contextmanager
def heart_held(scene: Scene, pid: int) -> Iterator[None]:
    """On PostgreSQL, let the next beat of a worker's heart wait: it sees by trying to write that it has lost its lease.

    SQLite has no such lock; there the heart sees it first.
    """
    if scene.database is None:
        yield
        return
    with psycopg.connect(scene.home.environment["DATABASE_URL"]) as connection:
        connection.execute("SELECT 1 FROM worker WHERE pid = %s FOR UPDATE", (pid,))
        yield


def sees_it(scene: Scene, pid: int) -> bool:
    """Whether a worker tells in the log that another one has its unit."""
    log = (scene.home.directory / "state" / "s3tui" / "s3tui.log").read_text()
    return any(f" {pid} WARNING " in line and "taken over by another worker" in line for line in log.splitlines())


def has_let_go(scene: Scene, job: Job, pid: int, units: set[tuple[int, int]]) -> bool:
    """Whether a worker is done with what it had: it has nothing of the job, or has begun with something else of it."""
    row = next((row for row in scene.home.workers() if row.pid == pid), None)
    if row is None:
        return False
    with scene.state.database.read() as connection:
        held = connection.rows("SELECT no FROM unit WHERE job_no = :no AND worker = :worker", no=job.no, worker=row.id)
    return job.id not in row.progress or bool({no for (no,) in held} - {no for no, _ in units})


def expire(scene: Scene) -> None:
    """As if the time of all leases were over."""
    with scene.state.database.write() as connection:
        connection.execute("UPDATE unit SET lease_until = 1 WHERE worker IS NOT NULL")


def contents(scene: Scene, job: Job, units: set[tuple[int, int]]) -> dict[str, Any]:
    """All that a worker may have written that had these units."""
    found: dict[str, Any] = {}
    with scene.state.database.read() as connection:
        for table, columns in _TABLES.items():
            found[table] = connection.rows(f"SELECT {columns} FROM {table} ORDER BY {columns}")
        mine = "job_no = :job_no AND no = ANY(:units)"
        of_units = f"SELECT no, state, worker, token, attempts FROM unit WHERE {mine} ORDER BY no"
        found["unit"] = connection.rows(of_units, job_no=job.no, units=[no for no, _ in units])
        found["ingest_rows"] = connection.rows("SELECT count(*), sum(line) FROM ingest_rows WHERE job_id = :id", id=job.id)
    return found

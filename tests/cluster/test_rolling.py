"""Machines that are drained and upgraded one after the other, while jobs go on."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from s3tui.model import JobState
from s3tui.state.database import HEAD
from s3tui.state.postgresql import PostgreSQLServer
from tests.cli.command import Home, ended
from tests.cluster.conftest import Cluster
from tests.front import FaultFront
from tests.servers import Store
from tests.state.first_schema import write_first_database
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=8)

OPEN = """
import logging, sys
from pathlib import Path
from s3tui.state.database import Database
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
sys.stdin.read()
Database(sys.argv[1], Path(".")).close()
"""


def test_of_many_processes_that_open_an_old_database_one_migrates_it(postgresql_url: str) -> None:
    with closing(PostgreSQLServer(postgresql_url)) as server, server.write() as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
        write_first_database(connection, sqlite=False)
    command = [sys.executable, "-c", OPEN, postgresql_url]
    openers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(8)]
    for opener in openers:
        assert opener.stdin is not None
        opener.stdin.close()
        opener.stdin = None
    said = [opener.communicate(timeout=60)[0] for opener in openers]
    assert [opener.returncode for opener in openers] == [0] * 8
    assert "".join(said).count(f"is migrated from schema 0001 to {HEAD}") == 1


def test_a_worker_notices_that_a_newer_version_has_migrated_the_database(
    cluster: Cluster, near: Home, front: FaultFront, rclone_store: Store, tree: Path
) -> None:
    held = front.hold("PutObject", times=100_000)
    worker = cluster.worker(near)
    near.run("upload", str(tree / "1"), f"s3://{rclone_store.bucket}", "--detach")
    assert held.arrived.wait(60)
    sentence = f"s3tui: The state database was written by a newer s3tui (schema 9999); this one knows up to {HEAD}. Upgrade s3tui."
    try:
        with closing(PostgreSQLServer(cluster.environment["DATABASE_URL"])) as server, server.write() as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        stopped = ended(worker)
        assert (stopped.code, stopped.stderr.splitlines()[-1]) == (1, sentence)
        again = near.run("worker")
        assert (again.code, again.sentence) == (1, sentence)
    finally:
        with closing(PostgreSQLServer(cluster.environment["DATABASE_URL"])) as server, server.write() as connection:
            connection.execute("UPDATE alembic_version SET version_num = :head", head=HEAD)
    held.times = 0
    held.open()
    cluster.worker(near)
    assert cluster.wait_for(JobState.COMPLETED).totals.failed == 0


def test_who_migrates_is_told_which_workers_stop(cluster: Cluster, near: Home) -> None:
    url = cluster.environment["DATABASE_URL"]
    with closing(PostgreSQLServer(url)) as server, server.write() as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
        write_first_database(connection, sqlite=False)
        connection.execute(
            "INSERT INTO worker (id, host, pid, version, identity, queues, home_only, started_at, alive_until, progress) "
            "VALUES ('old', 'elsewhere/boot/pids', 4711, '0.0.9', '', 'upload', FALSE, 0, clock_ms() + 15000, '{}')"
        )
    listed = near.run("-v", "jobs", "list")
    assert listed.code == 0, listed.stderr
    told = "The worker of version 0.0.9 on elsewhere (process 4711) stops now: upgrade it, and start it again."
    assert f"WARNING s3tui.state.database: {told}" in listed.stderr


@pytest.mark.parametrize("grace", ["0.2", "30"], ids=["given back", "finished"])
def test_a_drained_worker_takes_nothing_more_and_leaves_what_is_undone_to_others(
    cluster: Cluster, near: Home, front: FaultFront, rclone_store: Store, tree: Path, grace: str
) -> None:
    held = front.hold("PutObject", "file-", times=4)
    draining = cluster.worker(near, "--grace", grace, "--queues", "upload,ingest", "video")
    near.run("upload", str(tree), f"s3://{rclone_store.bucket}", "--detach", "--concurrency", "4")
    assert held.arrived.wait(60)
    wait_until(lambda: files_begun(front) == 4, 60, "four files in flight")
    draining.terminate()
    wait_until(lambda: "told to stop" in log_of(near), 30, "the worker to hear of it")
    if grace == "30":
        held.open()
    stopped = ended(draining)
    assert stopped.code == 0, stopped.stderr
    assert cluster.workers(near) == []
    assert files_begun(front) == 4, "nothing more was begun"
    assert cluster.query("SELECT DISTINCT attempts FROM unit WHERE state <> 3") == [(0,)], "given back, not crashed"
    assert cluster.job().totals.uploaded == (4 if grace == "30" else 0)
    held.open()
    cluster.worker(near)
    assert cluster.wait_for(JobState.COMPLETED).totals.uploaded == 1500


def files_begun(front: FaultFront) -> int:
    """How many files were begun to be sent; what finds out about a store is none."""
    return sum(count for (operation, key), count in list(front.requests.items()) if operation == "PutObject" and "file-" in key)


def log_of(home: Home) -> str:
    return (home.directory / "state" / "s3tui" / "s3tui.log").read_text()


def test_a_queue_that_does_not_exist_is_refused(home_alone: Home) -> None:
    refused = home_alone.run("worker", "--queues", "upload,vidoe")
    assert (refused.code, refused.sentence) == (
        1,
        "s3tui: There is no queue 'vidoe'; --queues takes upload, video, ingest.",
    )


@pytest.fixture
def home_alone(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")

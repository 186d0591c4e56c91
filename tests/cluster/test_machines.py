"""Workers on several machines: they share the files of a job, and leave alone what they do not see."""

from __future__ import annotations

from pathlib import Path

import pytest

from s3tui.model import FileState, JobState
from tests.cli.command import Home, ended
from tests.cluster.conftest import Cluster
from tests.front import FaultFront
from tests.servers import Store
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=9)


def far_machine(cluster: Cluster, near: Home, mounts: str) -> Home:
    home = cluster.machine("far", mounts)
    home.environment = dict(near.environment)
    return home


def nothing_at(tree: Path) -> str:
    """A machine on which an empty file system is mounted where the sources are."""
    return f"mount -t tmpfs none {tree.parent}"


def log_of(home: Home) -> str:
    return (home.directory / "state" / "s3tui" / "s3tui.log").read_text()


def test_a_directory_is_sharded_over_machines_that_see_it(
    cluster: Cluster, near: Home, front: FaultFront, rclone_store: Store, tree: Path
) -> None:
    for number in range(1500, 3000):
        (tree / "0" / f"file-{number}.txt").write_text("one more")
    far = far_machine(cluster, near, f"mount --bind {tree} {tree}")
    held = front.hold("PutObject", times=100_000)
    cluster.worker(near)
    done = near.run("upload", str(tree), f"s3://{rclone_store.bucket}", "--detach", "--concurrency", "4")
    assert done.code == 0, done.stderr
    assert held.arrived.wait(60)
    cluster.worker(far)

    def carriers() -> set[str]:
        return {str(host).partition("/")[0] for (host,) in cluster.query(
            "SELECT DISTINCT worker.host FROM unit JOIN worker ON worker.id = unit.worker WHERE unit.state = 2"
        )}  # fmt: skip

    wait_until(lambda: carriers() == {"near", "far"}, 60, "both machines to carry")
    held.times = 0
    held.open()
    job = cluster.wait_for(JobState.COMPLETED)
    assert (job.totals.found, job.totals.uploaded) == (3000, 3000)
    assert len(rclone_store.contents()) == 3000
    sent = sum(front.requests["PutObject", key] for key in rclone_store.contents())
    assert sent == 3000 + job.totals.retries, "nothing went twice but what was held for too long"


def test_a_worker_without_the_source_leaves_the_job_to_one_that_has_it(
    cluster: Cluster, near: Home, rclone_store: Store, tree: Path
) -> None:
    far = far_machine(cluster, near, nothing_at(tree))
    cluster.worker(far)
    near.run("upload", str(tree), f"s3://{rclone_store.bucket}", "--detach")
    wait_until(lambda: cluster.job().reason is not None, 30, "the job to say that nobody sees its sources")
    job = cluster.job()
    assert (job.state, job.reason) == (JobState.PENDING, "source_unseen")
    assert job.error == (
        f"No worker that runs sees the sources of this job: on far, {tree} is not there. "
        "Start `s3tui worker` where they are: the job goes on by itself."
    )
    assert job.error in near.run("jobs", "show", job.id).stdout
    assert "WARNING s3tui.state.sightings" in log_of(far)
    assert f"is given back for a worker that sees the sources: here, {tree} is not there." in log_of(far)
    assert cluster.query("SELECT token, attempts FROM unit") == [(1, 0)], "it was not taken again and again"
    watcher = near.start("jobs", "watch", job.id)
    assert watcher.stderr is not None
    told = iter(watcher.stderr.readline, b"")
    assert any(job.error.encode() in line for line in told), "whoever watches is told"
    cluster.worker(near)
    job = cluster.wait_for(JobState.COMPLETED)
    assert (job.totals.uploaded, job.totals.failed, job.reason, job.error) == (1500, 0, None, None)
    assert ended(watcher).code == 0
    assert log_of(far).count("is given back") == 1, "and is told once"


def test_another_directory_of_the_same_name_is_neither_sent_nor_deleted(
    cluster: Cluster, near: Home, rclone_store: Store, tree: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    (other / "tree" / "1").mkdir(parents=True)
    (other / "tree" / "1" / "file-0001.txt").write_text("of the far machine")
    (other / "tree" / "private.txt").write_text("of the far machine")
    far = far_machine(cluster, near, f"mount --bind {other} {tree.parent}")
    cluster.worker(far)
    near.run("backup", str(tree), f"s3://{rclone_store.bucket}", "--delete-after-upload", "--detach")
    wait_until(lambda: cluster.job().reason == "source_unseen", 30, "the job to wait")
    assert f"on far, what is called {tree} there is something else" in str(cluster.job().error)
    assert rclone_store.contents() == {}
    cluster.worker(near)
    job = cluster.wait_for(JobState.COMPLETED)
    assert (job.totals.deleted, job.totals.found) == (1500, 1500)
    assert not [path for path in tree.rglob("*") if path.is_file()]
    assert len([path for path in other.rglob("*") if path.is_file()]) == 2
    assert "private.txt" not in rclone_store.contents()


def test_a_unit_half_done_is_not_failed_by_a_machine_that_does_not_see_it(
    cluster: Cluster, near: Home, front: FaultFront, rclone_store: Store, tree: Path, tmp_path: Path
) -> None:
    (tmp_path / "other" / "tree").mkdir(parents=True)
    far = far_machine(cluster, near, f"mount --bind {tmp_path / 'other'} {tree.parent}")
    held = front.hold("PutObject", r"file-0[5-9]|file-1", times=100_000)
    first = cluster.worker(near)
    near.run("backup", str(tree), f"s3://{rclone_store.bucket}", "--delete-after-upload", "--detach", "--concurrency", "8")
    wait_until(lambda: cluster.job().planned and held.arrived.is_set(), 60, "the plan, and files in flight")
    first.kill()
    cluster.worker(far)
    wait_until(lambda: cluster.job().reason == "source_unseen", 60, "the job to wait, when the lease of the first worker has ended")
    assert cluster.query(f"SELECT count(*) FROM transfer WHERE state = {FileState.FAILED}") == [(0,)]
    held.times = 0
    held.open()
    cluster.worker(near)
    job = cluster.wait_for(JobState.COMPLETED, 120)
    assert (job.totals.failed, job.totals.deleted) == (0, 1500)
    assert len(rclone_store.contents()) == 1500

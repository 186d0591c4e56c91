"""`s3tui worker`: takes what was handed over, and stops when it is told to."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from s3tui.model import JobState
from tests.cli.command import Home, ended
from tests.servers import Store
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=5)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_a_worker_takes_a_detached_job_and_leaves_in_order_when_told(
    home: Home, rclone_store: Store, tree: Path, number: signal.Signals
) -> None:
    home.at(rclone_store)
    process = home.start("worker")
    wait_until(lambda: home.workers(), 30, "the worker to be registered")
    detached = home.run("upload", "tree", f"s3://{rclone_store.bucket}", "--detach")
    assert detached.code == 0, detached.stderr
    wait_until(lambda: home.jobs()[0].state is JobState.COMPLETED, 30, "the job to be completed")
    assert [worker.pid for worker in home.workers()] == [process.pid]  # no second one was started
    process.send_signal(number)
    stopped = ended(process)
    assert stopped.code == 0, stopped.stderr
    assert "Ctrl-C stops it" in stopped.stderr
    assert home.workers() == []
    assert len(rclone_store.contents()) == 300

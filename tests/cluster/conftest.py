"""Machines that share a PostgreSQL and a RabbitMQ: homes of their own, and for far ones a host name and mounts of their own."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from s3tui.model import Job, JobState
from s3tui.state.store import Store as StateStore
from tests.cli.command import Ended, Home, ended
from tests.databases import empty
from tests.front import FaultFront
from tests.missing import missing
from tests.servers import Store
from tests.waiting import wait_until


@dataclass
class Cluster:
    """The machines of one test, and the processes that run on them."""

    directory: Path
    environment: dict[str, str]
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def machine(self, name: str, mounts: str = "") -> Home:
        """A machine that sees the files of the test as they are, but for what `mounts`, in shell, puts over them."""
        script = f'set -e; hostname {name}; mount --make-rprivate /; {mounts}\nexec "$@"'
        home = Home(self.directory / name, dict(self.environment))
        home.wrapper = ("unshare", "--mount", "--uts", "sh", "-c", script, "sh")
        return home

    def worker(self, home: Home, *words: str) -> subprocess.Popen[bytes]:
        """A worker on this machine, registered."""
        before = len(self.workers(home))
        process = home.start("worker", *words)
        self.running.append(process)
        wait_until(lambda: process.poll() is not None or len(self.workers(home)) > before, 60, "the worker to be registered")
        assert process.poll() is None, ended(process).stderr
        return process

    def workers(self, home: Home) -> list[str]:
        """The host names of live workers."""
        return [row.host.partition("/")[0] for row in home.workers()]

    def end(self, process: subprocess.Popen[bytes], number: signal.Signals = signal.SIGTERM) -> Ended:
        """Stop a worker, and see how it ended."""
        process.send_signal(number)
        return ended(process)

    def job(self) -> Job:
        """The newest job."""
        with closing(self.store()) as store:
            return store.jobs.newest(limit=1, before=None)[0]

    def wait_for(self, state: JobState, seconds: float = 60) -> Job:
        """The newest job, when it has come to this state."""
        wait_until(lambda: self.job().state is state, seconds, f"the job to be {state}; it is {self.job()}")
        return self.job()

    def query(self, sql: str) -> list[tuple[object, ...]]:
        """What the database says."""
        with closing(self.store()) as store, store.database.read() as connection:
            return connection.rows(sql)

    def store(self) -> StateStore:
        """The state, as any face opens it."""
        return StateStore(self.environment["DATABASE_URL"], self.directory)


@pytest.fixture
def cluster(tmp_path: Path, postgresql_url: str, rabbitmq_url: str) -> Iterator[Cluster]:
    """An empty database and a queue."""
    if os.geteuid() != 0:
        missing("the right to make machines (root)")
    cluster = Cluster(tmp_path, {"DATABASE_URL": postgresql_url, "RABBITMQ_URL": rabbitmq_url})
    with closing(cluster.store()) as store:
        empty(store)
    yield cluster
    for process in cluster.running:
        with suppress(ProcessLookupError):
            process.kill()
        process.communicate()


@pytest.fixture
def front(rclone_store: Store) -> Iterator[FaultFront]:
    """A fault front before `rclone_store`."""
    with FaultFront(rclone_store.url) as running:
        yield running


@pytest.fixture
def near(cluster: Cluster, rclone_store: Store, front: FaultFront) -> Home:
    """The machine with the sources."""
    home = cluster.machine("near")
    home.at(rclone_store.behind(front))
    return home


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """1500 small files in a directory `data/tree`."""
    root = tmp_path / "data" / "tree"
    for number in range(1500):
        path = root / f"{number % 10}" / f"file-{number:04}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {number}\n")
    return root

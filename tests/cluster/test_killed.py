"""SIGKILL for workers, the API, RabbitMQ and PostgreSQL while many small jobs run: each comes to its end once, and nothing is lost.

`make test` runs a slice. `S3TUI_KILL_JOBS=100 pytest tests/cluster/test_killed.py -s` runs all of it, and prints its figures.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import cycle
from pathlib import Path

import pytest

from s3tui.service import Service
from s3tui.state.store import Store as StateStore
from tests.api.servers import ApiServer
from tests.cli.command import Home
from tests.cluster.load import Load, SmallJob, Supervisor, unended
from tests.cluster.posting import Halfway, Poster
from tests.cluster_servers import KillableServer, PostgreSQL, RabbitMQ, cluster_servers
from tests.databases import empty
from tests.front import FaultFront
from tests.media.clips import Clips
from tests.servers import Store
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=5)

JOBS = int(os.environ.get("S3TUI_KILL_JOBS", "12"))
IS_SLICE = JOBS < 50
WORKERS = 2 if IS_SLICE else 3
VICTIMS = ("postgresql", "api", "rabbitmq", "worker")


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[PostgreSQL, RabbitMQ]]:
    """Both take as long to start as a test runs."""
    with cluster_servers() as servers:
        yield servers


@pytest.fixture
def home(tmp_path: Path, servers: tuple[PostgreSQL, RabbitMQ], rclone_store: Store) -> Home:
    with closing(StateStore(servers[0].url, tmp_path)) as store:
        empty(store)
    home = Home(tmp_path / "home")
    home.at(rclone_store)
    home.environment |= {"DATABASE_URL": servers[0].url, "RABBITMQ_URL": servers[1].url}
    return home


def test_whoever_is_killed_each_job_ends_once_and_no_source_goes_without_its_object(
    tmp_path: Path, servers: tuple[PostgreSQL, RabbitMQ], home: Home, rclone_store: Store, clips: Clips
) -> None:
    (tmp_path / "sources").mkdir()
    load = Load(tmp_path / "sources", rclone_store, lambda: clips["silent.mp4"])
    jobs = [load.make(number, videos_each=9 if IS_SLICE else 20) for number in range(JOBS)]
    with closing(StateStore(servers[0].url, tmp_path)) as store:
        supervisor, poster = Supervisor(home, WORKERS), Poster(ApiServer(home))
        try:
            poster.server.start()
            began = time.monotonic()
            kills = _carry_on(store, jobs, load, supervisor, poster, servers)
            at_last = time.monotonic()
            wait_until(lambda: supervisor.tend() and unended(store) == 0, 240, "all jobs to end")
        finally:
            supervisor.end()
            poster.server.kill()
            home.stop_workers()
        assert load.wrong(store) == []
        if not IS_SLICE:
            kinds = Counter(job.spec.kind for job in jobs)
            print(f"\n{JOBS} jobs in {time.monotonic() - began:.0f} s: {dict(kinds)}; killed: {dict(kills)}; all as they must be,")
            print(f"{time.monotonic() - at_last:.1f} s after the last kill; workers that could not begin: {len(supervisor.exits)}")
        assert not [said for said in supervisor.exits if "takes jobs from" in said], "a worker outlives what it works with"


def _carry_on(
    store: StateStore,
    jobs: list[SmallJob],
    load: Load,
    supervisor: Supervisor,
    poster: Poster,
    servers: tuple[PostgreSQL, RabbitMQ],
) -> Counter[str]:
    """Submit the jobs in lots, and kill somebody while each is at work; returns how often whom."""
    dice, kills, service = random.Random(11), Counter[str](), Service(store)
    by_name: dict[str, KillableServer] = {"postgresql": servers[0], "rabbitmq": servers[1]}
    lot = -(-len(jobs) // 12) if not IS_SLICE else -(-len(jobs) // len(VICTIMS))
    for first, victim in zip(range(0, len(jobs), lot), cycle(VICTIMS), strict=False):
        left, ours = unended(store) or 0, jobs[first : first + lot]
        halfway = next((job for job in ours if job.body), None) if victim == "api" else None
        for job in ours:
            if job is halfway:
                _kill_in_the_middle(service, load, poster, job)
            else:
                load.submit(service, poster, job)
        goal = left + len(ours) - dice.randrange(1, len(ours) + 1)
        wait_until(lambda: supervisor.tend() and (unended(store) or 0) <= goal, 120, "some of the jobs to end")  # noqa: B023
        kills[victim] += 1
        if victim == "worker":
            supervisor.kill(dice.randrange(WORKERS))
        elif victim == "api":
            poster.server.kill()
            poster.server.start()
        else:
            by_name[victim].kill()
            assert load.lost() == []
            by_name[victim].start()
        assert load.lost() == []
    return kills


def _kill_in_the_middle(service: Service, load: Load, poster: Poster, job: SmallJob) -> None:
    """Kill the API while it receives a body, whose client comes again."""
    halfway = Halfway()
    with ThreadPoolExecutor(1) as client:
        posted = client.submit(load.submit, service, poster, job, halfway)
        assert halfway.begun.wait(60)
        poster.server.kill()
        halfway.may_go_on.set()
        poster.server.start()
        posted.result()


def test_no_delivery_is_held_while_a_unit_is_at_work(servers: tuple[PostgreSQL, RabbitMQ], home: Home, rclone_store: Store) -> None:
    queue = "s3tui.upload.v1"
    (home.work / "file").write_text("contents")
    with FaultFront(rclone_store.url) as front:
        home.at(rclone_store.behind(front))
        held = front.hold("PutObject", "file")
        worker = home.start("worker")
        wait_until(lambda: home.workers(), 60, "the worker")
        assert home.run("upload", "file", f"s3://{rclone_store.bucket}", "--detach").code == 0
        assert held.arrived.wait(60)
        wait_until(lambda: _outbox(home) == 0 and servers[1].depth(queue) == 0, 60, "every message to be delivered")
        worker.kill()  # what it held would be in the queue again
        worker.communicate()
        wait_until(lambda: servers[1].consumers(queue) == 0, 60, "the broker to see that it is gone")
        assert servers[1].depth(queue) == 0


def _outbox(home: Home) -> int:
    with closing(StateStore(home.environment["DATABASE_URL"], home.directory)) as store, store.database.read() as connection:
        [(count,)] = connection.rows("SELECT count(*) FROM message")
        return int(count)

"""A worker that mirrors to a real Redis, which goes away, hangs, fills up and forgets in the middle of a job."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis

from s3tui.jobs.upload import UploadSpec
from s3tui.live.line import Line
from s3tui.live.mirror import pause_after
from s3tui.model import JobState
from s3tui.queues.bells import Bells
from s3tui.service import Service
from s3tui.state.store import Store
from s3tui.worker import Worker
from tests.databases import empty
from tests.engines import DirectoryResources
from tests.redis_servers import RedisServer, fields_of, listening
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=5)

FILES = 30


@dataclass
class House:
    """A database with files to send, and the workers that a test starts on it; they send nothing until they are let go."""

    store: Store
    directory: Path
    ends: ExitStack = field(default_factory=ExitStack)

    @property
    def service(self) -> Service:
        return Service(self.store)

    @property
    def resources(self) -> DirectoryResources:
        found = DirectoryResources(self.directory / "stored")
        found.directory_engine.hold()
        return found

    def worker(self, url: str, resources: DirectoryResources, *, bound: bool = False) -> Worker:
        """A worker that runs, and stops with the test."""
        database = self.store.database
        bells = None if bound else Bells("sqlite", state_file=database.path, drain=self.store.outbox.drain)
        worker = Worker(self.store, resources, version="0", bells=bells, line=Line(url, seconds=0.3))
        self.ends.callback(worker.stop, 0.5)
        worker.start()
        return worker

    def submit(self, home: str | None = None) -> str:
        spec = UploadSpec((str(self.directory / "tree"),), "s3://bucket/")
        return self.service.submit(spec, concurrency=4, home=home).job_id

    def wait_for(self, job_id: str, state: JobState) -> None:
        wait_until(lambda: self.service.job(job_id).state is state, 60, f"the job to be {state}")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    tree = tmp_path / "tree"
    tree.mkdir()
    for number in range(FILES):
        (tree / f"{number:02}.txt").write_text(f"file {number}")
    store = Store("sqlite", tmp_path / "state")
    empty(store)
    house = House(store, tmp_path)
    with house.ends:
        yield house
    store.close()


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """What the mirror has written to the log."""
    return [(record.levelname, record.getMessage()) for record in caplog.records if record.name == "s3tui.live.mirror"]


def test_a_job_is_mirrored_from_pending_to_completed(house: House, redis_url: str) -> None:
    client = redis.Redis.from_url(redis_url, decode_responses=True)
    listener = listening(redis_url)
    states: list[str] = []
    resources = house.resources

    def told() -> dict[str, str]:
        """What stands there, while the states that are announced are gathered."""
        while (message := listener.get_message()) is not None:
            if message["type"] == "message" and (event := json.loads(message["data"]))["job"] == job_id:
                states.extend([event["state"]] if event["state"] not in states[-1:] else [])
        return fields_of(client, f"s3tui:job:{job_id}")

    job_id = house.submit(home="another")  # which ours may not take, so that it waits
    with house.store.database.write() as connection:
        connection.execute(
            "INSERT INTO worker (id, host, pid, version, identity, queues, home_only, started_at, alive_until, progress) "
            "VALUES ('another', 'elsewhere', 1, '0', '', 'upload', TRUE, 0, clock_ms() + 600000, '{}')"
        )
    worker = house.worker(redis_url, resources)
    wait_until(lambda: told().get("state") == "pending", 30, "the job to be pending")
    with house.store.database.write() as connection:
        connection.execute("UPDATE job SET home = NULL")
    running = {"state": "running", "in_flight": "4", "bytes": "0", "workers": "1"}
    wait_until(lambda: running.items() <= told().items(), 30, "four files in flight")
    key = f"s3tui:worker:{worker.id}"
    wait_until(lambda: fields_of(client, key).get("jobs") == json.dumps([job_id]), 30, "the worker to tell its job")
    wait_until(lambda: 0 < int(str(client.pttl(key))) <= 3_000, 30, "it to be believed for three heartbeats")
    resources.directory_engine.let_go()
    wait_until(lambda: told().get("state") == "completed", 30, "the end")
    assert (told()["uploaded"], told()["bytes"], told()["in_flight"]) == (str(FILES), told()["sent"], "0")
    assert told()["finished_at"]
    assert int(str(client.ttl(f"s3tui:job:{job_id}"))) > 3600
    assert states == ["pending", "running", "completed"]
    worker.stop(0.5)
    assert not client.exists(key)
    client.delete(f"s3tui:job:{job_id}")


def test_what_ends_with_its_worker_is_told_before_it_leaves(house: House, redis_server: RedisServer) -> None:
    resources = house.resources
    worker = house.worker(redis_server.url, resources, bound=True)
    paused = house.submit(home=worker.id)
    worker.wake()
    wait_until(lambda: redis_server.job(paused).get("in_flight") == "4", 30, "files in flight")
    worker.stop(0)
    assert house.service.job(paused).state is JobState.PAUSED
    assert (redis_server.job(paused).get("state"), redis_server.job(paused).get("in_flight")) == ("paused", "0")
    resources.directory_engine.let_go()
    quick = house.worker(redis_server.url, resources, bound=True)
    house.service.resume(paused, home=quick.id)
    quick.wake()
    house.wait_for(paused, JobState.COMPLETED)
    quick.stop(0.5)
    assert redis_server.job(paused).get("state") == "completed"


def test_a_redis_that_is_emptied_knows_everything_again(house: House, redis_server: RedisServer) -> None:
    resources = house.resources
    worker = house.worker(redis_server.url, resources)
    job_id = house.submit()
    wait_until(lambda: redis_server.job(job_id).get("in_flight") == "4", 30, "files in flight")
    redis_server.client.flushall()
    wait_until(lambda: redis_server.job(job_id).get("in_flight") == "4", 30, "the job to be there again")
    wait_until(lambda: fields_of(redis_server.client, f"s3tui:worker:{worker.id}"), 30, "its worker, too")
    resources.directory_engine.let_go()
    house.wait_for(job_id, JobState.COMPLETED)
    wait_until(lambda: redis_server.job(job_id).get("uploaded") == str(FILES), 30, "the end")


def fill(server: RedisServer) -> None:
    server.client.config_set("maxmemory", "1")


def make_room(server: RedisServer) -> None:
    server.client.config_set("maxmemory", "0")


@pytest.mark.parametrize(
    ("fail", "mend", "cause"),
    [
        pytest.param(RedisServer.stop, RedisServer.start, "Redis at", id="stopped"),
        pytest.param(RedisServer.freeze, RedisServer.thaw, "no answer within 0.3 seconds", id="hangs"),
        pytest.param(fill, make_room, "maxmemory", id="full"),
    ],
)
def test_a_redis_that_fails_holds_up_nothing_and_tells_the_truth_when_it_is_back(
    house: House,
    redis_server: RedisServer,
    caplog: pytest.LogCaptureFixture,
    fail: Callable[[RedisServer], None],
    mend: Callable[[RedisServer], None],
    cause: str,
) -> None:
    caplog.set_level(logging.DEBUG, "s3tui.live")
    resources = house.resources
    house.worker(redis_server.url, resources)
    job_id = house.submit()
    wait_until(lambda: redis_server.job(job_id).get("in_flight") == "4", 30, "files in flight")
    fail(redis_server)
    wait_until(lambda: len(said(caplog)) >= 2, 30, "a second attempt in vain")
    resources.directory_engine.let_go()
    house.wait_for(job_id, JobState.COMPLETED)
    mend(redis_server)
    wait_until(lambda: redis_server.job(job_id).get("state") == "completed", 60, "the end to be told")
    assert redis_server.job(job_id)["uploaded"] == str(FILES)
    wait_until(lambda: said(caplog)[-1][0] == "INFO", 30, "the return")
    (warning, why), (info, back) = [(level, words) for level, words in said(caplog) if level != "DEBUG"]
    assert (warning, info) == ("WARNING", "INFO")
    assert cause in why
    assert back == f"Live status is mirrored again to the Redis at {redis_server.url}."


def test_a_redis_that_hangs_delays_no_heartbeat(house: House, redis_server: RedisServer) -> None:
    redis_server.freeze()
    resources = house.resources
    line = Line(redis_server.url, seconds=600)
    worker = Worker(
        house.store,
        resources,
        version="0",
        bells=Bells("sqlite", state_file=house.store.database.path, drain=house.store.outbox.drain),
        line=line,
    )
    house.ends.callback(worker.stop, 0.5)
    worker.start()
    job_id = house.submit()

    def beat() -> int:
        with house.store.database.read() as connection:
            [(until,)] = connection.rows("SELECT max(alive_until) FROM worker")
            return int(until)

    wait_until(lambda: resources.directory_engine.in_flight == 4, 30, "files in flight")
    for _ in range(3):
        before = beat()
        wait_until(lambda: beat() > before, 10, "a heartbeat")  # noqa: B023
    resources.directory_engine.let_go()
    house.wait_for(job_id, JobState.COMPLETED)
    worker.stop(0.5)  # it leaves what hangs behind


def test_what_a_face_does_to_a_job_that_waits_is_told(house: House, redis_server: RedisServer) -> None:
    resources = house.resources
    house.worker(redis_server.url, resources)
    job_id = house.submit()
    wait_until(lambda: redis_server.job(job_id).get("in_flight") == "4", 30, "files in flight")
    house.service.pause(job_id)
    wait_until(lambda: resources.directory_engine.told_to_stop, 30, "the worker to read that")
    resources.directory_engine.let_go()
    house.wait_for(job_id, JobState.PAUSED)
    wait_until(lambda: redis_server.job(job_id).get("state") == "paused", 30, "the pause")
    house.service.cancel(job_id)
    wait_until(lambda: redis_server.job(job_id).get("state") == "cancelled", 30, "what a face has done to it")


def test_pauses_grow_to_a_limit_and_differ() -> None:
    assert 0.7 < pause_after(1) < 1.3
    assert pause_after(1000) < 20
    assert len({pause_after(5) for _ in range(20)}) > 1

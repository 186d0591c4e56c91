"""Workers, on SQLite with its own queue and on PostgreSQL with RabbitMQ: one suite for both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from s3tui.errors import Conflict, CredentialsExpired, StateError
from s3tui.jobs.upload import UploadSpec
from s3tui.model import FileChoice, FileState, Job, JobState, Policy, View
from s3tui.queues.bells import Bells
from s3tui.service import Service
from s3tui.state.store import Store
from s3tui.worker import Worker
from tests.databases import empty
from tests.engines import DirectoryEngine, DirectoryResources
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=5)


@dataclass
class Stack:
    """A database, a queue and the workers that a test starts on them."""

    store: Store
    queue_url: str
    directory: Path
    ends: ExitStack = field(default_factory=ExitStack)

    @property
    def service(self) -> Service:
        return Service(self.store)

    def worker(
        self, *, resources: DirectoryResources | None = None, bound: bool = False, until_idle: float | None = None
    ) -> Worker:
        """A worker that has not started; it stops with the test."""
        worker = Worker(
            self.store,
            resources or DirectoryResources(self.directory / "stored"),
            version="0",
            bells=None if bound else self._bells(),
            until_idle=until_idle,
        )
        self.ends.callback(worker.stop, 0.5)
        return worker

    def _bells(self) -> Bells:
        return Bells(self.queue_url, state_file=self.store.database.path, drain=self.store.outbox.drain)


@pytest.fixture(params=["sqlite", "cluster"])
def stack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stack]:
    cluster = request.param == "cluster"
    store = Store(request.getfixturevalue("postgresql_url") if cluster else "sqlite", tmp_path / "state")
    empty(store)
    stack = Stack(store, request.getfixturevalue("rabbitmq_url") if cluster else "sqlite", tmp_path)
    with stack.ends:
        yield stack
    store.close()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    root.mkdir()
    for number in range(30):
        (root / f"{number:02}.txt").write_text(f"file {number}")
    return root


def spec_of(tree: Path, **policy: object) -> UploadSpec:
    return UploadSpec(sources=(str(tree),), target="s3://bucket/", policy=Policy(**policy))  # type: ignore[arg-type]


def wait_for(stack: Stack, job_id: str, state: JobState) -> Job:
    wait_until(lambda: stack.service.job(job_id).state is state, timeout=60, what=f"job {state}")
    return stack.service.job(job_id)


def held_resources(stack: Stack) -> tuple[DirectoryResources, DirectoryEngine]:
    resources = DirectoryResources(stack.directory / "stored")
    resources.directory_engine.hold()
    return resources, resources.directory_engine


def newest_token(stack: Stack) -> int:
    with stack.store.database.read() as connection:
        [(token,)] = connection.rows("SELECT max(token) FROM unit WHERE kind = 'carry'")
        return int(token)


def test_a_submitted_job_is_heard_of_and_carried(stack: Stack, tree: Path) -> None:
    stack.worker().start()
    job = wait_for(stack, stack.service.submit(spec_of(tree), concurrency=4).job_id, JobState.COMPLETED)
    assert (job.totals.found, job.totals.uploaded) == (30, 30)
    assert {path.read_bytes() for path in (stack.directory / "stored").iterdir()} == {path.read_bytes() for path in tree.iterdir()}


def test_a_job_that_was_submitted_before_any_worker_began_is_carried(stack: Stack, tree: Path) -> None:
    job_id = stack.service.submit(spec_of(tree), concurrency=4).job_id
    stack.worker().start()
    wait_for(stack, job_id, JobState.COMPLETED)


def test_jobs_that_watch_take_no_place_from_others_and_stop_when_asked(stack: Stack, tree: Path, tmp_path: Path) -> None:
    stack.worker().start()
    watched = tmp_path / "watched"
    watched.mkdir()
    specs = [UploadSpec((str(watched),), f"s3://bucket/{number}/", watch=True) for number in range(12)]
    watching = [stack.service.submit(spec, concurrency=1).job_id for spec in specs]
    for job_id in watching:
        wait_for(stack, job_id, JobState.RUNNING)
    wait_for(stack, stack.service.submit(spec_of(tree), concurrency=4).job_id, JobState.COMPLETED)
    for job_id in watching:
        stack.service.pause(job_id)
    for job_id in watching:
        wait_for(stack, job_id, JobState.PAUSED)


def test_two_workers_never_send_a_file_twice(stack: Stack, tree: Path) -> None:
    first, second = (DirectoryResources(stack.directory / "stored") for _ in range(2))
    stack.worker(resources=first).start()
    stack.worker(resources=second).start()
    ids = [
        stack.service.submit(spec_of(tree, checksum=checksum), concurrency=4).job_id for checksum in ("crc32", "crc32c", "sha256")
    ]
    for job_id in ids:
        wait_for(stack, job_id, JobState.COMPLETED)
    sent = first.directory_engine.sent + second.directory_engine.sent
    assert sent.total() == 90


def test_the_files_in_flight_are_seen_while_they_are(stack: Stack, tree: Path) -> None:
    resources, engine = held_resources(stack)
    stack.worker(resources=resources).start()
    job_id = stack.service.submit(spec_of(tree), concurrency=7).job_id
    wait_until(lambda: len(stack.service.watch(job_id).active) == 7, what="seven files in flight")
    job = stack.service.job(job_id)
    assert len(stack.service.numbers(job, FileChoice(View.ACTIVE))) == 7
    assert len(stack.service.numbers(job, FileChoice(View.QUEUED))) == 23
    engine.let_go()
    wait_for(stack, job_id, JobState.COMPLETED)
    assert engine.most_in_flight == 7


def test_concurrency_can_be_raised_while_the_job_runs(stack: Stack, tree: Path) -> None:
    resources, engine = held_resources(stack)
    stack.worker(resources=resources).start()
    job_id = stack.service.submit(spec_of(tree), concurrency=2).job_id
    wait_until(lambda: engine.in_flight == 2, what="two in flight")
    stack.service.tune(job_id, concurrency=9)
    wait_until(lambda: engine.in_flight == 9, what="nine in flight")
    engine.let_go()
    wait_for(stack, job_id, JobState.COMPLETED)


def test_a_paused_job_lets_its_files_end_and_goes_on_when_resumed(stack: Stack, tree: Path) -> None:
    resources, engine = held_resources(stack)
    stack.worker(resources=resources).start()
    job_id = stack.service.submit(spec_of(tree), concurrency=3).job_id
    wait_until(lambda: engine.in_flight == 3, what="three in flight")
    stack.service.pause(job_id)
    wait_until(lambda: engine.told_to_stop and engine.in_flight == 3, what="the worker to hear of it")
    engine.let_go()
    paused = wait_for(stack, job_id, JobState.PAUSED)
    assert paused.totals.uploaded < 30
    stack.service.resume(job_id)
    assert wait_for(stack, job_id, JobState.COMPLETED).totals.uploaded == 30
    assert engine.sent.total() == 30, "nothing was sent twice"


def test_a_cancelled_job_breaks_off_and_stays_cancelled(stack: Stack, tree: Path) -> None:
    resources, engine = held_resources(stack)
    stack.worker(resources=resources).start()
    job_id = stack.service.submit(spec_of(tree), concurrency=3).job_id
    wait_until(lambda: engine.in_flight == 3, what="three in flight")
    stack.service.cancel(job_id)
    cancelled = wait_for(stack, job_id, JobState.CANCELLED)
    assert (cancelled.totals.uploaded, cancelled.totals.skipped) == (0, cancelled.totals.found)
    with pytest.raises(Conflict, match="cancelled already"):
        stack.service.resume(job_id)


def test_a_worker_that_is_stopped_leaves_its_work_to_the_next(stack: Stack, tree: Path) -> None:
    resources, _engine = held_resources(stack)
    leaving = stack.worker(resources=resources)
    leaving.start()
    job_id = stack.service.submit(spec_of(tree), concurrency=3).job_id
    wait_until(lambda: bool(stack.service.watch(job_id).active), what="files in flight")
    leaving.stop(grace=0.1)
    assert not stack.service.workers()
    stack.worker().start()
    assert wait_for(stack, job_id, JobState.COMPLETED).totals.uploaded == 30


def test_a_dry_run_waits_and_is_applied_exactly(stack: Stack, tree: Path) -> None:
    resources = DirectoryResources(stack.directory / "stored")
    (stack.directory / "stored" / "03.txt").write_text("there already")
    stack.worker(resources=resources).start()
    job_id = stack.service.plan(spec_of(tree, if_exists="skip"), concurrency=4)
    job = wait_for(stack, job_id, JobState.PLANNED)
    actions = {row.path: row.action.word for row in stack.service.window(job, 0, 100)}
    assert (actions[b"03.txt"], actions[b"04.txt"]) == ("skip", "new")
    assert not resources.directory_engine.sent
    (tree / "later.txt").write_text("not in the plan")
    stack.service.apply(job_id)
    applied = wait_for(stack, job_id, JobState.COMPLETED)
    assert (applied.totals.uploaded, applied.totals.skipped) == (29, 1)
    assert "later.txt" not in resources.directory_engine.sent


def test_two_sources_with_one_key_both_fail(stack: Stack, tree: Path) -> None:
    other = stack.directory / "other"
    other.mkdir()
    (other / "07.txt").write_text("the same name")
    stack.worker().start()
    spec = UploadSpec(sources=(str(tree), str(other)), target="s3://bucket/")
    job = wait_for(stack, stack.service.submit(spec, concurrency=4).job_id, JobState.PARTIAL)
    failed = stack.service.rows(job, list(stack.service.numbers(job, FileChoice(View.FAILED))))
    assert [(row.path, row.reason) for row in failed] == [(b"07.txt", "key_collision")] * 2
    assert job.totals.uploaded == 29


def test_a_failed_file_is_retried_alone(stack: Stack, tree: Path) -> None:
    resources = DirectoryResources(stack.directory / "stored")
    resources.directory_engine.refused.add("05.txt")
    stack.worker(resources=resources).start()
    job = wait_for(stack, stack.service.submit(spec_of(tree), concurrency=4).job_id, JobState.PARTIAL)
    resources.directory_engine.refused.clear()
    assert stack.service.retry(job.id) == 1
    job = wait_for(stack, job.id, JobState.COMPLETED)
    assert resources.directory_engine.sent["05.txt"] == 2
    assert resources.directory_engine.sent.total() == 31
    assert (job.totals.uploaded, job.totals.failed, job.totals.retries) == (30, 0, 1)


def test_a_fatal_cause_fails_the_job_before_the_first_file(stack: Stack, tree: Path) -> None:
    stack.worker().start()
    spec = UploadSpec(sources=(str(tree),), target="s3://missing/")
    job = wait_for(stack, stack.service.submit(spec, concurrency=4).job_id, JobState.FAILED)
    assert (job.reason, job.error) == ("no_such_bucket", "There is no bucket missing.")
    assert job.totals.found == 0


def test_a_job_whose_credentials_have_expired_waits_and_goes_on_with_new_ones(stack: Stack, tree: Path) -> None:
    resources = DirectoryResources(stack.directory / "stored")
    resources.directory_engine.trouble = CredentialsExpired("The token has expired. Sign in again.")
    stack.worker(resources=resources).start()
    job = wait_for(stack, stack.service.submit(spec_of(tree), concurrency=4).job_id, JobState.PAUSED)
    assert (job.reason, job.error) == ("credentials_expired", "The token has expired. Sign in again.")
    assert job.totals.failed == 0
    resources.directory_engine.trouble = None
    stack.service.resume(job.id)
    job = wait_for(stack, job.id, JobState.COMPLETED)
    assert (job.totals.uploaded, job.reason, job.error) == (30, None, None)


def test_what_a_cancelled_job_left_open_on_the_store_is_dropped(stack: Stack, tree: Path) -> None:
    resources = DirectoryResources(stack.directory / "stored")
    resources.directory_engine.abandoned = {"05.txt", "06.txt"}
    stack.worker(resources=resources).start()
    job = wait_for(stack, stack.service.submit(spec_of(tree), concurrency=4).job_id, JobState.PARTIAL)
    assert resources.directory_api.uploads == {"upload of 05.txt", "upload of 06.txt"}
    assert len(stack.store.multiparts.lingering()) == 2
    stack.service.cancel(job.id)
    wait_until(lambda: not stack.store.multiparts.lingering(), what="nothing to be open any more")
    assert resources.directory_api.uploads == set()


def test_a_bound_worker_carries_its_own_job_only_and_pauses_it_when_it_leaves(stack: Stack, tree: Path) -> None:
    resources, _engine = held_resources(stack)
    bound = stack.worker(resources=resources, bound=True)
    other = stack.service.submit(spec_of(tree, checksum="crc32"), concurrency=3).job_id
    mine = stack.service.submit(spec_of(tree), concurrency=3, home=bound.id).job_id
    bound.start()
    wait_until(lambda: bool(stack.service.watch(mine).active), what="files in flight")
    assert stack.service.submit(spec_of(tree), concurrency=3).carried_elsewhere
    bound.stop(grace=0.1)
    assert stack.service.job(mine).state is JobState.PAUSED
    assert stack.service.job(other).state is JobState.PENDING


def test_a_worker_whose_lease_ran_out_is_succeeded_and_writes_nothing_more(stack: Stack, tree: Path) -> None:
    resources, engine = held_resources(stack)
    stack.worker(resources=resources).start()
    job_id = stack.service.submit(spec_of(tree), concurrency=3).job_id
    wait_until(lambda: engine.in_flight == 3, what="three in flight")
    with stack.store.database.write() as connection:  # as if its heart had stopped for longer than a lease
        connection.execute("UPDATE unit SET lease_until = 1")
    stack.worker().start()
    wait_until(lambda: newest_token(stack) > 1, what="somebody to take over")
    engine.let_go()
    job = wait_for(stack, job_id, JobState.COMPLETED)
    assert job.totals.uploaded == 30
    assert {row.state for row in stack.service.window(job, 0, 100)} == {FileState.UPLOADED}


def test_an_idle_worker_ends_by_itself(stack: Stack) -> None:
    worker = stack.worker(until_idle=0.2)
    worker.run_until_stopped()
    assert not stack.service.workers()


def test_a_broken_database_stops_the_worker_with_one_sentence(stack: Stack, tree: Path) -> None:
    resources, engine = held_resources(stack)
    worker = stack.worker(resources=resources)
    worker.start()
    job_id = stack.service.submit(spec_of(tree), concurrency=3).job_id
    wait_until(lambda: engine.in_flight == 3, what="three in flight")
    with stack.store.database.write() as connection:
        connection.execute("ALTER TABLE transfer RENAME TO gone")
    try:
        engine.let_go()
        wait_until(lambda: worker.error is not None, what="the worker to notice")
        assert isinstance(worker.error, StateError)
        worker.stop(0.5)
    finally:
        with stack.store.database.write() as connection:
            connection.execute("ALTER TABLE gone RENAME TO transfer")
    stack.worker().start()
    assert wait_for(stack, job_id, JobState.COMPLETED).totals.uploaded == 30

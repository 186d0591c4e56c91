"""Who works: the words in the head of a job, and the page of all workers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from textual.widgets._toast import Toast

from s3tui.errors import QueueError, StateError
from s3tui.model import Holding, JobState, WorkerState
from s3tui.tui.crew import crew_words, house_words, machines
from tests.tui.driving import application, text_of, until, until_seen, until_told
from tests.tui.seeded import STARTED, SeededHouse, SeededJob, SeededSight, crew, filming, ingesting, running

pytestmark = pytest.mark.thorough(one_in=5)

JOB = running(9, 20)
_, ADA, _ = crew(JOB.job.id)
FRESH = replace(ADA, holdings=(Holding(JOB.job.id, 3, 0, 12, 3e7),))


def words(*crew: WorkerState, state: JobState = JobState.RUNNING) -> list[str]:
    """What the head of a job says of these workers."""
    live = tuple(worker.id for worker in crew if not worker.lost)
    return [text for text, _ in crew_words(SeededSight(replace(JOB.job, state=state), (), live, crew=crew))]


def test_the_machines_are_named_while_they_are_few() -> None:
    assert words(FRESH) == ["1 worker on ada"]
    many = [replace(FRESH, id=f"w{number}", host=f"host-{number % 5}") for number in range(12)]
    assert words(*many[:2]) == ["2 workers on host-0, host-1"]
    assert words(*many) == ["12 workers on 5 machines"]
    assert machines([replace(FRESH, host="a\x1b[2Jb")]) == "a\\x1b[2Jb"


def test_a_worker_that_falls_silent_is_told_before_it_is_lost_and_then_that_it_is() -> None:
    assert words(replace(FRESH, silent=4.0)) == ["1 worker on ada"]
    assert words(replace(FRESH, silent=8.0)) == ["worker on ada silent for 0:08"]
    assert words(FRESH, replace(FRESH, host="bea", silent=8.0)) == ["worker on bea silent for 0:08", "1 worker on ada"]
    assert words(replace(FRESH, silent=40.0, lost=True)) == ["worker on ada lost 0:40 ago: others take its units"]


def test_a_process_that_hangs_is_named_so_that_it_can_be_ended() -> None:
    assert words(replace(FRESH, silent=40.0, lost=True, hangs=True)) == ["worker on ada hangs for 0:40: end its process 4711"]


def test_units_of_a_lost_worker_are_told_where_another_has_them() -> None:
    assert words(ADA) == ["1 worker on ada", "1 unit taken over from a lost worker"]


def test_a_job_that_nobody_has_says_so_while_somebody_should() -> None:
    assert words() == ["no worker has it: starting one, or waiting for one"]
    assert words(state=JobState.PENDING) == words()
    assert words(state=JobState.PAUSED) == words(FRESH, state=JobState.COMPLETED) == []


def test_the_history_tells_what_goes_on_in_a_few_words() -> None:
    assert house_words(0, crew("j")) == ""
    assert house_words(1, ()) == "1 running"
    assert house_words(2, crew("j")) == "2 running, 29.6 MiB/s, 2 workers on ada, mary, 1 lost"


def manned(*crew_of_job: WorkerState) -> tuple[SeededJob, SeededHouse]:
    """A running job with these workers, in a house with three."""
    job = running()
    job.crew = crew_of_job
    house = SeededHouse(job)
    house.service.everybody = crew(job.job.id)
    return job, house


async def test_the_head_of_a_job_says_who_works_on_it_at_80_by_24() -> None:
    job, house = manned(ADA)
    app = application(house, job=job.job.id)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "1 worker on ada")
        lines = text_of(app).splitlines()
        told = next(number for number, line in enumerate(lines) if "1 worker on ada" in line)
        assert "of 2,310 files" in lines[told - 1]
        assert "1 All" in lines[told + 1]
        job.crew, job.workers = (replace(ADA, lost=True, silent=20.0),), ()
        await until_seen(pilot, "worker on ada lost 0:20 ago: others take its units")
        assert house.workers_asked
        job.crew = ()
        await until_seen(pilot, "no worker has it")


@pytest.mark.parametrize(("make", "seen"), [(ingesting, "rows read"), (filming, "transcoding")])
async def test_every_kind_of_job_tells_its_limits(make: Callable[[], SeededJob], seen: str) -> None:
    job = make()
    job.job = replace(job.job, concurrency=7, bandwidth=10_000_000)
    app = application(SeededHouse(job), job=job.job.id)
    async with app.run_test(size=(100, 24)) as pilot:
        await until_seen(pilot, seen)
        await until_seen(pilot, "7 at once")
        await until_seen(pilot, "limit 10MB/s")


async def test_why_there_is_no_worker_is_told_once_and_not_at_every_attempt() -> None:
    class Refusing(SeededHouse):
        def ensure_worker(self) -> None:
            super().ensure_worker()
            raise QueueError("The background worker did not start: one runs already.")

    job = running()
    job.workers = ()
    house = Refusing(job)
    app = application(house, job=job.job.id)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_told(pilot, "did not start: one runs already.")
        await until(pilot, lambda: house.workers_asked >= 3, "both pages below each other to have asked")
        await pilot.pause()
        assert len(app.screen.query(Toast)) == 1


async def test_the_page_lists_who_works_and_opens_what_it_works_on() -> None:
    job, house = manned()
    app = application(house)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "running")
        await pilot.press("W")
        await until_seen(pilot, "2 on ada, mary, 1 lost")
        text = text_of(app)
        for part in ("✗ lost   grace", "held 2 units", "12 in flight, 29.6 MiB/s", "! silent mary", "for one command", "-0:42"):
            assert part in text
        await pilot.press("W", "j")
        await until_seen(pilot, f"Job {job.job.id}: 3 units, 12 in flight, 29.6 MiB/s, 1 taken")
        await pilot.press("y")
        await until(pilot, lambda: app.clipboard == "w-2", "the copy")
        await pilot.press("enter")
        await until_seen(pilot, "Transfers")
        await pilot.press("escape")
        await until_seen(pilot, "Workers")


async def test_a_worker_without_a_job_opens_none_and_nobody_is_told_as_such() -> None:
    _, house = manned()
    app = application(house)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_seen(pilot, "running")
        await pilot.press("W")
        await until_seen(pilot, "mary")
        await pilot.press("G", "enter")
        await until_told(pilot, "works on no job")
        house.service.everybody = ()
        await until_seen(pilot, "No worker runs; one is started when a job needs it.")
        assert "none runs" in text_of(app)


async def test_the_cursor_stays_on_its_worker() -> None:
    _, house = manned()
    lost, ada, mary = house.service.everybody
    app = application(house)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "running")
        await pilot.press("W")
        await until_seen(pilot, "mary")
        await pilot.press("j")
        new = replace(mary, id="w-0", host="zoe", started_at=STARTED - 1)
        house.service.everybody = (new, lost, ada, mary)
        await until_seen(pilot, "▌ ▸ alive  ada")


async def test_a_database_that_cannot_be_read_is_told_until_it_can() -> None:
    _, house = manned()
    app = application(house)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "running")
        await pilot.press("W")
        await until_seen(pilot, "mary")
        house.service.trouble = StateError("The state database is locked.")
        await until_seen(pilot, "The state database is locked.")
        house.service.trouble = None
        await until_seen(pilot, "2 on ada, mary")

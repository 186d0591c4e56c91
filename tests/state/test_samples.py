"""Samples: the course of a job, whoever writes it, however long it takes."""

from __future__ import annotations

from itertools import pairwise

import pytest

from s3tui.model import Job, JobState, Sample
from s3tui.state.samples import MOST
from s3tui.state.store import Store
from s3tui.state.transfers import write_facts
from tests.state.scenes import ANN, BOB, carry_all, claim, new_job, plan, planned, register, uploaded


@pytest.fixture
def job(store: Store) -> Job:
    """A job of four files of ten bytes in two units, whose plan is made."""
    job = new_job(store)
    register(store, ANN, BOB)
    plan(store, [[planned("a"), planned("b")], [planned("c"), planned("d")]])
    return job


def began(store: Store, job: Job, seconds_ago: float) -> None:
    """Let the job have begun so long ago, by the database's clock."""
    with store.database.write() as connection:
        connection.execute("UPDATE job SET started_at = clock_ms() - :ago WHERE no = :no", ago=int(seconds_ago * 1000), no=job.no)


def course(store: Store, job: Job) -> list[Sample]:
    return store.samples.of_job(store.jobs.by_no(job.no))


def numbers(store: Store, job: Job) -> list[int]:
    with store.database.read() as connection:
        return [no for (no,) in connection.rows("SELECT no FROM sample WHERE job_no = :no ORDER BY no", no=job.no)]


def test_a_sample_holds_what_the_job_has_counted_with_what_its_workers_have_in_flight(store: Store, job: Job) -> None:
    mine, theirs = claim(store, ANN), claim(store, BOB)
    with store.database.write() as connection:
        write_facts(connection, mine, [uploaded(0, attempts=3)])
    store.workers.beat(ANN.id, {job.id: {"rate": 5, "active": [[1, 7, 10, 1, 5]]}})
    store.workers.beat(BOB.id, {job.id: {"rate": 5, "active": [[2, 4, 10, 1, 5], [3, 1, 10, 1, 5]]}})
    began(store, job, 30.5)
    store.samples.take([job.no])
    first, sample = course(store, job)
    assert first == Sample(store.jobs.by_no(job.no).started_at or 0)
    assert sample[1:] == (10 + 7 + 5, 1, 0, 0, 2)
    assert theirs.job_no == job.no


def test_of_several_workers_one_takes_the_sample_of_a_second(store: Store, job: Job) -> None:
    for ago in (2.1, 2.5, 2.9, 3.2):
        began(store, job, ago)
        store.samples.take([job.no])
    assert numbers(store, job) == [2, 3]


def test_a_job_of_months_has_as_many_samples_as_one_of_an_hour(store: Store, job: Job) -> None:
    began(store, job, 0)
    store.samples.take([job.no])
    with store.database.write() as connection:
        for second in range(1, MOST - 1):
            connection.execute("INSERT INTO sample VALUES (:no, :second, 0, 0, 0, 0, 0, 0)", no=job.no, second=second)
    for second in (MOST - 1, *range(MOST, 5000, 37), *range(5000, 60_000, 600), *range(60_000, 10_000_000, 30_011)):
        began(store, job, second + 0.5)
        store.samples.take([job.no])
        if second == MOST - 1:
            assert numbers(store, job) == list(range(MOST))
    kept = numbers(store, job)
    assert kept[0] == 0
    assert MOST / 3 < len(kept) <= MOST
    assert max(later - earlier for earlier, later in pairwise(kept)) <= 2 * 32_768


def test_a_job_that_has_ended_ends_with_what_it_has_counted(store: Store, job: Job) -> None:
    assert [sample[1:] for sample in course(store, job)] == [(0, 0, 0, 0, 0)]
    carry_all(store, claim(store))
    carry_all(store, claim(store))
    ended = store.jobs.by_no(job.no)
    assert ended.state is JobState.COMPLETED
    samples = course(store, job)
    assert samples[0] == Sample(ended.started_at or 0)
    assert samples[-1] == Sample(ended.finished_at or 0, bytes=40, files=4)


def test_a_plan_has_no_samples(store: Store) -> None:
    job = new_job(store, dry_run=True)
    register(store, ANN)
    plan(store, [[planned("a")]], hold=True)
    store.samples.take([job.no])
    assert (course(store, job), numbers(store, job)) == ([], [])


def test_the_clock_of_whoever_began_the_job_may_be_ahead(store: Store, job: Job) -> None:
    began(store, job, -20)
    store.samples.take([job.no])
    assert numbers(store, job) == [0]
    assert len(course(store, job)) == 1

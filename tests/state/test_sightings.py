"""Who sees the sources of a job, who does not, and what a job says that nobody sees."""

from __future__ import annotations

import logging

import pytest

from s3tui.model import Desired, Job, JobState, Lease
from s3tui.state.sightings import AGAIN_MS, REASON, this_vantage
from s3tui.state.store import Store
from tests.state.scenes import ANN, BOB, claim, new_job, plan, planned, register

TOLD = "/data is not there"


def missed(store: Store) -> tuple[Job, Lease]:
    """A job that ann, who is alone, has looked for in vain."""
    job = new_job(store)
    register(store, ANN)
    lease = claim(store)
    store.sightings.missed(lease, job.id, TOLD)
    return store.jobs.by_no(job.no), lease


def elsewhere(store: Store, worker: str) -> None:
    """A worker sees files from another machine."""
    with store.database.write() as connection:
        connection.execute("UPDATE worker SET vantage = 'elsewhere/boot/mounts' WHERE id = :id", id=worker)


def test_a_job_that_no_worker_sees_waits_and_says_so(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "s3tui"):
        job, _ = missed(store)
    here = this_vantage().partition("/")[0]
    assert (job.state, job.reason) == (JobState.PENDING, REASON)
    assert job.error is not None
    assert job.error.startswith(f"No worker that runs sees the sources of this job: on {here}, {TOLD}. Start `s3tui worker` where")
    assert [record.levelname for record in caplog.records if "given back" in record.message] == ["WARNING"]


def test_it_is_looked_for_again_after_a_while_and_not_before(store: Store) -> None:
    job, _ = missed(store)
    assert store.units.claim(ANN) is None
    with store.database.write() as connection:
        connection.execute(f"UPDATE sighting SET looked_at = looked_at - {AGAIN_MS + 1}")
    lease = claim(store)
    store.sightings.seen(job.no)
    job = store.jobs.by_no(job.no)
    assert (job.state, job.reason, job.error, lease.after_crash) == (JobState.RUNNING, None, None, False)


def test_a_job_waits_in_silence_for_a_worker_elsewhere_that_has_not_looked_yet(store: Store) -> None:
    register(store, BOB)
    elsewhere(store, "bob")
    job, _ = missed(store)
    assert (job.state, job.reason) == (JobState.RUNNING, None)


def test_a_worker_of_another_queue_is_no_hope(store: Store) -> None:
    register(store, BOB)
    elsewhere(store, "bob")
    with store.database.write() as connection:
        connection.execute("UPDATE worker SET queues = 'video' WHERE id = 'bob'")
    assert missed(store)[0].reason == REASON


def test_who_asks_again_has_everybody_look_anew(store: Store) -> None:
    job, _ = missed(store)
    store.jobs.reopen(job.no, home=None, identity="")
    assert store.jobs.by_no(job.no).reason is None
    assert claim(store).unit_no == 0


def test_a_job_that_waits_can_be_cancelled_and_paused(store: Store) -> None:
    job, _ = missed(store)
    store.jobs.desire(job.no, Desired.PAUSE)
    assert store.jobs.by_no(job.no).state is JobState.PAUSED
    store.jobs.desire(job.no, Desired.CANCEL)
    cancelled = store.jobs.by_no(job.no)
    assert (cancelled.state, cancelled.reason, cancelled.error) == (JobState.CANCELLED, None, None)


def test_the_bound_worker_of_a_job_takes_it_whatever_others_have_seen_from_here(store: Store) -> None:
    job, _ = missed(store)
    register(store, BOB)
    with store.database.write() as connection:
        connection.execute("UPDATE job SET home = 'bob' WHERE no = :no", no=job.no)
    assert claim(store, BOB).job_no == job.no


def test_a_lost_lease_gives_nothing_back(store: Store) -> None:
    job, lease = missed(store)
    store.jobs.reopen(job.no, home=None, identity="")
    register(store, BOB)
    again = claim(store, BOB)
    store.sightings.missed(lease, job.id, TOLD)
    store.units.ensure_held(again)


def test_what_is_known_of_a_job_and_expected_of_a_unit(store: Store) -> None:
    job = new_job(store)
    register(store, ANN)
    plan(store, [[planned("a"), planned("b")], [planned("c")]])
    assert not store.sightings.of(job.no).known
    store.sightings.seen(job.no)
    assert store.sightings.of(job.no) == ("", "", True)
    assert [path for _, path, _ in store.sightings.expected(claim(store))] == [b"a", b"b"]


def test_a_job_of_this_vantage_that_others_miss_is_known_here(store: Store) -> None:
    job, _ = missed(store)
    assert not store.sightings.missed_from_here()
    store.jobs.look_anew(job.no, this_vantage(), "[]")
    assert store.sightings.missed_from_here()

"""Jobs that are asked to go on, on every database."""

from __future__ import annotations

import threading

from s3tui.model import Desired, JobState
from s3tui.state.settling import READY, settle
from s3tui.state.store import Store
from tests.state.scenes import ANN, carry_all, claim, new_job, plan, planned, register


def test_a_job_that_ended_before_the_wish_to_go_on_was_written_stays_ended(store: Store) -> None:
    register(store, ANN)
    done, given_up = new_job(store, spec_hash="done"), new_job(store, spec_hash="given up")
    plan(store, [[planned("a")]])
    store.jobs.desire(done.no, Desired.PAUSE)
    store.jobs.reopen(done.no, home=None, identity="")
    carry_all(store, claim(store))
    store.jobs.desire(given_up.no, Desired.CANCEL)
    for job in (done, given_up):
        store.jobs.reopen(job.no, home=None, identity="")
    assert (store.jobs.by_no(done.no).state, store.jobs.by_no(given_up.no).state) == (JobState.COMPLETED, JobState.CANCELLED)
    assert store.jobs.by_no(done.no).finished_at is not None


def test_a_cause_that_a_person_must_remove_pauses_the_job_and_is_shown(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    plan(store, [[planned("a"), planned("b")]])
    lease = claim(store)
    store.jobs.pause_for(job.no, "credentials", "The token expired. Log in again, and resume.")
    asked = store.jobs.by_no(job.no)
    assert (asked.state, asked.desired, asked.reason) == (JobState.RUNNING, Desired.PAUSE, "credentials")
    store.units.release(lease)
    paused = store.jobs.by_no(job.no)
    assert (paused.state, paused.reason, paused.error) == (
        JobState.PAUSED,
        "credentials",
        "The token expired. Log in again, and resume.",
    )
    assert (paused.totals.failed, paused.totals.skipped, paused.finished_at) == (0, 0, None)
    assert store.units.claim(ANN) is None
    store.jobs.reopen(job.no, home=None, identity="")
    reopened = store.jobs.by_no(job.no)
    assert (reopened.state, reopened.reason, reopened.error) == (JobState.PENDING, None, None)
    carry_all(store, claim(store))
    assert store.jobs.by_no(job.no).state is JobState.COMPLETED


def test_a_cause_to_pause_changes_nothing_of_a_job_that_has_ended_or_is_being_cancelled(store: Store) -> None:
    register(store, ANN)
    done, leaving = new_job(store, spec_hash="done"), new_job(store, spec_hash="leaving")
    plan(store, [[planned("a")]])
    carry_all(store, claim(store))
    lease = claim(store)
    store.jobs.desire(leaving.no, Desired.CANCEL)
    for job in (done, leaving):
        store.jobs.pause_for(job.no, "credentials", "The token expired.")
    store.units.release(lease)
    ended = [store.jobs.by_no(job.no) for job in (done, leaving)]
    assert [(job.state, job.reason) for job in ended] == [(JobState.COMPLETED, None), (JobState.CANCELLED, None)]


def test_the_cause_of_a_pause_is_forgotten_when_the_job_is_cancelled(store: Store) -> None:
    job = new_job(store)
    store.jobs.pause_for(job.no, "credentials", "The token expired.")
    assert store.jobs.by_no(job.no).state is JobState.PAUSED
    store.jobs.desire(job.no, Desired.CANCEL)
    cancelled = store.jobs.by_no(job.no)
    assert (cancelled.state, cancelled.reason, cancelled.error) == (JobState.CANCELLED, None, None)


def test_limits_are_tuned_one_by_one_and_reach_the_workers(store: Store) -> None:
    job = new_job(store)
    assert (job.concurrency, job.bandwidth) == (100, 0)
    store.jobs.tune(job.no, bandwidth=5_000_000_000)
    store.jobs.tune(job.no, concurrency=0)
    tuned = store.jobs.by_no(job.no)
    assert (tuned.concurrency, tuned.bandwidth) == (1, 5_000_000_000)
    assert store.units.orders([job.no]) == {job.no: (Desired.RUN, JobState.PENDING, 1, 5_000_000_000)}
    store.jobs.tune(job.no, concurrency=7, bandwidth=0)
    assert (store.units.orders([job.no])[job.no].concurrency, store.units.orders([job.no])[job.no].bandwidth) == (7, 0)


def test_of_two_units_that_are_given_back_at_the_same_moment_the_later_one_ends_the_job(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    plan(store, [[planned("a")], [planned("b")]])
    one, two = claim(store), claim(store)
    store.jobs.desire(job.no, Desired.CANCEL)
    later = threading.Thread(target=store.units.release, args=(two,))
    with store.database.write() as connection:
        given_back = f"UPDATE unit SET state = {READY} WHERE job_no = :job_no AND no = :no"
        connection.execute(given_back, job_no=one.job_no, no=one.unit_no)
        settle(connection, job.no)
        later.start()
        later.join(1)  # it would end by then, if it did not wait for us
    later.join()
    assert store.jobs.by_no(job.no).state is JobState.CANCELLED

"""Jobs that are asked to go on, on every database."""

from __future__ import annotations

from s3tui.model import Desired, JobState
from s3tui.state.store import Store
from tests.state.scenes import ANN, carry_all, claim, new_job, plan, planned, register


def test_a_job_that_ended_before_the_wish_to_go_on_was_written_stays_ended(store: Store) -> None:
    register(store, ANN)
    done, given_up = new_job(store, spec_hash="done"), new_job(store, spec_hash="given up")
    plan(store, [[planned("a")]])
    store.jobs.desire(done.no, Desired.PAUSE)
    store.jobs.reopen(done.no, home=None)
    carry_all(store, claim(store))
    store.jobs.desire(given_up.no, Desired.CANCEL)
    for job in (done, given_up):
        store.jobs.reopen(job.no, home=None)
    assert (store.jobs.by_no(done.no).state, store.jobs.by_no(given_up.no).state) == (JobState.COMPLETED, JobState.CANCELLED)
    assert store.jobs.by_no(done.no).finished_at is not None

"""Notices of ended jobs: written with the end, exactly once for each, and claimed by one worker at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from s3tui.events import Failed
from s3tui.model import Desired, FileState, Job, JobState, new_id
from s3tui.state.store import Store
from s3tui.state.webhooks import CLAIM_MS, Notice
from tests.databases import empty
from tests.state.first_schema import write_first_database
from tests.state.scenes import ANN, BOB, carry, carry_all, claim, new_job, plan, planned, register, uploaded
from tests.state.test_migrations import bare


def worded(job: Job, url: str | None) -> str:
    """What these tests want to be told."""
    return json.dumps([job.id, job.state, job.totals.found, job.totals.uploaded, job.totals.skipped, job.totals.failed, url])


@pytest.fixture
def store(state_url: str, tmp_path: Path) -> Iterator[Store]:
    """An empty state store of a process that has a webhook."""
    opened = Store(state_url, tmp_path / "state", wording=worded)
    empty(opened)
    yield opened
    opened.close()


def told(store: Store) -> list[Any]:
    """What waits to be told, the oldest first."""
    with store.database.read() as connection:
        return [json.loads(body) for (body,) in connection.rows("SELECT body FROM webhook ORDER BY created_at, id")]


def pass_time(store: Store, milliseconds: int) -> None:
    """Let what waits be so much older."""
    with store.database.write() as connection:
        connection.execute("UPDATE webhook SET due = due - :by, created_at = created_at - :by", by=milliseconds)


def settle_again(store: Store, job: Job) -> None:
    """Whatever may come to a job that has ended."""
    store.jobs.desire(job.no, Desired.CANCEL)
    store.jobs.fail(job.no, "again", "It fails again.")
    store.jobs.desire(job.no, Desired.RUN)


def completed(store: Store, *names: str) -> Job:
    """A job of these files that went well, by ANN, who is registered."""
    job = new_job(store)
    plan(store, [[planned(name) for name in names or ("a",)]])
    carry_all(store, claim(store))
    return job


def claimed(store: Store) -> Notice:
    """The next notice, which must be due."""
    notice = store.webhooks.claim()
    assert notice is not None
    return notice


def test_a_completed_job_is_told_once(store: Store) -> None:
    register(store, ANN)
    job = completed(store)
    settle_again(store, job)
    assert told(store) == [[job.id, "completed", 1, 1, 0, 0, None]]


def test_a_partial_job_is_told_once_and_again_when_its_retry_ends(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    plan(store, [[planned("a"), planned("b")]])
    lease = claim(store)
    carry(store, lease, [uploaded(0), Failed(1, 5, "access_denied", "No.")])
    settle_again(store, job)
    partial = [job.id, "partial", 2, 1, 0, 1, None]
    assert told(store) == [partial]
    assert store.jobs.retry(job.no, None, home=None, identity="") == 1
    carry_all(store, claim(store))
    settle_again(store, job)
    assert told(store) == [partial, [job.id, "completed", 2, 2, 0, 0, None]]


def test_a_cancelled_job_is_told_when_nothing_of_it_is_at_work(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    plan(store, [[planned("a")]])
    lease = claim(store)
    store.jobs.desire(job.no, Desired.CANCEL)
    assert told(store) == []
    store.units.release(lease)
    settle_again(store, job)
    assert told(store) == [[job.id, "cancelled", 1, 0, 1, 0, None]]


def test_a_failed_job_is_told_when_its_last_unit_rests_and_all_files_have_their_end(store: Store) -> None:
    register(store, ANN, BOB)
    job = new_job(store)
    plan(store, [[planned("a")], [planned("b")], [planned("c")]])
    ours, theirs = claim(store, ANN), claim(store, BOB)
    store.jobs.fail(job.no, "no_such_bucket", "There is no bucket.")
    store.units.release(ours)
    assert told(store) == []
    carry_all(store, theirs)
    settle_again(store, job)
    assert told(store) == [[job.id, "failed", 3, 1, 0, 2, None]]


def test_a_failed_job_whose_last_worker_died_is_told_by_whoever_buries_it(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    plan(store, [[planned("a")]])
    claim(store)
    store.jobs.fail(job.no, "no_such_bucket", "There is no bucket.")
    with store.database.write() as connection:
        connection.execute("UPDATE unit SET lease_until = 1 WHERE state = 2")
    store.units.reap()
    assert told(store) == [[job.id, "failed", 1, 0, 0, 1, None]]


def test_a_plan_is_no_end_and_what_becomes_of_it_is(store: Store) -> None:
    register(store, ANN)
    job = new_job(store, dry_run=True)
    plan(store, [[planned("a")]], hold=True)
    assert store.jobs.by_no(job.no).state is JobState.PLANNED
    assert told(store) == []
    store.jobs.apply(job.no, home=None, identity="")
    carry_all(store, claim(store))
    assert told(store) == [[job.id, "completed", 1, 1, 0, 0, None]]


def test_the_address_of_the_first_published_video_is_told(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    plan(store, [[planned(name) for name in "abc"]])
    lease = claim(store)
    for number in (2, 0, 1):
        store.videos.begin(lease, number)
    for number, url in ((2, "https://c"), (1, "https://b")):
        store.videos.published(lease, [uploaded(number)], url, [])
    carry(store, lease, [Failed(0, 1, "no_video", "No.")])
    assert told(store) == [[job.id, "partial", 3, 2, 0, 1, "https://b"]]


def test_the_end_and_its_notice_are_one_transaction(state_url: str, tmp_path: Path) -> None:
    def stumble(_job: Job, _url: str | None) -> str:
        raise ZeroDivisionError

    store = Store(state_url, tmp_path / "state", wording=stumble)
    empty(store)
    register(store, ANN)
    with pytest.raises(ZeroDivisionError):
        completed(store)
    [job] = store.jobs.newest(limit=1, before=None)
    assert job.state is JobState.RUNNING
    assert [row.state for row in store.transfers.window(job.no, 0, 9)] == [FileState.UPLOADED]
    assert store.webhooks.waiting() == 0
    store.close()


def test_without_a_webhook_nothing_is_written_then_or_later(state_store: Store, tmp_path: Path, state_url: str) -> None:
    register(state_store, ANN)
    job = completed(state_store)
    assert state_store.webhooks.waiting() == 0
    later = Store(state_url, tmp_path / "state", wording=worded)
    settle_again(later, job)
    assert later.webhooks.waiting() == 0
    later.close()


def test_jobs_that_ended_before_there_were_webhooks_are_not_told(state_url: str, tmp_path: Path) -> None:
    with bare(state_url, tmp_path) as connections, connections.write() as connection:
        job_id = write_first_database(connection, sqlite=state_url == "sqlite")
        connection.execute("UPDATE job SET state = 'failed', finished_at = 1")
    store = Store(state_url, tmp_path, wording=worded)
    [job] = store.jobs.find(job_id)
    settle_again(store, job)
    assert store.webhooks.waiting() == 0
    store.close()


def test_a_notice_has_one_claim_at_a_time_and_a_dead_ones_ends(store: Store) -> None:
    register(store, ANN)
    job = completed(store)
    assert store.webhooks.pause() == pytest.approx(0, abs=60_000)
    first = claimed(store)
    assert (first.attempts, first.job_id, json.loads(first.body)[0]) == (1, job.id, job.id)
    assert store.webhooks.claim() is None
    assert 0 < (store.webhooks.pause() or 0) <= CLAIM_MS
    pass_time(store, CLAIM_MS)
    second = claimed(store)
    assert (second.id, second.body, second.attempts) == (first.id, first.body, 2)
    assert second.age_ms >= CLAIM_MS
    store.webhooks.drop(first)
    store.webhooks.put_off(first, 1)
    assert store.webhooks.claim() is None
    assert store.webhooks.waiting() == 1
    store.webhooks.drop(second)
    assert (store.webhooks.waiting(), store.webhooks.pause()) == (0, None)


def test_what_is_put_off_is_due_after_its_pause(store: Store) -> None:
    register(store, ANN)
    completed(store)
    store.webhooks.put_off(claimed(store), 3_600_000)
    pass_time(store, 3_000_000)
    assert store.webhooks.claim() is None
    pass_time(store, 600_000)
    assert claimed(store).attempts == 2


def test_a_worker_may_ask_for_what_its_own_jobs_have_caused(store: Store) -> None:
    register(store, ANN, BOB)
    completed(store)
    mine = new_job(store, home="bob")
    store.jobs.desire(mine.no, Desired.CANCEL)
    found = store.webhooks.claim(home="bob")
    assert found is not None
    assert found.job_id == mine.id
    assert store.webhooks.claim(home="bob") is None


def test_of_very_many_the_oldest_are_given_up(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    register(store, ANN)
    rows = [(f"msg_{new_id()}", 1, str(number), number, 0) for number in range(10_000)]
    with store.database.write() as connection:
        connection.insert("INSERT INTO webhook (id, job_no, body, created_at, due) VALUES (?, ?, ?, ?, ?)", sorted(rows))
    job = completed(store)
    assert store.webhooks.waiting() == 10_000
    with store.database.read() as connection:
        ids = {number for (number,) in connection.rows("SELECT id FROM webhook")}
    assert {number for number, *_ in rows} - ids == {min(number for number, *_ in rows)}
    assert told(store)[-1][0] == job.id
    assert "the oldest was given up" in caplog.text

"""Group commit: what was flushed is durable, what was lost is told."""

from __future__ import annotations

import threading

import pytest

from s3tui.errors import StateError
from s3tui.events import UploadDropped, UploadIntended, UploadOpened
from s3tui.model import Fingerprint, Lease, ObjectRef
from s3tui.state.journal import Journal
from s3tui.state.store import Store
from tests.state.scenes import ANN, claim, new_job, plan, planned, register, uploaded


def test_facts_of_many_threads_are_durable_after_a_flush(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    plan(store, [[planned(str(number)) for number in range(1000)]])
    lease = claim(store)
    journal = Journal(store.database, on_lost=lambda _lease: None)

    def record(start: int) -> None:
        for number in range(start, 1000, 8):
            journal.record(lease, [uploaded(number)])
        journal.flush()

    threads = [threading.Thread(target=record, args=(start,)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.jobs.by_no(job.no).totals.uploaded == 1000
    journal.close()


def test_facts_wait_for_each_other_and_share_commits(store: Store) -> None:
    register(store, ANN)
    new_job(store)
    plan(store, [[planned(str(number)) for number in range(900)]])
    lease = claim(store)
    journal = Journal(store.database, on_lost=lambda _lease: None)
    for number in range(900):
        journal.record(lease, [uploaded(number)])
    journal.flush()
    assert journal.commits < 100
    journal.close()


def test_facts_of_one_call_are_written_in_their_order(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    plan(store, [[planned("a"), planned("b")]])
    lease = claim(store)
    journal = Journal(store.database, on_lost=lambda _lease: None)
    target, fingerprint = ObjectRef("bucket", "p/a"), Fingerprint(30, 1, 2)
    journal.record(lease, [UploadIntended(0, target, 8, fingerprint, "crc32"), UploadOpened(0, "first"), uploaded(1)])
    journal.record(lease, [])
    journal.record(lease, [UploadDropped(0), UploadIntended(0, target, 16, fingerprint, "crc32"), UploadOpened(0, "second")])
    journal.flush()
    [upload] = store.multiparts.of_job(job.no)
    assert (upload.upload_id, upload.part_size) == ("second", 16)
    assert store.jobs.by_no(job.no).totals.uploaded == 1
    journal.close()


def test_a_lost_lease_is_reported_and_does_not_break_the_journal(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    plan(store, [[planned("a")], [planned("b")]])
    lost, kept = claim(store), claim(store)
    with store.database.write() as connection:
        connection.execute("UPDATE unit SET token = 99 WHERE no = :no", no=lost.unit_no)
    told: list[Lease] = []
    journal = Journal(store.database, on_lost=told.append)
    journal.record(lost, [uploaded(0)])
    journal.record(kept, [uploaded(1)])
    journal.flush()
    assert told == [lost]
    assert store.jobs.by_no(job.no).totals.uploaded == 1
    journal.close()


def test_a_broken_database_is_told_to_everyone_who_records_or_waits(store: Store) -> None:
    register(store, ANN)
    new_job(store)
    plan(store, [[planned("a"), planned("b")]])
    lease = claim(store)
    journal = Journal(store.database, on_lost=lambda _lease: None)
    with store.database.write() as connection:
        connection.execute("ALTER TABLE transfer RENAME TO gone")
    try:
        journal.record(lease, [uploaded(0)])
        with pytest.raises(StateError, match="state database"):
            journal.flush()
        with pytest.raises(StateError):
            journal.record(lease, [uploaded(1)])
        journal.close()
    finally:
        with store.database.write() as connection:
            connection.execute("ALTER TABLE gone RENAME TO transfer")


def test_a_fact_about_no_file_of_the_job_breaks_the_journal_instead_of_hanging_it(store: Store) -> None:
    register(store, ANN)
    new_job(store)
    plan(store, [[planned("a")]])
    journal = Journal(store.database, on_lost=lambda _lease: None)
    journal.record(claim(store), [uploaded(77)])
    with pytest.raises(StateError):
        journal.flush()
    journal.close()

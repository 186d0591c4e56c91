"""Facts about files, written in groups, on every database."""

from __future__ import annotations

import pytest

from s3tui.errors import StateError
from s3tui.events import DeletionIntended, Failed, Skipped, SourceDeleted, Step, Unverified, Verified, Withdrawn
from s3tui.model import FileState, Proof
from s3tui.state.store import Store
from s3tui.state.transfers import write_facts
from tests.state.scenes import ANN, carry, claim, new_job, plan, planned, register, uploaded


def test_facts_about_files_far_apart_change_these_alone(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    plan(store, [[planned(f"{number:02}") for number in range(40)]])
    lease = claim(store)
    with store.database.write() as connection:
        write_facts(connection, lease, [uploaded(0, size=7), uploaded(39, attempts=3)])
    states = [row.state for row in store.transfers.window(job.no, 0, 40)]
    assert states == [FileState.UPLOADED, *[FileState.PLANNED] * 38, FileState.UPLOADED]
    totals = store.jobs.by_no(job.no).totals
    assert (totals.uploaded, totals.bytes, totals.bytes_found, totals.retries) == (2, 17, 397, 2)


def test_a_group_keeps_all_that_the_store_answered(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    plan(store, [[planned(f"{number:03}") for number in range(250)]])
    lease = claim(store)
    with store.database.write() as connection:
        write_facts(connection, lease, [uploaded(number, size=number, attempts=2) for number in range(250)])
    rows = store.transfers.window(job.no, 0, 250)
    assert [row.size for row in rows] == list(range(250))
    assert {(row.path, row.key) for row in rows} == {(f"{number:03}".encode(), f"p/{number:03}") for number in range(250)}
    assert {(row.attempts, row.checksum, row.etag) for row in rows} == {(2, "crc64nvme:AAAAAAAAAAA=", '"e"')}


def test_a_file_that_two_facts_of_a_group_end_is_counted_once(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    plan(store, [[planned("a"), planned("b")]])
    lease = claim(store)
    with store.database.write() as connection:
        write_facts(connection, lease, [uploaded(0), uploaded(0), Skipped(1, 1, "exists")])
    totals = store.jobs.by_no(job.no).totals
    assert (totals.uploaded, totals.skipped, totals.bytes) == (1, 1, 10)


def test_a_group_about_a_file_that_does_not_exist_is_written_not_at_all(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    plan(store, [[planned("a"), planned("b")]])
    lease = claim(store)
    with pytest.raises(StateError, match="2"), store.database.write() as connection:
        write_facts(connection, lease, [uploaded(0), uploaded(2), Failed(1, 1, "x", "No.")])
    assert [row.state for row in store.transfers.window(job.no, 0, 9)] == [FileState.PLANNED] * 2


def test_a_source_is_counted_as_deleted_once_and_only_after_its_upload(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    plan(store, [[planned("a"), planned("b"), planned("c")]])
    lease = claim(store)
    proven = [Verified(0, Proof.ETAG_MD5), Verified(1, Proof.READ_BACK), Verified(2, Proof.READ_BACK)]
    intended = [DeletionIntended(0), DeletionIntended(2)]
    for _twice in range(2):
        with store.database.write() as connection:
            write_facts(connection, lease, [uploaded(0), uploaded(1), *proven, *intended, SourceDeleted(0), SourceDeleted(2)])
    rows = store.transfers.window(job.no, 0, 9)
    assert [row.state for row in rows] == [FileState.DELETED, FileState.VERIFIED, FileState.PLANNED]
    assert [row.proof for row in rows] == ["etag_md5", "read_back", None]
    assert store.jobs.by_no(job.no).totals.deleted == 1


def test_no_source_counts_as_deleted_without_an_intent(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    plan(store, [[planned("a")]])
    lease = claim(store)
    with store.database.write() as connection:
        write_facts(connection, lease, [uploaded(0), Verified(0, Proof.READ_BACK), SourceDeleted(0)])
    assert store.jobs.by_no(job.no).totals.deleted == 0


@pytest.mark.parametrize("before", [[], [Verified(0, Proof.READ_BACK)], [Verified(0, Proof.READ_BACK), DeletionIntended(0)]])
def test_what_is_withdrawn_has_failed_and_is_counted_so_once(store: Store, before: list[Step]) -> None:
    register(store, ANN)
    job = new_job(store)
    plan(store, [[planned("a"), planned("b")]])
    lease = claim(store)
    for _twice in range(2):
        with store.database.write() as connection:
            write_facts(connection, lease, [uploaded(0), uploaded(1), *before, Withdrawn(0, "open_for_write", "No.")])
    totals = store.jobs.by_no(job.no).totals
    assert (totals.uploaded, totals.failed, totals.deleted) == (1, 1, 0)
    [row] = store.transfers.window(job.no, 0, 1)
    assert (row.state, row.reason, row.checksum) == (FileState.FAILED, "open_for_write", "crc64nvme:AAAAAAAAAAA=")


def test_what_is_not_proven_stays_uploaded_and_says_why(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    plan(store, [[planned("a")]])
    lease = claim(store)
    with store.database.write() as connection:
        write_facts(connection, lease, [uploaded(0), Unverified(0, "Nothing proves it.")])
    [row] = store.transfers.window(job.no, 0, 9)
    assert (row.state, row.reason, row.error) == (FileState.UPLOADED, "unproven", "Nothing proves it.")


@pytest.mark.parametrize(
    ("reason", "again"),
    [
        ("delete_denied", FileState.VERIFIED),
        ("changed_after_upload", FileState.PLANNED),
        ("not_identical", FileState.PLANNED),
        ("unproven", FileState.PLANNED),
    ],
)
def test_a_retry_sends_what_has_changed_or_is_not_proven_any_more_and_else_only_deletes(
    store: Store, reason: str, again: FileState
) -> None:
    register(store, ANN)
    job = new_job(store)
    plan(store, [[planned("a")]])
    lease = claim(store)
    carry(store, lease, [uploaded(0), Verified(0, Proof.READ_BACK), Withdrawn(0, reason, "No.")])
    store.jobs.retry(job.no, None, home=None, identity="")
    [row] = store.transfers.window(job.no, 0, 9)
    totals = store.jobs.by_no(job.no).totals
    assert (row.state, row.reason) == (again, None)
    assert (totals.uploaded, totals.failed) == (1 if again is FileState.VERIFIED else 0, 0)
    lease = claim(store)
    pages = list(store.transfers.stored(lease, FileState.VERIFIED))
    assert [stored.no for page in pages for stored in page] == ([0] if again is FileState.VERIFIED else [])

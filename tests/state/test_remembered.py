"""What a job may know of the one before it, on every database."""

from __future__ import annotations

from s3tui.events import Compared, Failed, Unverified, Withdrawn
from s3tui.model import Action, FileState, Fingerprint, Job, Receipt
from s3tui.state.store import Store
from s3tui.state.transfers import write_facts
from tests.state.scenes import ANN, carry_all, claim, new_job, plan, planned, register, uploaded

RECEIPT = Receipt(10, "crc64nvme:AAAAAAAAAAA=", '"e"')


def carried(store: Store, names: list[str], *, place: str = "here", dry_run: bool = False) -> Job:
    """A job that has stored these files."""
    job = new_job(store, place=place, dry_run=dry_run)
    plan(store, [[planned(name) for name in names]])
    if not dry_run:
        carry_all(store, claim(store))
    return store.jobs.by_no(job.no)


def keys(store: Store, *, numbered_by_key: bool = True) -> list[str]:
    """What a new job remembers."""
    new_job(store, place="here")
    lease = claim(store)
    remembered = list(store.planning.remembered(lease, numbered_by_key=numbered_by_key))
    store.planning.finish(lease)
    return [key for key, *_ in remembered]


def test_the_newest_job_of_the_same_place_is_remembered_with_its_receipts(store: Store) -> None:
    register(store, ANN)
    carried(store, ["older"])
    newest = carried(store, ["a", "b"])
    carried(store, ["elsewhere"], place="there")
    new_job(store, place="here")
    remembered = list(store.planning.remembered(claim(store), numbered_by_key=True))
    assert remembered == [(f"p/{name}", Fingerprint(10, 1, 2), RECEIPT, newest.created_at) for name in "ab"]


def test_plans_and_jobs_that_did_not_get_to_their_end_hide_no_receipts(store: Store) -> None:
    register(store, ANN)
    carried(store, ["a"])
    carried(store, ["b"], dry_run=True)
    new_job(store, place="here")
    claim(store)
    assert keys(store) == ["p/a"]


def test_a_job_without_a_place_remembers_nothing(store: Store) -> None:
    register(store, ANN)
    carried(store, ["a"], place="")
    new_job(store, place="")
    assert list(store.planning.remembered(claim(store))) == []


def test_only_what_is_stored_still_and_not_in_doubt_has_a_receipt(store: Store) -> None:
    register(store, ANN)
    new_job(store, place="here")
    excluded = planned("excluded", state=FileState.SKIPPED, reason="excluded")
    plan(store, [[planned("failed"), planned("stored"), planned("withdrawn"), planned("doubted"), excluded]])
    lease = claim(store)
    with store.database.write() as connection:
        write_facts(
            connection,
            lease,
            [Failed(0, 1, "access_denied", "No."), uploaded(1), uploaded(2), uploaded(3), Unverified(3, "Nothing proves it.")],
        )
        write_facts(connection, lease, [Withdrawn(2, "not_identical", "It is not what was sent.")])
    store.units.finish(lease)
    assert keys(store) == ["p/stored"]


def test_what_was_unchanged_keeps_its_receipt_from_job_to_job(store: Store) -> None:
    register(store, ANN)
    carried(store, ["a", "b"])
    for _ in range(2):
        new_job(store, place="here")
        lease = claim(store)
        remembered = list(store.planning.remembered(lease))
        assert [receipt for _key, _fingerprint, receipt, _since in remembered] == [RECEIPT, RECEIPT]
        store.planning.add(lease, [planned("a"), planned("b")], hold=True)
        unchanged = [Compared(no, Action.SKIP, "unchanged", receipt=row[2]) for no, row in enumerate(remembered)]
        store.planning.compared(lease, unchanged)
        store.planning.finish(lease)
        store.units.finish(claim(store))


def test_of_a_watching_job_the_newest_row_of_each_key_comes_first_in_the_order_of_keys(store: Store) -> None:
    register(store, ANN)
    job = carried(store, ["b", "a", "b"])
    with store.database.write() as connection:
        connection.execute("UPDATE transfer SET etag = 'newest' WHERE job_no = :no AND no = 2", no=job.no)
        connection.execute(
            "INSERT INTO watched (job_no, source_no, path, no) VALUES (:no, 0, :path, 2)",
            no=job.no, path=b"b",
        )  # fmt: skip
    new_job(store, place="here")
    remembered = store.planning.remembered(claim(store), numbered_by_key=True)
    assert [(key, receipt.etag) for key, _fingerprint, receipt, _since in remembered] == [
        ("p/a", '"e"'), ("p/b", "newest"), ("p/b", '"e"'),
    ]  # fmt: skip

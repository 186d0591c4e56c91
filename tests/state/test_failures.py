"""Failed files by their causes, sent again by these, and lists of files in every order."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from s3tui.events import Failed, Planned
from s3tui.model import FileChoice, FileState, Job, JobState, Order, View
from s3tui.state.store import Store
from s3tui.state.transfers import Cause, write_facts
from tests.state.scenes import ANN, carry, carry_all, claim, new_job, plan, planned, register, uploaded

REFUSED, SLOW = "access_denied", "timeout"


def failing(store: Store, entries: Sequence[Planned], reasons: Sequence[str | None], *, end: bool = True) -> Job:
    """A job whose files have failed for these reasons, None: they are stored; likewise what its plan refused."""
    register(store, ANN)
    job = new_job(store)
    plan(store, [list(entries)])
    lease = claim(store)
    with store.database.write() as connection:
        facts = [uploaded(no) if reason is None else Failed(no, 2, reason, f"{no}.") for no, reason in enumerate(reasons)]
        write_facts(connection, lease, facts)
    if end:
        store.units.finish(lease)
    return job


def failed(store: Store, job: Job, reason: str | None = None) -> list[int]:
    return list(store.transfers.numbers(job.no, FileChoice(View.FAILED, reason=reason), []))


def test_failed_files_are_counted_by_cause_with_their_bytes_and_the_first_of_them(store: Store) -> None:
    entries = [planned(f"f{no}", 100 + no) for no in range(6)]
    refused = [planned(f"bad{no}", 7, FileState.FAILED, SLOW) for no in range(2)]
    job = failing(store, [*entries, *refused], [REFUSED, SLOW, None, REFUSED, REFUSED, SLOW])
    causes = store.transfers.causes(job.no)
    assert causes == [Cause(SLOW, 4, 2, 101 + 105 + 14, 1, 7), Cause(REFUSED, 3, 3, 100 + 103 + 104, 0, 4)]
    assert [(row.path, row.error) for row in store.transfers.failed(job.no, causes[1], 2)] == [(b"f0", "0."), (b"f3", "3.")]
    assert [row.no for row in store.transfers.failed(job.no, causes[0], 9)] == [1, 5, 6, 7]
    assert store.transfers.causes(new_job(store, spec_hash="other").no) == []


def test_the_files_of_one_cause_are_a_list_of_their_own(store: Store) -> None:
    job = failing(store, [planned(name) for name in ("ax", "bx", "c", "dx")], [REFUSED, SLOW, REFUSED, REFUSED])
    assert failed(store, job, REFUSED) == [0, 2, 3]
    assert list(store.transfers.numbers(job.no, FileChoice(View.FAILED, "X", REFUSED, Order.NUMBER, backwards=True), [])) == [3, 0]
    assert failed(store, job, "no_such_reason") == []


def test_a_retry_of_one_cause_takes_exactly_its_files_and_nothing_the_second_time(store: Store) -> None:
    entries = [planned(f"{no:04}") for no in range(2500)]
    reasons = [SLOW if no % 5 else REFUSED for no in range(2500)]
    job = failing(store, [*entries, planned("bad", state=FileState.FAILED, reason=SLOW)], reasons)
    assert store.jobs.by_no(job.no).state is JobState.PARTIAL
    assert store.jobs.retry(job.no, reason=SLOW, home=None, identity="") == 2000
    assert store.jobs.retry(job.no, reason=SLOW, home=None, identity="") == 0
    assert failed(store, job) == [*range(0, 2500, 5), 2500]
    totals = store.jobs.by_no(job.no).totals
    assert (totals.failed, totals.found) == (501, 2501)
    sizes = []
    while (unit := store.units.claim(ANN)) is not None:
        sizes.append(len(list(store.transfers.to_carry(unit[0]))))
        carry_all(store, unit[0])
    assert sizes == [1000, 1000]
    job = store.jobs.by_no(job.no)
    assert (job.state, job.totals.uploaded, job.totals.failed) == (JobState.PARTIAL, 2000, 501)


def test_what_fails_again_after_a_retry_is_in_its_group_again(store: Store) -> None:
    job = failing(store, [planned("a"), planned("b")], [SLOW, SLOW])
    assert store.jobs.retry(job.no, reason=SLOW, home=None, identity="") == 2
    again = claim(store)
    carry(store, again, [Failed(0, 3, REFUSED, "No."), Failed(1, 3, SLOW, "Late.")])
    assert (failed(store, job, SLOW), failed(store, job, REFUSED)) == ([1], [0])
    assert store.jobs.by_no(job.no).totals.failed == 2


def test_files_are_retried_while_the_job_still_runs(store: Store) -> None:
    job = failing(store, [planned("a"), planned("b"), planned("c")], [SLOW, None], end=False)
    assert store.jobs.retry(job.no, reason=SLOW, home=None, identity="") == 1
    again = claim(store)
    assert [carried[2] for carried in store.transfers.to_carry(again)] == [0]
    carry_all(store, again)
    totals = store.jobs.by_no(job.no).totals
    assert (totals.uploaded, totals.failed) == (2, 0)


def test_of_two_who_retry_the_same_at_once_one_finds_nothing_left(store: Store) -> None:
    job = failing(store, [planned(f"{no:04}") for no in range(3000)], [SLOW] * 3000)
    counts: list[int] = []
    together = threading.Barrier(3)

    def retry() -> None:
        together.wait()
        counts.append(store.jobs.retry(job.no, reason=SLOW, home=None, identity=""))

    threads = [threading.Thread(target=retry) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == [0, 0, 3000]
    assert store.jobs.by_no(job.no).totals.failed == 0


@pytest.mark.parametrize(
    ("order", "upwards", "downwards"),
    [
        (Order.NUMBER, [0, 1, 2, 3, 4], [4, 3, 2, 1, 0]),
        (Order.PATH, [3, 1, 2, 4, 0], [0, 4, 2, 1, 3]),
        (Order.SIZE, [2, 0, 3, 4, 1], [1, 4, 0, 3, 2]),
        (Order.STATE, [2, 0, 1, 3, 4], [4, 1, 3, 0, 2]),
        (Order.TRIES, [2, 4, 0, 1, 3], [1, 3, 0, 2, 4]),
        (Order.REASON, [0, 2, 1, 4, 3], [3, 4, 1, 0, 2]),
    ],
)
def test_lists_are_sorted_by_the_database(store: Store, order: Order, upwards: list[int], downwards: list[int]) -> None:
    entries = [planned(name, size) for name, size in (("z", 20), ("B", 90), ("a", 5), ("A/9", 20))]
    entries.append(planned("caf\udce9", 40, FileState.FAILED, "name_not_utf8"))
    register(store, ANN)
    job = new_job(store)
    plan(store, [entries])
    lease = claim(store)
    with store.database.write() as connection:
        write_facts(connection, lease, [uploaded(0, 20), Failed(1, 2, REFUSED, "No."), Failed(3, 2, SLOW, "Late.")])

    def numbers(*, backwards: bool) -> list[int]:
        return list(store.transfers.numbers(job.no, FileChoice(order=order, backwards=backwards), []))

    assert numbers(backwards=False) == upwards
    assert numbers(backwards=True) == downwards


def test_a_view_is_sorted_like_the_whole(store: Store) -> None:
    job = failing(store, [planned(str(no), 50 - no % 3) for no in range(6)], [None, SLOW, None, SLOW, SLOW, None])
    by_size = FileChoice(View.FAILED, order=Order.SIZE, backwards=True)
    assert list(store.transfers.numbers(job.no, by_size, [])) == [3, 1, 4]
    assert list(store.transfers.numbers(job.no, by_size._replace(view=View.ACTIVE), [5, 1, 0])) == [1, 0, 5]
    assert list(store.transfers.numbers(job.no, by_size._replace(view=View.QUEUED), [5])) == []
    assert store.jobs.by_no(job.no).state is JobState.PARTIAL

"""Jobs through their life, on every database."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from s3tui.errors import Conflict, LeaseLost
from s3tui.events import Compared, Failed, Skipped
from s3tui.model import Action, Desired, FileChoice, FileState, JobState, View, new_id, now_ms
from s3tui.service import Service
from s3tui.state.jobs import NewJob
from s3tui.state.store import Store
from s3tui.state.transfers import write_facts
from s3tui.state.units import Claimant, assert_held
from tests.databases import empty
from tests.state.scenes import ANN, BOB, carry, carry_all, claim, new_job, plan, planned, register, uploaded


def state_of(store: Store, number: int) -> JobState:
    return store.jobs.by_no(number).state


def unfinished(store: Store, spec_hash: str) -> str | None:
    """The id of the job that the same command would go on with; without one it begins."""
    new = NewJob(new_id(), "upload", "upload", "{}", spec_hash, False, 100, None, "", now_ms())
    found = store.jobs.create(new, unless_unfinished=True)
    return None if found is None else found.id


def test_a_job_is_carried_while_its_plan_is_written(store: Store) -> None:
    register(store, ANN, BOB)
    job = new_job(store)
    planning = claim(store)
    store.planning.add(planning, [planned("a"), planned("b")], hold=False)
    carry_all(store, claim(store, BOB))
    assert state_of(store, job.no) is JobState.RUNNING
    store.planning.finish(planning)
    ended = store.jobs.by_no(job.no)
    assert ended.state is JobState.COMPLETED
    assert (ended.totals.found, ended.totals.uploaded, ended.totals.bytes) == (2, 2, 20)
    assert ended.finished_at is not None


def test_numbers_are_dense_over_shards_and_skips(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    plan(store, [[planned("a"), planned("b", state=FileState.SKIPPED, reason="excluded")], [planned("c")]])
    assert [(row.no, row.path, row.state) for row in store.transfers.window(job.no, 0, 10)] == [
        (0, b"a", FileState.PLANNED),
        (1, b"b", FileState.SKIPPED),
        (2, b"c", FileState.PLANNED),
    ]


def test_a_dry_run_holds_its_units_until_it_is_applied(store: Store) -> None:
    register(store, ANN)
    job = new_job(store, dry_run=True)
    plan(store, [[planned("a")]], hold=True)
    assert state_of(store, job.no) is JobState.PLANNED
    assert store.units.claim(ANN) is None
    store.jobs.apply(job.no, home=None, identity="")
    carry_all(store, claim(store))
    assert state_of(store, job.no) is JobState.COMPLETED


def test_applying_a_plan_with_nothing_to_send_completes_it(store: Store) -> None:
    register(store, ANN)
    job = new_job(store, dry_run=True)
    plan(store, [[planned("a", state=FileState.SKIPPED, reason="exists")]], hold=True)
    store.jobs.apply(job.no, home=None, identity="")
    assert state_of(store, job.no) is JobState.COMPLETED


def test_comparing_changes_what_will_happen_and_counts_it(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    lease = claim(store)
    store.planning.add(lease, [planned("é"), planned("b"), planned("B"), planned("z")], hold=True)
    by_key = list(store.planning.by_key(lease))
    assert by_key == sorted(by_key, key=lambda entry: entry[1].encode())
    facts = [
        Compared(0, Action.NEW),
        Compared(1, Action.SKIP, "exists"),
        Compared(2, Action.FAIL, "key_collision", "Two files have one key."),
    ]
    for _twice in range(2):
        store.planning.compared(lease, facts)
    totals = store.jobs.by_no(job.no).totals
    assert (totals.found, totals.skipped, totals.failed, totals.bytes_found) == (4, 1, 1, 20)
    assert [row.action for row in store.transfers.window(job.no, 0, 4)] == [Action.NEW, Action.SKIP, Action.FAIL, Action.UPLOAD]


def test_a_file_that_failed_makes_the_job_partial_and_can_be_retried(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    plan(store, [[planned("a"), planned("b"), planned("never", state=FileState.FAILED, reason="name_not_utf8")]])
    lease = claim(store)
    carry(store, lease, [uploaded(0), Failed(1, 3, "access_denied", "No.")])
    assert state_of(store, job.no) is JobState.PARTIAL
    assert store.jobs.by_no(job.no).totals.retries == 2

    assert store.jobs.retry(job.no, None, home=None, identity="") == 1, "what the plan refused cannot be retried"
    assert state_of(store, job.no) is JobState.PENDING
    again = claim(store)
    assert [(number, attempts) for _s, _p, number, _k, _a, _f, attempts, _u in store.transfers.to_carry(again)] == [(1, 3)]
    carry(store, again, [uploaded(1, attempts=4)])
    totals = store.jobs.by_no(job.no).totals
    assert (totals.uploaded, totals.failed, totals.retries) == (2, 1, 3)
    assert totals.found == totals.uploaded + totals.skipped + totals.failed


def test_a_job_that_does_not_know_the_end_of_a_file_is_not_completed(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    plan(store, [[planned("a"), planned("b"), planned("c", state=FileState.SKIPPED, reason="excluded")]])
    lease = claim(store)
    carry(store, lease, [uploaded(0)])
    ended = store.jobs.by_no(job.no)
    assert (ended.state, ended.reason) == (JobState.FAILED, "inconsistent_state")
    assert "what became of 1 of its files is not known" in (ended.error or "")
    assert (ended.totals.uploaded, ended.totals.skipped, ended.totals.failed) == (1, 1, 1)
    assert [row.state for row in store.transfers.window(job.no, 0, 3)][1] is FileState.FAILED


def test_retrying_one_file_leaves_the_other_failures(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    plan(store, [[planned("a"), planned("b")]])
    lease = claim(store)
    carry(store, lease, [Failed(0, 1, "x", "No."), Failed(1, 1, "x", "No.")])
    assert store.jobs.retry(job.no, [1, 77], home=None, identity="") == 1
    assert list(store.transfers.numbers(job.no, FileChoice(View.FAILED), [])) == [0]


def test_a_fact_written_twice_counts_once(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    plan(store, [[planned("a"), planned("b")]])
    lease = claim(store)
    for _twice in range(2):
        with store.database.write() as connection:
            write_facts(connection, lease, [uploaded(0), Skipped(1, 1, "exists")])
    totals = store.jobs.by_no(job.no).totals
    assert (totals.uploaded, totals.skipped, totals.bytes) == (1, 1, 10)


def test_a_worker_that_lost_its_lease_writes_nothing(store: Store) -> None:
    register(store, ANN, BOB)
    job = new_job(store)
    plan(store, [[planned("a")]])
    slept = claim(store, ANN)
    with store.database.write() as connection:
        connection.execute("UPDATE unit SET lease_until = 1 WHERE no = :no", no=slept.unit_no)
    store.units.reap()
    taken = claim(store, BOB)
    assert taken.token > slept.token
    with pytest.raises(LeaseLost), store.database.write() as connection:
        write_facts(connection, slept, [uploaded(0)])
    with pytest.raises(LeaseLost):
        store.units.finish(slept)
    store.units.release(slept)
    assert (slept.job_no, slept.unit_no, taken.token) in store.workers.beat("bob", {})
    assert not store.workers.beat("ann", {})
    assert store.jobs.by_no(job.no).totals.uploaded == 0


def test_a_unit_that_was_finished_is_not_taken_for_a_lost_one(store: Store) -> None:
    register(store, ANN)
    new_job(store)
    plan(store, [[planned("a")], [planned("b")]])
    finished, at_work = claim(store), claim(store)
    carry_all(store, finished)
    held = store.workers.beat("ann", {})
    assert held == {(at_work.job_no, at_work.unit_no, at_work.token)}
    assert store.units.is_done(finished)
    assert not store.units.is_done(at_work)


def test_units_of_a_process_that_is_gone_are_free_at_once(store: Store) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    register(store, ANN, pid=process.pid)
    job = new_job(store)
    claim(store, ANN)
    assert store.workers.carrying(store.jobs.by_no(job.no))
    process.kill()
    process.communicate()
    assert not store.workers.carrying(store.jobs.by_no(job.no))
    register(store, BOB, pid=os.getpid())
    assert claim(store, BOB).token == 2


def test_what_a_frozen_worker_has_locked_holds_up_no_other_unit(postgresql_url: str, tmp_path: Path) -> None:
    with closing(Store(f"{postgresql_url}?options=-c%20lock_timeout%3D5s", tmp_path)) as store:
        empty(store)
        register(store, ANN, BOB)
        new_job(store)
        new_job(store)
        frozen, left = claim(store, ANN), claim(store, ANN)
        with store.database.write() as connection:
            connection.execute("UPDATE unit SET lease_until = 1")
        with store.database.write() as connection:
            assert_held(connection, frozen)
            store.units.reap()
            assert claim(store, BOB).job_no == left.job_no
            assert store.units.claim(BOB) is None
        store.units.reap()
        assert claim(store, BOB).job_no == frozen.job_no


def test_a_unit_on_which_worker_after_worker_dies_fails_the_job(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    for _death in range(5):
        claim(store)
        with store.database.write() as connection:
            connection.execute("UPDATE unit SET lease_until = 1")
        store.units.reap()
    assert store.units.claim(ANN) is None
    failed = store.jobs.by_no(job.no)
    assert (failed.state, failed.reason) == (JobState.FAILED, "worker_crashed")


def test_deaths_do_not_count_against_a_unit_that_gets_on_between_them(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    plan(store, [[planned(f"{number}") for number in range(9)]])
    for number in range(8):
        lease = claim(store)
        with store.database.write() as connection:
            write_facts(connection, lease, [uploaded(number)])
            connection.execute("UPDATE unit SET lease_until = 1 WHERE no = 1")
        store.units.reap()
    carry_all(store, claim(store))
    assert store.jobs.by_no(job.no).state is JobState.COMPLETED


def test_a_bound_job_is_left_to_its_worker_while_that_lives(store: Store) -> None:
    home = Claimant("home", "", ("upload",), home_only=True)
    register(store, ANN, home)
    new_job(store)
    bound = new_job(store, home="home")
    assert claim(store, home).job_no == bound.no
    claim(store, ANN)
    assert store.units.claim(ANN) is None


def test_a_worker_that_leaves_pauses_what_was_bound_to_it(store: Store) -> None:
    home = Claimant("home", "", ("upload",), home_only=True)
    register(store, ANN, home)
    job = new_job(store, home="home")
    store.units.release(claim(store, home))
    store.workers.unregister("home")
    assert state_of(store, job.no) is JobState.PAUSED
    assert store.units.claim(ANN) is None
    store.jobs.reopen(job.no, home=None, identity="")
    assert claim(store, ANN).job_no == job.no


def test_workers_with_other_credentials_leave_a_job_alone(store: Store) -> None:
    register(store, ANN)
    new_job(store, identity="someone")
    assert store.units.claim(ANN) is None
    assert store.units.claim(Claimant("eve", "someone", ("upload",), home_only=False)) is not None


def test_pause_waits_for_the_leases_and_cancel_is_final(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    lease = claim(store)
    store.jobs.desire(job.no, Desired.PAUSE)
    assert state_of(store, job.no) is JobState.RUNNING
    assert store.units.orders([job.no])[job.no][0] is Desired.PAUSE
    store.units.release(lease)
    assert state_of(store, job.no) is JobState.PAUSED
    store.jobs.desire(job.no, Desired.CANCEL)
    assert state_of(store, job.no) is JobState.CANCELLED
    store.jobs.desire(job.no, Desired.RUN)
    assert state_of(store, job.no) is JobState.CANCELLED


@pytest.mark.parametrize("verb", ["pause", "resume", "retry"])
def test_a_job_that_is_being_cancelled_is_not_called_back(store: Store, verb: str) -> None:
    register(store, ANN)
    job = new_job(store)
    plan(store, [[planned("a"), planned("b")]])
    lease = claim(store)
    with store.database.write() as connection:
        write_facts(connection, lease, [Failed(0, 1, "access_denied", "It was refused.")])
    service = Service(store)
    service.cancel(job.id)
    with pytest.raises(Conflict, match="it is being cancelled"):
        getattr(service, verb)(job.id)
    store.jobs.desire(job.no, Desired.PAUSE)  # as if it had been asked for at the same moment
    store.jobs.reopen(job.no, home=None, identity="")
    store.units.release(lease)
    assert state_of(store, job.no) is JobState.CANCELLED


def test_every_file_of_a_cancelled_job_has_an_end(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    plan(store, [[planned("a"), planned("b")]])
    lease = claim(store)
    with store.database.write() as connection:
        write_facts(connection, lease, [uploaded(0)])
    store.jobs.desire(job.no, Desired.CANCEL)
    store.units.release(lease)
    totals = store.jobs.by_no(job.no).totals
    assert (totals.found, totals.uploaded, totals.skipped) == (2, 1, 1)
    assert store.transfers.window(job.no, 1, 1)[0].reason == "cancelled"


def test_a_wish_about_a_job_whose_worker_died_comes_true_when_it_is_reaped(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    claim(store)
    store.jobs.desire(job.no, Desired.CANCEL)
    assert state_of(store, job.no) is JobState.RUNNING
    with store.database.write() as connection:
        connection.execute("UPDATE unit SET lease_until = 1")
    store.units.reap()
    assert state_of(store, job.no) is JobState.CANCELLED


def test_the_unfinished_job_of_a_spec_is_found_and_an_ended_one_is_not(store: Store) -> None:
    register(store, ANN)
    job = new_job(store, spec_hash="same")
    assert unfinished(store, "same") == job.id
    plan(store, [[planned("a")]])
    carry_all(store, claim(store))
    assert unfinished(store, "same") is None


def test_two_processes_that_submit_the_same_spec_at_once_share_one_job(store: Store) -> None:
    gate = threading.Barrier(8)

    def submit() -> None:
        gate.wait()
        unfinished(store, "same")

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.jobs.newest(limit=9, before=None)) == 1


def test_a_job_that_failed_half_way_can_go_on(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    plan(store, [[planned("a")]])
    lease = claim(store)
    store.jobs.fail(job.no, "credentials", "The token expired.")
    store.units.release(lease)
    failed = store.jobs.by_no(job.no)
    assert (failed.state, failed.totals.failed, failed.totals.found) == (JobState.FAILED, 1, 1)
    assert store.transfers.window(job.no, 0, 1)[0].reason == "credentials"
    assert unfinished(store, "h") == job.id
    store.jobs.reopen(job.no, home=None, identity="")
    assert store.jobs.by_no(job.no).totals.failed == 0
    carry_all(store, claim(store))
    assert state_of(store, job.no) is JobState.COMPLETED


def test_two_workers_that_finish_the_last_two_units_complete_the_job(store: Store) -> None:
    register(store, ANN, BOB)
    for _round in range(20):
        job = new_job(store)
        plan(store, [[planned("a")], [planned("b")]])
        leases = [claim(store, ANN), claim(store, BOB)]
        gate = threading.Barrier(2)

        def finish(number: int) -> None:
            gate.wait()  # noqa: B023
            carry_all(store, leases[number])  # noqa: B023

        threads = [threading.Thread(target=finish, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert state_of(store, job.no) is JobState.COMPLETED


def test_views_and_filters_give_numbers(store: Store) -> None:
    register(store, ANN)
    job = new_job(store)
    plan(
        store,
        [[planned("Alpha.txt"), planned("beta.txt"), planned("x\udcff"), planned("s", state=FileState.SKIPPED, reason="excluded")]],
    )
    lease = claim(store)
    with store.database.write() as connection:
        write_facts(connection, lease, [uploaded(0)])
    numbers = store.transfers.numbers
    assert list(numbers(job.no, FileChoice(), [])) == [0, 1, 2, 3]
    assert list(numbers(job.no, FileChoice(View.DONE), [])) == [0, 3]
    assert list(numbers(job.no, FileChoice(View.QUEUED), [2])) == [1]
    assert list(numbers(job.no, FileChoice(View.ACTIVE), [2])) == [2]
    assert list(numbers(job.no, FileChoice(containing="ALPHA"), [])) == [0]
    assert list(numbers(job.no, FileChoice(containing="\udcff"), [])) == [2]


def test_jobs_are_found_by_the_beginning_of_their_id_and_listed_newest_first(store: Store) -> None:
    jobs = [new_job(store) for _ in range(3)]
    assert [job.id for job in store.jobs.newest(limit=2, before=None)] == [jobs[2].id, jobs[1].id]
    assert [job.id for job in store.jobs.newest(limit=2, before=jobs[1].no)] == [jobs[0].id]
    assert store.jobs.find(jobs[0].id.lower())[0].id == jobs[0].id
    assert len(store.jobs.find(jobs[0].id[:2])) == 2


def test_it_is_known_whether_another_job_has_still_to_be_planned_by_a_list(store: Store) -> None:
    def job_of_list(name: str) -> int:
        spec = f'{{"choice":{{"files_from":"{name}"}}}}'
        new = NewJob(new_id(), "upload", "upload", spec, new_id(), False, 100, None, "", now_ms())
        store.jobs.create(new)
        return store.jobs.newest(limit=1, before=None)[0].no

    register(store, ANN)
    first, second = job_of_list("0123abcd"), job_of_list("0123abcd")
    job_of_list("4567abcd")
    assert store.jobs.another_to_plan(first, "0123abcd")
    assert store.jobs.another_to_plan(second, "0123abcd")
    plan(store, [[planned("a")]])
    assert not store.jobs.another_to_plan(second, "0123abcd"), "the first is planned, though not carried"
    store.jobs.desire(second, Desired.CANCEL)
    assert not store.jobs.another_to_plan(first, "0123abcd")


def test_the_jobs_that_wait_are_found_beside_those_that_are_named(store: Store) -> None:
    register(store, ANN)
    ended, running, *waiting = [new_job(store) for _ in range(5)]
    store.jobs.fail(ended.no, "no_such_bucket", "There is none.")
    claim(store)
    found = store.jobs.live([ended.no, waiting[0].no], waiting=1)
    assert [(job.no, job.state) for job in sorted(found, key=lambda job: job.no)] == [
        (ended.no, JobState.FAILED),
        (waiting[0].no, JobState.PENDING),
        (waiting[1].no, JobState.PENDING),
    ]
    assert [job.no for job in store.jobs.live([], waiting=9)] == [job.no for job in waiting]
    assert running.no not in {job.no for job in store.jobs.live([], waiting=9)}

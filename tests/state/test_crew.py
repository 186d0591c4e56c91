"""What people see of the workers: who is alive, who is lost, and what each has of which job."""

from __future__ import annotations

from s3tui.model import Holding
from s3tui.state.store import Store
from s3tui.state.units import LEASE_MS
from tests.state.scenes import ANN, BOB, claim, new_job, plan, planned, register


def fall_silent(store: Store, worker_id: str, seconds: float) -> None:
    """Let the last heartbeat of a worker, and of its leases, be so long ago."""
    ago = int(seconds * 1000)
    with store.database.write() as connection:
        then = f"clock_ms() + {LEASE_MS} - :ago"
        connection.execute(f"UPDATE worker SET alive_until = {then}, host = 'grace/boot' WHERE id = :id", ago=ago, id=worker_id)
        connection.execute(f"UPDATE unit SET lease_until = {then} WHERE worker = :id", ago=ago, id=worker_id)


def test_each_worker_is_told_with_what_it_has_of_each_job(store: Store) -> None:
    job = new_job(store)
    register(store, ANN, BOB)
    plan(store, [[planned("a")], [planned("b")]])
    claim(store, ANN), claim(store, ANN)
    store.workers.beat(ANN.id, {job.id: {"rate": 500, "active": [[0, 7, 10, 1, 5], [1, 1, 10, 1, 5]]}})
    ann, bob = store.workers.crew()
    assert ann.holdings == (Holding(job.id, units=2, taken_over=0, in_flight=2, rate=500.0),)
    assert (bob.id, bob.holdings) == (BOB.id, ())
    assert not ann.lost
    assert ann.silent < 5
    assert "/" not in ann.host


def test_a_worker_that_fell_silent_is_lost_and_its_units_are_told_as_taken_over(store: Store) -> None:
    job = new_job(store)
    register(store, ANN, BOB)
    plan(store, [[planned("a")]])
    claim(store, ANN)
    fall_silent(store, ANN.id, 8)
    [live], [seen] = store.workers.holders(job)
    assert (live.id, seen.id, seen.host, seen.lost) == (ANN.id, ANN.id, "grace", False)
    assert 8 <= seen.silent < 12
    fall_silent(store, ANN.id, 20)
    live_ones, [seen] = store.workers.holders(job)
    assert (live_ones, seen.id, seen.lost) == ((), ANN.id, True)
    store.units.reap()
    claim(store, BOB)
    [live], [seen] = store.workers.holders(job)
    assert (live.id, seen.holdings) == (BOB.id, (Holding(job.id, 1, 1, 0, 0.0),))
    assert [(state.id, state.lost) for state in store.workers.crew()] == [(ANN.id, True), (BOB.id, False)]


def test_a_lost_worker_whose_process_is_still_there_hangs(store: Store) -> None:
    register(store, ANN, pid=1)
    with store.database.write() as connection:
        connection.execute("UPDATE worker SET alive_until = clock_ms() - 1000")
    [seen] = store.workers.crew()
    assert (seen.lost, seen.hangs) == (True, True)
    with store.database.write() as connection:
        connection.execute("UPDATE worker SET pid = 999999999")
    [seen] = store.workers.crew()
    assert (seen.lost, seen.hangs) == (True, False)


def test_a_job_that_nobody_holds_has_no_crew(store: Store) -> None:
    job = new_job(store)
    register(store, ANN)
    assert store.workers.holders(job) == ((), ())
    assert len(store.workers.crew()) == 1

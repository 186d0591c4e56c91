"""The contract of a transfer engine, held by every engine on every server: limits, and changing them on the way."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from s3tui.transfer.engine import Control, Engine
from s3tui.transfer.part_sizes import THRESHOLD
from tests.front import FaultFront
from tests.servers import Store
from tests.transfer.rides import MIB, OpenEngine, Ride, filled, transfers_of, written
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=8)


def test_no_more_transfers_are_in_flight_than_the_job_allows_and_the_limit_can_be_raised(
    engine: Engine, store: Store, front: FaultFront, tmp_path: Path
) -> None:
    source = next(iter(written(tmp_path, {"x": b"x"}).values()))
    gate = front.hold("PutObject", times=9999)
    ride = Ride(engine, transfers_of(store.bucket, {f"key-{no}": source for no in range(40)}), control=Control(3))
    thread = ride.start()
    wait_until(lambda: front.count("PutObject") == 3 and len(ride.progress.sample()[0]) == 3)
    ride.control.tune(concurrency=7, bandwidth=0)
    wait_until(lambda: front.count("PutObject") == 7 and len(ride.progress.sample()[0]) == 7)
    gate.open()
    thread.join()
    assert front.peak == 7
    assert len(ride.uploaded) == 40


def test_many_large_files_at_once_do_not_wait_for_each_other_for_ever(
    engine_on: OpenEngine, moto_store: Store, tmp_path: Path
) -> None:
    source = tmp_path / "sparse"
    with source.open("wb") as file:
        file.truncate(THRESHOLD)
    keys = {f"key-{no}": source for no in range(12)}
    ride = Ride(engine_on(moto_store), transfers_of(moto_store.bucket, keys), control=Control(12)).carry()
    assert len(ride.uploaded) == 12


def test_files_leave_no_faster_than_the_bandwidth(engine: Engine, store: Store, tmp_path: Path) -> None:
    contents = {"over one block": filled(700 << 10)} | {f"small-{no}": filled(100 << 10) for no in range(3)}
    transfers = transfers_of(store.bucket, written(tmp_path, contents))
    began = time.monotonic()
    ride = Ride(engine, transfers, control=Control(4, MIB)).carry()
    # What leaves last is paid for by nobody: at most one small file and one block.
    assert time.monotonic() - began > 0.5
    assert len(ride.uploaded) == 4
    assert store.contents() == contents


@pytest.mark.parametrize("size", [MIB, THRESHOLD])
def test_the_bandwidth_can_be_changed_while_a_file_is_on_its_way(engine: Engine, store: Store, tmp_path: Path, size: int) -> None:
    transfers = transfers_of(store.bucket, written(tmp_path, {"slow": filled(size)}))
    ride = Ride(engine, transfers, control=Control(4, 30_000))
    thread = ride.start()
    wait_until(lambda: ride.progress.sample()[1] > 0)
    assert ride.progress.sample()[1] < size
    ride.control.tune(concurrency=4, bandwidth=0)
    thread.join()
    assert (ride.raised, set(ride.uploaded)) == (None, {0})
    assert store.contents() == {"slow": filled(size)}


@pytest.mark.parametrize("size", [MIB, THRESHOLD])
def test_a_slow_file_is_broken_off_at_once(engine: Engine, store: Store, tmp_path: Path, size: int) -> None:
    transfers = transfers_of(store.bucket, written(tmp_path, {"slow": filled(size)}))
    ride = Ride(engine, transfers, control=Control(4, 30_000))
    thread = ride.start()
    wait_until(lambda: ride.progress.sample()[1] > 0)
    ride.control.cancel()
    thread.join()
    assert (ride.raised, ride.ended) == (None, [])
    assert (store.contents(), store.open_uploads(), ride.open_uploads) == ({}, [], {})

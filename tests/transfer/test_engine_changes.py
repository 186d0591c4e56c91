"""The contract of a transfer engine, held by every engine on every server: files that change, people who do, taken keys."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from s3tui.model import Fingerprint, Policy, Transfer
from s3tui.transfer.engine import Control, Engine
from s3tui.transfer.part_sizes import THRESHOLD
from tests.front import FaultFront
from tests.servers import Store
from tests.transfer.rides import MIB, SINGLE, OpenEngine, Ride, filled, transfers_of, written
from tests.unprivileged import run_unprivileged
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=8)


@pytest.mark.parametrize(("size", "operation"), [(SINGLE, "PutObject"), (THRESHOLD, "UploadPart")])
@pytest.mark.parametrize("change", ["grows", "is rewritten in place", "shrinks"])
def test_a_file_that_changes_while_it_is_read_fails_and_nothing_is_stored(
    engine: Engine, store: Store, front: FaultFront, tmp_path: Path, size: int, operation: str, change: str
) -> None:
    files = written(tmp_path, {"log": filled(size)})
    gate = front.hold(operation, after=MIB)
    ride = Ride(engine, transfers_of(store.bucket, files), Policy(max_attempts=1))
    thread = ride.start()
    assert gate.arrived.wait(20)
    _change(files["log"], change)
    gate.open()
    thread.join()
    assert ride.raised is None
    assert ride.failed[0].reason == "changed_while_reading"
    assert store.contents() == {}
    assert store.open_uploads() == []


def _change(path: Path, how: str) -> None:
    with path.open("r+b") as file:
        if how == "grows":
            file.seek(0, os.SEEK_END)
            file.write(b"more")
        elif how == "shrinks":
            file.truncate(2 * MIB)
        else:
            file.seek(-1, os.SEEK_END)
            file.write(b"!")


def test_a_file_that_changed_is_sent_as_it_is_once_it_is_at_rest(
    engine: Engine, store: Store, front: FaultFront, tmp_path: Path
) -> None:
    files = written(tmp_path, {"log": filled(SINGLE)})
    gate = front.hold("PutObject", after=MIB)
    ride = Ride(engine, transfers_of(store.bucket, files))
    thread = ride.start()
    assert gate.arrived.wait(20)
    _change(files["log"], "grows")
    gate.open()
    thread.join()
    assert ride.uploaded[0].attempts == 2
    assert ride.uploaded[0].receipt.size == SINGLE + 4
    assert store.contents() == {"log": files["log"].read_bytes()}


def test_sources_that_are_no_readable_files_any_more_fail_with_their_reason_at_once(
    engine: Engine, store: Store, front: FaultFront, tmp_path: Path
) -> None:
    files = written(tmp_path, {"gone": b"1", "directory": b"2", "fifo": b"3", "link": b"4", "fine": b"5"})
    transfers = transfers_of(store.bucket, files)
    for key in ("gone", "directory", "fifo", "link"):
        files[key].unlink()
    files["directory"].mkdir()
    os.mkfifo(files["fifo"])
    files["link"].symlink_to("/etc/passwd")
    ride = Ride(engine, transfers).carry()
    assert {no: fact.reason for no, fact in ride.failed.items()} == {
        0: "source_vanished", 1: "not_a_file", 2: "not_a_file", 3: "not_a_file",
    }  # fmt: skip
    assert all(fact.attempts == 1 for fact in ride.failed.values())
    assert store.contents() == {"fine": b"5"}
    assert front.count("PutObject") == 1


def test_a_link_that_was_planned_as_its_file_is_sent_as_that_file(engine: Engine, store: Store, tmp_path: Path) -> None:
    files = written(tmp_path, {"real": b"contents"})
    link = tmp_path / "link"
    link.symlink_to(files["real"])
    planned = Transfer(0, bytes(link), transfers_of(store.bucket, {"link": link})[0].target, Fingerprint.of(link.stat()))
    assert set(Ride(engine, [planned]).carry().uploaded) == {0}
    assert store.contents() == {"link": b"contents"}


def test_an_unreadable_file_fails_with_permission_denied_and_the_others_arrive(rclone_store: Store, tmp_path: Path) -> None:
    files = written(tmp_path, {"locked": b"1", "open": b"2"})
    files["locked"].chmod(0)
    script = """
        import json, sys
        from pathlib import Path
        from s3tui.transfer.s3transfer import open_engine
        from tests.servers import Store
        from tests.transfer.rides import Ride, transfers_of
        store = Store(*json.loads(sys.argv[1]))
        files = {key: Path(path) for key, path in json.loads(sys.argv[2]).items()}
        ride = Ride(open_engine(store.connection, store.aws), transfers_of(store.bucket, files)).carry()
        print(json.dumps({"failed": [[fact.no, fact.reason] for fact in ride.failed.values()], "uploaded": list(ride.uploaded)}))
    """
    place = [rclone_store.name, rclone_store.url, rclone_store.bucket]
    outcome = run_unprivileged(script, place, {key: str(path) for key, path in files.items()})
    assert outcome == {"failed": [[0, "permission_denied"]], "uploaded": [1]}


def test_a_pause_lets_what_is_in_flight_end_and_leaves_the_rest_planned(
    engine: Engine, store: Store, front: FaultFront, tmp_path: Path
) -> None:
    source = next(iter(written(tmp_path, {"x": b"x"}).values()))
    waiting = iter(transfers_of(store.bucket, {f"key-{no}": source for no in range(100)}))
    gate = front.hold("PutObject", "key-0")
    ride = Ride(engine, waiting, control=Control(1))
    thread = ride.start()
    assert gate.arrived.wait(20)
    ride.control.pause()
    gate.open()
    thread.join()
    assert ride.raised is None
    assert set(ride.uploaded) == {0}
    assert len(ride.facts) == 1
    assert set(store.contents()) == {"key-0"}


def test_a_cancel_breaks_off_what_is_in_flight_and_leaves_no_upload(
    engine: Engine, store: Store, front: FaultFront, tmp_path: Path
) -> None:
    gates = [front.hold("PutObject", "single", after=MIB), front.hold("UploadPart", "multi", after=MIB)]
    files = written(tmp_path, {"single": filled(SINGLE), "multi": filled(THRESHOLD)})
    ride = Ride(engine, transfers_of(store.bucket, files))
    thread = ride.start()
    assert all(gate.arrived.wait(20) for gate in gates)
    ride.control.cancel()
    for gate in gates:
        gate.open()
    thread.join()
    assert ride.raised is None
    assert ride.ended == []
    assert ride.progress.sample()[0] == []
    assert store.contents() == {}
    assert (store.open_uploads(), ride.open_uploads) == ([], {})


@pytest.mark.parametrize("size", [10, THRESHOLD])
def test_a_taken_key_is_skipped_or_failed_as_asked_and_never_overwritten(
    engine_on: OpenEngine, moto_store: Store, tmp_path: Path, size: int
) -> None:
    moto_store.client().put_object(Bucket=moto_store.bucket, Key="taken", Body=b"first")
    transfers = transfers_of(moto_store.bucket, written(tmp_path, {"taken": filled(size)}))
    engine = engine_on(moto_store)
    skipping = Ride(engine, transfers, Policy(if_exists="skip")).carry()
    failing = Ride(engine, transfers, Policy(if_exists="fail")).carry()
    assert [(fact.no, fact.reason) for fact in skipping.skipped.values()] == [(0, "exists")]
    assert (failing.failed[0].reason, failing.failed[0].attempts) == ("exists", 1)
    assert moto_store.contents() == {"taken": b"first"}
    assert moto_store.open_uploads() == []
    overwriting = Ride(engine, transfers, Policy(if_exists="overwrite")).carry()
    assert set(overwriting.uploaded) == {0}
    assert moto_store.contents() == {"taken": filled(size)}


@pytest.mark.parametrize(("size", "operation"), [(10, "PutObject"), (THRESHOLD, "UploadPart")])
@pytest.mark.parametrize("if_exists", ["skip", "fail"])
def test_a_writer_who_comes_between_the_look_and_the_write_is_not_overwritten(
    engine_on: OpenEngine, moto_store: Store, tmp_path: Path, size: int, operation: str, if_exists: str
) -> None:
    transfers = transfers_of(moto_store.bucket, written(tmp_path, {"key": filled(size)}))
    with FaultFront(moto_store.url) as front:
        gate = front.hold(operation)
        ride = Ride(engine_on(moto_store.behind(front)), transfers, Policy(if_exists=if_exists))
        thread = ride.start()
        assert gate.arrived.wait(20)
        moto_store.client().put_object(Bucket=moto_store.bucket, Key="key", Body=b"of another writer")
        gate.open()
        thread.join()
    assert ride.raised is None
    assert [fact.reason for fact in (ride.skipped if if_exists == "skip" else ride.failed).values()] == ["exists"]
    assert moto_store.contents() == {"key": b"of another writer"}
    assert moto_store.open_uploads() == []


@pytest.mark.parametrize("ours", [True, False])
def test_a_key_that_our_own_unanswered_request_took_is_ours(
    engine_on: OpenEngine, moto_store: Store, tmp_path: Path, ours: bool
) -> None:
    transfers = transfers_of(moto_store.bucket, written(tmp_path, {"key": b"contents"}))
    with FaultFront(moto_store.url) as front:
        if ours:
            front.lose_answer("PutObject", times=1)
        else:
            moto_store.client().put_object(Bucket=moto_store.bucket, Key="key", Body=b"another")
            front.reset("PutObject", times=1)
        ride = Ride(engine_on(moto_store.behind(front)), transfers, Policy(if_exists="fail")).carry()
    assert (set(ride.uploaded) == {0}) is ours
    assert (set(ride.failed) == {0}) is not ours


def test_attempts_that_are_retried_do_not_leave_progress_behind(
    engine: Engine, store: Store, front: FaultFront, tmp_path: Path
) -> None:
    files = written(tmp_path, {"file": filled(SINGLE)})
    gate = front.hold("PutObject", after=MIB)
    ride = Ride(engine, transfers_of(store.bucket, files))
    thread = ride.start()
    assert gate.arrived.wait(20)
    wait_until(lambda: bool(sampled := ride.progress.sample()[0]) and sampled[0].sent >= MIB)
    flight = ride.progress.sample()[0][0]
    assert (flight.attempt, flight.size) == (1, SINGLE)
    assert flight.sent < SINGLE
    gate.open()
    thread.join()
    assert ride.progress.sample() == ([], SINGLE)

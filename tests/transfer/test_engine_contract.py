"""The contract of a transfer engine, held by every engine on every server."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from awscrt import checksums  # type: ignore[import-untyped, unused-ignore]

from s3tui.errors import AccessDenied, BucketNotFound, CredentialsError, EndpointUnreachable, LeaseLost
from s3tui.model import Fingerprint, ObjectHeaders, Policy, Transfer
from s3tui.transfer.engine import Control, Engine
from s3tui.transfer.multipart import THRESHOLD
from s3tui.transfer.s3transfer import open_engine
from tests.front import FaultFront
from tests.servers import Store
from tests.transfer.rides import Ride, transfers_of, written
from tests.unprivileged import run_unprivileged
from tests.waiting import wait_until

MIB = 1 << 20
SINGLE = 12 * MIB
"""Sent in one request, and more than the buffers between a client and a server hold."""
OpenEngine = Callable[[Store], Engine]


@pytest.fixture(params=["s3transfer"])
def engine_on(request: pytest.FixtureRequest) -> Iterator[OpenEngine]:
    """Opens the engine under test on a store."""
    opened: list[Engine] = []

    def open_on(store: Store) -> Engine:
        engine = {"s3transfer": open_engine}[request.param](store.connection, store.aws)
        opened.append(engine)
        return engine

    yield open_on
    for engine in opened:
        engine.close()


@pytest.fixture
def engine(engine_on: OpenEngine, store: Store, front: FaultFront) -> Engine:
    """The engine on each server in turn, through a front."""
    return engine_on(store.behind(front))


@cache
def _filled(size: int) -> bytes:
    """Bytes in which every part is another one."""
    return hashlib.shake_128(str(size).encode()).digest(size)


def _crc64nvme(data: bytes) -> str:
    return "crc64nvme:" + base64.b64encode(checksums.crc64nvme(data).to_bytes(8, "big")).decode()


def test_many_files_of_all_sizes_arrive_byte_identical(engine: Engine, store: Store, tmp_path: Path) -> None:
    sizes = [0, 1, 4096, 256 * 1024, 256 * 1024 + 1, MIB, 3 * MIB, *range(100, 150)]
    contents = {f"dir-{size % 3}/file-{size}.bin": _filled(size) for size in sizes}
    ride = Ride(engine, transfers_of(store.bucket, written(tmp_path, contents))).carry()
    assert set(ride.uploaded) == set(range(len(sizes)))
    assert not ride.failed
    assert store.contents() == contents
    for fact, data in zip(sorted(ride.uploaded.values(), key=lambda fact: fact.no), contents.values(), strict=True):
        assert (fact.attempts, fact.receipt.size, fact.receipt.checksum) == (1, len(data), _crc64nvme(data))
        assert fact.receipt.etag == hashlib.md5(data).hexdigest()
    assert ride.progress.sample() == ([], sum(sizes))


@pytest.mark.parametrize("size", [THRESHOLD - 1, THRESHOLD, THRESHOLD + 1, 2 * THRESHOLD + 12345])
def test_large_files_arrive_byte_identical_on_both_sides_of_the_multipart_threshold(
    engine: Engine, store: Store, front: FaultFront, tmp_path: Path, size: int
) -> None:
    ride = Ride(engine, transfers_of(store.bucket, written(tmp_path, {"big": _filled(size)}))).carry()
    assert store.contents() == {"big": _filled(size)}
    assert ride.uploaded[0].receipt.checksum == _crc64nvme(_filled(size))
    assert front.count("UploadPart") == (0 if size < THRESHOLD else -(-size // (8 * MIB)))
    assert store.open_uploads() == []
    assert ride.progress.sample()[1] == size


@pytest.mark.parametrize("algorithm", ["crc32", "crc32c", "sha256"])
def test_every_checksum_is_sent_for_small_and_for_large_objects(
    engine: Engine, store: Store, tmp_path: Path, algorithm: str
) -> None:
    contents = {"small": b"abc", "large": _filled(THRESHOLD + 5)}
    ride = Ride(engine, transfers_of(store.bucket, written(tmp_path, contents)), Policy(checksum=algorithm)).carry()
    assert store.contents() == contents
    assert all(fact.receipt.checksum.startswith(f"{algorithm}:") for fact in ride.uploaded.values())
    assert ride.uploaded[1].receipt.checksum.endswith("-3") == (algorithm == "sha256")


def test_a_configured_part_size_is_used(engine: Engine, store: Store, front: FaultFront, tmp_path: Path) -> None:
    contents = {"big": _filled(THRESHOLD)}
    Ride(engine, transfers_of(store.bucket, written(tmp_path, contents)), Policy(part_size=5 * MIB)).carry()
    assert front.count("UploadPart") == 4
    assert store.contents() == contents


def test_the_store_keeps_the_whole_object_checksum_of_a_multipart_object(
    engine_on: OpenEngine, moto_store: Store, tmp_path: Path
) -> None:
    transfers = transfers_of(moto_store.bucket, written(tmp_path, {"big": _filled(THRESHOLD)}))
    Ride(engine_on(moto_store), transfers).carry()
    kept = moto_store.client().head_object(Bucket=moto_store.bucket, Key="big", ChecksumMode="ENABLED")
    assert f"crc64nvme:{kept['ChecksumCRC64NVME']}" == _crc64nvme(_filled(THRESHOLD))


def test_headers_of_the_policy_are_stored_with_small_and_large_objects(
    engine_on: OpenEngine, moto_store: Store, tmp_path: Path
) -> None:
    headers = ObjectHeaders(
        storage_class="STANDARD_IA", metadata=(("owner", "ann"),), tags=(("team", "a b"),), cache_control="no-store", sse="AES256"
    )
    transfers = transfers_of(moto_store.bucket, written(tmp_path, {"page.html": b"<p>", "big.tar.gz": _filled(THRESHOLD)}))
    Ride(engine_on(moto_store), transfers, Policy(headers=headers)).carry()
    client = moto_store.client()
    for key, media_type in (("page.html", "text/html"), ("big.tar.gz", "application/gzip")):
        head = client.head_object(Bucket=moto_store.bucket, Key=key)
        assert (head["StorageClass"], head["Metadata"], head["CacheControl"]) == ("STANDARD_IA", {"owner": "ann"}, "no-store")
        assert (head["ContentType"], head["ServerSideEncryption"]) == (media_type, "AES256")
        tags = client.get_object_tagging(Bucket=moto_store.bucket, Key=key)["TagSet"]
        assert tags == [{"Key": "team", "Value": "a b"}]


HOSTILE_KEYS = [
    "with space", "plus+plus", "per%2Fcent", "%41", "quest?ion#hash", "amp&amp;", "semi;colon=", "a//b/./c".replace("//", "/"),
    "\x1b[31mred", "tab\there", "emoji-😀", "é-nfc", "é-nfd", "‮rtl", "'\"<xml>", "x" * 200 + "/" + "y" * 200 + "/" + "z" * 622,
]  # fmt: skip


def test_hostile_names_arrive_under_exactly_their_key(engine: Engine, store: Store, tmp_path: Path) -> None:
    keys = [key for key in HOSTILE_KEYS if store.name == "moto" or not _too_long_for_a_file_system(key)]
    if store.name == "rclone":
        keys += ["new\nline"]  # moto has no route for it
    contents = {key: key.encode() for key in keys}
    ride = Ride(engine, transfers_of(store.bucket, written(tmp_path, contents))).carry()
    assert not ride.failed
    assert store.contents() == contents


def _too_long_for_a_file_system(key: str) -> bool:
    return any(len(part.encode()) > 255 for part in key.split("/")) or "/./" in key


def test_refusals_are_retried_and_every_attempt_is_counted(engine: Engine, store: Store, front: FaultFront, tmp_path: Path) -> None:
    front.fail("PutObject", "slow", status=503, code="SlowDown", times=2)
    front.fail("PutObject", "broken", status=500, code="InternalError", times=1)
    front.reset("PutObject", "reset", times=1)
    files = written(tmp_path, {"slow": b"1", "broken": _filled(MIB), "reset": _filled(MIB + 1), "fine": b"4"})
    earlier = transfers_of(store.bucket, files)
    earlier[3] = Transfer(3, earlier[3].path, earlier[3].target, earlier[3].fingerprint, attempts=4)
    ride = Ride(engine, earlier).carry()
    assert [ride.uploaded[no].attempts for no in range(4)] == [3, 2, 2, 5]
    assert store.contents() == {key: path.read_bytes() for key, path in files.items()}


def test_a_file_fails_with_its_reason_when_its_attempts_are_used_up(
    engine: Engine, store: Store, front: FaultFront, tmp_path: Path
) -> None:
    front.fail("PutObject", "cursed", status=500, code="InternalError", times=99)
    ride = Ride(engine, transfers_of(store.bucket, written(tmp_path, {"cursed": b"1"})), Policy(max_attempts=3)).carry()
    assert (ride.failed[0].attempts, ride.failed[0].reason) == (3, "server_error")
    assert f"s3://{store.bucket}/cursed" in ride.failed[0].error
    assert "500 InternalError" in ride.failed[0].error
    assert front.count("PutObject") == 3


def test_being_throttled_spends_no_attempts_while_other_files_get_through(
    engine: Engine, store: Store, front: FaultFront, tmp_path: Path
) -> None:
    contents = {f"file-{no:03}": b"x" for no in range(60)}
    for key in list(contents)[::2]:
        front.fail("PutObject", key, times=1)
    ride = Ride(engine, transfers_of(store.bucket, written(tmp_path, contents)), Policy(max_attempts=2)).carry()
    assert len(ride.uploaded) == 60
    assert store.contents() == contents
    assert sum(fact.attempts for fact in ride.uploaded.values()) == 90


def test_a_part_that_fails_is_sent_again_by_itself(engine: Engine, store: Store, front: FaultFront, tmp_path: Path) -> None:
    front.fail("UploadPart", times=1)
    front.reset("UploadPart", times=1)
    contents = {"big": _filled(THRESHOLD)}
    ride = Ride(engine, transfers_of(store.bucket, written(tmp_path, contents))).carry()
    assert store.contents() == contents
    assert (ride.uploaded[0].attempts, front.count("UploadPart"), front.count("CreateMultipartUpload")) == (1, 2 + 2, 1)


def test_a_large_file_whose_part_never_gets_through_fails_and_leaves_no_upload(
    engine: Engine, store: Store, front: FaultFront, tmp_path: Path
) -> None:
    front.fail("UploadPart", status=500, code="InternalError", times=99)
    transfers = transfers_of(store.bucket, written(tmp_path, {"big": _filled(THRESHOLD)}))
    ride = Ride(engine, transfers, Policy(max_attempts=2)).carry()
    assert ride.failed[0].reason == "server_error"
    assert front.count("CreateMultipartUpload") == 1
    assert front.count("AbortMultipartUpload") >= 1
    assert store.open_uploads() == []
    assert store.contents() == {}


def test_a_complete_whose_answer_is_lost_is_recognised_as_done(
    engine: Engine, store: Store, front: FaultFront, tmp_path: Path
) -> None:
    if store.name == "rclone":
        pytest.skip("rclone keeps neither checksums nor the ETag of a multipart object, so there is no proof")
    front.lose_answer("CompleteMultipartUpload", times=1)
    contents = {"big": _filled(THRESHOLD)}
    ride = Ride(engine, transfers_of(store.bucket, written(tmp_path, contents))).carry()
    assert set(ride.uploaded) == {0}
    assert store.contents() == contents
    assert front.count("CreateMultipartUpload") == 1


def test_one_forbidden_key_fails_and_the_others_arrive(engine: Engine, store: Store, front: FaultFront, tmp_path: Path) -> None:
    front.fail("PutObject", "secret", status=403, code="AccessDenied", times=99)
    files = written(tmp_path, {**{f"file-{no}": b"x" for no in range(9)}, "secret": b"y"})
    ride = Ride(engine, transfers_of(store.bucket, files)).carry()
    assert {fact.reason for fact in ride.failed.values()} == {"access_denied"}
    assert set(ride.failed) == {9}
    assert set(ride.uploaded) == set(range(9))
    assert front.requests["PutObject", "secret"] == 1


def test_a_store_that_forbids_every_key_stops_the_run(engine: Engine, store: Store, front: FaultFront, tmp_path: Path) -> None:
    front.fail("PutObject", status=403, code="AccessDenied", times=9999)
    source = next(iter(written(tmp_path, {"x": b"x"}).values()))
    ride = Ride(engine, transfers_of(store.bucket, {f"key-{no}": source for no in range(500)}))
    with pytest.raises(AccessDenied) as raised:
        ride.carry()
    assert raised.value.fatal
    assert front.count("PutObject") < 100


def test_a_wrong_secret_is_fatal_and_leaves_the_files_planned(engine_on: OpenEngine, rclone_store: Store, tmp_path: Path) -> None:
    transfers = transfers_of(rclone_store.bucket, written(tmp_path, {f"file-{no}": b"x" for no in range(50)}))
    ride = Ride(engine_on(rclone_store.with_secret("wrong")), transfers)
    with pytest.raises(CredentialsError, match="secret does not belong"):
        ride.carry()
    assert ride.facts == []
    assert rclone_store.contents() == {}


def test_a_missing_bucket_is_fatal_and_leaves_the_files_planned(engine: Engine, tmp_path: Path) -> None:
    ride = Ride(engine, transfers_of("no-such-bucket-anywhere", written(tmp_path, {f"file-{no}": b"x" for no in range(50)})))
    with pytest.raises(BucketNotFound, match="no-such-bucket-anywhere"):
        ride.carry()
    assert ride.facts == []


def test_an_endpoint_that_is_gone_stops_the_run(engine_on: OpenEngine, moto_store: Store, tmp_path: Path) -> None:
    with FaultFront(moto_store.url) as gone:
        engine = engine_on(moto_store.behind(gone))
    source = next(iter(written(tmp_path, {"x": b"x"}).values()))
    ride = Ride(engine, transfers_of(moto_store.bucket, {f"key-{no}": source for no in range(200)}), Policy(max_attempts=2))
    with pytest.raises(EndpointUnreachable):
        ride.carry()
    assert len(ride.facts) < 20


def test_the_records_error_ends_the_run_and_is_raised(engine: Engine, store: Store, tmp_path: Path) -> None:
    def refuse(_: object) -> None:
        raise LeaseLost("Another worker owns the unit.")

    source = next(iter(written(tmp_path, {"x": b"x"}).values()))
    transfers = transfers_of(store.bucket, {f"key-{no}": source for no in range(200)})
    with pytest.raises(LeaseLost):
        Ride(engine, transfers, control=Control(2), on_fact=refuse).carry()
    assert len(store.contents()) < 20


def test_a_source_of_transfers_that_breaks_is_raised_after_what_was_started_has_ended(
    engine: Engine, store: Store, tmp_path: Path
) -> None:
    good = transfers_of(store.bucket, written(tmp_path, {"a": b"a", "b": b"b"}))

    def transfers() -> Iterator[Transfer]:
        yield from good
        raise RuntimeError("the database is gone")

    control = Control(1)
    ride = Ride(engine, transfers(), control=control)
    with pytest.raises(RuntimeError, match="database is gone"):
        ride.carry()
    assert set(ride.uploaded) == {0, 1}
    assert control.take_slot()  # all slots were given back


@pytest.mark.parametrize(("size", "operation"), [(SINGLE, "PutObject"), (THRESHOLD, "UploadPart")])
@pytest.mark.parametrize("change", ["grows", "is rewritten in place", "shrinks"])
def test_a_file_that_changes_while_it_is_read_fails_and_nothing_is_stored(
    engine: Engine, store: Store, front: FaultFront, tmp_path: Path, size: int, operation: str, change: str
) -> None:
    files = written(tmp_path, {"log": _filled(size)})
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
    files = written(tmp_path, {"log": _filled(SINGLE)})
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
    assert next(waiting).no == 1  # not even taken from the plan
    assert set(store.contents()) == {"key-0"}


def test_a_cancel_breaks_off_what_is_in_flight_and_leaves_no_upload(
    engine: Engine, store: Store, front: FaultFront, tmp_path: Path
) -> None:
    gates = [front.hold("PutObject", "single", after=MIB), front.hold("UploadPart", "multi", after=MIB)]
    files = written(tmp_path, {"single": _filled(SINGLE), "multi": _filled(THRESHOLD)})
    ride = Ride(engine, transfers_of(store.bucket, files))
    thread = ride.start()
    assert all(gate.arrived.wait(20) for gate in gates)
    ride.control.cancel()
    for gate in gates:
        gate.open()
    thread.join()
    assert ride.raised is None
    assert ride.facts == []
    assert ride.progress.sample()[0] == []
    assert store.contents() == {}
    assert store.open_uploads() == []


def test_no_more_transfers_are_in_flight_than_the_job_allows_and_the_limit_can_be_raised(
    engine: Engine, store: Store, front: FaultFront, tmp_path: Path
) -> None:
    source = next(iter(written(tmp_path, {"x": b"x"}).values()))
    gate = front.hold("PutObject", times=9999)
    ride = Ride(engine, transfers_of(store.bucket, {f"key-{no}": source for no in range(40)}), control=Control(3))
    thread = ride.start()
    wait_until(lambda: front.count("PutObject") == 3 and len(ride.progress.sample()[0]) == 3)
    ride.control.set_concurrency(7)
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


@pytest.mark.parametrize("size", [10, THRESHOLD])
def test_a_taken_key_is_skipped_or_failed_as_asked_and_never_overwritten(
    engine_on: OpenEngine, moto_store: Store, tmp_path: Path, size: int
) -> None:
    moto_store.client().put_object(Bucket=moto_store.bucket, Key="taken", Body=b"first")
    transfers = transfers_of(moto_store.bucket, written(tmp_path, {"taken": _filled(size)}))
    engine = engine_on(moto_store)
    skipping = Ride(engine, transfers, Policy(if_exists="skip")).carry()
    failing = Ride(engine, transfers, Policy(if_exists="fail")).carry()
    assert [(fact.no, fact.reason) for fact in skipping.skipped.values()] == [(0, "exists")]
    assert (failing.failed[0].reason, failing.failed[0].attempts) == ("exists", 1)
    assert moto_store.contents() == {"taken": b"first"}
    assert moto_store.open_uploads() == []
    overwriting = Ride(engine, transfers, Policy(if_exists="overwrite")).carry()
    assert set(overwriting.uploaded) == {0}
    assert moto_store.contents() == {"taken": _filled(size)}


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
    files = written(tmp_path, {"file": _filled(SINGLE)})
    gate = front.hold("PutObject", after=MIB)
    ride = Ride(engine, transfers_of(store.bucket, files))
    thread = ride.start()
    assert gate.arrived.wait(20)
    flight = ride.progress.sample()[0][0]
    assert (flight.attempt, flight.size) == (1, SINGLE)
    assert MIB <= flight.sent < SINGLE
    gate.open()
    thread.join()
    assert ride.progress.sample() == ([], SINGLE)

"""The contract of a transfer engine, held by every engine on every server: large files that were begun before."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from s3tui.events import Fact, PartStored, UploadDropped
from s3tui.model import OpenUpload, Policy, Transfer
from s3tui.transfer.engine import Control, Engine
from tests.front import FaultFront
from tests.servers import Store
from tests.transfer.rides import MIB, Ride, filled, transfers_of, written

pytestmark = pytest.mark.thorough(one_in=8)

PARTS = 6
BIG = (PARTS - 1) * 8 * MIB + 12345


def begun(engine: Engine, front: FaultFront, transfers: list[Transfer]) -> Ride:
    """A run that was broken off when it had the first parts."""
    control = Control(20)
    gate = front.hold("UploadPart", r"#[456]$", times=99)
    stored: list[int] = []

    def break_off(fact: Fact) -> None:
        if isinstance(fact, PartStored):
            stored.append(fact.part)
        if len(stored) == 3:
            control.break_off()
            gate.times = 0
            gate.open()

    ride = Ride(engine, transfers, control=control, on_fact=break_off).carry()
    assert ride.ended == []
    assert {1, 2, 3} <= set(stored) < {1, 2, 3, 4, 5, 6}  # the last part is small: it may be on its way already
    return ride


def gone_on(engine: Engine, transfers: list[Transfer], left: OpenUpload) -> Ride:
    """The next run of the same file."""
    return Ride(engine, [transfers[0]._replace(upload=left)]).carry()


def test_a_large_file_goes_on_with_the_parts_that_are_missing(
    engine: Engine, store: Store, front: FaultFront, tmp_path: Path
) -> None:
    transfers = transfers_of(store.bucket, written(tmp_path, {"big": filled(BIG)}))
    first = begun(engine, front, transfers)
    assert store.open_uploads() == ["big"]
    known = len(first.left().parts)
    sent = front.count("UploadPart")
    second = gone_on(engine, transfers, first.left())
    assert set(second.uploaded) == {0}
    assert front.count("UploadPart") - sent == PARTS - known
    assert front.count("CreateMultipartUpload") == 1
    assert store.contents() == {"big": filled(BIG)}
    assert (store.open_uploads(), second.open_uploads) == ([], {})
    assert second.progress.sample() == ([], BIG)


def test_a_part_is_held_against_the_file_before_it_is_kept(engine: Engine, store: Store, front: FaultFront, tmp_path: Path) -> None:
    """The times and the size of the file say that nothing changed, and yet a part did."""
    files = written(tmp_path, {"big": filled(BIG)})
    transfers = transfers_of(store.bucket, files)
    left = begun(engine, front, transfers).left()
    wrong = left.parts[0]._replace(checksum="AAAAAAAAAAA=")
    lied = dataclasses.replace(left, parts=(wrong, *left.parts[1:]))
    sent = front.count("UploadPart")
    ride = gone_on(engine, transfers, lied)
    assert set(ride.uploaded) == {0}
    assert front.count("UploadPart") - sent == PARTS - len(left.parts) + 1
    assert store.contents() == {"big": filled(BIG)}


def test_a_file_that_changed_meanwhile_starts_over_and_leaves_nothing(
    engine: Engine, store: Store, front: FaultFront, tmp_path: Path
) -> None:
    files = written(tmp_path, {"big": filled(BIG)})
    transfers = transfers_of(store.bucket, files)
    left = begun(engine, front, transfers).left()
    changed = filled(BIG)[::-1]
    files["big"].write_bytes(changed)
    ride = gone_on(engine, transfers, left)
    assert UploadDropped(0) in ride.facts
    assert store.contents() == {"big": changed}
    assert store.open_uploads() == []
    assert front.count("CreateMultipartUpload") == 2


def test_an_upload_that_somebody_else_has_aborted_starts_over(
    engine: Engine, store: Store, front: FaultFront, tmp_path: Path
) -> None:
    transfers = transfers_of(store.bucket, written(tmp_path, {"big": filled(BIG)}))
    left = begun(engine, front, transfers).left()
    store.abort("big", left.upload_id)
    ride = gone_on(engine, transfers, left)
    assert set(ride.uploaded) == {0}
    assert UploadDropped(0) in ride.facts
    assert store.contents() == {"big": filled(BIG)}


@pytest.mark.parametrize("key", ["big", "big + ü%20", "big \x1b + ü%20"])
def test_an_upload_that_was_only_intended_is_looked_for_and_leaves_nothing(
    engine: Engine, store: Store, front: FaultFront, tmp_path: Path, key: str
) -> None:
    if store.name == "moto":
        pytest.skip("moto says of every upload that it began in 2010, so none can be recognised as ours")
    if store.name == "radosgw" and not key.isprintable():
        pytest.skip("radosgw lists such keys in XML that nobody can read")
    transfers = transfers_of(store.bucket, written(tmp_path, {key: filled(BIG)}))
    left = dataclasses.replace(begun(engine, front, transfers).left(), upload_id="", parts=())
    store.abort(key, _only_upload(store))
    store.client().create_multipart_upload(Bucket=store.bucket, Key=key)  # as if its answer had never come
    ride = gone_on(engine, transfers, left)
    assert set(ride.uploaded) == {0}
    assert store.contents() == {key: filled(BIG)}
    assert store.open_uploads() == []


def _only_upload(store: Store) -> str:
    upload: str = store.client().list_multipart_uploads(Bucket=store.bucket)["Uploads"][0]["UploadId"]
    return upload


def test_an_object_that_was_completed_without_a_record_is_recognised(
    engine: Engine, store: Store, front: FaultFront, tmp_path: Path
) -> None:
    transfers = transfers_of(store.bucket, written(tmp_path, {"big": filled(BIG)}))
    first = Ride(engine, transfers).carry()
    left = dataclasses.replace(first.left(), upload_id=next(iter(_opened(first))))
    sent = front.count("UploadPart")
    ride = gone_on(engine, transfers, left)
    assert set(ride.uploaded) == {0}
    assert front.count("UploadPart") == sent
    assert store.contents() == {"big": filled(BIG)}


def _opened(ride: Ride) -> list[str]:
    from s3tui.events import UploadOpened

    return [fact.upload_id for fact in ride.facts if isinstance(fact, UploadOpened)]


def test_a_second_attempt_in_the_same_run_goes_on_with_the_first(
    engine: Engine, store: Store, front: FaultFront, tmp_path: Path
) -> None:
    front.fail("CompleteMultipartUpload", status=409, code="ConditionalRequestConflict", times=1)
    transfers = transfers_of(store.bucket, written(tmp_path, {"big": filled(BIG)}))
    ride = Ride(engine, transfers, Policy(max_attempts=3)).carry()
    assert ride.uploaded[0].attempts == 2
    assert store.contents() == {"big": filled(BIG)}
    assert store.open_uploads() == []

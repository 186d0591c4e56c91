"""Proof that a store holds what was sent: what counts as one, and what never does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from s3tui.errors import NotIdentical, StorageError, Unproven
from s3tui.model import ObjectRef, Policy, Proof, Receipt
from s3tui.storage.sdk import SdkApi
from s3tui.transfer.engine import Control
from s3tui.transfer.proof import Prover
from tests.front import FaultFront
from tests.servers import Store
from tests.transfer.rides import MIB, OpenEngine, Ride, filled, transfers_of, written

pytestmark = pytest.mark.thorough(one_in=8)


class Stored:
    """A file that an engine has just stored, and how it would be proven."""

    def __init__(self, store: Store, engine_on: OpenEngine, directory: Path, data: bytes, *, policy: Policy) -> None:
        self.store = store
        self.policy = policy
        self.path = written(directory, {"key": data})["key"]
        ride = Ride(engine_on(store), transfers_of(store.bucket, {"key": self.path}), policy).carry()
        self.receipt: Receipt = ride.uploaded[0].receipt
        self.target = ObjectRef(store.bucket, "key")

    def prove(self, *, checked: bool = False, looks: bool = True, through: FaultFront | None = None) -> Proof:
        """Prove it, perhaps through a front."""
        api = SdkApi((self.store.behind(through) if through else self.store).client())
        return Prover(api, self.policy, Control(1), checked=checked, looks=looks).prove(bytes(self.path), self.target, self.receipt)

    def replace(self, data: bytes) -> None:
        """Somebody else writes to the key."""
        self.store.client().put_object(Bucket=self.store.bucket, Key="key", Body=data)


@pytest.fixture
def small(store: Store, engine_on: OpenEngine, tmp_path: Path) -> Stored:
    """A small file on each server, by each engine."""
    return Stored(store, engine_on, tmp_path, b"the only copy", policy=Policy(max_attempts=2))


@pytest.mark.parametrize("size", [0, 1, 300_000, 17 * MIB])
@pytest.mark.parametrize("checksum", ["crc64nvme", "sha256"])
def test_what_was_stored_is_proven_by_its_etag(
    store: Store, engine_on: OpenEngine, tmp_path: Path, size: int, checksum: str
) -> None:
    stored = Stored(store, engine_on, tmp_path, filled(size), policy=Policy(checksum=checksum))
    assert stored.prove() is Proof.ETAG_MD5


def test_a_store_that_checks_proves_small_files_by_its_answer_alone(small: Stored, front: FaultFront) -> None:
    assert small.prove(checked=True, looks=False, through=front) is Proof.SERVER_CHECKSUM
    assert not front.requests
    assert small.prove(checked=True, through=front) is Proof.SERVER_CHECKSUM
    assert front.count("HeadObject") == 1


def test_a_store_whose_etag_is_the_md5_proves_small_files_by_its_answer_alone(small: Stored, front: FaultFront) -> None:
    assert small.prove(looks=False, through=front) is Proof.ETAG_MD5
    assert not front.requests
    assert small.prove(through=front) is Proof.ETAG_MD5
    assert front.count("HeadObject") == 1


def test_an_answer_whose_etag_is_of_other_bytes_proves_nothing(small: Stored, front: FaultFront) -> None:
    small.receipt = small.receipt._replace(etag="0123456789abcdef" * 2)
    assert small.prove(looks=False, through=front) is Proof.ETAG_MD5
    assert front.count("HeadObject") == 1
    small.path.write_bytes(b"another now")
    assert small.prove(looks=False, through=front) is Proof.READ_BACK


@pytest.mark.parametrize("checked", [True, False])
def test_an_object_that_is_gone_is_no_proof(small: Stored, checked: bool) -> None:
    small.store.client().delete_object(Bucket=small.store.bucket, Key="key")
    with pytest.raises(NotIdentical, match="no such object any more"):
        small.prove(checked=checked)


@pytest.mark.parametrize("checked", [True, False])
def test_an_object_of_another_size_is_no_proof(small: Stored, checked: bool) -> None:
    small.replace(b"something else")
    with pytest.raises(NotIdentical, match="14 bytes there, and 13 were sent"):
        small.prove(checked=checked)


@pytest.mark.parametrize("checked", [True, False])
def test_other_bytes_of_the_same_size_are_no_proof(small: Stored, checked: bool) -> None:
    small.replace(bytes(reversed(b"the only copy")))
    with pytest.raises(NotIdentical):
        small.prove(checked=checked)


def test_a_checksum_that_the_store_keeps_of_other_bytes_is_no_proof(
    moto_store: Store, engine_on: OpenEngine, tmp_path: Path
) -> None:
    stored = Stored(moto_store, engine_on, tmp_path, b"the only copy", policy=Policy(checksum="crc32"))
    moto_store.client().put_object(Bucket=moto_store.bucket, Key="key", Body=b"The only copy", ChecksumAlgorithm="CRC32")
    with pytest.raises(NotIdentical, match="keeps another crc32"):
        stored.prove(checked=True)


def test_a_source_that_has_changed_is_not_compared_but_the_object_is_read_back(small: Stored, front: FaultFront) -> None:
    small.path.write_bytes(b"another now")
    assert small.prove(through=front) is Proof.READ_BACK
    assert front.count("GetObject") == 1


@pytest.mark.parametrize("checksum", ["crc64nvme", "sha256"])
def test_a_large_object_is_read_back_in_pieces(rclone_store: Store, engine_on: OpenEngine, tmp_path: Path, checksum: str) -> None:
    stored = Stored(rclone_store, engine_on, tmp_path, filled(17 * MIB), policy=Policy(checksum=checksum))
    os.truncate(stored.path, 0)
    with FaultFront(rclone_store.url) as front:
        assert stored.prove(through=front) is Proof.READ_BACK
        assert front.count("GetObject") == 3


def test_a_flipped_bit_is_found_by_reading_back(small: Stored) -> None:
    small.path.write_bytes(b"another now")
    small.replace(b"the only cope")
    with pytest.raises(NotIdentical, match="not those that were sent"):
        small.prove()


def test_without_the_right_to_look_the_answer_is_proof_only_from_a_store_that_checks(small: Stored, front: FaultFront) -> None:
    front.fail("HeadObject", status=403, code="AccessDenied", times=99)
    assert small.prove(checked=True, through=front) is Proof.SERVER_CHECKSUM
    assert small.prove(through=front) is Proof.READ_BACK
    front.fail("GetObject", status=403, code="AccessDenied", times=99)
    with pytest.raises(Unproven, match=r"nothing proves its bytes: GetObject .* the store refuses access"):
        small.prove(through=front)


def test_an_empty_object_that_must_not_be_looked_at_is_not_proven(
    rclone_store: Store, engine_on: OpenEngine, tmp_path: Path
) -> None:
    stored = Stored(rclone_store, engine_on, tmp_path, b"", policy=Policy())
    with FaultFront(rclone_store.url) as front:
        front.fail("HeadObject", status=403, code="AccessDenied", times=99)
        with pytest.raises(Unproven):
            stored.prove(through=front)


def test_a_store_in_trouble_is_asked_again_and_then_told(small: Stored, front: FaultFront) -> None:
    front.fail("HeadObject", status=503)
    front.reset("HeadObject")
    with pytest.raises(StorageError):
        small.prove(through=front)
    assert small.prove(through=front) is Proof.ETAG_MD5

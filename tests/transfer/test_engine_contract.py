"""The contract of a transfer engine, held by every engine on every server: what arrives, and how."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest
from awscrt import checksums  # type: ignore[import-untyped, unused-ignore]

from s3tui.model import ObjectHeaders, Policy
from s3tui.transfer.engine import Engine
from s3tui.transfer.part_sizes import THRESHOLD
from tests.front import FaultFront
from tests.servers import Store
from tests.transfer.rides import MIB, SINGLE, OpenEngine, Ride, filled, transfers_of, written

pytestmark = pytest.mark.thorough(one_in=8)


def _crc64nvme(data: bytes) -> str:
    return "crc64nvme:" + base64.b64encode(checksums.crc64nvme(data).to_bytes(8, "big")).decode()


def test_many_files_of_all_sizes_arrive_byte_identical(engine: Engine, store: Store, tmp_path: Path) -> None:
    sizes = [0, 1, 4096, 256 * 1024, 256 * 1024 + 1, MIB, 3 * MIB, *range(100, 150)]
    contents = {f"dir-{size % 3}/file-{size}.bin": filled(size) for size in sizes}
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
    ride = Ride(engine, transfers_of(store.bucket, written(tmp_path, {"big": filled(size)}))).carry()
    assert store.contents() == {"big": filled(size)}
    assert ride.uploaded[0].receipt.checksum == _crc64nvme(filled(size))
    assert front.count("UploadPart") == (0 if size < THRESHOLD else -(-size // (8 * MIB)))
    assert store.open_uploads() == []
    assert ride.progress.sample()[1] == size


def test_over_tls_the_bodies_are_plain_and_arrive_byte_identical(engine_on: OpenEngine, tls_store: Store, tmp_path: Path) -> None:
    contents = {"empty": b"", "small": b"abc", "single": filled(SINGLE), "parts": filled(THRESHOLD + 1)}
    ride = Ride(engine_on(tls_store), transfers_of(tls_store.bucket, written(tmp_path, contents))).carry()
    assert len(ride.uploaded) == 4
    assert tls_store.contents() == contents
    assert ride.progress.sample() == ([], sum(map(len, contents.values())))


@pytest.mark.parametrize("algorithm", ["crc32", "crc32c", "sha256"])
def test_every_checksum_is_sent_for_small_and_for_large_objects(
    engine: Engine, store: Store, tmp_path: Path, algorithm: str
) -> None:
    contents = {"small": b"abc", "large": filled(THRESHOLD + 5)}
    ride = Ride(engine, transfers_of(store.bucket, written(tmp_path, contents)), Policy(checksum=algorithm)).carry()
    assert store.contents() == contents
    assert all(fact.receipt.checksum.startswith(f"{algorithm}:") for fact in ride.uploaded.values())
    assert ride.uploaded[1].receipt.checksum.endswith("-3") == (algorithm == "sha256")


def test_a_configured_part_size_is_used(engine: Engine, store: Store, front: FaultFront, tmp_path: Path) -> None:
    contents = {"big": filled(THRESHOLD)}
    Ride(engine, transfers_of(store.bucket, written(tmp_path, contents)), Policy(part_size=5 * MIB)).carry()
    assert front.count("UploadPart") == 4
    assert store.contents() == contents


def test_the_store_keeps_the_whole_object_checksum_of_a_multipart_object(
    engine_on: OpenEngine, moto_store: Store, tmp_path: Path
) -> None:
    transfers = transfers_of(moto_store.bucket, written(tmp_path, {"big": filled(THRESHOLD)}))
    Ride(engine_on(moto_store), transfers).carry()
    kept = moto_store.client().head_object(Bucket=moto_store.bucket, Key="big", ChecksumMode="ENABLED")
    assert f"crc64nvme:{kept['ChecksumCRC64NVME']}" == _crc64nvme(filled(THRESHOLD))


def test_headers_of_the_policy_are_stored_with_small_and_large_objects(
    engine_on: OpenEngine, moto_store: Store, tmp_path: Path
) -> None:
    headers = ObjectHeaders(
        storage_class="STANDARD_IA", metadata=(("owner", "ann"),), tags=(("team", "a b"),), cache_control="no-store", sse="AES256"
    )
    transfers = transfers_of(moto_store.bucket, written(tmp_path, {"page.html": b"<p>", "big.tar.gz": filled(THRESHOLD)}))
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
    keys = [key for key in HOSTILE_KEYS if store.name != "rclone" or not _too_long_for_a_file_system(key)]
    if store.name != "moto":
        keys += ["new\nline"]  # moto has no route for it
    contents = {key: key.encode() for key in keys}
    ride = Ride(engine, transfers_of(store.bucket, written(tmp_path, contents))).carry()
    assert not ride.failed
    assert store.contents() == contents


def _too_long_for_a_file_system(key: str) -> bool:
    return any(len(part.encode()) > 255 for part in key.split("/")) or "/./" in key

"""Checksums against known values, and parts against one pass."""

from __future__ import annotations

import base64
import hashlib
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3tui.transfer.checksums import ALGORITHMS, Checksum, digest_of, whole_digest


@pytest.mark.parametrize(
    ("name", "hexadecimal"),  # the check values that the CRC catalogue gives for these nine bytes
    [
        ("crc64nvme", "ae8b14860a799888"),
        ("crc32", "cbf43926"),
        ("crc32c", "e3069283"),
        ("sha256", hashlib.sha256(b"123456789").hexdigest()),
    ],
)
def test_the_published_check_values_come_out(name: str, hexadecimal: str) -> None:
    assert base64.b64decode(digest_of(ALGORITHMS[name], b"123456789")).hex() == hexadecimal


@given(st.sampled_from(sorted(ALGORITHMS)), st.lists(st.binary(max_size=50), max_size=6))
def test_bytes_in_pieces_give_the_checksum_of_all(name: str, pieces: list[bytes]) -> None:
    running = Checksum(ALGORITHMS[name])
    for piece in pieces:
        running.update(piece)
    assert running.digest == digest_of(ALGORITHMS[name], b"".join(pieces))
    assert base64.b64decode(running.digest) == running.raw
    assert running.length == sum(map(len, pieces))


@given(st.sampled_from(["crc64nvme", "crc32", "crc32c"]), st.lists(st.binary(max_size=50), min_size=1, max_size=6))
def test_crcs_of_parts_combine_to_the_crc_of_the_object(name: str, parts: list[bytes]) -> None:
    algorithm = ALGORITHMS[name]
    assert algorithm.full_object
    assert whole_digest(algorithm, [(digest_of(algorithm, part), len(part)) for part in parts]) == digest_of(
        algorithm, b"".join(parts)
    )


@given(
    st.sampled_from(["crc64nvme", "crc32", "crc32c"]), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(1, 2**42)
)
def test_crcs_combine_over_any_length_as_the_library_has_it(name: str, crc: int, following: int, length: int) -> None:
    expected = getattr(import_module("awscrt.checksums"), f"combine_{name}")(crc, following, length)
    assert ALGORITHMS[name].combine(crc, following, length) == expected


def test_sha256_of_parts_is_the_hash_of_their_hashes_and_says_so() -> None:
    algorithm = ALGORITHMS["sha256"]
    expected = hashlib.sha256(hashlib.sha256(b"a").digest() + hashlib.sha256(b"b").digest()).digest()
    assert not algorithm.full_object
    parts = [(digest_of(algorithm, part), 1) for part in (b"a", b"b")]
    assert whole_digest(algorithm, parts) == f"{base64.b64encode(expected).decode()}-2"

"""Segments, encrypted."""

from __future__ import annotations

from pathlib import Path

import pytest

from s3tui.errors import TranscodeError
from s3tui.media.cipher import Cipher, encrypted_size
from tests.media.decrypting import part, whole

KEY = bytes(range(16))


@pytest.mark.parametrize("size", [1, 15, 16, 17, 188, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_a_segment_is_replaced_by_one_that_the_key_opens(tmp_path: Path, size: int) -> None:
    segment, cipher = tmp_path / "00001.ts", Cipher(KEY)
    plain = bytes(range(256)) * (size // 256 + 1)
    segment.write_bytes(plain[:size])
    cipher.encrypt(segment)
    assert list(tmp_path.iterdir()) == [segment]
    body = segment.read_bytes()
    assert len(body) == encrypted_size(size)
    assert whole(body, KEY, cipher.vector) == plain[:size]
    if size > 100:
        assert part(body, KEY, 33, 50) == plain[33:83]


def test_segments_are_opened_independently_and_videos_differ(tmp_path: Path) -> None:
    first, second, other = (tmp_path / name for name in "123")
    for path in (first, second, other):
        path.write_bytes(b"the same titles" * 50)
    cipher = Cipher(KEY)
    cipher.encrypt(first)
    cipher.encrypt(second)
    Cipher(KEY).encrypt(other)
    assert first.read_bytes() == second.read_bytes()
    assert not set(blocks(first)) & set(blocks(other))


def blocks(path: Path) -> list[bytes]:
    body = path.read_bytes()
    return [body[at : at + 16] for at in range(0, len(body), 16)]


@pytest.mark.parametrize(("leads_to", "reason"), [("/dev/full", "disk_full"), ("/", "encoder_failed")])
def test_what_cannot_be_written_is_told_and_the_key_is_not(tmp_path: Path, leads_to: str, reason: str) -> None:
    segment = tmp_path / "00001.ts"
    segment.write_bytes(b"G" * 188)
    (tmp_path / "00001.ts.aes").symlink_to(leads_to)
    cipher = Cipher(KEY)
    with pytest.raises(TranscodeError, match=r"The segment 00001\.ts cannot be encrypted") as failed:
        cipher.encrypt(segment)
    assert failed.value.reason == reason
    assert KEY.hex() not in f"{cipher!r} {failed.value!r}"

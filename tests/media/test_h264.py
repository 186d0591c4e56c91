"""Parameter sets of pictures, written bit by bit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3tui.errors import TranscodeError
from s3tui.media.h264 import read_parameters


def _code(value: int) -> str:
    """Unsigned Exp-Golomb."""
    bits = f"{value + 1:b}"
    return "0" * (len(bits) - 1) + bits


def _parameters(profile: int, *fields: str) -> bytes:
    bits = "".join(fields) + "1"
    bits += "0" * (-len(bits) % 8)
    body = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return bytes([0x67, profile, 0, 40]) + body


HIGH = (_code(0), _code(1), _code(0), _code(0), "00")
"""Of a High profile: number, 4:2:0, 8 bits twice, no scaling lists."""


def test_a_full_hd_picture_is_cropped_to_1080_lines() -> None:
    crop = ("1", _code(0), _code(0), _code(0), _code(4))
    unit = _parameters(100, *HIGH, _code(0), _code(2), _code(4), "0", _code(119), _code(67), "1", "1", *crop)
    found = read_parameters(unit)
    assert (found.width, found.height, found.codec, found.is_eight_bit) == (1920, 1080, "avc1.640028", True)


def test_the_lines_of_interlaced_pictures_come_in_pairs() -> None:
    crop = ("1", _code(0), _code(0), _code(0), _code(2))
    unit = _parameters(77, _code(0), _code(0), _code(2), _code(4), "0", _code(119), _code(33), "0", "0", "1", *crop)
    found = read_parameters(unit)
    assert (found.width, found.height, found.codec) == (1920, 1080, "avc1.4d0028")


def test_scaling_lists_and_the_older_picture_order_are_stepped_over() -> None:
    lists = "1" + "1" + _code(0) * 16 + "1" + _code(16) + "0" * 6  # the second ends at its first entry: 8 - 8
    order = (_code(1), "0", _code(0), _code(0), _code(2), _code(1), _code(2))
    unit = _parameters(
        110,
        _code(0),
        _code(1),
        _code(2),
        _code(2),
        "0",
        lists,
        _code(0),
        *order,
        _code(4),
        "0",
        _code(79),
        _code(44),
        "1",
        "1",
        "0",
    )
    found = read_parameters(unit)
    assert (found.width, found.height, found.is_eight_bit) == (1280, 720, False)


def test_bytes_that_keep_start_codes_away_are_taken_out() -> None:
    unit = _parameters(66, _code(0), _code(0), _code(2), _code(4), "0", _code(39), _code(21), "1", "1", "0")
    padded = unit[:4] + unit[4:].replace(b"\0\0", b"\0\0\x03")
    assert read_parameters(padded) == read_parameters(unit)


@pytest.mark.parametrize(
    "unit", [b"", b"\x67", b"\x67\x64\x00\x28", b"\x68\x64\x00\x28\xff\xff\xff", b"\x67\x64\x00\x28" + b"\0" * 50]
)
def test_what_is_no_parameter_set_is_refused(unit: bytes) -> None:
    with pytest.raises(TranscodeError) as caught:
        read_parameters(unit)
    assert caught.value.reason == "incomplete"


@given(st.binary(max_size=80))
def test_random_parameter_sets_have_a_size_or_are_refused(data: bytes) -> None:
    try:
        found = read_parameters(b"\x67" + data)
    except TranscodeError:
        return
    assert found.width > 0
    assert found.height > 0

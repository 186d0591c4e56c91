"""ETags that are made of MD5."""

from __future__ import annotations

import hashlib
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from s3tui.transfer.etags import RunningETag, parts_told


@given(st.binary(max_size=60), st.integers(1, 20), st.lists(st.integers(0, 60), max_size=5))
def test_bytes_that_come_in_any_pieces_have_the_etag_of_their_parts(data: bytes, part_size: int, cuts: list[int]) -> None:
    whole, in_parts = RunningETag(), RunningETag(part_size)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for start, end in pairwise(edges):
        whole.update(data[start:end])
        in_parts.update(data[start:end])
    parts = [hashlib.md5(data[start : start + part_size]).digest() for start in range(0, len(data), part_size)]
    assert whole.value == hashlib.md5(data).hexdigest()
    assert in_parts.value == f"{hashlib.md5(b''.join(parts)).hexdigest()}-{len(parts)}"


def test_an_etag_tells_its_parts_if_it_can_be_made_of_md5() -> None:
    md5 = "d41d8cd98f00b204e9800998ecf8427e"
    assert [parts_told(etag) for etag in (md5, f"{md5}-12", md5.upper(), f"{md5}-", md5[1:], "")] == [0, 12, None, None, None, None]

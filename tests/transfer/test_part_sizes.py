"""How a large file is cut into parts, and what is too large for that."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3tui.transfer.engine import Engine
from s3tui.transfer.part_sizes import MAX_PARTS, part_size_for
from tests.front import FaultFront
from tests.servers import Store
from tests.transfer.rides import Ride, transfers_of

MIB, GIB, TIB = 1 << 20, 1 << 30, 1 << 40
LARGEST = MAX_PARTS * 5 * GIB


@given(size=st.integers(0, LARGEST), configured=st.just(0) | st.integers(5 * MIB, 5 * GIB))
def test_every_file_that_s3_takes_fits_in_ten_thousand_parts_of_a_size_that_s3_takes(size: int, configured: int) -> None:
    part = part_size_for(size, configured)
    assert 5 * MIB <= part <= 5 * GIB
    assert part >= configured
    assert part * MAX_PARTS >= size


def test_parts_grow_only_for_files_that_need_it() -> None:
    assert part_size_for(80_000 * MIB, 0) == 8 * MIB
    assert part_size_for(80_000 * MIB + 1, 0) == 9 * MIB
    assert part_size_for(50 * TIB * 1000 // 1024, 0) == 5 * GIB


def test_a_file_that_no_store_takes_fails_by_itself_and_nothing_is_begun(engine: Engine, store: Store, front: FaultFront) -> None:
    huge = Path("/dev/shm") / f"s3tui-{uuid4().hex}"
    try:
        try:
            with huge.open("wb") as file:
                file.truncate(LARGEST + 1)
        except OSError:
            pytest.skip("there is no file system here that takes a sparse file of 49 TiB")
        ride = Ride(engine, transfers_of(store.bucket, {"huge": huge})).carry()
        assert ride.failed[0].reason == "too_large"
        assert front.count("CreateMultipartUpload") == 0
    finally:
        huge.unlink(missing_ok=True)

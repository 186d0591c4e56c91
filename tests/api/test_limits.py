"""Rates and slots, each caller by itself."""

from __future__ import annotations

from contextlib import ExitStack, suppress

import pytest

from s3tui.api.limits import Rate, Slots
from s3tui.api.problems import Problem


def test_a_bucket_fills_again_at_its_pace() -> None:
    rate = Rate(2.0, 3.0)
    assert [rate.take("ann", now=10.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert rate.take("bob", now=10.0) == 0
    assert rate.take("ann", now=10.4) == pytest.approx(0.1)
    assert rate.take("ann", now=10.5) == 0
    assert [rate.take("ann", now=1000.0) for _ in range(4)] == [0, 0, 0, 0.5]


def test_a_pace_below_one_lets_one_through() -> None:
    rate = Rate(0.1, 0.4)
    assert [rate.take("ann", now=0.0), rate.take("ann", now=5.0), rate.take("ann", now=10.0)] == [0, 5.0, 0]


def test_buckets_of_callers_that_are_gone_are_forgotten() -> None:
    rate = Rate(1.0, 2.0)
    for number in range(10_000):
        rate.take(str(number), now=0.0)
    rate.take("last", now=10.0)
    assert len(rate) == 1


def test_a_slot_is_given_back_whatever_happens() -> None:
    slots = Slots(1, "things")
    with ExitStack() as stack:
        stack.enter_context(slots.one("ann"))
        with pytest.raises(Problem) as refused, slots.one("ann"):
            pass
        assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "1"})
        stack.enter_context(slots.one("bob"))
    for _ in range(2):
        with suppress(ValueError), slots.one("ann"):
            raise ValueError

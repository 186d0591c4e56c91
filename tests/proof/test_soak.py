"""What the soak takes for growth, and what it does not."""

from __future__ import annotations

import pytest

from tests.proof.soak import Sample, grown

_FLAT = Sample(memory_mib=200, descriptors=60, threads=40, files=0, database_bytes_a_row=250)


def test_what_fills_in_the_beginning_and_stays_has_not_grown() -> None:
    small = Sample(100, 20, 10, 0, 900)
    assert grown([small] * 10 + [_FLAT] * 20) == []


@pytest.mark.parametrize("name", ["memory_mib", "descriptors", "threads", "files", "database_bytes_a_row"])
def test_what_gets_more_and_more_has_grown(name: str) -> None:
    """The negative control: a little with each sample."""
    samples = [Sample(**(vars(_FLAT) | {name: getattr(_FLAT, name) * (1 + step / 10) + step})) for step in range(30)]
    assert [what.split()[0] for what in grown(samples)] == [name]

"""Rejected records in the state database: pages from any place, in one order, whichever way is gone."""

from __future__ import annotations

import pytest

from s3tui.model import RejectChoice, RejectWay
from s3tui.state.rejects import HEAD
from s3tui.state.store import Store

ALL = RejectChoice()


@pytest.fixture
def rejects(store: Store) -> list[tuple[int, int]]:
    """(file, record) of those of job 1, in their order; job 2 has some, too."""
    keys = [(file_no, record) for file_no in (0, 2, 5) for record in range(3, 60, 4)]
    with store.database.write() as connection:
        connection.insert(
            "INSERT INTO reject (job_no, file_no, record, line, start, reason, detail, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (job_no, file_no, record, record + 1, record * 10, "nul" if record % 3 else "too_large", "so", b"\0" * record * 100)
                for job_no in (2, 1)
                for file_no, record in reversed(keys)
            ],
        )
    return keys


def keys_of(store: Store, chosen: RejectChoice, way: RejectWay) -> list[tuple[int, int]]:
    """What a page holds."""
    return [(one.file_no, one.record) for one in store.rejects.page(1, chosen, way)]


def test_a_page_is_the_same_from_wherever_it_is_read(store: Store, rejects: list[tuple[int, int]]) -> None:
    first, count, total = 12, 9, len(rejects)
    wanted = rejects[first : first + count]
    ways = [
        RejectWay(None, False, first, count),
        RejectWay(None, True, total - first - count, count),
        RejectWay(rejects[first], False, 0, count),
        RejectWay(rejects[5], False, first - 5, count),
        RejectWay(rejects[first + count - 1], True, 0, count),
        RejectWay(rejects[30], True, 30 - first - count + 1, count),
    ]
    for way in ways:
        assert keys_of(store, ALL, way) == wanted, way
    assert keys_of(store, ALL, RejectWay(None, False, total, 9)) == []


def test_a_list_is_of_one_file_and_of_one_reason(store: Store, rejects: list[tuple[int, int]]) -> None:
    of_file = [key for key in rejects if key[0] == 2]
    large = [key for key in rejects if key[1] % 3 == 0]
    everything = RejectWay(None, False, 0, 500)
    assert keys_of(store, RejectChoice(2), everything) == of_file
    assert keys_of(store, RejectChoice(2), RejectWay(of_file[3], True, 0, 2)) == of_file[2:4]
    assert keys_of(store, RejectChoice(None, "too_large"), everything) == large
    assert keys_of(store, RejectChoice(5, "too_large"), RejectWay(None, True, 0, 500)) == [key for key in large if key[0] == 5]
    assert keys_of(store, RejectChoice(4), everything) == []
    assert store.rejects.reasons(1) == [("nul", 30), ("too_large", 15)]
    assert store.rejects.reasons(1, 2) == [("nul", 10), ("too_large", 5)]
    assert store.rejects.reasons(3) == []


def test_of_a_record_a_page_has_the_beginning_and_its_size(store: Store, rejects: list[tuple[int, int]]) -> None:
    [small, *_, large] = store.rejects.page(1, RejectChoice(0), RejectWay(None, False, 0, 500))
    assert (small.head, small.size, small.line, small.detail) == (b"\0" * 300, 300, 4, "so")
    assert (large.head, large.size) == (b"\0" * HEAD, 5900)
    assert store.rejects.raw(1, 0, 59) == b"\0" * 5900
    assert store.rejects.raw(1, 0, 60) is None
    assert rejects

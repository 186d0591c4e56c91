"""A plan held against a listing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3tui.errors import StorageError
from s3tui.model import Action, Fingerprint, Receipt, StoredObject
from s3tui.transfer.compare import Candidate, Row, compare

RECEIPT = Receipt(1, "crc32:AAAAAA==", "etag")
KEYS = st.text(st.sampled_from("ab/é\U0001f600\uffff"), min_size=1, max_size=3)


def _row(no: int, key: str, size: int = 1) -> Row:
    return no, key, 0, key.encode(), Fingerprint(size, 2, 3)


def _stored(keys: list[str]) -> list[StoredObject]:
    return [StoredObject(key, 1, "etag", 0) for key in keys]


@given(st.lists(KEYS, max_size=12), st.sets(KEYS, max_size=12), st.sampled_from(["overwrite", "skip", "fail"]))
def test_a_merge_decides_as_looking_up_each_key_would(rows: list[str], taken: set[str], if_exists: str) -> None:
    numbered = sorted(enumerate(rows), key=lambda row: row[1].encode())
    compared = list(compare([_row(no, key) for no, key in numbered], _stored(sorted(taken, key=str.encode)), if_exists))
    assert [fact.no for fact in compared] == [no for no, _ in numbered]
    when_taken = {"overwrite": Action.OVERWRITE, "skip": Action.SKIP, "fail": Action.FAIL}[if_exists]
    for fact in compared:
        key = rows[fact.no]
        if rows.count(key) > 1:
            assert (fact.action, fact.reason) == (Action.FAIL, "key_collision")
        else:
            assert fact.action is (when_taken if key in taken else Action.NEW)
            assert fact.reason == ("exists" if key in taken and if_exists != "overwrite" else None)
        assert (fact.error is not None) == (fact.action is Action.FAIL)


def test_a_listing_that_is_not_sorted_is_refused() -> None:
    with pytest.raises(StorageError, match="not the order of keys") as raised:
        list(compare([_row(0, "z")], _stored(["b", "a"]), "skip"))
    assert raised.value.reason == "unordered_listing"


def test_only_what_may_be_the_same_is_asked_about_and_what_is_proven_is_skipped_before_anything_else() -> None:
    asked: list[str] = []

    def prove(candidates: Sequence[Candidate]) -> dict[int, Receipt]:
        asked.extend(candidate.key for candidate in candidates)
        return {candidate.no: RECEIPT for candidate in candidates if candidate.key != "other"}

    rows = [_row(0, "larger", 2), _row(1, "new"), _row(2, "other"), _row(3, "same"), _row(4, "twice"), _row(5, "twice")]
    compared = list(compare(rows, _stored(["larger", "other", "same", "twice"]), "fail", prove))
    assert asked == ["other", "same"]
    assert [(fact.reason, fact.receipt) for fact in compared] == [
        ("exists", None), (None, None), ("exists", None), ("unchanged", RECEIPT), ("key_collision", None), ("key_collision", None),
    ]  # fmt: skip

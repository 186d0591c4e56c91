"""A plan held against what the target has: a merge of two lists that are sorted by key, in memory that does not grow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice, pairwise
from typing import Generic, NamedTuple, TypeVar

from s3tui.errors import StorageError
from s3tui.events import Compared
from s3tui.model import Action, Fingerprint, Receipt, StoredObject
from s3tui.text import display_text

_NEW, _OVERWRITE = Action.NEW, Action.OVERWRITE  # looking a member up costs a quarter of the work on a row
_PAGE = 1000

Row = tuple[int, str, int, bytes, Fingerprint]
"""(number, key, source number, path relative to it, fingerprint) of a file of the plan."""

_END: Row = (0, "", 0, b"", Fingerprint(0, 0, 0))
"""Stands behind the last row: no key is empty."""

_T = TypeVar("_T")


class Candidate(NamedTuple):
    """A file of the plan whose key is taken by an object of its size."""

    no: int
    key: str
    source_no: int
    path: bytes
    """Relative to the source."""
    fingerprint: Fingerprint
    stored: StoredObject


Prove = Callable[[Sequence[Candidate]], Mapping[int, Receipt]]
"""Gives, by number, the receipts of those candidates that are proven to be in the target already."""


def compare(rows: Iterable[Row], stored: Iterable[StoredObject], if_exists: str, prove: Prove | None = None) -> Iterator[Compared]:
    """What will happen to each row: one `Compared` for each, in the order of `rows`.

    `rows` and `stored`, the target's listing, are both sorted by the UTF-8 bytes of the key, which is also how Python orders
    strings. Rows that share a key all FAIL with `key_collision`. What `prove` proves, asked page by page, is SKIPped as
    `unchanged`; to the rest whose key is taken happens what `if_exists` says: `overwrite`, `skip` or `fail`.

    Raises StorageError when the store does not list its keys in order, as a merge of unsorted lists would be a lie; and what
    `prove` raises.
    """
    meetings = _meetings(rows, Ascending((one.key, one) for one in _in_order(stored)))
    while page := list(islice(meetings, _PAGE)):
        receipts = prove(_candidates(page)) if prove is not None else {}
        for (no, key, *_), there, collides in page:
            if collides:
                yield Compared(no, Action.FAIL, "key_collision", key_collision(key))
            elif there is None:
                yield Compared(no, _NEW)
            elif no in receipts:
                yield Compared(no, Action.SKIP, "unchanged", receipt=receipts[no])
            elif if_exists == "skip":
                yield Compared(no, Action.SKIP, "exists")
            elif if_exists == "fail":
                yield Compared(no, Action.FAIL, "exists", _taken(key))
            else:
                yield Compared(no, _OVERWRITE)


class Ascending(Generic[_T]):
    """Things by key, from a list that is sorted by it, and asked for in that order: one of them is in memory."""

    def __init__(self, pairs: Iterable[tuple[str, _T]]) -> None:
        self._pairs = iter(pairs)
        self._next = next(self._pairs, None)

    def at(self, key: str) -> _T | None:
        """The first thing with this key."""
        while self._next is not None and self._next[0] < key:
            self._next = next(self._pairs, None)
        return self._next[1] if self._next is not None and self._next[0] == key else None


def _meetings(rows: Iterable[Row], listing: Ascending[StoredObject]) -> Iterator[tuple[Row, StoredObject | None, bool]]:
    """Each row, what the target has under its key, and whether another row wants the same key."""
    before = ""
    for row, behind in pairwise(chain(rows, [_END])):
        key = row[1]
        yield row, listing.at(key), key in (before, behind[1])
        before = key


def _candidates(page: Sequence[tuple[Row, StoredObject | None, bool]]) -> list[Candidate]:
    return [
        Candidate(*row, there) for row, there, collides in page if there is not None and not collides and there.size == row[4].size
    ]


def _in_order(stored: Iterable[StoredObject]) -> Iterator[StoredObject]:
    previous = ""
    for one in stored:
        if one.key < previous:
            raise StorageError(
                f"The plan cannot be compared with the target: the store lists {display_text(one.key)!r} after "
                f"{display_text(previous)!r}, which is not the order of keys. "
                "Upload without --dry-run, --if-exists and --skip-unchanged.",
                reason="unordered_listing",
            )
        previous = one.key
        yield one


def key_collision(key: str) -> str:
    """The sentence about files that share a key."""
    return (
        f"Two or more files would become the object {display_text(key)!r}, and only one of them could stay. "
        "Rename them, or upload the sources to different prefixes."
    )


def _taken(key: str) -> str:
    return f"The target already has {display_text(key)!r}, and --if-exists fail keeps it. Use --if-exists overwrite or skip."

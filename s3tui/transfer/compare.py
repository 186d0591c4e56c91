"""A plan held against what the target has: a merge of two lists that are sorted by key, in memory that does not grow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from s3tui.errors import StorageError
from s3tui.events import Compared
from s3tui.model import Action, StoredObject
from s3tui.text import display_text


def compare(rows: Iterable[tuple[int, str]], stored: Iterable[StoredObject], if_exists: str) -> Iterator[Compared]:
    """What will happen to each row: one `Compared` for each, in the order of `rows`.

    `rows` are (number, key), `stored` is the target's listing; both sorted by the UTF-8 bytes of the key, which is also how Python
    orders strings. `if_exists` is `overwrite`, `skip` or `fail`. Rows that share a key all FAIL with `key_collision`.

    Raises StorageError when the store does not list its keys in order, as a merge of unsorted lists would be a lie.
    """
    listing = _Listing(stored)
    for no, key, collides in _with_collisions(rows):
        if collides:
            yield Compared(no, Action.FAIL, "key_collision", _collision(key))
        elif not listing.has(key):
            yield Compared(no, Action.NEW)
        elif if_exists == "skip":
            yield Compared(no, Action.SKIP, "exists")
        elif if_exists == "fail":
            yield Compared(no, Action.FAIL, "exists", _taken(key))
        else:
            yield Compared(no, Action.OVERWRITE)


def _with_collisions(rows: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str, bool]]:
    """Each row, and whether a neighbour has its key; one row is kept back to see the next."""
    kept: tuple[int, str] | None = None
    collides = False
    for row in rows:
        if kept is not None:
            same = row[1] == kept[1]
            yield *kept, collides or same
            collides = same
        kept = row
    if kept is not None:
        yield *kept, collides


class _Listing:
    """The keys of a target, asked for in ascending order."""

    def __init__(self, stored: Iterable[StoredObject]) -> None:
        self._keys = (stored_object.key for stored_object in stored)
        self._key = next(self._keys, None)

    def has(self, key: str) -> bool:
        while self._key is not None and self._key < key:
            self._advance(self._key)
        return self._key == key

    def _advance(self, previous: str) -> None:
        self._key = next(self._keys, None)
        if self._key is not None and self._key < previous:
            raise StorageError(
                f"The plan cannot be compared with the target: the store lists {display_text(self._key)!r} after "
                f"{display_text(previous)!r}, which is not the order of keys. Upload without --dry-run.",
                reason="unordered_listing",
            )


def _collision(key: str) -> str:
    return (
        f"Two or more files would become the object {display_text(key)!r}, and only one of them could stay. "
        "Rename them, or upload the sources to different prefixes."
    )


def _taken(key: str) -> str:
    return f"The target already has {display_text(key)!r}, and --if-exists fail keeps it. Use --if-exists overwrite or skip."

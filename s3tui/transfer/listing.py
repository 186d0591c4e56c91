"""One directory's names in the order of S3's keys, from any name on, in memory that is bounded by a window."""

from __future__ import annotations

import os
from collections.abc import Iterator

WINDOW = 100_000
"""Names of one directory that are held at a time (twice as many while they are chosen).

A window costs one more listing of the directory, and a listing is cheap: about half a second for a million names.
"""


class Listing(Iterator[bytes]):
    """The names in a directory, in order; one that is to be descended into ends in a slash.

    `floor` is a path relative to the directory: names before it are left out, and so is the floor itself, but not the directory in
    which it lies. With `follow`, links to directories are descended into, unless they lead to a directory they lie in. Nothing is
    open between two names. Raises OSError when the directory cannot be listed.
    """

    __slots__ = ("_above", "_floor", "_follow", "_last", "_more", "_names", "_reenter", "path", "relative")

    def __init__(
        self, path: bytes, relative: bytes, floor: bytes, *, follow: bool, above: frozenset[tuple[int, int]] = frozenset()
    ) -> None:
        self.path = path
        self.relative = relative
        """The path relative to its source; both end in a slash (empty for the source itself)."""
        self._follow = follow
        self._above = above
        self._floor = floor
        head, slash, _ = floor.partition(b"/")
        self._last = head + slash
        self._reenter = bool(slash)
        self._names: Iterator[bytes] = iter(())
        self._more = True

    def below(self, name: bytes) -> Listing:
        """The listing of the directory `name` in this one."""
        rest = self._floor[len(name) :] if self._floor.startswith(name) else b""
        return Listing(self.path + name, self.relative + name, rest, follow=self._follow, above=self._above)

    def __next__(self) -> bytes:
        while (name := next(self._names, None)) is None:
            if not self._more:
                raise StopIteration
            self._names = iter(self._window())
        return name

    def _window(self) -> list[bytes]:
        """The next names: whenever two windows have come together, the later half is dropped."""
        names: list[bytes] = []
        ceiling: bytes | None = None
        for name in self._entries():
            if ceiling is not None and name >= ceiling:
                continue
            if name > self._last or (self._reenter and name == self._last):
                names.append(name)
                if len(names) >= 2 * WINDOW:
                    names.sort()
                    del names[WINDOW:]
                    ceiling = names[-1]
        names.sort()
        self._more = ceiling is not None or len(names) > WINDOW
        del names[WINDOW:]
        if names:
            self._last, self._reenter = names[-1], False
        return names

    def _entries(self) -> Iterator[bytes]:
        with os.scandir(self.path) as entries:
            if self._follow:
                status = os.stat(self.path)  # noqa: PTH116 - a path is bytes
                self._above |= {(status.st_dev, status.st_ino)}
            for entry in entries:
                yield entry.name + b"/" if self._descends(entry) else entry.name

    def _descends(self, entry: os.DirEntry[bytes]) -> bool:
        if not entry.is_symlink():
            return entry.is_dir(follow_symlinks=False)
        if not self._follow:
            return False
        try:
            status = entry.stat()
            return entry.is_dir() and (status.st_dev, status.st_ino) not in self._above
        except OSError:
            return False  # whoever takes a closer look at the name will learn why

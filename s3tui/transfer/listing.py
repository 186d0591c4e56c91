"""One directory's names in the order of S3's keys, from any name on, in memory that is bounded by a window."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

WINDOW = 100_000
"""Names of one directory that are held at a time (twice as many while they are chosen).

A window costs one more listing of the directory, and a listing is cheap: about half a second for a million names.
"""

_BLOCK = 1000
"""Names that are looked at in one go."""


class Listing:
    """The names in a directory, in order; one that is to be descended into ends in a slash.

    `floor` is a path relative to the directory: names before it are left out, and so is the floor itself, but not the directory in
    which it lies. With `follow`, links to directories are descended into, unless they lead to a directory they lie in. Nothing is
    open between two names. Whoever iterates again goes on where the last one stopped; this raises OSError when the directory cannot
    be listed.
    """

    __slots__ = ("_above", "_first", "_follow", "_more", "_names", "floor", "path", "relative")

    def __init__(
        self, path: bytes, relative: bytes, floor: bytes, *, follow: bool, above: frozenset[tuple[int, int]] = frozenset()
    ) -> None:
        self.path = path
        self.relative = relative
        """The path relative to its source; both end in a slash (empty for the source itself)."""
        self._follow = follow
        self._above = above
        self.floor = floor
        head, slash, _ = floor.partition(b"/")
        self._first = head + slash if slash or not head else _next(head)
        """The first name that is wanted; empty: of all."""
        self._more = True
        self._names = self._windows()

    def __iter__(self) -> Iterator[bytes]:
        return self._names

    def below(self, name: bytes) -> Listing:
        """The listing of the directory `name` in this one."""
        rest = self.floor[len(name) :] if self.floor.startswith(name) else b""
        return Listing(self.path + name, self.relative + name, rest, follow=self._follow, above=self._above)

    def only(self, name: bytes) -> Listing:
        """This listing, reduced to one name. Raises OSError if the directory has no such name."""
        if self._follow:
            self._lie_in_it()
        self._names = iter([name + b"/" if self._leads_on(name) else name])
        return self

    def _leads_on(self, name: bytes) -> bool:
        """Whether a name is to be descended into, as `_descends` says it. Raises OSError if there is none."""
        status = os.lstat(self.path + name)
        if not stat.S_ISLNK(status.st_mode) or not self._follow:
            return stat.S_ISDIR(status.st_mode)
        try:
            status = os.stat(self.path + name)  # noqa: PTH116
        except OSError:
            return False
        return stat.S_ISDIR(status.st_mode) and (status.st_dev, status.st_ino) not in self._above

    def _windows(self) -> Iterator[bytes]:
        while self._more:
            yield from self._window()

    def _window(self) -> list[bytes]:
        """The next names: whenever two windows have come together, the later half is dropped."""
        names: list[bytes] = []
        ceiling = b""
        with os.scandir(self.path) as entries:
            if self._follow:
                self._lie_in_it()
            while block := self._block(entries):
                if self._first or ceiling:
                    block = [name for name in block if name >= self._first and (not ceiling or name < ceiling)]
                names += block
                if len(names) >= 2 * WINDOW:
                    names.sort()
                    del names[WINDOW:]
                    ceiling = names[-1]
        names.sort()
        self._more = bool(ceiling) or len(names) > WINDOW
        del names[WINDOW:]
        if self._more:
            self._first = _next(names[-1])
        return names

    def _lie_in_it(self) -> None:
        status = os.stat(self.path)  # noqa: PTH116 - a path is bytes
        self._above |= {(status.st_dev, status.st_ino)}

    def _block(self, entries: Iterable[os.DirEntry[bytes]]) -> list[bytes]:
        """Some names as they come."""
        block = islice(entries, _BLOCK)
        if self._follow:
            return [entry.name + b"/" if self._descends(entry) else entry.name for entry in block]
        return [entry.name + b"/" if entry.is_dir(follow_symlinks=False) else entry.name for entry in block]

    def _descends(self, entry: os.DirEntry[bytes]) -> bool:
        if not entry.is_symlink():
            return entry.is_dir(follow_symlinks=False)
        try:
            status = entry.stat()
            return entry.is_dir() and (status.st_dev, status.st_ino) not in self._above
        except OSError:
            return False  # whoever takes a closer look at the name will learn why


def reach(root: bytes, relative: bytes, *, follow: bool, prunes: Callable[[bytes], bool] | None) -> Listing:
    """The listing of the directory below `root/` that a path lies in, reduced to the last name of the path.

    Raises OSError if a walk from the root, which passes over the directories that `prunes` names, does not come there.
    """
    *parents, name = relative.split(b"/")
    listing = Listing(root, b"", b"", follow=follow)
    for parent in parents:
        directory = next(iter(listing.only(parent)))
        if directory == parent or (prunes is not None and prunes(listing.relative + directory)):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), listing.path + parent)
        listing = listing.below(directory)
    return listing.only(name)


def _next(name: bytes) -> bytes:
    """What comes directly behind a name: no name holds a NUL."""
    return name + b"\0"

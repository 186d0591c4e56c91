"""A part of the file system as lines to choose from: which folders are open, which names are marked. No screen, no thread."""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import NamedTuple

_SIZES_UP_TO = 5000
"""Above this many names in a folder, sizes are not looked up."""
LISTED = 20_000
"""Names of a folder that are listed; a filter reaches the others."""
MARKS = 1000
"""Names that can be marked: a job keeps each of them."""


@dataclass(slots=True, eq=False)
class Entry:
    """One name. Paths are absolute, bytes that are not UTF-8 surrogate-escaped."""

    path: str
    depth: int
    folder: bool
    size: int | None = None
    link: bool = False
    open: bool = False
    children: list[Entry] | None = None
    """None: not listed yet."""
    problem: str = ""
    listed_for: str = ""
    """The filter that its children were listed with."""
    rest: int = 0
    """Of a folder: names that are in it and not among its children. Of any other entry: it stands for so many names."""

    @property
    def stands_for_rest(self) -> bool:
        """Whether it is no name itself, but stands for those that are not listed."""
        return self.rest > 0 and not self.folder

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2] or self.path


class Listing(NamedTuple):
    """What a folder holds."""

    entries: list[Entry]
    rest: int = 0
    """Names that match and are not among them, because there are too many."""


def list_folder(path: str, containing: str = "", most: int = LISTED) -> Listing:
    """The names in a folder: folders first, then files, each in the order of people; of too many the first.

    `containing`: only names with this text, in either case, and all folders. Blocks on the disk, in memory for `most` names only;
    raises OSError.
    """
    wanted, count = containing.casefold(), 0

    def found() -> Iterator[tuple[bool, str, str, bool]]:
        nonlocal count
        with os.scandir(path) as scan:
            for entry in scan:
                folder, folded = _is_folder(entry), entry.name.casefold()
                if folder or wanted in folded:
                    count += 1
                    yield not folder, folded, entry.path, entry.is_symlink()

    kept = heapq.nsmallest(most, found())
    entries = [Entry(at, 0, not file, link=link) for file, _, at, link in kept]
    if count <= _SIZES_UP_TO:
        for entry in entries:
            entry.size = None if entry.folder else _size(entry.path)
    return Listing(entries, count - len(entries))


def _is_folder(found: os.DirEntry[str]) -> bool:
    try:
        return found.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _size(path: str) -> int | None:
    try:
        return os.lstat(path).st_size
    except OSError:
        return None


@dataclass(slots=True)
class Folders:
    """The tree below `root`, and the marks."""

    root: str
    marked: set[str] = field(default_factory=set)
    hidden: bool = False
    containing: str = ""
    """Only names with this text are on show, in either case, and the open folders that they are in."""
    top: Entry = field(init=False)

    def __post_init__(self) -> None:
        self.top = Entry(self.root, -1, folder=True, open=True)

    def start_at(self, root: str) -> None:
        """Show another part of the file system; marks stay."""
        self.root = root
        self.top = Entry(root, -1, folder=True, open=True)

    def fill(self, entry: Entry, listing: Listing, listed_for: str = "") -> None:
        """Put what a folder holds below it; folders that were open stay so."""
        opened = {child.path: child for child in entry.children or () if child.open}
        entry.problem, entry.listed_for, entry.rest = "", listed_for, listing.rest
        entry.children = [opened.get(child.path, child) for child in listing.entries]
        for child in entry.children:
            child.depth = entry.depth + 1

    def cut(self) -> list[Entry]:
        """The open folders that were listed for another filter than the present one, and not whole then."""
        return [entry for entry in self._open(self.top) if entry.listed_for != self.containing and (entry.rest or entry.listed_for)]

    def _open(self, entry: Entry) -> Iterator[Entry]:
        if entry.open and entry.children is not None:
            yield entry
            for child in entry.children:
                if child.open:
                    yield from self._open(child)

    def lines(self) -> list[Entry]:
        """What is on show, top to bottom."""
        return self._below(self.top, self.containing.casefold())

    def _below(self, entry: Entry, wanted: str) -> list[Entry]:
        lines: list[Entry] = []
        for child in entry.children or ():
            name = child.name
            if not self.hidden and name.startswith(".") and child.path not in self.marked:
                continue
            below = self._below(child, wanted) if child.open else ()
            if below or not wanted or wanted in name.casefold():
                lines.append(child)
                lines += below
        if entry.rest and entry.children is not None:
            lines.append(Entry(f"{entry.path.rstrip('/')}/\0", entry.depth + 1, folder=False, rest=entry.rest))
        return lines

    # Marks.

    def covered(self, path: str) -> bool:
        """Whether a folder above is marked, so that this is uploaded with it."""
        return any(str(above) in self.marked for above in PurePosixPath(path).parents)

    def holds_marks(self, path: str) -> bool:
        """Whether something below this folder is marked."""
        return any(path != mark and _is_below(mark, path) for mark in self.marked)

    def toggle(self, path: str) -> bool:
        """Mark or unmark; a marked folder takes the marks below it in. Returns False for what is covered already."""
        if path in self.marked:
            self.marked.discard(path)
            return True
        if self.covered(path):
            return False
        self.mark([path])
        return True

    def mark(self, paths: Iterable[str]) -> None:
        """Mark all of these; what is covered already stays as it is. Raises ValueError, and marks none, if that is too many."""
        new = sorted(set(paths) - self.marked)
        if len(self.marked) + len(new) > MARKS:
            raise ValueError(
                f"That would be {len(self.marked) + len(new):,} marks, and a job takes {MARKS:,}: mark the folder above instead."
            )
        for path in new:  # a folder comes before what is in it
            if not self.covered(path):
                self.marked.add(path)
        self.marked = {mark for mark in self.marked if not self.covered(mark)}

    def invert(self, entries: Sequence[Entry]) -> None:
        """Mark those that are not, and unmark those that are. Raises ValueError, and changes nothing, if that is too many."""
        marked = {entry.path for entry in entries if entry.path in self.marked}
        before, self.marked = self.marked, self.marked - marked
        try:
            self.mark(entry.path for entry in entries if entry.path not in marked)
        except ValueError:
            self.marked = before
            raise

    def sources(self) -> list[str]:
        """The marked paths in order."""
        return sorted(self.marked)


def siblings(lines: Sequence[Entry], entry: Entry) -> list[Entry]:
    """Those of these lines that are in the same folder, itself among them."""
    above = entry.path.rpartition("/")[0]
    return [
        other
        for other in lines
        if other.depth == entry.depth and not other.stands_for_rest and other.path.rpartition("/")[0] == above
    ]


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip("/") + "/")

"""A part of the file system as lines to choose from: which folders are open, which names are marked. No screen, no thread."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

_SIZES_UP_TO = 5000
"""Above this many names in a folder, sizes are not looked up."""


@dataclass(slots=True)
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

    @property
    def name(self) -> str:
        """The last part of the path."""
        return Path(self.path).name or self.path


def list_folder(path: str) -> list[Entry]:
    """The names in a folder: folders first, then files, each in the order of people. Blocks on the disk; raises OSError."""
    with os.scandir(path) as scan:
        found = list(scan)
    entries = [_entry(name, with_size=len(found) <= _SIZES_UP_TO) for name in found]
    return sorted(entries, key=lambda entry: (not entry.folder, entry.name.casefold(), entry.name))


def _entry(found: os.DirEntry[str], *, with_size: bool) -> Entry:
    size: int | None = None
    try:
        folder = found.is_dir(follow_symlinks=False)
        if with_size and not folder:
            size = found.stat(follow_symlinks=False).st_size
    except OSError:
        folder = False
    return Entry(found.path, 0, folder, size, found.is_symlink())


@dataclass(slots=True)
class Folders:
    """The tree below `root`, and the marks."""

    root: str
    marked: set[str] = field(default_factory=set)
    hidden: bool = False
    top: Entry = field(init=False)

    def __post_init__(self) -> None:
        self.top = Entry(self.root, -1, folder=True, open=True)

    def start_at(self, root: str) -> None:
        """Show another part of the file system; marks stay."""
        self.root = root
        self.top = Entry(root, -1, folder=True, open=True)

    def fill(self, entry: Entry, children: Iterable[Entry]) -> None:
        """Put what a folder holds below it."""
        entry.problem = ""
        entry.children = list(children)
        for child in entry.children:
            child.depth = entry.depth + 1

    def lines(self) -> list[Entry]:
        """What is on show, top to bottom."""
        return list(self._below(self.top))

    def _below(self, entry: Entry) -> Iterator[Entry]:
        for child in entry.children or ():
            if self.hidden or not child.name.startswith(".") or child.path in self.marked:
                yield child
                if child.open:
                    yield from self._below(child)

    def covered(self, path: str) -> bool:
        """Whether a folder above is marked, so that this is uploaded with it."""
        return any(path != mark and _is_below(path, mark) for mark in self.marked)

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
        self.marked = {mark for mark in self.marked if not _is_below(mark, path)} | {path}
        return True

    def sources(self) -> list[str]:
        """The marked paths in order."""
        return sorted(self.marked)


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip("/") + "/")

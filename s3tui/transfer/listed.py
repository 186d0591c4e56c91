"""The entries that a list names, each looked at by itself: nothing is listed, and no directory is taken whole."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from functools import lru_cache

from s3tui.events import Planned
from s3tui.text import display_text
from s3tui.transfer.file_list import is_outside
from s3tui.transfer.judging import Judge

_DIRECTORIES = 1000
"""Directories whose verdicts are remembered; neighbours of a sorted list share theirs."""


def listed_entries(judge: Judge, paths: Iterable[bytes]) -> Iterator[Planned]:
    """A row for each path of a kept list, in its order."""
    below = os.path.join(judge.source, b"")  # noqa: PTH118 - paths are bytes

    @lru_cache(_DIRECTORIES)
    def kept_out(directory: bytes) -> str | None:
        return _kept_out(judge, below, directory)

    for path in paths:
        if is_outside(path):
            yield _outside(judge, path)
            continue
        directory, slash, _ = path.rpartition(b"/")
        reason = kept_out(directory + slash) if slash else None
        yield judge.skipped(path, reason) if reason else _entry(judge, below, path)


def _entry(judge: Judge, below: bytes, path: bytes) -> Planned:
    """A row for a path whose directories are looked into."""
    sieve = judge.sieve
    excluded = sieve.excludes is not None and sieve.excludes(path)
    try:
        status = os.lstat(below + path)
    except OSError as error:
        return judge.unreadable(path, error, excluded=excluded)
    follows = judge.follow and stat.S_ISLNK(status.st_mode)
    if not stat.S_ISDIR(status.st_mode) and not (follows and os.path.isdir(below + path)):  # noqa: PTH112
        return judge.entry(path, status, excluded=excluded)
    if excluded or (sieve.prunes is not None and sieve.prunes(path + b"/")):
        return judge.skipped(path, "excluded")
    return judge.hopeless(
        path,
        "is_a_directory",
        f"{display_text(path)} is a directory, and --files-from takes files. List what is in it, or give it as a SOURCE.",
    )


def _kept_out(judge: Judge, below: bytes, directory: bytes) -> str | None:
    """Why a walk would not come into a directory (its path ends in a slash): one on the way is left out, or a link."""
    names = directory.split(b"/")[:-1]
    for depth in range(1, len(names) + 1):
        passed = b"/".join(names[:depth])
        if judge.sieve.prunes is not None and judge.sieve.prunes(passed + b"/"):
            return "excluded"
        if not judge.follow and os.path.islink(below + passed):  # noqa: PTH114
            return "not_a_file"
    return None


def _outside(judge: Judge, path: bytes) -> Planned:
    return judge.hopeless(
        path,
        "outside_source",
        f"{display_text(path)} does not lie below the source {display_text(judge.source)}. "
        "List paths without .., relative to the source or beginning with it.",
    )

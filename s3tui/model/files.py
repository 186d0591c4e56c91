"""The files of a job: how each is told from another, where it stands, and lists of them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import NamedTuple

SIGNED_64 = (1 << 63) - 1
"""Databases keep signed 64-bit integers; inode numbers may use the top bit."""


class Fingerprint(NamedTuple):
    """How to tell that a file is still the file that was planned."""

    size: int
    mtime_ns: int
    inode: int
    """The lower 63 bits of the inode number."""

    @classmethod
    def of(cls, status: os.stat_result) -> Fingerprint:
        """Take the fingerprint from a stat result."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ino & SIGNED_64)


class FileState(IntEnum):
    """Where one file stands. The numbers are stored; the names, in lower case, are the report's words."""

    PLANNED = 0
    UPLOADED = 1
    VERIFIED = 2
    DELETED = 3
    SKIPPED = 4
    FAILED = 5

    @property
    def word(self) -> str:
        """The state as reports and screens write it."""
        return self.name.lower()


class Action(IntEnum):
    """What the plan says will happen to a file. The numbers are stored."""

    UPLOAD = 0
    """Sent without having looked whether the key is taken."""
    NEW = 1
    OVERWRITE = 2
    SKIP = 3
    FAIL = 4

    @property
    def word(self) -> str:
        """The action as reports and screens write it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file of a job, as screens and reports show it."""

    no: int
    path: bytes
    """Relative to its source."""
    key: str | None
    size: int
    state: FileState
    action: Action
    attempts: int = 0
    reason: str | None = None
    error: str | None = None
    checksum: str | None = None
    etag: str | None = None
    proof: str | None = None
    """`Proof`, once the object was proven to hold the file's bytes."""


class View(StrEnum):
    """The five ways to look at the files of a job."""

    ALL = "all"
    ACTIVE = "active"
    QUEUED = "queued"
    FAILED = "failed"
    DONE = "done"


class Order(StrEnum):
    """What a list of files is sorted by."""

    NUMBER = "number"
    """As the scan found them."""
    PATH = "path"
    SIZE = "size"
    STATE = "state"
    TRIES = "tries"
    REASON = "reason"


class FileChoice(NamedTuple):
    """Which files of a job a list holds, and how it is sorted; of those that are equal, the first found comes first."""

    view: View = View.ALL
    containing: str = ""
    """A part of their paths, ASCII letters of either case."""
    reason: str | None = None
    """Why they were skipped or failed; None: for whatever reason, or for none."""
    order: Order = Order.NUMBER
    backwards: bool = False


WHOLE = FileChoice()
"""Every file, as the scan found them: a list in which line and number are one."""

"""Rows of CSV files: counts of them, and those that were rejected."""

from __future__ import annotations

from typing import NamedTuple


class RowCounts(NamedTuple):
    """What has become of the rows of CSV files."""

    inserted: int = 0
    rejected: int = 0
    landed: int = 0
    """Bytes of the files that are not at their end, as far as they have come into the database."""

    @property
    def read(self) -> int:
        """All that are not blank."""
        return self.inserted + self.rejected


class RejectChoice(NamedTuple):
    """Which rejected records of an ingest job a list is of; None: all."""

    file_no: int | None = None
    reason: str | None = None


class RejectWay(NamedTuple):
    """How to get to a page of such a list: from a record (None: from an end of the list), over so many others."""

    beside: tuple[int, int] | None
    """Number of the file, and of the record in it. The record itself is the first that counts."""
    backwards: bool
    skip: int
    most: int
    """Records of the page."""


class RejectLine(NamedTuple):
    """A rejected record, as people look at it."""

    file_no: int
    record: int
    """Its number in the file, from 1."""
    line: int
    """On which it begins, from 1."""
    reason: str
    detail: str
    text: str
    """Its beginning, not safe to show: a byte NN that is part of no character is U+DCNN."""
    size: int
    """Bytes of all of it."""
    whole: bool
    """Whether `text` is all of it."""

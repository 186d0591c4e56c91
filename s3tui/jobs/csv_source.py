"""A CSV file that is open for one unit, and is the file that was planned for as long as it is read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from s3tui.errors import SourceChanged
from s3tui.model import Fingerprint
from s3tui.tabular.opening import TableFile, open_table


@dataclass(frozen=True, slots=True)
class CsvSource:
    """The bytes of a file, and what it was like when it was planned."""

    file: TableFile
    path: bytes
    fingerprint: Fingerprint

    def ensure_unchanged(self) -> None:
        """See that what was read so far is of the file that was planned. Raises SourceChanged."""
        if fingerprint_of(self.path) != self.fingerprint:
            raise SourceChanged(
                f"{self.file.shown} has changed since it was planned, so none of its rows are kept. "
                "Ingest it again when it is at rest."
            )


@contextmanager
def open_csv(path: bytes, planned: Fingerprint | None = None) -> Iterator[CsvSource]:
    """A file, as it was `planned` if that is known. Raises SourceError, SourceChanged, TableError."""
    with open_table(path) as file:
        source = CsvSource(file, path, planned or Fingerprint.of(os.stat(path)))  # noqa: PTH116 - bytes
        source.ensure_unchanged()
        yield source


def fingerprint_of(path: bytes) -> Fingerprint | None:
    """What a file is like now; None if it is gone."""
    try:
        return Fingerprint.of(os.stat(path))  # noqa: PTH116 - bytes
    except OSError:
        return None

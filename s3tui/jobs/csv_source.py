"""Where the bytes of batches come from: the CSV file, as long as it is the one that was planned, or the database."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from s3tui.errors import Cancelled, SourceChanged
from s3tui.model import Fingerprint, Lease
from s3tui.state.ingests import Cut
from s3tui.state.landings import Landings
from s3tui.tabular.opening import TableFile, open_table
from s3tui.tabular.split import Batch, read_range


class BatchSource(Protocol):
    """What a unit reads its batches from."""

    @property
    def shown(self) -> str:
        """The file's name, for sentences."""

    def bytes_of(self, cut: Cut) -> bytes:
        """The bytes of a batch, as `tabular.split` gave them. Raises SourceError, TableError."""

    def ensure_unchanged(self) -> None:
        """See that what was read so far is of the file that was planned. Raises SourceChanged."""


@dataclass(frozen=True, slots=True)
class Payloads:
    """Implements `BatchSource` for batches whose bytes travel with them: whoever cut the file has seen that they are its own."""

    landings: Landings
    lease: Lease
    shown: str

    def bytes_of(self, cut: Cut) -> bytes:
        """Raises Cancelled if the file has failed, and its bytes are gone."""
        payload = self.landings.payload(self.lease, cut)
        if payload is None:
            raise Cancelled("The file has failed meanwhile.")
        return payload

    def ensure_unchanged(self) -> None:
        """They are what they were."""


@dataclass(frozen=True, slots=True)
class CsvSource:
    """The bytes of a file, and what it was like when it was planned."""

    file: TableFile
    path: bytes
    fingerprint: Fingerprint

    @property
    def shown(self) -> str:
        """See `BatchSource`, as for the next."""
        return self.file.shown

    def bytes_of(self, cut: Cut) -> bytes:
        return read_range(self.file, Batch._make(cut))

    def ensure_unchanged(self) -> None:
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

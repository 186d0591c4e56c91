"""Takes a file through all of the room, as a job does."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

from s3tui.tabular.opening import TableFile
from s3tui.tabular.records import read_rows
from s3tui.tabular.rejects import Reject, rejects_header, rejects_lines
from s3tui.tabular.rows import Rows
from s3tui.tabular.schema import Schema
from s3tui.tabular.split import Batch, Limits, split
from s3tui.tabular.table import Choices, Table, look

SMALL = Limits(rows=3)


def opened(data: bytes) -> TableFile:
    return TableFile(io.BytesIO(data), "a.csv")


@dataclass
class Outcome:
    """What became of a file."""

    table: Table
    batches: list[Batch]
    rows: list[list[str]]
    lines: list[int]
    rejects: list[Reject]
    blank: int

    @property
    def refused(self) -> list[tuple[int, str, bytes]]:
        """Line, reason and text of each reject."""
        return [(reject.line, reject.reason.value, reject.raw) for reject in self.rejects]

    @property
    def rejects_file(self) -> bytes:
        return rejects_header(self.table) + rejects_lines(self.rejects, self.table)


def read_batches(
    file: TableFile, table: Table, schema: Schema | None = None, limits: Limits | None = None
) -> Iterator[tuple[Batch, Rows]]:
    """Each batch of a file. Holds that its records add up."""
    for batch, raw in split(file, table, limits):
        rows = read_rows(batch, raw, table, schema)
        assert len(rows) + len(rows.rejects) + rows.blank == batch.records
        yield batch, rows


def read(data: bytes, choices: Choices | None = None, limits: Limits | None = None) -> Outcome:
    """All batches of a file. Holds that nothing is lost on the way: the records add up, and the ranges are the file."""
    schema = choices.schema if choices else None
    with opened(data) as file:
        table = look(file, choices)
        outcome = Outcome(table, [], [], [], [], 0)
        arranged = schema.arranged(table.columns) if schema else None
        for batch, rows in read_batches(file, table, arranged, limits):
            outcome.batches.append(batch)
            outcome.rows += rows.fields()
            outcome.lines += rows.lines
            outcome.rejects += rows.rejects
            outcome.blank += rows.blank
    return outcome

"""The plan of one CSV file: its batches, written down with the units that will land them, while they are cut.

Units begin small, so that work starts at once, and double. Those of a compressed file go on doubling: who lands one reads the file
from its beginning, so there must be few.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from s3tui.errors import Cancelled, SourceError, TableError
from s3tui.events import Planned
from s3tui.jobs.context import Context
from s3tui.jobs.csv_source import CsvSource, fingerprint_of, open_csv
from s3tui.model import FileState, Fingerprint
from s3tui.state.ingests import Cut
from s3tui.state.row_tables import fault_of_columns
from s3tui.tabular.inference import Inference
from s3tui.tabular.records import read_rows
from s3tui.tabular.schema import Schema
from s3tui.tabular.split import Batch, Limits, split
from s3tui.tabular.table import Table, look

if TYPE_CHECKING:
    from s3tui.jobs.ingest import IngestSpec
    from s3tui.tabular.rows import Rows

_FIRST_UNIT = 10
_MOST_IN_UNIT = 200
_UNIT_BYTES = 64 << 20
_PAYLOADS_IN_UNIT, _PAYLOADS_WAITING = 4 << 20, 64 << 20
_CATCH_UP_SECONDS = 0.1
_SHOWN_ROWS = 10
_SHOWN_CELL = 200


def batch_key(prefix: str, job_id: str, no: int) -> str:
    """The key of a batch's object."""
    return f"{prefix}uploads/{job_id}/{batch_name(no)}"


def batch_name(no: int) -> str:
    """The same, below the job's own prefix."""
    return f"batch-{no:06}.json"


def cut_file(context: Context[IngestSpec], no: int, path: bytes, schema: Schema | None, *, begun: bool) -> None:
    """Cut a file, from where that was left if it has `begun`. What is wrong with the file is written down."""
    known = context.store.ingests.file(context.lease.job_no, no) if begun else None
    if begun and (known is None or known.whole or known.reason is not None):
        return
    try:
        with open_csv(path, known.fingerprint if known is not None else None) as source:
            table = Table.of(known.facts["table"]) if known is not None else _begin(context, no, source, schema)
            begun = True
            _Cutting(context, no, source, table, schema and schema.arranged(table.columns)).cut()
    except (SourceError, TableError) as error:
        if begun:
            context.store.ingests.doom(context.lease, no, error.reason, str(error))
        else:
            _refuse(context, no, path, error)
    except Cancelled:
        pass  # the job stops, or the file has failed: whoever lands it has seen why


def _begin(context: Context[IngestSpec], no: int, source: CsvSource, schema: Schema | None) -> Table:
    """Read the header, and write the file down. Raises SourceError, TableError."""
    table = look(source.file, replace(context.spec.choices, schema=schema))
    if context.spec.table and (fault := fault_of_columns(table.columns)):
        raise source.file.refusal(fault, "column_name")
    key = batch_key(context.spec.prefix, context.job.id, context.store.ingests.next_batch(context.lease))
    planned = Planned(no, os.path.basename(source.path), key, source.fingerprint)  # noqa: PTH119 - bytes
    context.store.ingests.begin(context.lease, planned, _described(table, schema and schema.arranged(table.columns)))
    return table


def _refuse(context: Context[IngestSpec], no: int, path: bytes, error: SourceError | TableError) -> None:
    """Write down a file that is no table."""
    refused = Planned(
        no,
        os.path.basename(path),  # noqa: PTH119 - bytes
        None,
        fingerprint_of(path) or Fingerprint(0, 0, 0),
        FileState.FAILED,
        error.reason,
        str(error),
    )
    context.store.planning.add(context.lease, [refused], hold=context.job.dry_run)


def _described(table: Table, schema: Schema | None) -> dict[str, Any]:
    """How the file is read: for whoever lands it, and for people."""
    return {
        "table": table.facts(),
        "schema": schema and schema.facts(),
        "encoding": str(table.encoding),
        "delimiter": table.dialect.delimiter,
        "quote": table.dialect.quote,
        "columns": list(table.columns),
    }


@dataclass(slots=True)
class _Cutting:
    """One file while it is cut."""

    context: Context[IngestSpec]
    no: int
    source: CsvSource
    table: Table
    schema: Schema | None
    """In the order of the table's columns."""
    _gathered: list[Cut] = field(default_factory=list)
    _payloads: list[bytes | None] = field(default_factory=list)
    _size: int = 0
    _room: int = _FIRST_UNIT
    _seen: dict[str, Any] = field(default_factory=dict)
    _counted: Counter[str] = field(default_factory=Counter)

    def cut(self) -> None:
        """All of it, unless the job stops. Raises SourceError, TableError; Cancelled, also if the file has failed meanwhile."""
        context, ingests = self.context, self.context.store.ingests
        last = ingests.last_cut(context.lease, self.no)
        number = ingests.next_batch(context.lease)
        after = None if last is None else Batch(number - 1, *last[1:])
        base = 0 if after else number - 1  # batches of a file that has none yet are counted from 1
        for batch, raw in split(self.source.file, self.table, Limits(rows=context.spec.batch_rows), after=after):
            if context.control.stopping:
                return
            self._look_at(batch, raw)
            self._gathered.append(Cut(base + batch.number, *batch[1:]))
            self._payloads.append(raw if self._travels else None)
            self._size += batch.length
            if len(self._gathered) >= self._room or self._size >= self._most_bytes:
                self._write()
        if self._gathered or (last is None and context.job.dry_run and not self._seen):
            self._write()  # a plan that is applied has a unit for each file, if only to end it
        self.source.ensure_unchanged()
        facts = {**_described(self.table, self.schema), **self._seen}
        if context.job.dry_run:
            facts["counted"] = dict(self._counted)
        ingests.cut_whole(context.lease, self.no, facts, size=self.source.fingerprint.size)

    @property
    def _travels(self) -> bool:
        """Whether the bytes of batches do. Those of a dry run stay where they are: who applies it reads the file."""
        return self.context.spec.payload == "inline" and not self.context.job.dry_run

    @property
    def _most_bytes(self) -> float:
        if self._travels:
            return _PAYLOADS_IN_UNIT
        return float("inf") if self.source.file.compressed else _UNIT_BYTES

    def _write(self) -> None:
        """Write down what has been cut of the file that was planned."""
        context = self.context
        self.source.ensure_unchanged()
        consumed = min(self.source.file.consumed(), self.source.fingerprint.size)
        if self._travels:
            self._wait_for_room()
        context.store.ingests.add(
            context.lease, self.no, self._gathered, self._payloads, consumed=consumed, hold=context.job.dry_run
        )
        context.wake()
        self._gathered.clear()
        self._payloads.clear()
        self._size = 0
        self._room *= 2
        if not self.source.file.compressed:
            self._room = min(self._room, _MOST_IN_UNIT)

    def _wait_for_room(self) -> None:
        """Let those that land catch up, so that few batches lie in the database. Raises Cancelled if the job stops."""
        while self.context.store.landings.waiting_bytes(self.context.lease) > _PAYLOADS_WAITING:
            if not self.context.control.rest(_CATCH_UP_SECONDS):
                raise Cancelled("The job stops.")

    def _look_at(self, batch: Batch, raw: bytes) -> None:
        """See what a person wants to know before it is ingested: of a dry run everything, otherwise the beginning."""
        if self._seen and not self.context.job.dry_run:
            return
        rows = read_rows(batch, raw, self.table, self.schema, shown=self.source.shown)
        if not self._seen:
            self._seen = self._sight(rows)
        self._counted["rows"] += len(rows)
        self._counted["rejected"] += len(rows.rejects)
        self._counted.update(reject.reason.value for reject in rows.rejects)

    def _sight(self, rows: Rows) -> dict[str, Any]:
        schema = self.schema
        if schema is None:
            inference = Inference(self.table.columns)
            inference.see(rows)
            schema = inference.schema()
        shown = [[cell[:_SHOWN_CELL] for cell in row] for row in rows.fields()[:_SHOWN_ROWS]]
        return {"types": [column.kind.value for column in schema.columns], "sample": shown}

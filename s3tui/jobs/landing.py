"""The batches of one unit: read and parsed, stored and proven, and brought into the database, each step on a thread of its own.

Of three groups of batches one is parsed, one is on its way to S3, and one is being written: so none of the three waits for another
one longer than it must, and no more than that is held in memory.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from s3tui.errors import TableError
from s3tui.jobs.context import Context
from s3tui.jobs.csv_source import BatchSource, Payloads, open_csv
from s3tui.jobs.csv_types import ensure_table
from s3tui.jobs.cutting import batch_name
from s3tui.jobs.shipment import Shipment
from s3tui.jobs.workplaces import unit_workplace
from s3tui.media.served import Headers
from s3tui.model import Fingerprint, Proof, Receipt
from s3tui.state.ingests import Cut, RejectRow
from s3tui.state.landings import Landing
from s3tui.tabular.objects import batch_object
from s3tui.tabular.records import read_rows
from s3tui.tabular.rejects import Reject
from s3tui.tabular.rows import Rows
from s3tui.tabular.schema import Schema
from s3tui.tabular.sheets import NamedSheet, TypedSheet
from s3tui.tabular.split import Batch
from s3tui.tabular.table import Table
from s3tui.text import display_text

if TYPE_CHECKING:
    from s3tui.jobs.ingest import IngestSpec

_GROUP = 10
"""Neighbouring batches that are stored together and written in one transaction."""
_GROUP_BYTES = 4 << 20
_GROUPS_AT_ONCE = 3

_SERVED = {"json": Headers("application/json", ""), "csv": Headers("text/csv; charset=utf-8", "")}


def shipment_of(context: Context[IngestSpec]) -> Shipment:
    """The way of a job's objects to its own prefix, which nobody else has: the job's id is in it."""
    prefix = f"{context.spec.prefix}uploads/{context.job.id}/"
    return Shipment(context, prefix, served=lambda name: _SERVED[name.rpartition(".")[2]], takes_prefix=False)


class _Parsed(NamedTuple):
    """A batch, and the file that will be its object."""

    cut: Cut
    path: Path
    rows: Rows


def land_unit(context: Context[IngestSpec], no: int, path: bytes) -> None:
    """Land what is left of a unit, whose file is `path`.

    Raises SourceError and TableError for what is wrong with the file, StorageError, LeaseLost, OSError; Cancelled if the job stops,
    or the file has failed.
    """
    file = context.store.ingests.file(context.lease.job_no, no)
    if file is None:
        return
    with _source(context, path, file.fingerprint) as source, unit_workplace(context.lease, context.job.id) as directory:
        table, schema = Table.of(file.facts["table"]), file.facts["schema"] and Schema.of(file.facts["schema"])
        if context.spec.table:
            ensure_table(context, schema)
        reader = _Reader(context, source, table, schema, directory)
        _Line(context, no, shipment_of(context)).run(reader.groups(context.store.landings.waiting(context.lease)))


@contextmanager
def _source(context: Context[IngestSpec], path: bytes, planned: Fingerprint) -> Iterator[BatchSource]:
    """Where the unit's batches are. Raises SourceError, SourceChanged, TableError."""
    landings = context.store.landings
    if context.spec.payload == "inline" and landings.carries_payloads(context.lease):
        yield Payloads(landings, context.lease, display_text(os.path.basename(path)))  # noqa: PTH119 - bytes
    else:
        with open_csv(path, planned) as source:
            yield source


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads and parses."""

    context: Context[IngestSpec]
    source: BatchSource
    table: Table
    schema: Schema | None
    directory: Path

    def groups(self, cuts: Iterable[Cut]) -> Iterator[list[_Parsed]]:
        """What is to land, group by group, until the job stops."""
        for group in _neighbours(cuts):
            if self.context.control.stopping:
                return
            try:
                parsed = [self._parse(cut) for cut in group]
            finally:
                self.source.ensure_unchanged()  # above all, when what was read made no sense
            if self.context.spec.strict:
                self._refuse_rejects(parsed)
            yield parsed

    def _parse(self, cut: Cut) -> _Parsed:
        batch = Batch._make(cut)
        rows = read_rows(batch, self.source.bytes_of(cut), self.table, self.schema, shown=self.source.shown)
        path = self.directory / batch_name(cut.no)
        path.write_bytes(batch_object(self.context.job.id, batch, rows))
        return _Parsed(cut, path, rows)

    def _refuse_rejects(self, parsed: Iterable[_Parsed]) -> None:
        """Raises TableError at the first record that is no row."""
        for _, _, rows in parsed:
            for reject in rows.rejects:
                why = f"line {reject.line} is no row ({reject.reason.value}): {reject.detail}"
                refused = f"{self.source.shown} was refused, since --strict takes whole files only: {why}."
                raise TableError(f"{refused} None of its rows are kept.", "rejected_row")


@dataclass(slots=True)
class _Line:
    """Stores and writes, one group behind the other."""

    context: Context[IngestSpec]
    no: int
    shipment: Shipment

    def run(self, groups: Iterable[list[_Parsed]]) -> None:
        """Raises what went wrong first."""
        on_their_way: deque[Future[None]] = deque()
        with (
            ThreadPoolExecutor(1, thread_name_prefix="store") as carrier,
            ThreadPoolExecutor(1, thread_name_prefix="land") as writer,
        ):
            for group in groups:
                if len(on_their_way) == _GROUPS_AT_ONCE - 1:
                    on_their_way.popleft().result()
                stored = carrier.submit(self._store, group)
                on_their_way.append(writer.submit(self._write, group, stored))
            for landed in on_their_way:
                landed.result()

    def _store(self, group: list[_Parsed]) -> list[tuple[Receipt, Proof]]:
        """Store objects and prove them."""
        self.shipment.send((parsed.path.name, parsed.path) for parsed in group)
        return [self.shipment.take(parsed.path.name) for parsed in group]

    def _write(self, group: list[_Parsed], stored: Future[list[tuple[Receipt, Proof]]]) -> None:
        landings = [self._landing(parsed, *proven) for parsed, proven in zip(group, stored.result(), strict=True)]
        self.context.store.landings.land(self.context.lease, self.context.job.id, self.no, landings, self.context.spec.row_table)
        self.context.progress.count(sum(parsed.cut.length for parsed in group))
        for parsed in group:
            parsed.path.unlink(missing_ok=True)

    def _landing(self, parsed: _Parsed, receipt: Receipt, proof: Proof) -> Landing:
        rows = parsed.rows
        sheet = TypedSheet(rows) if self.context.spec.table else NamedSheet(rows)
        return Landing(parsed.cut, sheet, [_row(reject) for reject in rows.rejects], receipt.etag, proof)


def _row(reject: Reject) -> RejectRow:
    return RejectRow(reject.record, reject.line, reject.offset, reject.reason.value, reject.detail, reject.raw)


def _neighbours(cuts: Iterable[Cut]) -> Iterator[list[Cut]]:
    """Batches in groups."""
    group: list[Cut] = []
    size = 0
    for cut in cuts:
        if group and (len(group) == _GROUP or size + cut.length > _GROUP_BYTES):
            yield group
            group, size = [], 0
        group.append(cut)
        size += cut.length
    if group:
        yield group

"""The end of one CSV file: verified when all of it has landed, its rejects stored beside its batches; or failed, and taken back.

Whoever sees a file at its end ends it: the unit that landed its last batch, or the plan, if that was slower. Twice is like once.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from s3tui.errors import Cancelled
from s3tui.events import Fact, Failed, Uploaded, Verified
from s3tui.jobs.context import Context
from s3tui.jobs.landing import shipment_of
from s3tui.jobs.workplaces import unit_workplace
from s3tui.model import ObjectRef, Proof, Receipt
from s3tui.state.ingests import CsvFile
from s3tui.tabular.rejects import Reason, Reject, rejects_header, rejects_lines
from s3tui.tabular.table import Table

if TYPE_CHECKING:
    from s3tui.jobs.ingest import IngestSpec


_turn = threading.Lock()
"""One thread of this process ends a file at a time: rejects may be large, and the plan and a unit often get there together."""


def end_file(context: Context[IngestSpec], no: int) -> None:
    """End a file, if nothing is left to do of it. Raises StorageError, LeaseLost."""
    with _turn:
        file = context.store.ingests.file(context.lease.job_no, no)
        if file is None:
            return
        if file.reason is not None:
            _take_back(context, no, file.reason, file.error or file.reason)
        elif file.has_landed and not context.job.dry_run:
            with suppress(Cancelled):  # the job stops
                _finish(context, no, file)


def _take_back(context: Context[IngestSpec], no: int, reason: str, error: str) -> None:
    taken: int | None = 0
    while taken is not None:
        if context.control.broken_off:
            return
        taken = context.store.landings.take_back(context.lease, no, context.spec.row_table, after=taken)
    context.store.ingests.fail(context.lease, no, Failed(no, 1, reason, error))


def _finish(context: Context[IngestSpec], no: int, file: CsvFile) -> None:
    url = _send_rejects(context, no, file) if file.rejected else None
    facts: list[Fact] = [Uploaded(no, 1, Receipt(file.fingerprint.size, "", "")), Verified(no, Proof.SERVER_CHECKSUM)]
    context.store.ingests.finish(context.lease, no, facts, url)


def _send_rejects(context: Context[IngestSpec], no: int, file: CsvFile) -> str:
    """Store the rejects of a file as a CSV that can be mended and ingested again; returns where it is."""
    spec, table = context.spec, Table.of(file.facts["table"])
    name = "rejects.csv" if len(spec.sources) == 1 else f"rejects-{no + 1}.csv"
    shipment = shipment_of(context)
    with unit_workplace(context.lease, context.job.id) as directory:
        _write_rejects(context, no, table, directory / name)
        shipment.send([(name, directory / name)])
    return context.resources.url(spec.connection, ObjectRef(spec.bucket, f"{spec.prefix}uploads/{context.job.id}/{name}"))


def _write_rejects(context: Context[IngestSpec], no: int, table: Table, path: Path) -> None:
    with path.open("wb") as stream:
        stream.write(rejects_header(table))
        for page in context.store.ingests.rejects(context.lease.job_no, no):
            rejects = (Reject(row.line, row.record, row.start, Reason(row.reason), row.detail, bytes(row.raw)) for row in page)
            stream.writelines(rejects_lines([one], table) for one in rejects)  # of the largest, all at once are too many

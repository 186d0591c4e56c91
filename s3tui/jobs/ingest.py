"""ingest: each CSV file becomes batches on S3 and rows in the database, every record accounted for.

    header read ──▶ cut into batches, a unit for every few of them ──▶ each: read its range, store its object, prove it,
                                                                   then in one transaction: its mark, its rows, its rejects
                all batches of a file done ──▶ rejects.csv, if anything was rejected ──▶ the file is verified

Batches depend on the file's bytes alone, and so do their objects. Whatever is killed is done again with the same result, and what
the ledger has marked changes nothing. A store that refuses a batch stops the job, which can be resumed; a file that cannot be read
to its end, or changes meanwhile, fails, and its rows are taken back.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar, get_args

from s3tui.errors import Cancelled, SourceError, SpecError, StateError, StorageError, TableError
from s3tui.jobs.checks import check_target
from s3tui.jobs.context import Context
from s3tui.jobs.csv_end import end_file
from s3tui.jobs.csv_types import schema_of
from s3tui.jobs.cutting import cut_file
from s3tui.jobs.landing import land_unit
from s3tui.jobs.options import Payload
from s3tui.jobs.targets import Targeted
from s3tui.model import Connection, FileState, Policy
from s3tui.state.row_tables import row_table
from s3tui.state.sql import RowTable
from s3tui.tabular.dialect import delimiter_named, quote_named
from s3tui.tabular.encoding import encoding_named
from s3tui.tabular.schema import parse_schema
from s3tui.tabular.table import Choices
from s3tui.transfer.unreadable import check_sources


@dataclass(frozen=True, slots=True)
class IngestSpec(Targeted):
    """The arguments of one ingest job. Raises SpecError when they cannot be used."""

    kind: ClassVar[str] = "ingest"
    queue: ClassVar[str] = "ingest"
    watch: ClassVar[bool] = False
    """See `UploadSpec`: what will come cannot be ingested yet."""

    sources: tuple[str, ...]
    """Absolute paths of files; bytes that are not UTF-8 are surrogate-escaped."""
    target: str
    """`s3://bucket/prefix/`: the prefix is empty or ends in a slash."""
    connection: Connection = field(default_factory=Connection)
    policy: Policy = field(default_factory=Policy)
    batch_rows: int = 1000
    """Records in one batch."""
    table: str = ""
    """With typed columns; empty: `ingest_rows`."""
    strict: bool = False
    """Fail a file at its first rejected record."""
    payload: str = "range"
    """`inline`: the bytes of a batch travel with it, for workers that cannot reach the file."""
    delimiter: str = ""
    """One character, or a word like `tab`; empty: it is found out, as are the next."""
    quote: str = ""
    """`"`, `'` or `none`."""
    encoding: str = ""
    header: bool = True
    """Whether the first record names the columns."""
    schema: str = ""
    """As `tabular.schema.parse_schema` reads it; empty: values are the file's texts."""

    def __post_init__(self) -> None:
        check_target(self.sources, self.target)
        if self.batch_rows < 1:
            raise SpecError("--batch-rows must be at least 1.")
        if self.payload not in get_args(Payload):
            raise SpecError(f"--payload is range or inline, not {self.payload!r}.")
        try:
            _ = self.choices, self.row_table
        except ValueError as error:
            raise SpecError(f"The CSV options cannot be used: {error}.") from error

    @property
    def passing(self) -> frozenset[FileState]:
        """See `UploadSpec`."""
        return frozenset({FileState.PLANNED, FileState.UPLOADED})

    @property
    def row_table(self) -> RowTable:
        """Where the rows come. Raises ValueError."""
        return row_table(self.table)

    @property
    def choices(self) -> Choices:
        """What people chose of how the files are written. Raises ValueError."""
        return Choices(
            encoding=encoding_named(self.encoding) if self.encoding else "",
            delimiter=delimiter_named(self.delimiter) if self.delimiter else "",
            quote=quote_named(self.quote) if self.quote else None,
            header=self.header,
            schema=parse_schema(self.schema) if self.schema else None,
        )


def plan(context: Context[IngestSpec]) -> None:
    """Cut one file after the other; units land what is cut meanwhile. Raises SpecError for one that is not there, StorageError."""
    spec = context.spec
    sources = [os.fsencode(source) for source in spec.sources]
    context.resources.bucket(spec.connection, spec.bucket).check()
    last = context.store.planning.last(context.lease)
    begun = 0 if last is None else last[0] + 1
    if not begun:
        check_sources(sources)
    schema = schema_of(context, sources)
    for no, source in enumerate(sources):
        if context.control.stopping:
            return
        cut_file(context, no, source, schema, begun=no < begun)
        if not context.control.stopping:
            _end(context, no)
    if not context.control.stopping:
        context.store.planning.finish(context.lease)


def work(context: Context[IngestSpec]) -> None:
    """Land the batches of the unit; the last unit of a file brings it to its end."""
    for no in range(context.lease.first, context.lease.last + 1):
        file = context.store.ingests.file(context.lease.job_no, no)
        if file is None or context.control.stopping:
            continue
        if file.reason is None:
            _land(context, no)
        if not context.control.stopping:
            _end(context, no)


def _land(context: Context[IngestSpec], no: int) -> None:
    try:
        with _ours(context):
            land_unit(context, no, os.fsencode(context.spec.sources[no]))
    except (SourceError, TableError) as error:
        context.store.ingests.doom(context.lease, no, error.reason, str(error))
    except Cancelled:
        pass  # the job stops, or the file has failed


def _end(context: Context[IngestSpec], no: int) -> None:
    with _ours(context):
        end_file(context, no)


@contextmanager
def _ours(context: Context[IngestSpec]) -> Iterator[None]:
    """What goes wrong stops the job; but not if the unit, and so its files on the disk, are another worker's by now.

    Raises LeaseLost, StorageError, and StateError if the disk does not take what is to be stored.
    """
    try:
        yield
    except StorageError:
        context.store.units.ensure_held(context.lease)
        raise
    except OSError as error:
        context.store.units.ensure_held(context.lease)
        cause = error.strerror or type(error).__name__
        step = "Free some disk space, or set XDG_STATE_HOME to another directory, and run the same command again; it resumes."
        raise StateError(f"Batches on their way to S3 cannot be written to the state directory: {cause}. {step}") from error

"""The types of a job's rows: those of the table that takes them, those that people give, or those that all files have.

A table that is there says what its columns are. One that is not is made when the first rows come, with the types that were given,
or else inferred from every row of every file: so a row is never rejected because of a guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from s3tui.errors import SourceError, SpecError, TableError
from s3tui.jobs.context import Context
from s3tui.jobs.csv_source import open_csv
from s3tui.state.row_tables import TypedColumn
from s3tui.tabular.inference import Inference
from s3tui.tabular.records import read_rows
from s3tui.tabular.schema import Column, Kind, Schema
from s3tui.tabular.split import Limits, split
from s3tui.tabular.table import look

if TYPE_CHECKING:
    from s3tui.jobs.ingest import IngestSpec

_SQL_TYPES = {
    Kind.INTEGER: "BIGINT",
    Kind.DECIMAL: "NUMERIC",
    Kind.FLOAT: "DOUBLE PRECISION",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.DATE: "DATE",
    Kind.TIMESTAMP: "TIMESTAMP",
    Kind.TIMESTAMPTZ: "TIMESTAMPTZ",
    Kind.TEXT: "TEXT",
}
_KINDS = {word: kind for kind, word in _SQL_TYPES.items()}


def schema_of(context: Context[IngestSpec], sources: Sequence[bytes]) -> Schema | None:
    """What the rows of a job must be; None: texts. Raises SpecError if the table cannot take such rows."""
    given, table = context.spec.choices.schema, context.spec.row_table
    if not context.spec.table:
        return given
    planned = next((facts["schema"] for facts in context.store.ingests.facts(context.lease.job_no).values()), None)
    if planned is not None:
        return Schema.of(planned)
    try:
        columns = context.store.row_tables.columns(table)
        if columns is None:
            return given or _inferred(context, sources)
        return _agreed(table.name, columns, given)
    except TableError as error:
        raise SpecError(str(error)) from error


def ensure_table(context: Context[IngestSpec], schema: Schema) -> None:
    """See that the job's table is there, and takes rows of the schema. Raises TableError."""
    table = context.spec.row_table
    wanted = [TypedColumn(column.name, _SQL_TYPES[column.kind], True) for column in schema.columns]
    _agreed(table.name, context.store.row_tables.ensure(table, wanted), schema)


def _agreed(table: str, columns: Sequence[TypedColumn], given: Schema | None) -> Schema:
    """The types of a table's columns. Raises TableError if rows of a given schema do not fit."""
    foreign = next((column for column in columns if column.type not in _KINDS), None)
    if foreign is not None:
        known = ", ".join(word.lower() for word in _KINDS)
        cause = f"its column {foreign.name} is {foreign.type.lower()}"
        raise _unfit(table, f"{cause}, and one of {known} is needed")
    schema = Schema(tuple(Column(name, _KINDS[word], nullable) for name, word, nullable in columns))
    if given is None:
        return schema
    kinds = {column.name: column.kind for column in schema.columns}
    for column in given.columns:
        if kinds.get(column.name) is not column.kind:
            held = f"is {kinds[column.name]}" if column.name in kinds else "is not there"
            raise _unfit(table, f"its column {column.name} {held}, and the rows have {column.kind}")
    surplus = next((name for name in schema.names if name not in given.names), None)
    if surplus is not None:
        raise _unfit(table, f"the rows have no {surplus}, which is one of its columns")
    return given


def _unfit(table: str, cause: str) -> TableError:
    return TableError(
        f"The table {table} cannot take the rows: {cause}. Change the table or the schema, or name another table.", "table"
    )


def _inferred(context: Context[IngestSpec], sources: Sequence[bytes]) -> Schema | None:
    """What all rows of the files are that have the columns of the first; None if no file can be read, or the job stops."""
    inference: Inference | None = None
    columns: frozenset[str] = frozenset()
    for source in sources:
        with suppress(SourceError, TableError), open_csv(source) as csv:  # it is refused when its turn comes
            table = look(csv.file, context.spec.choices)
            if inference is None:
                inference, columns = Inference(table.columns), frozenset(table.columns)
            if columns != frozenset(table.columns):
                continue
            for batch, raw in split(csv.file, table, Limits(rows=context.spec.batch_rows)):
                if context.control.stopping:
                    return None
                inference.see(read_rows(batch, raw, table))
    return inference.schema() if inference is not None else None

"""`s3tui ingest`: CSV files to batches on S3 and rows in the database."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from s3tui.cli.parser import Parser, add_carrying_options, add_connection_options, add_global_options, add_result_options
from s3tui.cli.upload import absolute, sources_and_target, start_job

if TYPE_CHECKING:
    from s3tui.jobs.ingest import IngestSpec


def add_options(parser: Parser) -> None:
    """What `ingest` takes."""
    parser.description = "Ingest CSV files: every record becomes a row, on S3 and in the database, or is rejected with the reason."
    parser.add_argument(
        "paths", nargs="+", metavar="FILE... s3://BUCKET[/PREFIX]", help="the CSV files, plain or gzip, and where to"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="plan only: say how each file is written, and what would be rejected"
    )
    add_carrying_options(parser)
    options = parser.add_argument_group("rows")
    options.add_argument("--batch-rows", metavar="N", help="rows in one batch (default: 1000)")
    options.add_argument(
        "--table", metavar="NAME", help="a table with typed columns that takes the rows (default: ingest_rows, as JSON)"
    )
    options.add_argument("--strict", action="store_const", const="true", help="fail a file at its first rejected row")
    options.add_argument("--schema", metavar="COLUMNS", help="names and types, like id:integer,price:decimal?,name:text")
    options.add_argument("--schema-file", metavar="FILE", help="the same from a file")
    options.add_argument(
        "--payload", choices=("range", "inline"), help="inline: workers get the bytes, and need not reach the file (default: range)"
    )
    options = parser.add_argument_group("how the files are written (default: it is found out)")
    options.add_argument("--delimiter", metavar="CHARACTER", default="", help="one character, or tab")
    options.add_argument("--quote", metavar="CHARACTER", default="", help="\", ' or none")
    options.add_argument("--encoding", metavar="NAME", default="", help="like utf-8, utf-16 or latin-1")
    options.add_argument("--no-header", action="store_true", help="the first record is a row")
    add_result_options(parser)
    add_connection_options(parser)
    add_global_options(parser, after=True)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Plan or carry one ingest job; returns the exit code."""
    from s3tui.cli import foreground, settings
    from s3tui.transfer.unreadable import check_sources

    paths, target = sources_and_target(arguments.paths, "ingest")
    check_sources([os.fsencode(path) for path in paths])
    loaded = settings.load(arguments)
    with foreground.opened(loaded, arguments) as runtime:
        spec: IngestSpec = runtime.ingest_spec(absolute(paths), target, **_fields(arguments))
        return foreground.carry(runtime, arguments, start_job(spec, loaded.settings.transfer, dry_run=arguments.dry_run))


def _fields(arguments: argparse.Namespace) -> dict[str, Any]:
    """The fields of a spec that only arguments give. Raises SpecError."""
    from s3tui.jobs.csv_columns import columns_given

    return {
        "schema": columns_given(arguments.schema or "", arguments.schema_file or ""),
        "delimiter": arguments.delimiter,
        "quote": arguments.quote,
        "encoding": arguments.encoding,
        "header": not arguments.no_header,
    }

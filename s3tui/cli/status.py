"""`s3tui status`: the doctor. One line for each thing that an upload needs, and the next step where one is missing."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from s3tui.cli.parser import Commands, add_connection_options, add_global_options
from s3tui.errors import S3tuiError, SpecError
from s3tui.text import display_text

if TYPE_CHECKING:
    from s3tui.config import Loaded, Settings
    from s3tui.model import Connection
    from s3tui.runtime import Runtime

_BUCKET_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What the doctor found about one thing."""

    name: str
    state: str
    """`ok`, `failed`, or `-` for what was not looked at or is not needed."""
    detail: str


def register(commands: Commands) -> None:
    """Add `status`."""
    parser = commands.add_parser(
        "status", help="check configuration, credentials, bucket, database, queue", description="Check what an upload needs."
    )
    parser.add_argument(
        "target", nargs="?", metavar="s3://BUCKET", help="the bucket to check (default: s3.bucket_name of the configuration)"
    )
    parser.add_argument("--json", action="store_true", help="as one JSON array")
    add_connection_options(parser)
    add_global_options(parser, after=True)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Examine everything; 1 if anything failed."""
    from s3tui.cli import output

    findings = []
    for finding in examine(arguments):
        findings.append(finding)
        if not arguments.json:
            print(f"{finding.name:<12} {finding.state:<7} {display_text(finding.detail)}", flush=True)
    if arguments.json:
        output.print_json([{"name": finding.name, "state": finding.state, "detail": finding.detail} for finding in findings])
    return 1 if any(finding.state == "failed" for finding in findings) else 0


def examine(arguments: argparse.Namespace) -> Iterator[Finding]:
    """One finding after the other. Raises SpecError for a target that is none."""
    bucket = _bucket_name(arguments.target)
    from s3tui.cli import settings

    try:
        loaded = settings.load(arguments)
    except S3tuiError as error:
        yield Finding("config", "failed", str(error))
        return
    yield Finding("config", "ok", _files(loaded))
    yield from _storage(loaded.settings, bucket or loaded.settings.s3.bucket_name)
    yield from _state(loaded.settings)
    found = shutil.which("ffmpeg")
    yield Finding("ffmpeg", "ok" if found else "-", found or "is not installed; only videos need it")


def _storage(settings: Settings, bucket: str) -> Iterator[Finding]:
    from s3tui.model import Connection
    from s3tui.storage.credentials import describe_credentials

    connection = Connection(settings.aws.endpoint_url, settings.aws.profile, addressing_style=settings.s3.addressing_style)
    yield _found("credentials", partial(describe_credentials, connection, settings.aws))
    if bucket:
        yield _found("bucket", partial(_reach, settings, connection, bucket))
    else:
        yield Finding("bucket", "-", "none is named: `s3tui status s3://BUCKET` checks one")


def _reach(settings: Settings, connection: Connection, bucket: str) -> str:
    from s3tui.storage.s3 import Bucket, open_client

    client = open_client(connection, settings.aws, max_connections=1, read_timeout=_BUCKET_SECONDS)
    Bucket(client, bucket).check()
    return f"s3://{bucket} answers at {client.meta.endpoint_url}"


def _state(settings: Settings) -> Iterator[Finding]:
    from s3tui.runtime import Runtime

    with Runtime(settings) as runtime:
        database = _found("database", lambda: _database(runtime))
        yield database
        if database.state == "failed":
            yield Finding("queue", "-", "is not looked at without a database")
            yield Finding("worker", "-", "is not looked at without a database")
            return
        yield _found("queue", lambda: _queue(runtime))
        yield _found("worker", lambda: _workers(runtime))


def _database(runtime: Runtime) -> str:
    from s3tui.cli.config import masked

    runtime.service.browse(limit=1)
    return str(runtime.store.database.path or masked(runtime.settings.state.url))


def _queue(runtime: Runtime) -> str:
    from s3tui.cli.config import masked
    from s3tui.queues.broker import open_broker

    open_broker(runtime.settings.queue.url, state_file=runtime.store.database.path).close()
    return "in the state file" if runtime.settings.queue.url == "sqlite" else str(masked(runtime.settings.queue.url))


def _workers(runtime: Runtime) -> str:
    workers = [worker for worker in runtime.service.workers() if not worker.home_only]
    if not workers:
        return "none runs; one is started when it is needed"
    return ", ".join(f"{worker.id} (process {worker.pid}, version {worker.version})" for worker in workers)


def _found(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, "ok", look())
    except S3tuiError as error:
        return Finding(name, "failed", str(error))


def _files(loaded: Loaded) -> str:
    files = [str(path) for path in (loaded.config_file, loaded.env_file) if path]
    return ", ".join(files) or "no file; defaults and environment"


def _bucket_name(target: str | None) -> str:
    if target is None:
        return ""
    bucket = target.removeprefix("s3://").partition("/")[0]
    if not target.startswith("s3://") or not bucket:
        raise SpecError(f"{display_text(target)!r} is not a bucket: write it as s3://BUCKET.")
    return bucket

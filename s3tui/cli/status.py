"""`s3tui status`: the doctor. One line for each thing that an upload needs, and the next step where one is missing."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from s3tui.cli.parser import Parser, add_connection_options, add_global_options
from s3tui.errors import S3tuiError, SpecError
from s3tui.masking import masked
from s3tui.model import ObjectRef
from s3tui.text import display_text

if TYPE_CHECKING:
    from s3tui.config import Loaded
    from s3tui.doctor import Finding


def add_options(parser: Parser) -> None:
    """What `status` takes."""
    parser.description = "Check what an upload needs. Nothing is changed on the store, unless --write allows it."
    parser.add_argument(
        "target",
        nargs="?",
        metavar="s3://BUCKET[/PREFIX]",
        help="the bucket to check, and the prefix (default: those of the configuration)",
    )
    parser.add_argument(
        "--write", action="store_true", help="also try every right with a small object below the prefix, and remove it again"
    )
    parser.add_argument("--json", action="store_true", help="as one JSON array")
    add_connection_options(parser)
    add_global_options(parser, after=True)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Examine everything; 1 if anything failed."""
    from s3tui.cli import output

    shown = []
    for finding in _examine(arguments):
        shown.append({"name": finding.name, "state": finding.state, "detail": masked(finding.detail), **finding.facts})
        if not arguments.json:
            print(f"{finding.name:<12} {finding.state:<7} {display_text(masked(finding.detail))}", flush=True)
    if arguments.json:
        output.print_json(shown)
    return 1 if any(finding["state"] == "failed" for finding in shown) else 0


def _examine(arguments: argparse.Namespace) -> Iterator[Finding]:
    """One finding after the other. Raises SpecError for a target that is none."""
    target = _target(arguments.target)
    from s3tui.cli import settings
    from s3tui.doctor import Finding, examine

    try:
        loaded = settings.load(arguments)
    except S3tuiError as error:
        yield Finding("config", "failed", str(error))
        return
    yield Finding("config", "ok", _files(loaded))
    yield from examine(loaded.settings, target, write=arguments.write)


def _files(loaded: Loaded) -> str:
    files = [str(path) for path in (loaded.config_file, loaded.env_file) if path]
    return ", ".join(files) or "no file; defaults and environment"


def _target(text: str | None) -> ObjectRef | None:
    if text is None:
        return None
    bucket, _, prefix = text.removeprefix("s3://").partition("/")
    if not text.startswith("s3://") or not bucket:
        raise SpecError(f"{display_text(text)!r} is not a bucket: write it as s3://BUCKET or s3://BUCKET/PREFIX.")
    from s3tui.storage.bucket import check_bucket_name

    check_bucket_name(bucket)
    return ObjectRef(bucket, f"{prefix.strip('/')}/" if prefix.strip("/") else "")

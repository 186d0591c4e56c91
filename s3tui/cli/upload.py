"""`s3tui upload`: directories and files to S3."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from s3tui.cli.choosing import add_choosing_options, choice_fields
from s3tui.cli.parser import (
    Parser,
    add_carrying_options,
    add_connection_options,
    add_global_options,
    add_result_options,
    pair,
)
from s3tui.errors import SpecError
from s3tui.text import display_text

if TYPE_CHECKING:
    from s3tui.cli.foreground import Start
    from s3tui.jobs.specs import Spec
    from s3tui.jobs.upload import UploadSpec
    from s3tui.runtime import Runtime
    from s3tui.service import Service
    from s3tui.transfer.options import TransferOptions

SCHEME = "s3://"
"""How a target begins."""


def add_options(parser: Parser) -> None:
    """What `upload` takes."""
    parser.description = "Upload directories and files to S3, as they are."
    parser.add_argument("paths", nargs="+", metavar="SOURCE... s3://BUCKET[/PREFIX]", help="what to upload, and where to")
    add_upload_options(parser)
    parser.set_defaults(run=run)


def add_upload_options(parser: Parser) -> None:
    """What every command takes that uploads files as they are."""
    parser.add_argument("--dry-run", action="store_true", help="plan only: say what would happen to each file, and keep the plan")
    add_carrying_options(parser)
    _add_choosing_options(parser)
    _add_object_options(parser)
    add_result_options(parser)
    add_connection_options(parser)
    add_global_options(parser, after=True)


def run(arguments: argparse.Namespace) -> int:
    """Plan or carry one upload; returns the exit code."""
    paths, target = sources_and_target(arguments.paths)
    sources = absolute(paths)
    return carry(arguments, paths, lambda runtime: runtime.upload_spec(sources, target, **spec_fields(arguments, sources)))


def carry(arguments: argparse.Namespace, sources: Sequence[str], make_spec: Callable[[Runtime], UploadSpec]) -> int:
    """Plan or carry one job that uploads files as they are; returns the exit code."""
    from s3tui.transfer.unreadable import check_sources
    from s3tui.transfer.wire import process

    check_sources([os.fsencode(source) for source in sources])
    process.start_ahead()
    from s3tui.cli import foreground, settings  # takes as long as the crew's process does to start

    loaded = settings.load(arguments)
    with foreground.opened(loaded, arguments) as runtime:
        spec = make_spec(runtime)
        return foreground.carry(runtime, arguments, start_job(spec, loaded.settings.transfer, dry_run=arguments.dry_run))


def sources_and_target(paths: Sequence[str], command: str = "upload") -> tuple[list[str], str]:
    """The last argument is the target. Raises SpecError with the likely mistake."""
    *sources, target = paths
    if target.startswith(SCHEME):
        refuse_targets(sources)
        if not sources:
            raise SpecError(f"Nothing to upload: give at least one SOURCE before {display_text(target)}.")
        return sources, target
    if any(path.startswith(SCHEME) for path in paths):
        example = " ".join(
            [*(path for path in paths if not path.startswith(SCHEME)), *(path for path in paths if path.startswith(SCHEME))]
        )
        raise SpecError(f"The target comes last: `s3tui {command} {display_text(example)}`.")
    raise SpecError(f"The target is missing: the last argument is s3://BUCKET or s3://BUCKET/PREFIX, not {display_text(target)!r}.")


def refuse_targets(sources: Sequence[str]) -> None:
    """Raises SpecError for a source that is written as a target is."""
    for source in sources:
        if source.startswith(SCHEME):
            raise SpecError(
                f"A source is a local path, and {display_text(source)} is not: s3tui uploads from this machine to one target."
            )


def _add_choosing_options(parser: Parser) -> None:
    add_choosing_options(parser)
    add_watching_options(parser)
    options = parser.add_argument_group("when the key is taken")
    options.add_argument(
        "--skip-unchanged", action="store_true", help="skip what the target has already, byte for byte, whatever --if-exists says"
    )
    options.add_argument("--if-exists", choices=("overwrite", "skip", "fail"), default="overwrite", help="(default: overwrite)")


def add_watching_options(parser: Parser) -> None:
    """What a command takes that can go on with what comes to its sources."""
    options = parser.add_argument_group("watching")
    options.add_argument("--watch", action="store_true", help="keep taking new and changed files until stopped")
    options.add_argument("--settle", metavar="SECONDS", type=float, help="how long a watched file must be quiet first (default: 2)")


def _add_object_options(parser: Parser) -> None:
    options = parser.add_argument_group("sending and storing")
    options.add_argument("--max-attempts", metavar="N", help="how often one file is tried (default: 5)")
    options.add_argument("--part-size", metavar="SIZE", help="part of a large file: auto, or like 8MiB")
    options.add_argument(
        "--checksum", choices=("crc64nvme", "crc32", "crc32c", "sha256"), help="what proves the bytes (default: crc64nvme)"
    )
    options.add_argument("--storage-class", metavar="CLASS", help="like STANDARD_IA")
    options.add_argument("--sse", choices=("AES256", "aws:kms"), help="encryption at rest")
    options.add_argument("--sse-kms-key-id", metavar="ID", help="key for --sse aws:kms")
    options.add_argument("--metadata", metavar="K=V", type=pair, action="append", default=[], help="user metadata (repeatable)")
    options.add_argument("--tag", metavar="K=V", type=pair, action="append", default=[], help="object tag (repeatable)")
    options.add_argument("--cache-control", metavar="TEXT", default="", help="Cache-Control of the objects")
    options.add_argument("--content-type", metavar="TYPE", default="", help="Content-Type of the objects")


def spec_fields(arguments: argparse.Namespace, sources: Sequence[str]) -> dict[str, Any]:
    """The fields of a spec that only arguments give. Raises SpecError."""
    return {
        **choice_fields(arguments, sources),
        "if_exists": arguments.if_exists,
        "skip_unchanged": arguments.skip_unchanged,
        **watching_fields(arguments),
        "metadata": tuple(arguments.metadata),
        "tags": tuple(arguments.tag),
        "cache_control": arguments.cache_control,
        "content_type": arguments.content_type,
    }


def watching_fields(arguments: argparse.Namespace) -> dict[str, Any]:
    """The fields of a spec that these options give. Raises SpecError."""
    if arguments.settle is None:
        return {"watch": arguments.watch}
    if not arguments.watch:
        raise SpecError("--settle says how long a watched file must be quiet first: it goes with --watch.")
    return {"watch": arguments.watch, "settle_seconds": arguments.settle}


def absolute(sources: Sequence[str]) -> list[str]:
    """The sources from the root on: a link that is given keeps its own name."""
    return [os.path.abspath(source) for source in sources]  # noqa: PTH100


def start_job(spec: Spec, limits: TransferOptions, *, dry_run: bool) -> Start:
    """How a job of this spec is made: planned only, or planned and carried."""
    from s3tui.service import Submitted

    def start(service: Service, home: str | None) -> Submitted:
        options: Any = {"concurrency": limits.concurrency, "bandwidth": limits.bytes_per_second, "home": home}
        return Submitted(service.plan(spec, **options), resumed=False) if dry_run else service.submit(spec, **options)

    return start

"""`s3tui upload`: directories and files to S3."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from s3tui.cli.parser import (
    Commands,
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
    from s3tui.jobs.upload import UploadSpec
    from s3tui.runtime import Runtime
    from s3tui.service import Service

_SCHEME = "s3://"


def register(commands: Commands) -> None:
    """Add `upload`."""
    parser = commands.add_parser(
        "upload", help="upload directories and files", description="Upload directories and files to S3, as they are."
    )
    parser.add_argument("paths", nargs="+", metavar="SOURCE... s3://BUCKET[/PREFIX]", help="what to upload, and where to")
    parser.add_argument("--dry-run", action="store_true", help="plan only: say what would happen to each file, and keep the plan")
    add_carrying_options(parser)
    _add_choosing_options(parser)
    _add_object_options(parser)
    add_result_options(parser)
    add_connection_options(parser)
    add_global_options(parser, after=True)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Plan or carry one upload; returns the exit code."""
    sources, target = sources_and_target(arguments.paths)
    from s3tui.cli import foreground, settings
    from s3tui.transfer.plan import check_sources

    check_sources([os.fsencode(source) for source in sources])
    loaded = settings.load(arguments)
    concurrency = loaded.settings.transfer.concurrency
    with foreground.opened(loaded, arguments) as runtime:
        spec = _spec(runtime, arguments, sources, target)
        return foreground.carry(runtime, arguments, _start(spec, concurrency, dry_run=arguments.dry_run))


def sources_and_target(paths: Sequence[str]) -> tuple[list[str], str]:
    """The last argument is the target. Raises SpecError with the likely mistake."""
    *sources, target = paths
    if target.startswith(_SCHEME):
        _refuse_targets(sources)
        if not sources:
            raise SpecError(f"Nothing to upload: give at least one SOURCE before {display_text(target)}.")
        return sources, target
    if any(path.startswith(_SCHEME) for path in paths):
        example = " ".join(
            [*(path for path in paths if not path.startswith(_SCHEME)), *(path for path in paths if path.startswith(_SCHEME))]
        )
        raise SpecError(f"The target comes last: `s3tui upload {display_text(example)}`.")
    raise SpecError(f"The target is missing: the last argument is s3://BUCKET or s3://BUCKET/PREFIX, not {display_text(target)!r}.")


def _refuse_targets(sources: Sequence[str]) -> None:
    for source in sources:
        if source.startswith(_SCHEME):
            raise SpecError(
                f"A source is a local path, and {display_text(source)} is not: s3tui uploads from this machine to one target."
            )


def _add_choosing_options(parser: Parser) -> None:
    options = parser.add_argument_group("choosing")
    for action in ("include", "exclude"):
        options.add_argument(
            f"--{action}",
            metavar="GLOB",
            action=_Rule,
            dest="rules",
            default=(),
            help=f"{action} what matches; of all globs the last match wins",
        )
    options.add_argument("--follow-symlinks", action="store_true", help="follow symbolic links instead of skipping them")
    options.add_argument(
        "--if-exists", choices=("overwrite", "skip", "fail"), default="overwrite", help="when the key is taken (default: overwrite)"
    )
    options.add_argument(
        "--encode-names", choices=("percent",), default="", help="write bytes of a name that are not UTF-8 as %%XX"
    )


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


class _Rule(argparse.Action):
    """--include and --exclude share one list, because their order counts."""

    def __call__(self, parser: object, namespace: argparse.Namespace, values: object, option_string: str | None = None) -> None:  # noqa: ARG002
        rule = ((option_string or "").lstrip("-"), str(values))
        namespace.rules = (*namespace.rules, rule)


def _spec(runtime: Runtime, arguments: argparse.Namespace, sources: Sequence[str], target: str) -> UploadSpec:
    return runtime.upload_spec(
        [os.path.abspath(source) for source in sources],  # noqa: PTH100 - a link given as SOURCE keeps its own name
        target,
        rules=tuple(arguments.rules),
        follow_symlinks=arguments.follow_symlinks,
        encode_names=arguments.encode_names,
        if_exists=arguments.if_exists,
        metadata=tuple(arguments.metadata),
        tags=tuple(arguments.tag),
        cache_control=arguments.cache_control,
        content_type=arguments.content_type,
    )


def _start(spec: UploadSpec, concurrency: int, *, dry_run: bool) -> Start:
    from s3tui.service import Submitted

    def start(service: Service, home: str | None) -> Submitted:
        if dry_run:
            return Submitted(service.plan(spec, concurrency=concurrency, home=home), resumed=False)
        return service.submit(spec, concurrency=concurrency, home=home)

    return start

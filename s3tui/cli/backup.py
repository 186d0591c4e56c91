"""`s3tui backup`: an upload that proves what it stored and, if asked to, deletes the sources."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from s3tui.cli.parser import Parser
from s3tui.cli.upload import SCHEME, absolute, add_upload_options, carry, refuse_targets, spec_fields

if TYPE_CHECKING:
    from s3tui.jobs.backup import BackupSpec
    from s3tui.runtime import Runtime


def add_options(parser: Parser) -> None:
    """What `backup` takes."""
    parser.description = "Upload directories and files, prove that the store holds them, and delete the sources if asked to."
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="[SOURCE...] [s3://BUCKET[/PREFIX]]",
        help="what to back up, and where to (default: backup.source_directory, s3.bucket_name and s3.prefix of the configuration)",
    )
    options = parser.add_argument_group("afterwards")
    options.add_argument(
        "--delete-after-upload",
        action=argparse.BooleanOptionalAction,
        help="delete each source after its object is proven identical (default: backup.delete_after_upload)",
    )
    options.add_argument(
        "--prune-empty-dirs",
        action=argparse.BooleanOptionalAction,
        help="remove directories that this has emptied (default: backup.prune_empty_dirs)",
    )
    add_upload_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Plan or carry one backup; returns the exit code."""
    paths = list(arguments.paths)
    target = paths.pop() if paths and paths[-1].startswith(SCHEME) else ""
    refuse_targets(paths)

    def make_spec(runtime: Runtime) -> BackupSpec:
        sources = absolute(paths) or runtime.settings.backup.sources
        return runtime.backup_spec(sources, target, **_fields(arguments, sources))

    return carry(arguments, paths, make_spec)


def _fields(arguments: argparse.Namespace, sources: Sequence[str]) -> dict[str, Any]:
    """The fields that arguments give; of those that the configuration has a default for, only what was given."""
    fields = spec_fields(arguments, sources)
    if not arguments.follow_symlinks:
        del fields["follow_symlinks"]
    asked = {name: getattr(arguments, name) for name in ("delete_after_upload", "prune_empty_dirs")}
    return fields | {name: value for name, value in asked.items() if value is not None}

"""`s3tui video`: videos to HLS on S3."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from s3tui.cli.parser import Parser, add_carrying_options, add_connection_options, add_global_options, add_result_options
from s3tui.cli.upload import absolute, add_watching_options, sources_and_target, start_job, watching_fields

if TYPE_CHECKING:
    from s3tui.jobs.video import VideoSpec


def add_options(parser: Parser) -> None:
    """What `video` takes."""
    parser.description = "Make HLS of video files: segments go to S3 while later ones are encoded, and the master playlist last."
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="FILE... s3://BUCKET[/PREFIX]",
        help="the videos (with --watch: and folders of them), and where to",
    )
    parser.add_argument("--dry-run", action="store_true", help="plan only: say what would be made of each file")
    add_carrying_options(parser)
    options = parser.add_argument_group("video")
    options.add_argument("--ladder", metavar="HEIGHTS", help="heights like 1080,720,480, or auto (default: auto)")
    options.add_argument("--segment-type", choices=("fmp4", "ts"), help="container of the segments (default: fmp4)")
    options.add_argument("--segment-seconds", metavar="SECONDS", help="length of a segment (default: 4)")
    options.add_argument("--preset", metavar="WORD", help="x264's word for speed against size (default: veryfast)")
    options.add_argument(
        "--hls-key", metavar="FILE", help="encrypt segments of MPEG-TS by AES-128 with the 16 bytes in this file (default: no)"
    )
    options.add_argument("--hls-key-url", metavar="URL", help="the address at which players get that key")
    add_watching_options(parser)
    add_result_options(parser)
    add_connection_options(parser)
    add_global_options(parser, after=True)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Plan or make the videos of one job; returns the exit code."""
    from s3tui.cli import foreground, settings
    from s3tui.jobs.video import check_key
    from s3tui.transfer.unreadable import check_sources

    paths, target = sources_and_target(arguments.paths)
    check_sources([os.fsencode(path) for path in paths])
    loaded = settings.load(arguments)
    with foreground.opened(loaded, arguments) as runtime:
        spec: VideoSpec = runtime.video_spec(absolute(paths), target, **_encryption(arguments), **watching_fields(arguments))
        check_key(spec)
        return foreground.carry(runtime, arguments, start_job(spec, loaded.settings.transfer, dry_run=arguments.dry_run))


def _encryption(arguments: argparse.Namespace) -> dict[str, str]:
    """What was said of it, over what the configuration says. No setting takes a path that is not UTF-8."""
    said = {"hls_key": arguments.hls_key, "hls_key_url": arguments.hls_key_url}
    return {name: value for name, value in said.items() if value is not None}

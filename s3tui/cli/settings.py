"""Options and configuration files to Settings."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from s3tui import masking

if TYPE_CHECKING:
    from s3tui.config import Loaded

_KEYS = {
    "endpoint_url": "aws.endpoint_url",
    "profile": "aws.profile",
    "region": "aws.region",
    "concurrency": "transfer.concurrency",
    "bandwidth": "transfer.bandwidth",
    "part_size": "transfer.part_size",
    "max_attempts": "transfer.max_attempts",
    "checksum": "transfer.checksum",
    "storage_class": "s3.storage_class",
    "sse": "s3.sse",
    "sse_kms_key_id": "s3.sse_kms_key_id",
    "segment_type": "video.segment_type",
    "segment_seconds": "video.segment_seconds",
    "ladder": "video.ladder",
    "preset": "video.preset",
    "batch_rows": "ingest.batch_rows",
    "table": "ingest.table",
    "strict": "ingest.strict",
    "payload": "ingest.payload",
}
"""Options that set a key of the configuration."""


def load(arguments: argparse.Namespace) -> Loaded:
    """The settings for one command. Raises ConfigError."""
    from s3tui.config import load_settings
    from s3tui.config.settings import secret_values

    loaded = load_settings(
        config_file=_path(arguments.config),
        env_file=_path(arguments.env_file),
        arguments={key: getattr(arguments, option, None) for option, key in _KEYS.items()},
    )
    masking.hide(secret_values(loaded.settings))
    for name, value in loaded.sdk_environment.items():
        os.environ.setdefault(name, value)
    return loaded


def _path(name: str | None) -> Path | None:
    return None if name is None else Path(name)

"""How large files are cut: parts of a size that S3 takes, and few enough of them."""

from __future__ import annotations

from s3tui.model import Policy

THRESHOLD = 16 << 20
"""Files of this many bytes and more are sent in parts."""

DEFAULT_PART = 8 << 20
MAX_PARTS = 10_000
_MIN_PART = 5 << 20
_MAX_PART = 5 << 30
MAX_OBJECT = MAX_PARTS * _MAX_PART
"""48.8 TiB, which is S3's limit, too."""

PARTS_AT_A_TIME = 12
"""Of one file, so that one huge file leaves room for others."""


def part_size_for(size: int, configured: int) -> int:
    """Bytes of a part: what is configured (0: 8 MiB), but enough for 10,000 parts to hold the file, in whole MiB."""
    wanted = max(configured or DEFAULT_PART, _MIN_PART, -(-size // MAX_PARTS))
    return min(-(-wanted // (1 << 20)) << 20, _MAX_PART)


def large_from(policy: Policy) -> int:
    """The size from which on files are sent in parts."""
    return max(THRESHOLD, part_size_for(0, policy.part_size))

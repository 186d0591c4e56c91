"""The target of a job as its spec has it: `s3://bucket/prefix/`, the prefix empty or ending in a slash."""

from __future__ import annotations

_SCHEME = "s3://"


def bucket_of(target: str) -> str:
    """The bucket; empty if the target is none."""
    return target.removeprefix(_SCHEME).partition("/")[0] if target.startswith(_SCHEME) else ""


def prefix_of(target: str) -> str:
    """The prefix: empty, or ending in a slash."""
    return target.removeprefix(_SCHEME).partition("/")[2]

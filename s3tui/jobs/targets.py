"""The target of a job as its spec has it: `s3://bucket/prefix/`, the prefix empty or ending in a slash."""

from __future__ import annotations

_SCHEME = "s3://"


class Targeted:
    """A spec with a target."""

    __slots__ = ()

    target: str

    @property
    def bucket(self) -> str:
        """The target's bucket."""
        return bucket_of(self.target)

    @property
    def prefix(self) -> str:
        """The target's prefix: empty, or ending in a slash."""
        return self.target.removeprefix(_SCHEME).partition("/")[2]


def bucket_of(target: str) -> str:
    """The bucket; empty if the target is none."""
    return target.removeprefix(_SCHEME).partition("/")[0] if target.startswith(_SCHEME) else ""

"""What the specs of all kinds are held to."""

from __future__ import annotations

from collections.abc import Sequence

from s3tui.errors import SpecError
from s3tui.jobs.targets import bucket_of


def check_target(sources: Sequence[str], target: str) -> None:
    """Raises SpecError when there is nothing to send, or nowhere to send it to."""
    if not sources:
        raise SpecError("Nothing to upload: give at least one SOURCE.")
    if not bucket_of(target):
        raise SpecError(f"{target!r} is not a target: write it as s3://BUCKET or s3://BUCKET/PREFIX.")


def check_word(option: str, value: str, allowed: Sequence[str]) -> None:
    """Raises SpecError when an option's value is none of those it may have; an empty one is not shown."""
    if value not in allowed:
        raise SpecError(f"{option} {value!r} is not known; choose one of {', '.join(word for word in allowed if word)}.")

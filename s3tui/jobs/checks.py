"""What the specs of all kinds are held to."""

from __future__ import annotations

from collections.abc import Sequence

from s3tui.errors import SpecError
from s3tui.jobs.targets import bucket_of
from s3tui.media.keys import check_address


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


def check_encryption(key: str, address: str, segment_type: str) -> None:
    """Raises SpecError when segments cannot be encrypted with what was said. The key itself is looked at by whoever uses it."""
    if not key and not address:
        return
    if not address:
        raise SpecError("--hls-key needs --hls-key-url, too: the address at which players get the key.")
    if not key:
        raise SpecError("--hls-key-url needs --hls-key, too: the file with the key that segments are encrypted with.")
    if segment_type != "ts":
        raise SpecError(f"--hls-key encrypts segments of MPEG-TS and none of {segment_type}: add --segment-type ts.")
    try:
        check_address(address)
    except ValueError as error:
        raise SpecError(f"--hls-key-url cannot be used: {error}.") from error

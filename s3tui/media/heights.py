"""The heights of a ladder as people write them."""

from __future__ import annotations

_LEAST_HEIGHT, _LARGEST_HEIGHT = 96, 4320


def parse_heights(text: str) -> tuple[int, ...]:
    """The heights of `1080,720,480`, the best first; none of `auto`. Raises ValueError."""
    if text.strip() == "auto":
        return ()
    try:
        heights = {int(word) for word in text.split(",")}
    except ValueError:
        raise ValueError(f"{text!r} is no ladder; write auto, or heights like 1080,720,480") from None
    for height in heights:
        if height % 2 or not _LEAST_HEIGHT <= height <= _LARGEST_HEIGHT:
            raise ValueError(f"{height} is no height for a ladder: it must be even, from {_LEAST_HEIGHT} to {_LARGEST_HEIGHT}")
    return tuple(sorted(heights, reverse=True))

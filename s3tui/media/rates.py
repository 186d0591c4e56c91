"""How many bits per second a player needs, measured from the segments as they are."""

from __future__ import annotations

from collections.abc import Sequence

MICROSECONDS = 1_000_000

Weights = Sequence[tuple[int, int]]
"""Duration in microseconds and size in bytes of each segment."""


def average_rate(weights: Weights) -> int:
    """Bits per second over all segments, rounded up."""
    return _rate(sum(duration for duration, _ in weights), sum(size for _, size in weights))


def peak_rate(weights: Weights, target: int) -> int:
    """The largest rate of any run of segments that lasts 0.5 to 1.5 times `target` seconds, rounded up (RFC 8216, 4.3.4.2).

    A rendition too short for such a run has its average as peak.
    """
    shortest, longest = target * MICROSECONDS // 2, target * MICROSECONDS * 3 // 2
    peak = average_rate(weights)
    for first in range(len(weights)):
        duration = size = 0
        for at in range(first, len(weights)):
            duration += weights[at][0]
            size += weights[at][1]
            if duration > longest:
                break
            if duration >= shortest:
                peak = max(peak, _rate(duration, size))
    return peak


def _rate(duration_us: int, size: int) -> int:
    return -(-8 * size * MICROSECONDS // max(1, duration_us))

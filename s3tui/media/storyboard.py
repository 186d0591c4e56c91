"""Small pictures of a video at even distances, tiled on sheets: what a player shows while one drags through it."""

from __future__ import annotations

from dataclasses import dataclass

from s3tui.media.plan import Rung

_LONG_SIDE = 160
_ACROSS = 10
_WANTED = 100
_LONGEST_SECONDS = 10
_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Storyboard:
    """How many pictures, how far apart, and how they lie on their sheets, row by row."""

    seconds: int
    """From one picture to the next."""
    count: int
    width: int
    height: int
    """Of one picture in pixels."""
    columns: int
    rows: int
    duration_us: int

    @property
    def sheets(self) -> int:
        """How many files there are; what the last one has no picture for is black."""
        return -(-self.count // (self.columns * self.rows))

    @property
    def durations_us(self) -> list[int]:
        """How long each picture stands for the video."""
        step = self.seconds * _MICROSECONDS
        return [min(step, self.duration_us - start) for start in range(0, self.duration_us, step)]


def storyboard(duration_us: int, rung: Rung) -> Storyboard:
    """For a video of this duration in the shape of `rung`: about 100 pictures, but 1 second apart at least and 10 at most."""
    seconds = min(_LONGEST_SECONDS, max(1, duration_us // (_WANTED * _MICROSECONDS)))
    count = -(-duration_us // (seconds * _MICROSECONDS))
    longest = max(rung.width, rung.height)
    columns = min(_ACROSS, count)
    return Storyboard(
        seconds,
        count,
        _even(rung.width * _LONG_SIDE, longest),
        _even(rung.height * _LONG_SIDE, longest),
        columns,
        min(_ACROSS, -(-count // columns)),
        duration_us,
    )


def _even(numerator: int, denominator: int) -> int:
    return max(2, round(numerator / denominator / 2) * 2)

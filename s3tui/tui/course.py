"""The course of a job as series of figures that can be drawn: rates, out of samples that only count."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from s3tui.model import Sample

_LEVELS = "▁▂▃▄▅▆▇█"
_ASCII_LEVELS = "_.:-=+*#"
_TOPS = (1, 2, 5, 10, 20, 50, 100, 200, 500)


class Course:
    """The samples of one job. Times are seconds since it began."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._samples = samples
        begun = samples[0].at if samples else 0
        self._times = [max(0.0, (sample.at - begun) / 1000) for sample in samples]

    @property
    def seconds(self) -> float:
        """Until the newest sample."""
        return self._times[-1] if self._times else 0.0

    def count(self, figure: str, second: float) -> float:
        """What a field of `Sample` was at a second; between two samples as if it had grown evenly."""
        after = min(max(1, bisect_right(self._times, second)), len(self._times) - 1)
        early, late = self._times[after - 1], self._times[after]
        first, last = getattr(self._samples[after - 1], figure), getattr(self._samples[after], figure)
        share = min(1.0, max(0.0, (second - early) / (late - early))) if late > early else 1.0
        return float(first + (last - first) * share)

    def counts(self, figure: str, apart: float) -> list[float]:
        """The counts at the end of each stretch of so many seconds, from the beginning."""
        return [self.count(figure, end) for _start, end in self._stretches(apart)]

    def rates(self, figure: str, apart: float) -> list[float]:
        """How much was counted per second, in each stretch of so many seconds from the beginning; never less than nothing."""
        grown = [(self.count(figure, end) - self.count(figure, start), end - start) for start, end in self._stretches(apart)]
        return [max(0.0, count / seconds) for count, seconds in grown]

    def mean(self, figure: str) -> float:
        """How much was counted per second over the whole time."""
        return self.count(figure, self.seconds) / self.seconds if self.seconds else 0.0

    def _stretches(self, apart: float) -> list[tuple[float, float]]:
        """The last one ends with the newest sample, unless that would leave it too short to tell anything."""
        found: list[tuple[float, float]] = []
        start = 0.0
        while self.seconds - start > (min(1.0, apart / 2) if found else 0.0):
            found.append((start, min(start + apart, self.seconds)))
            start += apart
        return found


def seconds_apart(seconds: float, most: int) -> int:
    """How long a stretch is if there may be so many: 1, 2, 4, 8, ... seconds, so that those that are over stay as they are."""
    apart = 1
    while seconds > most * apart:
        apart *= 2
    return apart


def spark(values: Sequence[float], *, ascii_only: bool = False) -> str:
    """A character for each value, as high as its share of the highest."""
    levels, top = _ASCII_LEVELS if ascii_only else _LEVELS, max(values, default=0.0)
    return "".join(levels[round(value / top * (len(levels) - 1)) if top else 0] for value in values)


class Scale(NamedTuple):
    """A vertical axis: where it ends, and a few values on it."""

    top: float
    ticks: tuple[float, ...]


def scale(highest: float, *, base: int = 1000, ticks: int = 2) -> Scale:
    """An axis from 0 to the next round number; `base` 1024 for bytes. `ticks`: into how many parts to divide it."""
    unit = 1.0
    while highest > unit * _TOPS[-1]:
        unit *= base
    top = next((unit * step for step in _TOPS if unit * step >= highest), unit * base)
    return Scale(top, tuple(top * part / ticks for part in range(ticks + 1)))

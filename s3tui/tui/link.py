"""The line to the terminal: how long it takes, and whether it is free.

After a frame the terminal is asked where its cursor is. It answers when it has taken all that was written before, so while an
answer is out, progress waits: no more than one frame of it is under way, however slow the line. Keys do not wait.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

QUESTION = "\x1b[6n"
"""Where is the cursor?"""
PATIENCE = 5.0
"""Seconds after which a terminal is taken for one that does not answer."""
SLOW = 0.2
"""Round trips of more seconds than this are told."""
_SHIFT_F3 = (1, 0)
"""A place whose report is, to the byte, what this key sends."""
LAST_PATIENCE = 2.0
"""Seconds that leaving waits for an answer, so that the shell does not get it."""
_LIKELY = 0.6
"""The most seconds that a stop waits for it without looking."""
_SPAN = 5.0
"""Seconds that rates are made of."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of the line."""

    round_trip: float
    """Seconds, smoothed; 0: not known."""
    rate: float
    """Bytes a second that were written lately."""
    paints: float
    """Frames a second that were written lately."""

    def __str__(self) -> str:
        """`340 ms, 2.1 kB/s, 2 paints/s`; coarse, so that to show them on the line does not change them."""
        return f"{self.round_trip * 100:.0f}0 ms, {self.rate / 1000:.1f} kB/s, {self.paints:.0f} paints/s"


class Link:
    """The line to one terminal. Times are seconds of `clock`; a line that is not asked is always free."""

    def __init__(self, *, asks: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._asks = asks
        self._clock = clock
        self._resting = False
        self._asked: float | None = None
        self._silent = False
        self._cursor = (0, 0)
        self._round_trip = 0.0
        self._frames: deque[tuple[float, int]] = deque(maxlen=512)

    def painted(self, size: int, cursor: tuple[int, int]) -> bool:
        """A frame of so many bytes was written, which left the cursor there; says whether to send the question after it."""
        now = self._clock()
        self._frames.append((now, size))
        if not self._asks or self._resting or self._silent or not self.free:
            return False
        self._asked, self._cursor = now, cursor
        return True

    def answered(self, cursor: tuple[int, int]) -> None:
        """The terminal has said where its cursor is; even late, it proves that this terminal answers."""
        if cursor == _SHIFT_F3 != self._cursor or self._asked is None:
            return
        sample = self._clock() - self._asked
        self._asked, self._silent = None, False
        self._round_trip += (sample - self._round_trip) / (2 if self._round_trip else 1)

    @property
    def free(self) -> bool:
        """Whether progress may be painted now. A terminal that does not answer in time is not asked again."""
        if self._asked is None or self._silent:
            return True
        self._silent = self._clock() - self._asked >= PATIENCE
        return self._silent

    def pause(self, least: float) -> float:
        """Seconds from one look for progress to the next, `least` or more: it takes no more than half of a slow line."""
        return least if self._silent else max(least, 2 * self._round_trip)

    @property
    def figures(self) -> Figures:
        """What is known of the line, from the last seconds."""
        since = self._clock() - _SPAN
        sizes = [size for at, size in self._frames if at >= since]
        return Figures(self._round_trip, sum(sizes) / _SPAN, len(sizes) / _SPAN)

    @property
    def slow(self) -> bool:
        """Whether people should know."""
        return self._round_trip > SLOW and not self._silent

    # Leaving the terminal to others.

    def rest(self) -> None:
        """Ask nothing more."""
        self._resting = True

    @property
    def likely_wait(self) -> float:
        """Seconds in which the answer that is out will most likely have come; 0: none is out."""
        return 0.0 if self.free else min(_LIKELY, max(0.1, 3 * self._round_trip))

    def give_up(self) -> None:
        """Ask nothing more and wait for nothing: the terminal may be gone."""
        self._resting, self._asked = True, None

    def resume(self) -> None:
        """The terminal is ours again; an answer that was out is lost."""
        self._resting, self._asked = False, None


def link_of(app: object) -> Link:
    """The application's line to its terminal."""
    found = getattr(app, "link", None)
    return found if isinstance(found, Link) else Link()

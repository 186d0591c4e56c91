"""A terminal at the end of a slow line: so many bytes a second arrive, half a round trip later, and nothing is ever refused."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import count
from typing import Any

from tests.terminal import Terminal, whole

_PACKET = 1400


class _Courier(threading.Thread):
    """Does things at their time."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._due = threading.Condition()
        self._things: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def at(self, moment: float, do: Callable[[], None]) -> None:
        with self._due:
            heapq.heappush(self._things, (moment, next(self._numbers), do))
            self._due.notify()

    def run(self) -> None:
        while True:
            with self._due:
                while not self._things or self._things[0][0] > time.monotonic():
                    self._due.wait(self._things[0][0] - time.monotonic() if self._things else None)
                do = heapq.heappop(self._things)[2]
            do()


class SlowTerminal(Terminal):
    """A terminal behind a line that buffers without bound."""

    def __init__(
        self, arguments: Sequence[str], environment: Mapping[str, str], *, rate: float, round_trip: float, **size: Any
    ) -> None:
        """`rate` is bytes a second, `round_trip` seconds."""
        self._rate, self._way = rate, round_trip / 2
        self._sent_by = 0.0
        """When the line will have taken all that was written."""
        self.most_backlog: float = 0
        """The most bytes that have waited so far."""
        self._kept = b""
        self._courier = _Courier()
        self._courier.start()
        super().__init__(arguments, environment, **size)

    @property
    def backlog(self) -> float:
        """Bytes that were written and are not on the line yet."""
        return max(0.0, self._sent_by - time.monotonic()) * self._rate

    def _arrive(self, data: bytes) -> None:
        for start in range(0, len(data), _PACKET):
            packet, self._kept = whole(self._kept + data[start : start + _PACKET])
            self._sent_by = max(time.monotonic(), self._sent_by) + len(packet) / self._rate
            self.most_backlog = max(self.most_backlog, self.backlog)
            self._courier.at(self._sent_by + self._way, partial(super()._arrive, packet))

    def _send(self, data: bytes) -> None:
        self._courier.at(time.monotonic() + self._way, partial(super()._send, data))

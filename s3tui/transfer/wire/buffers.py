"""Reused memory for the parts of large files."""

from __future__ import annotations


class Buffers:
    """A few large buffers. Who gets none streams. Thread-safe, as lists are."""

    def __init__(self, count: int, size: int) -> None:
        self._size = size
        self._free: list[memoryview | None] = [None] * count
        """None where the memory has not been wanted yet."""

    def take(self, length: int) -> memoryview | None:
        """A buffer for so many bytes, if one is free and large enough."""
        if length > self._size:
            return None
        try:
            return self._free.pop() or memoryview(bytearray(self._size))
        except IndexError:
            return None

    def give(self, buffer: memoryview) -> None:
        """Return a buffer."""
        self._free.append(buffer)

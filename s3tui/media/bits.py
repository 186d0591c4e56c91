"""Descriptions of streams are written bit by bit; this reads them."""

from __future__ import annotations


class Bits:
    """A cursor over bytes, the highest bit first. Every read raises IndexError at the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def bit(self) -> int:
        """0 or 1."""
        byte, shift = divmod(self._at, 8)
        self._at += 1
        return self._data[byte] >> (7 - shift) & 1

    def bits(self, count: int) -> int:
        """An unsigned number of `count` bits."""
        value = 0
        for _ in range(count):
            value = value << 1 | self.bit()
        return value

    def unsigned(self) -> int:
        """An unsigned Exp-Golomb code."""
        zeros = 0
        while not self.bit():
            zeros += 1
            if zeros > 32:
                raise IndexError
        return (1 << zeros) - 1 + self.bits(zeros)

    def signed(self) -> int:
        """A signed Exp-Golomb code."""
        code = self.unsigned()
        return (code + 1) // 2 if code % 2 else -(code // 2)

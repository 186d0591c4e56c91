"""A batch as JSON: the same bytes, however its rows were read."""

from __future__ import annotations

import json
from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3tui.tabular.objects import batch_object, named_row_texts
from s3tui.tabular.records import read_rows
from s3tui.tabular.rows import Rows
from s3tui.tabular.schema import Schema, parse_schema
from s3tui.tabular.split import Batch, Limits, split
from s3tui.tabular.table import Choices, look
from tests.tabular.reading import opened


def batches(data: bytes, choices: Choices | None = None, limits: Limits | None = None) -> list[tuple[Batch, Rows]]:
    with opened(data) as file:
        table = look(file, choices)
        schema = choices.schema.arranged(table.columns) if choices and choices.schema else None
        return [(batch, read_rows(batch, raw, table, schema)) for batch, raw in split(file, table, limits)]


def test_the_object_has_the_rows_of_its_batch() -> None:
    objects = [batch_object("01JD", *pair) for pair in batches(b"a,b\n1,2\n\n3\n4,5\n6,7\n", limits=Limits(rows=4))]
    assert objects == [
        b'{"upload":"01JD","batch":1,"first":1,"columns":["a","b"],"rows":[["1","2"],["4","5"]]}',
        b'{"upload":"01JD","batch":2,"first":5,"columns":["a","b"],"rows":[["6","7"]]}',
    ]


@pytest.mark.parametrize("schema", [None, parse_schema("a:integer,b:date?")])
def test_an_object_without_rows(schema: Schema | None) -> None:
    ((batch, rows),) = batches(b"a,b\n1\n", Choices(schema=schema))
    assert batch_object("j", batch, rows) == b'{"upload":"j","batch":1,"first":1,"columns":["a","b"],"rows":[]}'


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (b"1,x\n2,y\n", b"1,x\r\n2,y"),
        (b"1,x\n2,y\n", b'1,"x"\n"2",y\n'),
        (b"1,x\n2,y\n", b'1,"x"\n"2",y\n3\n'),
        (b"1,\\\n2,y\n", b'1,"\\"\n2,y\n3\n'),
    ],
)
def test_how_a_row_was_written_does_not_show(first: bytes, second: bytes) -> None:
    one, other = (batch_object("j", *batches(b"a,b\n" + data)[0]) for data in (first, second))
    assert one == other


def test_values_of_a_schema_keep_all_their_digits() -> None:
    schema = parse_schema("n:decimal?,i:integer?,t:timestamp?,b:boolean?,f:float?,s:text")
    data = b"n,i,t,b,f,s\n12345678901234567890.10,7,2026-11-21 10:30,TRUE,1.5,007\n,,,,,\n"
    ((batch, rows),) = batches(data, Choices(schema=schema))
    made = batch_object("j", batch, rows)
    assert made.endswith(b'"rows":[[12345678901234567890.10,7,"2026-11-21 10:30",true,1.5,"007"],[null,null,null,null,null,""]]}')
    assert rows.values()[0] == [Decimal("12345678901234567890.10"), None]


CELLS = st.text(st.characters(codec="utf-8", exclude_characters='\0\n\r",'), max_size=8)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=5))
def test_any_text_is_json(cells: list[list[str]]) -> None:
    data = "a,b\n" + "".join(f"{one},{other}\n" for one, other in cells)
    ((batch, rows),) = batches(data.encode(), Choices("utf-8", ","))
    made = batch_object("j", batch, rows)
    assert json.loads(made)["rows"] == cells
    assert made == b'{"upload":"j","batch":1,"first":1,"columns":["a","b"],"rows":' + orjson.dumps(cells) + b"}"
    assert [json.loads(text) for text in named_row_texts(rows).split(b"\n")] == [dict(zip("ab", row, strict=True)) for row in cells]

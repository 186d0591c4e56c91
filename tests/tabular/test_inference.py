"""Types of columns, as rows have them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3tui.tabular.inference import Inference
from s3tui.tabular.records import read_rows
from s3tui.tabular.schema import Kind, Schema
from s3tui.tabular.split import Limits, split
from s3tui.tabular.table import Choices, look
from tests.tabular.reading import opened


def inferred(names: Sequence[str], rows: Sequence[Sequence[str]], *, whole: bool = True, at_a_time: int = 1000) -> Schema:
    """The types of rows that are shown some at a time."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter="|").writerows([names, *rows])
    inference = Inference(names)
    with opened(text.getvalue().encode()) as file:
        table = look(file, Choices("utf-8", "|", '"'))
        for batch, raw in split(file, table, Limits(rows=at_a_time)):
            inference.see(read_rows(batch, raw, table))
    return inference.schema(whole=whole)


def kind_of(*cells: str, at_a_time: int = 1000) -> Kind:
    """The type of a column beside another one: an empty line would be no row."""
    return inferred(["a", "b"], [[cell, "x"] for cell in cells], at_a_time=at_a_time).columns[0].kind


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["0", "-7", "9223372036854775807"], Kind.INTEGER),
        (["007"], Kind.TEXT),
        (["+7"], Kind.TEXT),
        (["-0"], Kind.DECIMAL),
        (["1_000"], Kind.TEXT),
        ([" 7"], Kind.TEXT),
        (["٣"], Kind.TEXT),
        (["9223372036854775808"], Kind.DECIMAL),
        (["1", "2.50"], Kind.DECIMAL),
        (["1e-7", "3.0E+10"], Kind.DECIMAL),
        (["1,5"], Kind.TEXT),
        (["NaN"], Kind.TEXT),
        ([".5"], Kind.TEXT),
        (["true", "False", "TRUE"], Kind.BOOLEAN),
        (["yes"], Kind.TEXT),
        (["2026-11-21"], Kind.DATE),
        (["2026-02-30"], Kind.TEXT),
        (["2026-W47-6"], Kind.TEXT),
        (["2026-11-21T10:30", "2026-11-21 10:30:15.123456"], Kind.TIMESTAMP),
        (["2026-11-21T10:30:15Z", "2026-11-21 10:30:15+0130"], Kind.TIMESTAMPTZ),
        (["2026-11-21T10:30:15Z", "2026-11-21T10:30:15"], Kind.TEXT),
        (["2026-11-21T10:30:15.1234567"], Kind.TEXT),
        (["2026-11-21", "2026-11-21T10:30:15"], Kind.TEXT),
        (["", ""], Kind.TEXT),
    ],
)
def test_a_type_is_inferred_if_every_value_is_of_it(cells: list[str], kind: Kind) -> None:
    assert kind_of(*cells) is kind
    assert kind_of(*cells, at_a_time=1) is kind


def test_empty_fields_make_a_column_nullable_and_so_does_what_was_not_seen() -> None:
    rows = [["1", "2", ""], ["", "3", "x"]]
    assert str(inferred(["a", "b", "c"], rows)) == "a:integer?,b:integer,c:text"
    assert str(inferred(["a", "b", "c"], rows, whole=False)) == "a:integer?,b:integer?,c:text"
    assert str(inferred(["a"], [])) == "a:text"


@given(
    st.lists(
        st.sampled_from(["", "1", "-20", "2.50", "1e3", "true", "2026-11-21", "2026-11-21T10:30:15Z", "007", 'a"b', "ü"]),
        max_size=9,
    )
)
def test_how_many_rows_are_seen_at_a_time_makes_no_difference(cells: list[str]) -> None:
    rows = [[cell, "x"] for cell in cells]
    schema = inferred(["a", "b"], rows)
    assert inferred(["a", "b"], rows, at_a_time=1) == schema
    assert inferred(["a", "b"], rows, at_a_time=2) == schema

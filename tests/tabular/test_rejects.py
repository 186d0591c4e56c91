"""The file in which rejected records come back: read by anything, mended, and uploaded again."""

from __future__ import annotations

import csv
import io
import re

from hypothesis import given
from hypothesis import strategies as st

from s3tui.tabular.schema import parse_schema
from s3tui.tabular.split import Limits
from s3tui.tabular.table import Choices
from tests.tabular.reading import Outcome, read

UTF_8 = Choices(encoding="utf-8", delimiter=",")


def lines_of(outcome: Outcome) -> list[list[str]]:
    return list(csv.reader(io.StringIO(outcome.rejects_file.decode(), newline="")))


def test_original_fields_with_line_and_reason_behind_them() -> None:
    outcome = read(b"id;n\n1;x\n2\n3;a, b;c\n4;y\n", Choices(schema=parse_schema("id:integer,n:text")))
    assert outcome.rows == [["1", "x"], ["4", "y"]]
    assert lines_of(outcome) == [
        ["id", "n", "_line", "_reason"],
        ["2", "", "3", "too_few_fields"],
        ["3", "a, b", "4", "too_many_fields", "c"],
    ]


def test_types_and_quotes() -> None:
    data = b'id,n\nx,1\n2,"a" b\n3,4\n5,"open\n'
    outcome = read(data, Choices(schema=parse_schema("id:integer,n:text")))
    assert lines_of(outcome)[1:] == [
        ["x", "1", "2", "type_mismatch"],
        ['2,"a" b', "", "3", "text_after_quote"],
        ['5,"open', "", "5", "unclosed_quote"],
    ]


def restored(cell: str) -> bytes:
    """Both escapes read back."""
    pieces = re.split(r"(\\\\|\\x[0-9a-f]{2})", cell)
    return b"".join(
        (piece[1:].encode() if piece == "\\\\" else bytes.fromhex(piece[2:])) if piece[:1] == "\\" else piece.encode()
        for piece in pieces
    )


def test_what_is_no_text_can_be_restored() -> None:
    outcome = read(b"id,n\n1,C:\\x41\xff\n2,a\0b\n3,C:\\x41\n", UTF_8)
    assert outcome.rows == [["3", "C:\\x41"]]
    first, second = lines_of(outcome)[1:]
    assert first == ["1", "C:\\\\x41\\xff", "2", "undecodable"]
    assert second == ["2", "a\\x00b", "3", "nul"]
    assert restored(first[1]) == b"C:\\x41\xff"
    assert restored(second[1]) == b"a\0b"


@given(st.binary(max_size=12).filter(lambda raw: not set(raw) & set(b',"\r\n')))
def test_any_bytes_can_be_restored(raw: bytes) -> None:
    outcome = read(b"id,n\n1," + raw + b"\n", UTF_8)
    for cells in lines_of(outcome)[1:]:
        assert restored(cells[1]) == raw
    assert outcome.rows or outcome.rejects


def test_unmended_records_are_rejected_again_with_their_reasons() -> None:
    data = b'a,b,c\n1,2\n1,2,3,4\n1,"2" 3,4\n1,2,\xff\n1,\0,3\n1,"2,3\n' + b"x" * 60
    once = read(data, UTF_8, Limits(size=50))
    again = read(once.rejects_file)
    assert again.table.resubmitted
    assert again.table.columns == ("a", "b", "c")
    assert again.rows == []
    assert [reject.reason for reject in again.rejects] == [reject.reason for reject in once.rejects]
    assert again.rejects_file.replace(b"\r\n", b"\n").count(b"\n") == len(once.rejects) + 1


def test_mended_records_are_rows() -> None:
    once = read(b'a,b\n1\n1,2,3\n1,"2" 3\n1,\\\xff\nx,2\n', Choices(encoding="utf-8", schema=parse_schema("a:integer,b:text")))
    mended = (
        once.rejects_file.replace(b"1,,2,", b"1,y,2,")
        .replace(b"1,2,3,too_many_fields,3", b'1,"2,3",3,too_many_fields')
        .replace(b'"1,""2"" 3",,', b"1,2 3,")
        .replace(b"\\\\\\xff", b"\\\\z")
        .replace(b"x,2,6", b"7,2,6")
    )
    again = read(mended, Choices(schema=parse_schema("a:integer,b:text")))
    assert again.rejects == []
    assert again.rows == [["1", "y"], ["1", "2,3"], ["1", "2 3"], ["1", "\\z"], ["7", "2"]]


def test_an_emptied_reason_says_that_the_row_is_meant() -> None:
    once = read(b"a,b\n1\n2,3\n")
    again = read(once.rejects_file.replace(b"too_few_fields", b""))
    assert again.rows == [["1", ""]]


def test_types_that_still_do_not_fit_are_rejected_again() -> None:
    schema = Choices(schema=parse_schema("a:integer,b:text"))
    once = read(b"a,b\nx,1\n2,3\ny,4\n", schema)
    again = read(once.rejects_file.replace(b"y,", b"5,"), schema)
    assert again.rows == [["5", "4"]]
    assert lines_of(again)[1:] == [["x", "1", "2", "type_mismatch"]]

"""Each class of odd file, and what happens to each of its rows."""

from __future__ import annotations

import pytest

from s3tui.errors import TableError
from s3tui.tabular.dialect import delimiter_named
from s3tui.tabular.schema import parse_schema
from s3tui.tabular.split import Limits
from s3tui.tabular.table import Choices
from tests.tabular.reading import SMALL, read

PLAIN = b"id,name\n1,Ann\n2,Bob\n"
ROWS = [["1", "Ann"], ["2", "Bob"]]


# Encodings and marks


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_utf_8_with_and_without_a_mark(mark: bytes) -> None:
    outcome = read(mark + "id,näme\n1,Zoë\n".encode())
    assert outcome.table.columns == ("id", "näme")
    assert outcome.rows == [["1", "Zoë"]]
    assert outcome.rejects == []


@pytest.mark.parametrize(
    ("codec", "mark"), [("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff"), ("utf-16-le", b""), ("utf-16-be", b"")]
)
def test_utf_16_with_and_without_a_mark(codec: str, mark: bytes) -> None:
    text = 'id,name\r\n1,"Zoë, ""Z"" 😀"\r\n2,ਊ\r\n'
    outcome = read(mark + text.encode(codec), limits=SMALL)
    assert outcome.table.encoding.name == codec
    assert outcome.rows == [["1", 'Zoë, "Z" 😀'], ["2", "ਊ"]]
    assert outcome.lines == [2, 3]


def test_latin_1_is_read_as_windows_1252_and_said_to_be_assumed() -> None:
    outcome = read("id,name\n1,Zoë\n2,5 €\n".encode("cp1252"))
    assert str(outcome.table.encoding) == "Windows-1252 (assumed: it is not UTF-8)"
    assert outcome.rows == [["1", "Zoë"], ["2", "5 €"]]


def test_bytes_that_windows_1252_does_not_know_make_it_latin_1() -> None:
    outcome = read(b"id,name\n1,Zo\xeb\n2,\x81\n")
    assert outcome.table.encoding.name == "iso8859-1"
    assert outcome.rows == [["1", "Zoë"], ["2", "\x81"]]


def test_a_broken_character_in_utf_8_costs_its_row_only() -> None:
    outcome = read("id,name\n1,Zoë\n2,Å".encode() + b"\xff\n3,Bob\n4,Zo\xc3,x\n")
    assert outcome.rows == [["1", "Zoë"], ["3", "Bob"]]
    assert outcome.refused == [(3, "undecodable", "2,Å".encode() + b"\xff"), (5, "undecodable", b"4,Zo\xc3,x")]
    assert outcome.rejects[0].detail == "its byte 5 is not UTF-8 (invalid start byte)"


def test_half_a_character_in_utf_16_costs_its_row_only() -> None:
    outcome = read(b"\xff\xfe" + "id,name\n1,Ann\n2,".encode("utf-16-le") + b"\x00\xd8" + "\n3,Bob\n4,x".encode("utf-16-le") + b"y")
    assert outcome.rows == [["1", "Ann"], ["3", "Bob"]]
    assert [(line, reason) for line, reason, _ in outcome.refused] == [(3, "undecodable"), (5, "undecodable")]


def test_an_encoding_that_is_given_is_not_looked_for() -> None:
    outcome = read("id,name\n1,Zoë\n".encode(), Choices(encoding="latin-1"))
    assert outcome.rows == [["1", "ZoÃ«"]]
    assert str(outcome.table.encoding) == "Latin-1"


@pytest.mark.parametrize("choices", [Choices(encoding="shift_jis"), Choices(encoding="klingon"), Choices(encoding="base64")])
def test_an_encoding_that_cannot_be_cut_is_refused(choices: Choices) -> None:
    with pytest.raises(TableError, match=r"Cannot ingest a\.csv: '.*' (cannot be read in ranges|is no known encoding); ") as error:
        read(PLAIN, choices)
    assert error.value.reason == "encoding"


def test_utf_32_is_refused() -> None:
    with pytest.raises(TableError, match="UTF-32"):
        read("id,name\n".encode("utf-32"))


# Line ends


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("last", [True, False])
def test_each_line_end_with_and_without_the_last(end: bytes, last: bool) -> None:
    data = PLAIN.replace(b"\n", end)
    outcome = read(data if last else data.removesuffix(end))
    assert outcome.rows == ROWS
    assert outcome.lines == [2, 3]
    assert outcome.blank == 0


def test_line_ends_of_all_kinds_in_one_file() -> None:
    outcome = read(b'id,name\r\n1,Ann\n2,Bob\r3,"C\rD\nE\r\nF"\r\n4,Dan', limits=SMALL)
    assert outcome.rows == [["1", "Ann"], ["2", "Bob"], ["3", "C\rD\nE\r\nF"], ["4", "Dan"]]
    assert outcome.lines == [2, 3, 4, 8]


def test_a_doubled_carriage_return_makes_blank_records() -> None:
    outcome = read(PLAIN.replace(b"\n", b"\r\r\n"))
    assert outcome.rows == ROWS
    assert (outcome.blank, outcome.lines) == (3, [3, 5])


@pytest.mark.parametrize("odd", ["\v", "\f", "\x1c", "\x85", "\u2028"])
def test_what_only_python_takes_for_a_line_end_is_data(odd: str) -> None:
    outcome = read(f"id,name\n1,a{odd}b\n".encode())
    assert outcome.rows == [["1", f"a{odd}b"]]


# Delimiters


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quote", ['"', "'"])
def test_delimiters_and_quotes_are_found(delimiter: str, quote: str) -> None:
    text = f"id,{quote}name{quote},city\n1,{quote}Ann~ Lee{quote},Rome\n2,{quote}Bob{quote}{quote}s{quote},Oslo\n"
    outcome = read(text.replace(",", delimiter).replace("~", delimiter).encode())
    assert (outcome.table.dialect.delimiter, outcome.table.dialect.quote) == (delimiter, quote)
    assert outcome.rows == [["1", f"Ann{delimiter} Lee", "Rome"], ["2", f"Bob{quote}s", "Oslo"]]


def test_decimal_commas_do_not_make_a_comma_file() -> None:
    outcome = read(b"a;b;c\n1,5;2,5;3,5\n1,5;2,5;3,5\n")
    assert outcome.rows == [["1,5", "2,5", "3,5"]] * 2


def test_excels_separator_line_is_obeyed() -> None:
    outcome = read(b"sep=;\r\nid;name\r\n1;Ann, Lee\r\n")
    assert (outcome.table.columns, outcome.rows, outcome.lines) == (("id", "name"), [["1", "Ann, Lee"]], [3])


def test_a_delimiter_that_is_given_is_not_looked_for() -> None:
    outcome = read(b"id:name,x\n1:Ann,y\n", Choices(delimiter=":"))
    assert outcome.rows == [["1", "Ann,y"]]
    assert delimiter_named("tab") == "\t"
    with pytest.raises(ValueError, match="is no delimiter"):
        delimiter_named(",,")


@pytest.mark.parametrize("data", [b"Report of 2026\n\na,b,c\n1,2,3\n4,5,6\n7,8,9\n", b"a;b,c\n1\n2\n3,4,5\n6;7;8;9\n"])
def test_an_unclear_delimiter_is_refused(data: bytes) -> None:
    with pytest.raises(TableError, match="give the delimiter") as error:
        read(data)
    assert error.value.reason == "dialect"


def test_a_file_of_one_column() -> None:
    outcome = read(b'name\nAnn\n"Lee, Bob"\n\nDan\n', limits=SMALL)
    assert outcome.rows == [["Ann"], ["Lee, Bob"], [""], ["Dan"]]
    assert outcome.lines == [2, 3, 4, 5]


# Quoting damage


def test_text_after_a_closing_quote_costs_its_row_only() -> None:
    outcome = read(b'id,name\n1,"Ann" Lee\n2,"say ""hi"""\n3,"He said "hi" there"\n4,Dan\n', limits=SMALL)
    assert outcome.rows == [["2", 'say "hi"'], ["4", "Dan"]]
    assert outcome.refused == [(2, "text_after_quote", b'1,"Ann" Lee'), (4, "text_after_quote", b'3,"He said "hi" there"')]


def test_text_after_the_quote_of_a_field_of_several_lines_costs_these_lines() -> None:
    outcome = read(b'id,name\n1,"Ann\nLee" x\n2,Bob\n')
    assert outcome.rows == [["2", "Bob"]]
    assert outcome.refused == [(2, "text_after_quote", b'1,"Ann\nLee" x')]


def test_an_unclosed_quote_costs_the_line_in_which_it_opens() -> None:
    data = b'id,name\n1,Ann\n2,"Bob\n' + b"".join(b"%d,x\n" % number for number in range(3, 3000))
    outcome = read(data)
    assert outcome.refused == [(3, "unclosed_quote", b'2,"Bob')]
    assert [row[0] for row in outcome.rows] == ["1", *map(str, range(3, 3000))]
    assert outcome.lines[-1] == 3000


def test_an_unclosed_quote_behind_a_field_of_several_lines() -> None:
    outcome = read(b'a,b\n"1\n2","x\n3,y\n')
    assert outcome.rows == [["3", "y"]]
    assert outcome.refused == [(2, "unclosed_quote", b'"1\n2","x')]


def test_a_quote_is_looked_for_no_further_than_the_largest_record() -> None:
    far = b'id,name\n1,"Ann\n' + b"2,Bob\n" * 100 + b'3,"Dan"\n'
    near = read(far, limits=Limits(size=100))
    assert near.refused == [(2, "unclosed_quote", b'1,"Ann')]
    assert near.rows == [["2", "Bob"]] * 100 + [["3", "Dan"]]
    whole = read(far)
    assert [(line, reason) for line, reason, _ in whole.refused] == [(2, "text_after_quote")]
    assert whole.rows == []


def test_quotes_elsewhere_than_at_the_beginning_are_characters() -> None:
    outcome = read(b'id,name\n1,TV 55"\n2,5" pipe\n3, "x"\n4,"y"\n', limits=SMALL)
    assert outcome.rows == [["1", 'TV 55"'], ["2", '5" pipe'], ["3", ' "x"'], ["4", "y"]]
    assert outcome.rejects == []


def test_without_a_quote_all_quotes_are_characters() -> None:
    outcome = read(b'id\tname\n1\t"Ann\n2\tBob"\n', Choices(quote=""))
    assert outcome.rows == [["1", '"Ann'], ["2", 'Bob"']]


def test_line_ends_in_quotes_are_data_and_count_as_lines() -> None:
    outcome = read(b'id,note\n1,"a\nb"\n2,x\n3,"c\r\n\r\nd"\n4,y\n', limits=SMALL)
    assert outcome.rows == [["1", "a\nb"], ["2", "x"], ["3", "c\r\n\r\nd"], ["4", "y"]]
    assert outcome.lines == [2, 4, 5, 8]
    assert [(batch.first, batch.line, batch.records, batch.lines) for batch in outcome.batches] == [(1, 2, 3, 6), (4, 8, 1, 1)]


def test_a_quote_that_closes_beyond_what_is_held_is_closed() -> None:
    data = b'id,note\n1,"a" x\n2,"b\n' + b"c" * 5000 + b'"\n3,d\n'
    outcome = read(data, limits=Limits(rows=2, block=16))
    assert outcome.refused == [(2, "text_after_quote", b'1,"a" x')]
    assert outcome.rows == [["2", "b\n" + "c" * 5000], ["3", "d"]]


# Row width


def test_ragged_rows_are_rejected_with_what_they_have() -> None:
    outcome = read(b"a,b,c\n1,2,3\n4,5\n6,7,8,9\n7,8,9\n", limits=SMALL)
    assert outcome.rows == [["1", "2", "3"], ["7", "8", "9"]]
    assert outcome.refused == [(3, "too_few_fields", b"4,5"), (4, "too_many_fields", b"6,7,8,9")]
    assert [reject.detail for reject in outcome.rejects] == [
        "3 fields are expected and it has 2",
        "3 fields are expected and it has 4",
    ]
    assert [(reject.record, reject.offset) for reject in outcome.rejects] == [(2, 12), (3, 16)]


def test_ragged_rows_among_quoted_ones() -> None:
    lines = [b'"%d","x, y"' % number if number % 7 else b'"%d"' % number for number in range(1, 500)]
    outcome = read(b"a,b\n" + b"\n".join(lines))
    assert [int(row[0]) for row in outcome.rows] == [number for number in range(1, 500) if number % 7]
    assert outcome.lines == [number + 1 for number in range(1, 500) if number % 7]
    assert outcome.refused == [(number + 1, "too_few_fields", b'"%d"' % number) for number in range(7, 500, 7)]


def test_a_delimiter_in_quotes_does_not_make_up_for_a_missing_field() -> None:
    data = b"a,b\n" + b'"1","x"\n' * 900 + b'"2,y"\n"3","z"\n'
    outcome = read(data)
    assert outcome.refused == [(902, "too_few_fields", b'"2,y"')]
    assert outcome.rows == [["1", "x"]] * 900 + [["3", "z"]]


# Headers


@pytest.mark.parametrize(
    ("header", "reason", "cause"),
    [
        (b"a,b,a", "duplicate_name", "its header names 'a' twice, in columns 1 and 3"),
        (b",a,b", "empty_name", "its header has no name for column 1"),
        (b"a, ,", "empty_name", "its header has no name for columns 2, 3"),
        (b'a,"b,c', "header", "the quotes of its first record do not match"),
        (b"a,b\0,c", "header", "its first record holds NUL characters"),
    ],
)
def test_a_header_that_names_no_columns_is_refused(header: bytes, reason: str, cause: str) -> None:
    with pytest.raises(TableError, match=rf"^Cannot ingest a\.csv: {cause}") as error:
        read(header + b"\n1,2,3\n")
    assert error.value.reason == reason


def test_a_header_that_is_not_the_schemas_is_refused() -> None:
    schema = parse_schema("id:integer,name:text")
    with pytest.raises(TableError, match=r"lacks 'name', which the schema has \(it has 'nom'\)") as missing:
        read(b"id,nom\n1,Ann\n", Choices(schema=schema))
    with pytest.raises(TableError, match="has 'x', which the schema lacks") as surplus:
        read(b"id,name,x\n1,Ann,2\n", Choices(schema=schema))
    assert (missing.value.reason, surplus.value.reason) == ("missing_column", "unexpected_column")
    assert read(b"name,id\nAnn,1\nBob,x\n", Choices(schema=schema)).rows == [["Ann", "1"]]


def test_a_file_without_a_header() -> None:
    outcome = read(b'1,"A\nB"\n2,Bob\n', Choices(header=False))
    assert (outcome.table.columns, outcome.lines) == (("column_1", "column_2"), [1, 3])
    assert outcome.rows == [["1", "A\nB"], ["2", "Bob"]]
    named = read(b"1,Ann\n", Choices(header=False, schema=parse_schema("id:integer,name:text")))
    assert named.table.columns == ("id", "name")
    with pytest.raises(TableError, match="its first row has 2 fields and the schema 1 columns"):
        read(b"1,Ann\n", Choices(header=False, schema=parse_schema("id:integer")))


def test_names_of_columns_stay_as_they_are() -> None:
    assert read(b'"a ""b"", c", d\n1,2\n').table.columns == ('a "b", c', " d")


# Bytes that databases refuse, very long fields


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_a_nul_costs_its_row_only(encoding: str) -> None:
    data = 'id,name\n1,Ann\n2,B\0b\n3,"\0"\n4,Dan\n'.encode(encoding)
    outcome = read(data, Choices(encoding=encoding))
    assert outcome.rows == [["1", "Ann"], ["4", "Dan"]]
    assert outcome.refused == [(3, "nul", "2,B\0b".encode(encoding)), (4, "nul", '3,"\0"'.encode(encoding))]


def test_long_fields_are_rows() -> None:
    long = "x" * 200_000
    outcome = read(f'id,name\n1,{long}\n2,"{long}, {long}"\n'.encode())
    assert outcome.rows == [["1", long], ["2", f"{long}, {long}"]]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_record_that_is_too_large_is_rejected_alone_with_its_beginning(end: bytes) -> None:
    data = b"id,name\n1,Ann\n2," + b"x" * 100_000 + b"\n3,Bob\n4," + b"y" * 100
    outcome = read(data.replace(b"\n", end), limits=Limits(size=50))
    assert outcome.rows == [["1", "Ann"], ["3", "Bob"]]
    assert outcome.refused == [(3, "too_large", b"2," + b"x" * 48), (5, "too_large", b"4," + b"y" * 48)]
    assert outcome.rejects[0].detail == f"it has {100_002 + len(end)} bytes, and 50 is the most"
    assert outcome.lines == [2, 4]


def test_a_quoted_field_that_is_too_large() -> None:
    outcome = read(b'id,name\n1,"' + b"x" * 100 + b'"\n2,Bob\n', limits=Limits(size=50))
    assert outcome.rows == [["2", "Bob"]]
    assert [(line, reason) for line, reason, _ in outcome.refused] == [(2, "too_large")]


# Emptiness and blank records


@pytest.mark.parametrize("data", [b"", b"\n", b"\r\n\r\n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_an_empty_file_is_refused(data: bytes) -> None:
    with pytest.raises(TableError, match=r"Cannot ingest a\.csv: it is empty") as error:
        read(data)
    assert error.value.reason == "empty"


@pytest.mark.parametrize("data", [b"id,name", b"id,name\n"])
def test_a_header_alone_has_no_rows(data: bytes) -> None:
    outcome = read(data)
    assert (outcome.table.columns, outcome.rows, outcome.batches) == (("id", "name"), [], [])


def test_blank_records_are_counted_and_are_no_rows() -> None:
    outcome = read(b"\n\nid,name\n\n1,Ann\n\n\n2,\n,\n\n", limits=SMALL)
    assert outcome.rows == [["1", "Ann"], ["2", ""], ["", ""]]
    assert (outcome.lines, outcome.blank) == ([5, 8, 9], 4)


def test_spaces_alone_are_a_ragged_row() -> None:
    assert read(b"id,name\n  \n").refused == [(2, "too_few_fields", b"  ")]


# Types


def test_values_that_are_not_of_their_type_cost_their_rows() -> None:
    schema = parse_schema("id:integer,price:decimal?,name:text")
    data = b'id,price,name\n1,1.50,Ann\n007,2,Bob\n3,,Cem\n4,x,"Dan\nDee"\n,1,Eve\n5,1,"F, G"\n'
    outcome = read(data, Choices(schema=schema), SMALL)
    assert outcome.rows == [["1", "1.50", "Ann"], ["3", "", "Cem"], ["5", "1", "F, G"]]
    assert outcome.lines == [2, 4, 8]
    assert outcome.refused == [
        (3, "type_mismatch", b"007,2,Bob"),
        (5, "type_mismatch", b'4,x,"Dan\nDee"'),
        (7, "type_mismatch", b",1,Eve"),
    ]
    assert [reject.detail for reject in outcome.rejects] == [
        "'007' in column 'id' is no integer",
        "'x' in column 'price' is no decimal",
        "an empty field in column 'id' is no integer",
    ]


def test_all_kinds_of_damage_in_one_batch() -> None:
    data = b'a:b,c\n1,x\n2\n3,"y" z\n4,\xff\n5,\0\n\n6,"q\n7,"ok, ""fine"""\n8,9,10\n11,"last'
    outcome = read(data, Choices(delimiter=",", encoding="utf-8"))
    assert outcome.rows == [["1", "x"]]
    assert [(line, reason) for line, reason, _ in outcome.refused] == [
        (3, "too_few_fields"),
        (4, "text_after_quote"),
        (5, "undecodable"),
        (6, "nul"),
        (8, "text_after_quote"),
        (10, "too_many_fields"),
        (11, "unclosed_quote"),
    ]
    assert outcome.blank == 1

"""Answers from bytes: at every point where a network may cut them, and with everything that must not pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3tui.transfer.wire.answers import Answer, AnswerReader, MalformedAnswer

ANSWERS = {
    "an empty body": ("PUT", b'HTTP/1.1 200 OK\r\nETag: "e"\r\nContent-Length: 0\r\n\r\n', 200, b"", True),
    "a length": ("GET", b"HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\n\r\nabcde", 404, b"abcde", True),
    "no reason": ("GET", b"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", 200, b"x", True),
    "chunks": (
        "GET",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;name=value\r\nabc\r\n1F\r\n" + b"z" * 31 + b"\r\n0\r\n\r\n",
        200,
        b"abc" + b"z" * 31,
        True,
    ),
    "chunks and trailers": (
        "GET",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-Sum: 1\r\nX-Other: 2\r\n\r\n",
        200,
        b"ab",
        True,
    ),
    "1xx before": (
        "PUT",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        200,
        b"",
        True,
    ),
    "HEAD": ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n", 200, b"", True),
    "204": ("DELETE", b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", True),
    "304": ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", 304, b"", True),
    "close": ("GET", b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\nab", 200, b"ab", False),
    "HTTP/1.0": ("GET", b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab", 200, b"ab", False),
    "the same length twice": ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab", 200, b"ab", True),
    "white space before an error": (
        "POST",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n\n\n\r\n8\r\n<Error/>\r\n0\r\n\r\n",
        200,
        b"\n\n<Error/>",
        True,
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_read_wherever_it_is_cut(name: str) -> None:
    method, data, status, body, reusable = ANSWERS[name]
    for cut in range(len(data)):
        reader = AnswerReader(method)
        if cut:
            assert reader.feed(data[:cut]) is None
        answer = reader.feed(data[cut:])
        assert answer is not None
        assert (answer.status, answer.body, answer.reusable) == (status, body, reusable)
    byte_by_byte = AnswerReader(method)
    answers = [byte_by_byte.feed(data[at : at + 1]) for at in range(len(data))]
    assert answers[:-1] == [None] * (len(data) - 1)
    assert answers[-1] == answer


def test_names_are_in_lower_case_and_repeated_fields_are_joined() -> None:
    data = b"HTTP/1.1 403 Forbidden\r\nX-Amz-Id-2: a\r\nx-amz-id-2:  b \r\nEmpty:\r\nContent-Length: 0\r\n\r\n"
    answer = AnswerReader("PUT").feed(data)
    assert answer is not None
    assert answer.headers == {"x-amz-id-2": "a, b", "empty": "", "content-length": "0"}


def test_the_usual_answer_to_a_put_is_read_as_any_other_one() -> None:
    data = b'HTTP/1.1 200 OK\r\nServer: S\r\nETAG:  "e"\r\nx-amz-version-id: v\r\nContent-Length: 0\r\n\r\n'
    at_once = AnswerReader("PUT").feed(data)
    slowly = AnswerReader("PUT")
    slowly.feed(data[:1])
    in_pieces = slowly.feed(data[1:])
    assert at_once is not None
    assert in_pieces is not None
    assert at_once.headers.items() <= in_pieces.headers.items()
    assert {"etag", "x-amz-version-id"} <= at_once.headers.keys()
    assert at_once._replace(headers={}) == in_pieces._replace(headers={})


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    reader = AnswerReader("GET")
    assert reader.feed(b"HTTP/1.1 200 OK\r\n\r\nab") is None
    assert reader.feed(b"cd") is None
    assert reader.end() == Answer(200, {}, b"abcd", reusable=False)


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 2x0 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + b"x" * (65 << 20),
    ],
    ids=lambda data: repr(data[:60]),
)
def test_what_is_no_answer_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        AnswerReader("GET").feed(data)


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na"])
def test_an_end_in_the_middle_is_refused(data: bytes) -> None:
    reader = AnswerReader("GET")
    if data:
        reader.feed(data)
    with pytest.raises(MalformedAnswer, match="in the middle"):
        reader.end()


@given(st.binary(max_size=300), st.sampled_from(["GET", "PUT", "HEAD"]))
def test_whatever_comes_it_is_an_answer_or_refused(data: bytes, method: str) -> None:
    reader = AnswerReader(method)
    try:
        reader.feed(b"HTTP/1.1 200 OK\r\n" + data)
        reader.end()
    except MalformedAnswer:
        pass

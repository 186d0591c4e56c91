"""HTTP/1.1 answers, from bytes as they come in.

Strict where leniency would hide a mix-up of answers (both framings at once, two lengths, an endless head), lenient where servers
differ (case and repetition of header names, extensions of chunks, a missing reason).
"""

from __future__ import annotations

from typing import NamedTuple

_MAX_HEAD = 64 << 10
_MAX_BODY = 64 << 20
"""More than any answer that we ask for: a page of a listing is about a megabyte."""


class MalformedAnswer(Exception):
    """What came is no answer that can be understood; the connection cannot be used any more."""


class Answer(NamedTuple):
    """A final answer (no 1xx)."""

    status: int
    headers: dict[str, str]
    """Names in lower case; values of a repeated name are joined by a comma."""
    body: bytes
    reusable: bool
    """Whether the connection can take another request."""


class AnswerReader:
    """Reads one answer, and keeps nothing of it when it is done."""

    __slots__ = (
        "_buffer", "_chunked", "_head", "_headers", "_left", "_method", "_pieces", "_reusable", "_size", "_status",
        "continued", "started",
    )  # fmt: skip

    def __init__(self, method: str) -> None:
        self._method = method
        self._buffer = b""
        self._head = True
        self._status = 0
        self._headers: dict[str, str] = {}
        self._reusable = False
        self._chunked = False
        self._left = 0
        """Bytes of the body, or of the present chunk, still to come; -1: all that comes until the end."""
        self._pieces: list[bytes] = []
        self._size = 0
        self.started = False
        """Whether any byte has come."""
        self.continued = False
        """Whether `100 Continue` has come."""

    def feed(self, data: bytes) -> Answer | None:
        """Take bytes; the answer once it is whole. Raises MalformedAnswer, also for bytes that come after it."""
        if self._method == "PUT" and not self.started and (answer := _plain_success(data)) is not None:
            return answer
        self.started = True
        self._buffer = self._buffer + data if self._buffer else data
        while self._head:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                if len(self._buffer) > _MAX_HEAD:
                    raise MalformedAnswer("the head of the answer has no end")
                return None
            head, self._buffer = self._buffer[:end], self._buffer[end + 4 :]
            self._take_head(head)
        return self._take_body()

    def end(self) -> Answer:
        """The connection was closed; the answer, if it is one that ends so. Raises MalformedAnswer."""
        if self._head or self._left != -1:
            raise MalformedAnswer("the connection was closed in the middle of the answer")
        return self._whole()

    def _take_head(self, head: bytes) -> None:
        lines = head.decode("latin-1").split("\r\n")
        version, _, rest = lines[0].partition(" ")
        if not version.startswith("HTTP/1.") or not rest[:3].isdecimal() or (len(rest) > 3 and rest[3] != " "):
            raise MalformedAnswer("what came is not HTTP/1.1")
        self._status = int(rest[:3])
        if self._status < 200:
            if self._status == 101:
                raise MalformedAnswer("the server wants to speak another protocol")
            self.continued = self.continued or self._status == 100
            return
        self._head = False
        headers = self._headers
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon or line[0] in " \t":
                raise MalformedAnswer("a header of the answer cannot be read")
            name = name.rstrip().lower()
            value = value.strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        self._frame(version)

    def _frame(self, version: str) -> None:
        """How long the body is, and whether the connection survives it."""
        headers = self._headers
        connection = headers.get("connection", "").lower()
        self._reusable = version != "HTTP/1.0" and "close" not in connection
        coding, length = headers.get("transfer-encoding"), headers.get("content-length")
        if coding is not None and length is not None:
            raise MalformedAnswer("the answer states its length in two ways")
        if self._method == "HEAD" or self._status in (204, 304):
            self._left = 0
        elif coding is not None:
            if coding.lower() != "chunked":
                raise MalformedAnswer("the answer is encoded in a way that was not asked for")
            self._chunked = True
        elif length is not None:
            first, *others = {part.strip() for part in length.split(",")}
            if others or not (first.isascii() and first.isdecimal()):
                raise MalformedAnswer("the length of the answer cannot be read")
            self._left = int(first)
        else:
            self._left = -1
            self._reusable = False

    def _take_body(self) -> Answer | None:
        if self._chunked:
            return self._take_chunks()
        if self._left < 0:
            self._keep(self._buffer)
            self._buffer = b""
            return None
        data, self._buffer = self._buffer[: self._left], self._buffer[self._left :]
        self._left -= len(data)
        self._keep(data)
        return self._whole() if self._left == 0 else None

    def _take_chunks(self) -> Answer | None:
        """Chunk by chunk; `_left` is 0 between two of them, and counts the line end that follows the data of one."""
        while True:
            if self._left:
                data = self._buffer[: self._left]
                if not data:
                    return None
                self._buffer = self._buffer[len(data) :]
                self._keep(data[: max(0, self._left - 2)])
                self._left -= len(data)
                continue
            line, ended, rest = self._buffer.partition(b"\r\n")
            if not ended:
                if len(line) > _MAX_HEAD:
                    raise MalformedAnswer("a chunk of the answer has no size")
                return None
            size = _chunk_size(line)
            if size == 0:
                return self._take_trailers()
            self._buffer = rest
            self._left = size + 2

    def _take_trailers(self) -> Answer | None:
        """After the last chunk: fields nobody asked for, and an empty line. The buffer begins with the last chunk's line."""
        _, _, rest = self._buffer.partition(b"\r\n")
        if rest.startswith(b"\r\n"):
            self._buffer = rest[2:]
            return self._whole()
        end = rest.find(b"\r\n\r\n")
        if end < 0:
            if len(rest) > _MAX_HEAD:
                raise MalformedAnswer("the end of the answer has no end")
            return None
        self._buffer = rest[end + 4 :]
        return self._whole()

    def _keep(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > _MAX_BODY:
            raise MalformedAnswer("the answer is larger than anything that was asked for")
        if data:
            self._pieces.append(data)

    def _whole(self) -> Answer:
        if self._buffer:
            raise MalformedAnswer("more came than was asked for")
        return Answer(self._status, self._headers, b"".join(self._pieces), self._reusable)


_WANTED = (("etag", b"\r\netag:"), ("x-amz-version-id", b"\r\nx-amz-version-id:"))


def _plain_success(data: bytes) -> Answer | None:
    """What nearly all answers to a PUT are: 200, whole and without a body; read in one go, for the fields that somebody wants."""
    if not data.startswith(b"HTTP/1.1 200 ") or data.find(b"\r\n\r\n") != len(data) - 4:
        return None
    lowered = data.lower()
    empty = lowered.count(b"\r\ncontent-length:") == lowered.count(b"\r\ncontent-length: 0\r\n") == 1
    if not empty or b"\r\nconnection:" in lowered or b"\r\ntransfer-encoding:" in lowered:
        return None
    fields = {"content-length": "0"}
    for name, mark in _WANTED:
        start = lowered.find(mark)
        if start >= 0:
            if lowered.find(mark, start + 1) >= 0:
                return None
            fields[name] = data[start + len(mark) : data.find(b"\r\n", start + 2)].decode("latin-1").strip()
    return Answer(200, fields, b"", reusable=True)


def _chunk_size(line: bytes) -> int:
    digits = line.partition(b";")[0].strip()
    if not digits or digits.strip(b"0123456789abcdefABCDEF") or len(digits) > 15:
        raise MalformedAnswer("a chunk of the answer has no size that can be read")
    return int(digits, 16)

"""The file in a multipart form, read as it comes: the parser tells where its bytes are, and no second copy is made of them."""

from __future__ import annotations

from collections.abc import AsyncIterator

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from s3tui.api.problems import Problem
from s3tui.api.staging import Piece

_MOST_HEADERS = 8 << 10
ROOM = 64 << 10
"""What a form may be larger than the file in it."""


class FormFile:
    """One form with exactly one file. Options of the job belong to the query, so it has no other field."""

    def __init__(self, content_type: str) -> None:
        """Raises Problem 422 without a boundary."""
        _, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if not 0 < len(boundary) <= 200:
            raise _malformed("its Content-Type names no boundary")
        self.file_name = ""
        """As the form has it; empty until it has come."""
        self.content_type = ""
        """Of the file, likewise."""
        self._ended = False
        self._begun = False
        self._pieces: list[Piece] = []
        self._field = bytearray()
        self._value = bytearray()
        self._headers: dict[str, bytes] = {}
        callbacks = {
            "on_part_begin": self._begin,
            "on_part_data": self._data,
            "on_header_field": lambda data, start, end: self._take(self._field, data[start:end]),
            "on_header_value": lambda data, start, end: self._take(self._value, data[start:end]),
            "on_header_end": self._header,
            "on_headers_finished": self._head,
            "on_end": self._end,
        }
        self._parser = MultipartParser(boundary, callbacks)  # type: ignore[arg-type]

    async def file(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[Piece]:
        """The bytes of the file. Raises Problem 422."""
        async for chunk in chunks:
            try:
                self._parser.write(chunk)
            except MultipartParseError as error:
                raise _malformed(str(error)) from error
            pieces, self._pieces = self._pieces, []
            for piece in pieces:
                yield piece
        if not self._begun:
            raise _malformed("it has no file")
        if not self._ended:
            raise _malformed("it ends before its last boundary")

    def _begin(self) -> None:
        if self._begun:
            raise _malformed("it has more than the one file that is taken; options belong to the query")
        self._begun = True

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._pieces.append(memoryview(data)[start:end])

    def _take(self, into: bytearray, data: bytes) -> None:
        into += data
        if len(into) > _MOST_HEADERS:
            raise _malformed("its headers are too long")

    def _header(self) -> None:
        self._headers[self._field.decode("latin-1").lower()] = bytes(self._value)
        self._field.clear()
        self._value.clear()

    def _head(self) -> None:
        disposition, options = parse_options_header(self._headers.get("content-disposition"))
        name = options.get(b"filename")
        if disposition != b"form-data" or name is None:
            raise _malformed("its part is no file: options belong to the query")
        self.file_name = name.decode("utf-8", "replace")
        self.content_type = self._headers.get("content-type", b"").decode("latin-1")

    def _end(self) -> None:
        self._ended = True


def _malformed(why: str) -> Problem:
    return Problem(422, "malformed_form", f"The form cannot be read: {why}.")

"""What the two processes say to each other: lists of plain tuples, marshalled, each list behind its length.

The first field names a message, the others are its arguments. To the crew's process:

    ("begin", site, keys, conduct, patience)              first of all
    ("keys", keys) ("no keys",) ("conduct", conduct)
    ("group", group, limit, rate, wish) ("end group", group)
    ("run", run, group, terms) ("items", run, [item, ...]) ("stop run", run) ("end run", run)
    ("part", id, group, order)
    ("ask", id, operation, method, target, [(name, value), ...], {header: value}, body)
    ("warm", bucket, connections)

and back:

    ("stored", [(run, no, attempts, size, checksum, etag, version_id, fingerprint or None), ...])
    ("failed", run, no, attempts, error) ("returned", run, no) ("again", run, no, attempts, seconds, error)
    ("part stored", id, size, checksum, etag) ("part failed", id, error)
    ("answer", id, status, headers, body) ("no answer", id, error)
    ("flights", [(run, no, sent, size, attempt), ...], [(part's id, sent), ...], window, connections)
    ("bytes", [(run, bytes of bodies that ever left), ...])
    ("worn", access_key, token) ("complaint", text)
"""

from __future__ import annotations

import marshal
from collections.abc import Iterable, Iterator
from typing import Any

from s3tui import errors
from s3tui.errors import S3tuiError, StorageError

Message = tuple[Any, ...]

_LENGTH = 4


def plain(fields: tuple[Any, ...]) -> tuple[Any, ...]:
    """A named tuple as one that can be marshalled."""
    return tuple(fields)


def framed(messages: list[Message]) -> bytes:
    """Some messages as they travel."""
    data = marshal.dumps(messages)
    return len(data).to_bytes(_LENGTH, "big") + data


class FrameReader:
    """Puts messages together again from bytes as they come."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Take bytes; every message that is whole by now."""
        buffer = self._buffer
        buffer += data
        position = 0
        while len(buffer) - position >= _LENGTH:
            end = position + _LENGTH + int.from_bytes(buffer[position : position + _LENGTH], "big")
            if len(buffer) < end:
                break
            frame: Iterable[Message] = marshal.loads(memoryview(buffer)[position + _LENGTH : end])  # noqa: S302 - from ourselves
            yield from frame
            position = end
        del buffer[:position]


def packed_error(error: S3tuiError) -> Message:
    """An error as plain values."""
    code, status = (error.code, error.status) if isinstance(error, StorageError) else ("", 0)
    return type(error).__name__, str(error), code, status, error.reason, error.retryable, error.fatal


def unpacked_error(packed: Message) -> S3tuiError:
    """The error again."""
    name, sentence, code, status, reason, retryable, fatal = packed
    kind: type[S3tuiError] = getattr(errors, name)
    if issubclass(kind, StorageError):
        error: S3tuiError = kind(sentence, code=code, status=status, reason=reason, retryable=retryable)
    else:
        error = kind(sentence)
        error.reason, error.retryable = reason, retryable
    error.fatal = fatal
    return error

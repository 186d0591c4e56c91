"""A body on its way to the disk: pieces of a MiB are written and hashed, each in a thread, while the next one comes.

Two pieces are in memory at most, whatever the size of the body. What is broken off leaves nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

import anyio
from fastapi import Request

from s3tui.api.desk import Desk
from s3tui.api.problems import Problem, busy
from s3tui.api.staging import NoSpace, Piece
from s3tui.text import format_size

PIECE = 1 << 20

_SILENCE_SECONDS = 60.0
"""How long a client may send nothing in the middle of a body."""


async def chunks_of(request: Request, *, largest: int, silence: float = _SILENCE_SECONDS) -> AsyncIterator[bytes]:
    """The body as it comes. Raises Problem 413 and 408, and ClientDisconnect."""
    size = 0
    chunks = request.stream().__aiter__()
    while True:
        try:
            async with asyncio.timeout(silence):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise Problem(408, "timeout", f"Nothing came for {silence:.0f} seconds in the middle of the body.") from None
        size += len(chunk)
        if size > largest:
            raise too_large(largest)
        if chunk:
            yield chunk


def media_type(content_type: str) -> str:
    """What a Content-Type says, without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def check_length(request: Request, desk: Desk) -> None:
    """See, before anything comes, that what is announced can be taken. Raises Problem 400, 413, 503. Blocks."""
    announced = request.headers.get("content-length")
    if announced is None:
        size = 0
    elif announced.isdecimal() and len(announced) < 20:
        size = int(announced)
    else:
        raise Problem(400, "bad_request", "Content-Length must be a number of bytes.")
    if size > desk.max_body:
        raise too_large(desk.max_body)
    try:
        desk.staging.ensure_room(size)
    except NoSpace as error:
        raise no_space(error) from error


def too_large(largest: int) -> Problem:
    """413."""
    return Problem(413, "too_large", f"The body is larger than the {format_size(largest)} that are taken.", max_bytes=largest)


def no_space(error: NoSpace) -> Problem:
    """503: the staging disk is full."""
    return busy("no_space", f"There is no room for the body in staging: {error}.", 60)


Step = Callable[[Sequence[Piece]], None]
"""Something that is done with pieces of a body. It blocks."""


class Sink(Protocol):
    """Where a body goes."""

    @property
    def steps(self) -> Sequence[Step]:
        """What is done with each run of pieces, side by side: each step has a thread, and sees the runs in order."""


class Hash:
    """Keeps nothing of a body but its SHA-256."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    @property
    def steps(self) -> Sequence[Step]:
        """See `Sink`."""
        return (self._update,)

    def _update(self, pieces: Sequence[Piece]) -> None:
        for piece in pieces:
            self._hash.update(piece)

    @property
    def sha256(self) -> str:
        """In hex."""
        return self._hash.hexdigest()


class Writer:
    """Hands a body on, a piece at a time, in order."""

    def __init__(self, desk: Desk, sink: Sink) -> None:
        self._desk = desk
        self._steps = sink.steps
        self._pieces: list[Piece] = []
        self._size = 0
        self._writing: list[asyncio.Task[None]] = []

    async def feed(self, data: Piece) -> None:
        """Take some bytes; waits while an earlier piece is being written. Raises Problem 503, OSError."""
        self._pieces.append(data)
        self._size += len(data)
        if self._size >= PIECE:
            await self._flush()

    async def end(self) -> None:
        """Every step has seen everything when this returns. Raises Problem 503, OSError."""
        if self._pieces:
            await self._flush()
        await self._settle()

    async def close(self) -> None:
        """Let no thread hold the sink any more; call it before that is closed."""
        with anyio.CancelScope(shield=True):
            if self._writing:
                await asyncio.wait(self._writing)

    async def _flush(self) -> None:
        await self._settle()
        pieces, self._pieces, self._size = self._pieces, [], 0
        self._writing = [asyncio.create_task(self._desk.write(step, pieces)) for step in self._steps]

    async def _settle(self) -> None:
        if not self._writing:
            return
        await asyncio.wait(self._writing)
        writing, self._writing = self._writing, []
        try:
            for task in writing:
                task.result()
        except NoSpace as error:
            raise no_space(error) from error


@asynccontextmanager
async def writing(desk: Desk, sink: Sink, leave: Callable[[Writer], Awaitable[None]]) -> AsyncIterator[Writer]:
    """A writer to a sink; if what is within is broken off, `leave` says what becomes of what was written."""
    writer = Writer(desk, sink)
    try:
        yield writer
        await writer.end()
    except BaseException:
        with anyio.CancelScope(shield=True):
            await leave(writer)
        raise

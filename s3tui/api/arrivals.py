"""One request with a body, from its head to its job: what every path does that takes a file at one go.

Refused before anything is read: media types, sizes, options, targets. Then the body comes into staging, its job is written, and the
answer is 202. Whatever goes wrong before that leaves neither.
"""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from fastapi import Request
from starlette.responses import Response

from s3tui.api.bodies import Hash, Writer, check_length, chunks_of, media_type, writing
from s3tui.api.desk import Desk
from s3tui.api.idempotency import Attempt, attempt
from s3tui.api.intake import Wish, make_job, spec_of
from s3tui.api.jobs_shown import accepted
from s3tui.api.multipart import ROOM, FormFile
from s3tui.api.problems import Problem
from s3tui.api.staging import Piece, StagedFile
from s3tui.errors import StateError
from s3tui.state.tokens import Token

_log = logging.getLogger(__name__)

_FORM = "multipart/form-data"
_GZIP_MAGIC = b"\x1f\x8b"
_DIGEST = re.compile(r"\bsha-256=:([A-Za-z0-9+/=]+):")


@dataclass(frozen=True, slots=True)
class Takes:
    """What a path takes as a body."""

    types: tuple[str, ...]
    """Media types; one that ends in a slash stands for all that begin so."""
    gzip: bool = False
    """Whether `Content-Encoding: gzip` is taken; such a body is kept as it comes, for the reader of CSV files unpacks it."""

    def check(self, request: Request) -> None:
        """Raises Problem 415."""
        media = media_type(request.headers.get("content-type", ""))
        if media != _FORM:
            self.check_type(media)
        encoding = request.headers.get("content-encoding", "identity").strip().lower()
        if encoding != "identity" and not (self.gzip and encoding == "gzip" and media != _FORM):
            allowed = "gzip" if self.gzip else "identity"
            detail = f"A body with this Content-Encoding is not taken here; {allowed} is."
            raise Problem(415, "unsupported_encoding", detail, headers={"Accept-Encoding": allowed})

    def check_type(self, media: str) -> None:
        """Of a body, or of a file in a form; none at all is taken for what it should be. Raises Problem 415."""
        if media and not any(media.startswith(one) if one.endswith("/") else media == one for one in self.types):
            kinds = ", ".join(one + "*" if one.endswith("/") else one for one in self.types)
            detail = f"A body of this type is not taken here: send one of {kinds}, or {_FORM}, and say so in Content-Type."
            raise Problem(415, "unsupported_type", detail, headers={"Accept-Post": f"{_FORM}, {kinds}"})


async def take(request: Request, desk: Desk, caller: Token, wish: Wish, takes: Takes, key: str | None) -> Response:
    """Answer one request with a file. Raises Problem."""
    takes.check(request)
    await desk.write(check_length, request, desk)
    await desk.call(spec_of, desk, wish, "")
    with desk.bodies_of_token.one(caller.id):
        source = _Source(request, desk, wish, takes)
        async with attempt(desk, request, caller, key, body_hash=source.hash) as trying:
            if isinstance(trying, str):
                return await desk.call(accepted, desk, trying)
            return await _receive(desk, caller, source, trying)


class _Source:
    """The file of a request, raw or in a form."""

    def __init__(self, request: Request, desk: Desk, wish: Wish, takes: Takes) -> None:
        content_type = request.headers.get("content-type", "")
        self._form = FormFile(content_type) if media_type(content_type) == _FORM else None
        self._desk = desk
        self._wish = wish
        self._takes = takes
        self._chunks = chunks_of(request, largest=desk.max_body + (ROOM if self._form else 0))
        self.is_gzip = request.headers.get("content-encoding", "").strip().lower() == "gzip"
        self.digest = _expected_digest(request) if self._form is None else None

    @property
    def wish(self) -> Wish:
        """With the name of the file in the form, once that has begun to come."""
        return self._wish.named(self._form.file_name) if self._form else self._wish

    async def pieces(self) -> AsyncIterator[Piece]:
        """The bytes of the file. Raises Problem."""
        if self._form is None:
            async for chunk in self._chunks:
                yield chunk
            return
        checked = False
        async for piece in self._form.file(self._chunks):
            if not checked:
                self._takes.check_type(media_type(self._form.content_type))
                checked = True
            yield piece

    async def hash(self) -> str:
        """SHA-256 of the file, which is kept nowhere."""
        whole = Hash()
        async with writing(self._desk, whole, Writer.close) as writer:
            async for piece in self.pieces():
                await writer.feed(piece)
        return whole.sha256


async def _receive(desk: Desk, caller: Token, source: _Source, trying: Attempt) -> Response:
    body_id = trying.job_id
    pieces = source.pieces()
    first = await _first(pieces)
    if source.is_gzip and bytes(first[:2]) != _GZIP_MAGIC[: len(first)]:
        raise Problem(422, "not_gzip", "The body says that it is gzip, and is not: leave out Content-Encoding, or compress it.")
    file = await desk.write(desk.staging.begin, body_id, source.wish.file_name(body_id))

    async def leave(writer: Writer) -> None:
        await writer.close()
        await desk.write(_leave, desk, body_id, file)

    async with writing(desk, file, leave) as writer:
        await writer.feed(first)
        async for piece in pieces:
            await writer.feed(piece)
        await writer.end()
        _check_digest(source.digest, file.sha256)
        await desk.write(file.sync)
        job_id = await desk.call(_commit(desk, caller, source.wish, trying, file))
    await desk.write(file.close)
    desk.wake_worker()
    return await desk.call(accepted, desk, job_id)


def _leave(desk: Desk, body_id: str, file: StagedFile) -> None:
    """Leave nothing of a body, unless it has just become a job. What cannot be found out now is found out when staging is swept."""
    try:
        if not desk.store.jobs.find(body_id) and file.abandon():
            desk.store.bodies.drop(body_id)
    except StateError as error:
        _log.warning("What is left of body %s will be removed later: %s", body_id, error)
    finally:
        file.close()


def _commit(desk: Desk, caller: Token, wish: Wish, trying: Attempt, file: StagedFile) -> Callable[[], str]:
    """The steps that belong together: none of them is left out because a client or the server goes."""

    def commit() -> str:
        trying.seal(file.sha256)
        job_id = make_job(desk, wish, trying.job_id, size=file.size, sha256=file.sha256, token_id=caller.id)
        trying.finish(job_id)
        return job_id

    return commit


async def _first(pieces: AsyncIterator[Piece]) -> Piece:
    async for piece in pieces:
        return piece
    raise Problem(422, "empty", "The body is empty: send the file as the body of the request.")


def _expected_digest(request: Request) -> str | None:
    """What Content-Digest (RFC 9530) says of the body, in hex. Raises Problem 400."""
    found = _DIGEST.search(request.headers.get("content-digest", ""))
    if found is None:
        return None
    try:
        return base64.b64decode(found[1], validate=True).hex()
    except ValueError as error:
        raise Problem(400, "bad_request", "Content-Digest is not base64.") from error


def _check_digest(expected: str | None, actual: str) -> None:
    if expected is not None and expected != actual:
        raise Problem(422, "digest_mismatch", "The body is not what Content-Digest says: it was changed on its way. Send it again.")

"""Resumable uploads, after tus 1.0: a file that comes in pieces, over any number of connections, and becomes a job when it
is whole.

The upload's id is that of the job to be. How much has come is the size of its file: what a broken connection or a killed
server left counts as far as it was written. One request at a time adds to a file: a newer one stops an older one, whose client is
most likely gone without a word; another process that holds it is left alone (423).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import Request
from pydantic import ValidationError

from s3tui.api.bodies import Writer, chunks_of, no_space, too_large, writing
from s3tui.api.desk import Desk
from s3tui.api.intake import KINDS, Wish, spec_of, submit, wish_of, wished
from s3tui.api.limits import too_many
from s3tui.api.problems import Problem
from s3tui.api.shapes import IngestQuery, VideoQuery
from s3tui.api.staging import NoSpace, StagedFile
from s3tui.errors import NotFound
from s3tui.model import new_id, now_ms
from s3tui.state.bodies import Body
from s3tui.state.tokens import Token
from s3tui.text import display_text

ALGORITHMS = ("sha1", "sha256", "md5")
"""Of Upload-Checksum; what else there is (crc32) browsers do not have either."""

_HOUR_MS = 3_600_000
_MOST_OPEN = 100


class Turns:
    """Who adds to which upload in this process."""

    def __init__(self) -> None:
        self._holders: dict[str, asyncio.Event] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._users: Counter[str] = Counter()

    @asynccontextmanager
    async def one(self, body_id: str) -> AsyncIterator[asyncio.Event]:
        """Have the upload to oneself within; the event is set when somebody newer wants it."""
        if (holder := self._holders.get(body_id)) is not None:
            holder.set()
        mine = asyncio.Event()
        self._users[body_id] += 1
        try:
            async with self._locks.setdefault(body_id, asyncio.Lock()):
                self._holders[body_id] = mine
                yield mine
        finally:
            if self._holders.get(body_id) is mine:
                del self._holders[body_id]
            self._users[body_id] -= 1
            if not self._users[body_id]:
                del self._users[body_id], self._locks[body_id]


def parse_metadata(text: str) -> dict[str, str]:
    """Upload-Metadata: keys, each with a value in base64 or none, separated by commas. Raises Problem 400."""
    pairs: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, _, value = part.partition(" ")
        try:
            pairs[key] = base64.b64decode(value.strip(), validate=True).decode("utf-8")
        except (binascii.Error, ValueError) as error:
            raise Problem(400, "bad_metadata", f"Upload-Metadata: {display_text(key)[:40]!r} is not in base64.") from error
    return pairs


def wish_in(metadata: dict[str, str]) -> Wish:
    """What is asked of the file: `kind`, `filename`, and what the queries of videos and ingests take. Raises Problem 422."""
    kind = metadata.get("kind", "")
    if kind not in KINDS:
        raise Problem(422, "bad_arguments", f"Upload-Metadata must say what the file is: kind is one of {', '.join(KINDS)}.")
    query: type[VideoQuery | IngestQuery] = VideoQuery if kind == "video" else IngestQuery
    fields = {"schema" if name == "columns" else name for name in query.model_fields}
    asked = {name: value for name, value in metadata.items() if name in fields}
    asked.setdefault("name", metadata.get("filename", ""))
    try:
        return wished(kind, query.model_validate(asked))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise Problem(422, "bad_arguments", f"Upload-Metadata cannot be used: {where}: {first['msg']}.") from error


def create(desk: Desk, caller: Token, length: int, metadata: str) -> Body:
    """A new upload of so many bytes. Raises Problem, SpecError. Blocks."""
    if length > desk.max_body:
        raise too_large(desk.max_body)
    if not length:
        raise Problem(422, "empty", "The upload is empty: Upload-Length must be at least 1.")
    wish, body_id = wish_in(parse_metadata(metadata)), new_id()
    spec_of(desk, wish, body_id)
    if sum(body.token_id == caller.id for body in desk.store.bodies.unfinished()) >= _MOST_OPEN:
        raise too_many("too_many_at_once", f"This token has {_MOST_OPEN} uploads open already. End or delete some.", 60)
    try:
        desk.staging.ensure_room(length)
    except NoSpace as error:
        raise no_space(error) from error
    body = Body(
        body_id, wish.kind, wish.safe_name, wish.as_json, caller.id, length, None, metadata, expiry(desk), created_at=now_ms()
    )
    file = desk.staging.begin(body_id, wish.file_name(body_id))
    try:
        desk.store.bodies.add(body)
    except BaseException:
        file.abandon()
        raise
    finally:
        file.close()
    return body


def find(desk: Desk, caller: Token, body_id: str) -> Body:
    """An upload of the caller's. Raises NotFound. Blocks."""
    body = desk.store.bodies.get(body_id)
    if body is None or body.tus is None or body.token_id != caller.id:
        raise NotFound("There is no such upload: it has expired, was deleted, or is another token's.")
    return body


def offset_of(desk: Desk, body: Body) -> int:
    """How much has come. Raises NotFound. Blocks."""
    if body.expires_at is None:
        return body.size
    size = desk.staging.size(body.id, wish_of(body).file_name(body.id))
    if size is None:
        raise NotFound("What has come of this upload is not here: it has expired, or was sent to another server.")
    return size


async def add(request: Request, desk: Desk, body: Body, offset: int, checksum: str | None, stop: asyncio.Event) -> int:
    """Add the body of a request; returns the new offset. Makes the job when the file is whole.

    Raises Problem 400, 409, 413, 423, 460, 503, and NotFound. What has come before something broke stays, unless a checksum was to
    prove it.
    """
    if body.expires_at is None:
        raise conflict(body.size)
    expected = None if checksum is None else _checksum(checksum)
    file = await desk.write(_open, desk, body)
    if file.size != offset or offset > body.size:
        await desk.write(file.close)
        raise conflict(file.size)
    proof = None if expected is None else file.also_hash(expected[0])

    async def leave(writer: Writer) -> None:
        if expected is None:
            with suppress(Problem, OSError):
                await writer.end()
        await writer.close()
        await desk.write(_leave, file, offset if expected else None)

    async with writing(desk, file, leave) as writer:
        async for chunk in _until(stop, chunks_of(request, largest=body.size - offset)):
            await writer.feed(chunk)
        await writer.end()
        if expected and proof and proof.digest() != expected[1]:
            raise Problem(460, "checksum_mismatch", "The piece is not what Upload-Checksum says, and was dropped: send it again.")
        await desk.write(file.sync)
        whole = file.size == body.size
        if whole:
            await desk.call(make_whole, desk, body, sha256=None if offset else file.sha256)
        else:
            await desk.call(desk.store.bodies.put_off, body.id, expiry(desk))
    await desk.write(file.close)
    if whole:
        desk.wake_worker()
    return file.size


def make_whole(desk: Desk, body: Body, *, sha256: str | None) -> None:
    """The job of an upload that is whole; once, whoever is asked how often. Blocks."""
    try:
        desk.service.job(body.id)
    except NotFound:
        submit(desk, spec_of(desk, wish_of(body), body.id), body.id)
    desk.store.bodies.complete(body.id, sha256)


def delete(desk: Desk, body: Body) -> None:
    """Give an upload up. Raises Problem 409 if it is whole, and so a job, and 423. Blocks."""
    if body.expires_at is None:
        raise Problem(409, "is_a_job", f"The upload is whole, and a job: POST /v1/jobs/{body.id}/cancel breaks that off.")
    if desk.staging.is_locked(body.id):
        raise _locked()
    desk.store.bodies.drop(body.id)
    desk.staging.remove(body.id)


def conflict(offset: int) -> Problem:
    """409: the caller does not know how much has come."""
    return Problem(
        409, "wrong_offset", f"Upload-Offset must be {offset}: so much has come.", headers={"Upload-Offset": str(offset)}
    )


def expiry(desk: Desk) -> int:
    """Until when an upload waits for its next piece."""
    return now_ms() + int(desk.settings.api.resumable_hours * _HOUR_MS)


def _open(desk: Desk, body: Body) -> StagedFile:
    try:
        return desk.staging.go_on(body.id, wish_of(body).file_name(body.id))
    except FileNotFoundError as error:
        raise NotFound("What has come of this upload is not here: it has expired, or was sent to another server.") from error
    except BlockingIOError as error:
        raise _locked() from error


def _leave(file: StagedFile, keep: int | None) -> None:
    try:
        if keep is not None:
            file.cut(keep)
        file.sync()
    finally:
        file.close()


def _locked() -> Problem:
    return Problem(423, "locked", "Another request adds to this upload. Ask for its offset, and go on from there.")


async def _until(stop: asyncio.Event, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The chunks. Raises Problem 423 when `stop` is set."""

    async def following() -> bytes | None:
        return await anext(chunks, None)

    stopped = asyncio.create_task(stop.wait())
    try:
        while True:
            coming = asyncio.create_task(following())
            try:
                await asyncio.wait({coming, stopped}, return_when=asyncio.FIRST_COMPLETED)
                if stopped.done():
                    raise _locked()
                chunk = coming.result()
            finally:
                coming.cancel()
            if chunk is None:
                return
            yield chunk
    finally:
        stopped.cancel()


def _checksum(text: str) -> tuple[str, bytes]:
    """Upload-Checksum: an algorithm and a digest. Raises Problem 400."""
    algorithm, _, value = text.partition(" ")
    if algorithm not in ALGORITHMS:
        raise Problem(400, "unknown_algorithm", f"Upload-Checksum takes {', '.join(ALGORITHMS)}.")
    try:
        return algorithm, base64.b64decode(value.strip(), validate=True)
    except ValueError as error:
        raise Problem(400, "bad_request", "Upload-Checksum is not base64.") from error

"""`/v1/files`: resumable uploads by tus 1.0: core, creation, creation-with-upload, termination, checksum, expiration."""

from __future__ import annotations

from email.utils import formatdate
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from starlette.responses import Response

from s3tui.api.auth import READS, Writer
from s3tui.api.bodies import media_type
from s3tui.api.desk import AtDesk, Desk
from s3tui.api.problems import Problem
from s3tui.api.resumable import ALGORITHMS, Turns, add, create, delete, find, offset_of
from s3tui.state.bodies import Body
from s3tui.state.tokens import Token

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,termination,checksum,expiration"
_PIECE_TYPE = "application/offset+octet-stream"

router = APIRouter(prefix="/v1/files", tags=["resumable uploads (tus 1.0)"])


def _version(_: Writer, tus_resumable: Annotated[str | None, Header(max_length=20, description="1.0.0")] = None) -> None:
    """Whose token it is comes first. Raises Problem 412."""
    if tus_resumable != VERSION:
        detail = f"Send `Tus-Resumable: {VERSION}`: this is the version that is spoken here."
        raise Problem(412, "unsupported_version", detail, headers={"Tus-Version": VERSION})


_SPEAKS_TUS = [Depends(_version)]
_LENGTH = Header(max_length=19, pattern=r"^[0-9]+$", description="Bytes of the whole file")
_OFFSET = Header(max_length=19, pattern=r"^[0-9]+$", description="Bytes that have come")
_CHECKSUM = Header(max_length=200, description=f"Of this piece: one of {', '.join(ALGORITHMS)}, a space, and base64")
_METADATA = Header(
    max_length=30_000,
    description="kind (video or ingest), filename, and what the queries of videos and ingests take; each value in base64",
)
_PIECE = {"requestBody": {"content": {_PIECE_TYPE: {"schema": {"type": "string", "format": "binary"}}}}}
_DONE: dict[int | str, dict[str, Any]] = {204: {"description": "Done"}}


@router.options("", status_code=204, responses=_DONE, response_class=Response, dependencies=READS)
async def show_abilities(desk: AtDesk) -> Response:
    """What this server can."""
    headers = {
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(desk.max_body),
        "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
    }
    return _answer(204, headers)


@router.post(
    "",
    status_code=201,
    responses={201: {"description": "It was made; Location says where"}},
    response_class=Response,
    dependencies=_SPEAKS_TUS,
    openapi_extra=_PIECE,
)
async def create_upload(
    request: Request,
    desk: AtDesk,
    caller: Writer,
    upload_length: Annotated[str, _LENGTH],
    upload_metadata: Annotated[str, _METADATA],
    upload_checksum: Annotated[str | None, _CHECKSUM] = None,
) -> Response:
    """Make an upload; its first piece may come along. Its id is that of the job that it becomes."""
    has_piece = media_type(request.headers.get("content-type", "")) == _PIECE_TYPE
    body = await desk.write(create, desk, caller, int(upload_length), upload_metadata)
    offset = await _add(request, desk, caller, body, 0, upload_checksum) if has_piece else 0
    return _answer(201, {"Location": f"/v1/files/{body.id}", **_standing(body, offset)})


@router.head("/{file_id}", responses={200: {"description": "It is there"}}, response_class=Response, dependencies=_SPEAKS_TUS)
async def show_upload(request: Request, desk: AtDesk, caller: Writer, file_id: str) -> Response:
    """How much has come."""
    body = await desk.call(find, desk, caller, file_id)
    turns: Turns = request.app.state.turns
    async with turns.one(body.id):
        body = await desk.call(find, desk, caller, file_id)
        offset = await desk.write(offset_of, desk, body)
    return _answer(200, {"Upload-Length": str(body.size), "Upload-Metadata": body.tus or "", **_standing(body, offset)})


@router.patch(
    "/{file_id}",
    status_code=204,
    responses={204: {"description": "It was added"}},
    response_class=Response,
    dependencies=_SPEAKS_TUS,
    openapi_extra=_PIECE,
)
async def add_piece(
    request: Request,
    desk: AtDesk,
    caller: Writer,
    file_id: str,
    upload_offset: Annotated[str, _OFFSET],
    upload_checksum: Annotated[str | None, _CHECKSUM] = None,
) -> Response:
    """Add a piece. With the last one the file becomes a job: S3tui-Job says where."""
    if media_type(request.headers.get("content-type", "")) != _PIECE_TYPE:
        raise Problem(415, "unsupported_type", f"A piece comes as {_PIECE_TYPE}.", headers={"Accept-Patch": _PIECE_TYPE})
    body = await desk.call(find, desk, caller, file_id)
    offset = await _add(request, desk, caller, body, int(upload_offset), upload_checksum)
    return _answer(204, _standing(body, offset))


@router.delete("/{file_id}", status_code=204, responses=_DONE, response_class=Response, dependencies=_SPEAKS_TUS)
async def delete_upload(request: Request, desk: AtDesk, caller: Writer, file_id: str) -> Response:
    """Give it up, and what has come of it."""
    body = await desk.call(find, desk, caller, file_id)
    turns: Turns = request.app.state.turns
    async with turns.one(body.id):
        await desk.write(delete, desk, await desk.call(find, desk, caller, file_id))
    return _answer(204, {})


async def _add(request: Request, desk: Desk, caller: Token, body: Body, offset: int, checksum: str | None) -> int:
    turns: Turns = request.app.state.turns
    async with turns.one(body.id) as stop:
        with desk.bodies_of_token.one(caller.id):
            body = await desk.call(find, desk, caller, body.id)
            return await add(request, desk, body, offset, checksum, stop)


def _standing(body: Body, offset: int) -> dict[str, str]:
    headers = {"Upload-Offset": str(offset)}
    if offset == body.size:
        headers["S3tui-Job"] = f"/v1/jobs/{body.id}"
    elif body.expires_at is not None:
        headers["Upload-Expires"] = formatdate(body.expires_at / 1000, usegmt=True)
    return headers


def _answer(status: int, headers: dict[str, str]) -> Response:
    return Response(status_code=status, headers={"Tus-Resumable": VERSION, **headers})

"""Resumable uploads: the protocol point by point, and with a tus client of others."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import random
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from tusclient.client import TusClient

from s3tui.api.sweeping import sweep
from s3tui.model import now_ms
from tests.api.offices import ROWS, Office, office_of
from tests.api.servers import ApiServer
from tests.api.test_refusals import problem
from tests.cli.command import Home
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=5)

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {"Content-Type": "application/offset+octet-stream"}


def metadata(**pairs: str) -> str:
    """Upload-Metadata."""
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())


def checksum(data: bytes, algorithm: str = "sha256") -> dict[str, str]:
    """The header of a piece."""
    return {"Upload-Checksum": f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"}


async def create(
    office: Office, length: int = len(ROWS), *, status: int = 201, pairs: Mapping[str, str] | None = None
) -> httpx.Response:
    """A new upload."""
    named = metadata(**{"kind": "ingest", "filename": "rows.csv", **(pairs or {})})
    headers = TUS | {"Upload-Length": str(length), "Upload-Metadata": named}
    answer = await office.client.post("/v1/files", headers=headers)
    assert answer.status_code == status, answer.text
    return answer


async def add(office: Office, path: str, offset: int, data: Any, **headers: str) -> httpx.Response:
    """A piece of one."""
    return await office.client.patch(path, content=data, headers=TUS | PIECE | {"Upload-Offset": str(offset)} | headers)


async def offset_of(office: Office, path: str) -> int:
    """How much the server says it has."""
    answer = await office.client.head(path, headers=TUS)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    return int(answer.headers["upload-offset"])


async def test_the_server_tells_what_it_can(office: Office) -> None:
    answer = await office.client.options("/v1/files")
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert answer.headers["tus-extension"] == "creation,creation-with-upload,termination,checksum,expiration"
    assert answer.headers["tus-max-size"] == str(50 << 30)
    assert answer.headers["tus-checksum-algorithm"] == "sha1,sha256,md5"


async def test_a_file_in_pieces_becomes_one_job(any_office: Office) -> None:
    made = await create(any_office, pairs={"delimiter": ",", "strict": "true"})
    path = made.headers["location"]
    assert made.headers["upload-offset"] == "0"
    assert made.headers["upload-expires"].endswith("GMT")
    assert any_office.desk.service.browse() == []
    first = await add(any_office, path, 0, ROWS[:7])
    assert (first.status_code, first.headers["upload-offset"], first.headers.get("s3tui-job")) == (204, "7", None)
    assert await offset_of(any_office, path) == 7
    last = await add(any_office, path, 7, ROWS[7:])
    job_id = path.rpartition("/")[2]
    assert (last.status_code, last.headers["s3tui-job"]) == (204, f"/v1/jobs/{job_id}")
    job = (await any_office.client.get(last.headers["s3tui-job"])).json()
    assert (job["kind"], job["name"], job["state"], job["body"]) == ("ingest", "rows.csv", "pending", {"size": 20, "sha256": None})
    assert (any_office.desk.staging.directory / job_id / "rows.csv").read_bytes() == ROWS
    head = await any_office.client.head(path, headers=TUS)
    assert (head.headers["upload-offset"], head.headers["upload-length"]) == ("20", "20")
    assert head.headers["upload-metadata"] == metadata(kind="ingest", filename="rows.csv", delimiter=",", strict="true")
    problem(await add(any_office, path, 0, ROWS), 409, "wrong_offset")
    problem(await any_office.client.delete(path, headers=TUS), 409, "is_a_job")
    sweep(any_office.desk)
    assert len(any_office.desk.service.browse()) == 1


async def test_the_first_piece_may_come_with_the_creation(office: Office) -> None:
    headers = TUS | PIECE | {"Upload-Length": str(len(ROWS)), "Upload-Metadata": metadata(kind="ingest")}
    part = await office.client.post("/v1/files", content=ROWS[:5], headers=headers)
    assert (part.status_code, part.headers["upload-offset"]) == (201, "5")
    whole = await office.client.post("/v1/files", content=ROWS, headers=headers)
    assert (whole.status_code, whole.headers["upload-offset"]) == (201, "20")
    job = (await office.client.get(whole.headers["s3tui-job"])).json()
    assert job["body"]["sha256"] == hashlib.sha256(ROWS).hexdigest()


async def test_a_wrong_offset_tells_the_right_one(office: Office) -> None:
    path = (await create(office)).headers["location"]
    await add(office, path, 0, ROWS[:7])
    for wrong in (0, 6, 8, 20, 10**18):
        answer = await add(office, path, wrong, ROWS[7:])
        problem(answer, 409, "wrong_offset")
        assert answer.headers["upload-offset"] == "7"
    assert await offset_of(office, path) == 7


async def test_more_than_was_announced_is_refused(office: Office) -> None:
    path = (await create(office)).headers["location"]
    problem(await add(office, path, 0, ROWS + b"x"), 413, "too_large")
    assert office.desk.service.browse() == []


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
async def test_a_piece_that_is_not_what_its_checksum_says_is_dropped(office: Office, algorithm: str) -> None:
    path = (await create(office)).headers["location"]
    answer = await add(office, path, 0, ROWS[:7], **checksum(b"other", algorithm))
    facts = problem(answer, 460, "checksum_mismatch")
    assert facts["title"] == "Checksum Mismatch"
    assert await offset_of(office, path) == 0
    assert (await add(office, path, 0, ROWS[:7], **checksum(ROWS[:7], algorithm))).status_code == 204
    assert (await add(office, path, 7, ROWS[7:], **checksum(ROWS[7:], algorithm))).status_code == 204
    assert len(office.desk.service.browse()) == 1


@pytest.mark.parametrize("wrong", ["crc32 AAAA", "sha1", "sha1 ???", ""])
async def test_a_checksum_that_cannot_be_checked_is_refused(office: Office, wrong: str) -> None:
    path = (await create(office)).headers["location"]
    answer = await add(office, path, 0, ROWS, **{"Upload-Checksum": wrong})
    assert answer.status_code in (400, 460), answer.text
    assert await offset_of(office, path) == 0


async def test_another_version_of_the_protocol_is_refused(office: Office) -> None:
    for version in ({}, {"Tus-Resumable": "0.2.2"}):
        answer = await office.client.post(
            "/v1/files", headers={**version, "Upload-Length": "3", "Upload-Metadata": metadata(kind="video")}
        )
        problem(answer, 412, "unsupported_version")
        assert answer.headers["tus-version"] == "1.0.0"


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        ({"kind": "backup"}, "bad_arguments"),
        ({"kind": ""}, "bad_arguments"),
        ({"target": "http://x"}, "bad_arguments"),
        ({"strict": "perhaps"}, "bad_arguments"),
        ({"delimiter": "ab"}, "bad_arguments"),
        ({"schema": ":::"}, "bad_arguments"),
    ],
)
async def test_what_cannot_become_a_job_is_refused_at_once(office: Office, pairs: dict[str, str], reason: str) -> None:
    problem(await create(office, status=422, pairs=pairs), 422, reason)
    assert office.staged == []


async def test_lengths_and_metadata_that_are_none_are_refused(office: Office) -> None:
    problem(await create(office, 0, status=422), 422, "empty")
    problem(await create(office, (50 << 30) + 1, status=413), 413, "too_large")
    for length in ("-1", "x", "1.5", "9" * 20):
        answer = await office.client.post(
            "/v1/files", headers=TUS | {"Upload-Length": length, "Upload-Metadata": metadata(kind="video")}
        )
        problem(answer, 422, "bad_arguments")
    answer = await office.client.post("/v1/files", headers=TUS | {"Upload-Length": "1", "Upload-Metadata": "kind ?"})
    problem(answer, 400, "bad_metadata")
    answer = await office.client.post(
        "/v1/files", headers=TUS | {"Upload-Defer-Length": "1", "Upload-Metadata": metadata(kind="video")}
    )
    problem(answer, 422, "bad_arguments")


async def test_a_piece_of_another_type_is_refused(office: Office) -> None:
    path = (await create(office)).headers["location"]
    problem(await add(office, path, 0, ROWS, **{"Content-Type": "text/csv"}), 415, "unsupported_type")


async def test_an_upload_belongs_to_its_token(office: Office) -> None:
    path = (await create(office)).headers["location"]
    other = office.bearer()
    assert (await office.client.head(path, headers=TUS | other)).status_code == 404
    problem(await add(office, path, 0, ROWS, **other), 404, "not_found")
    problem(await office.client.delete(path, headers=TUS | other), 404, "not_found")


async def test_an_upload_that_is_deleted_is_gone(office: Office) -> None:
    path = (await create(office)).headers["location"]
    await add(office, path, 0, ROWS[:7])
    assert (await office.client.delete(path, headers=TUS)).status_code == 204
    assert (await office.client.head(path, headers=TUS)).status_code == 404
    problem(await add(office, path, 7, ROWS[7:]), 404, "not_found")
    assert list(office.desk.staging.ids()) == []


async def test_an_upload_that_nobody_goes_on_with_expires(office: Office) -> None:
    path = (await create(office)).headers["location"]
    kept = (await create(office)).headers["location"]
    with office.store.database.write() as connection:
        connection.execute("UPDATE api_body SET expires_at = :past", past=now_ms() - 1)
    assert (await add(office, kept, 0, ROWS[:7])).status_code == 204
    sweep(office.desk)
    assert (await office.client.head(path, headers=TUS)).status_code == 404
    assert await offset_of(office, kept) == 7
    assert list(office.desk.staging.ids()) == [kept.rpartition("/")[2]]


async def test_a_whole_file_whose_server_was_killed_becomes_its_job_at_the_next_start(office: Office) -> None:
    path = (await create(office)).headers["location"]
    await add(office, path, 0, ROWS[:7])
    body_id = path.rpartition("/")[2]
    with (office.desk.staging.directory / body_id / "rows.csv").open("ab") as file:
        file.write(ROWS[7:])
    sweep(office.desk)
    assert [job.id for job in office.desk.service.browse()] == [body_id]
    assert await offset_of(office, path) == len(ROWS)


async def test_a_newer_request_stops_an_older_one_and_what_had_come_counts(office: Office) -> None:
    path = (await create(office)).headers["location"]
    begun = asyncio.Event()

    async def stuck() -> AsyncIterator[bytes]:
        yield ROWS[:7]
        begun.set()
        await asyncio.Event().wait()

    older = asyncio.create_task(add(office, path, 0, stuck()))
    await begun.wait()
    assert await offset_of(office, path) == 7
    problem(await older, 423, "locked")
    assert (await add(office, path, 7, ROWS[7:])).status_code == 204
    assert (office.desk.staging.directory / path.rpartition("/")[2] / "rows.csv").read_bytes() == ROWS


async def test_an_upload_that_another_process_adds_to_is_left_alone(office: Office) -> None:
    path = (await create(office)).headers["location"]
    held = office.desk.staging.go_on(path.rpartition("/")[2], "rows.csv")
    problem(await add(office, path, 0, ROWS), 423, "locked")
    problem(await office.client.delete(path, headers=TUS), 423, "locked")
    held.close()
    assert (await add(office, path, 0, ROWS)).status_code == 204


async def test_a_token_has_so_many_uploads_open_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    async with office_of(tmp_path) as office:
        for _ in range(100):
            await create(office)
        problem(await create(office, status=429), 429, "too_many_at_once")


def test_a_broken_connection_keeps_what_has_come(lone_server: ApiServer) -> None:
    data = random.Random(1).randbytes(5_000_000)
    with lone_server.client() as client:
        headers = TUS | {"Upload-Length": str(len(data)), "Upload-Metadata": metadata(kind="video", filename="a.mp4")}
        path = client.post("/v1/files", headers=headers).headers["location"]
        connection = lone_server.connect()
        lines = [f"PATCH {path} HTTP/1.1", "Host: api", f"Authorization: Bearer {lone_server.token}", "Upload-Offset: 0"]
        lines += [f"{name}: {value}" for name, value in (TUS | PIECE | {"Content-Length": str(len(data))}).items()]
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + data[:3_000_000])
        staged = lone_server.staging / path.rpartition("/")[2] / f"{path.rpartition('/')[2]}.mp4"
        wait_until(lambda: staged.stat().st_size > 2_000_000, 10, "most of it to come")
        connection.close()
        wait_until(lambda: staged.stat().st_size == 3_000_000, 10, "all of it to come")
        wait_until(lambda: client.head(path, headers=TUS).headers["upload-offset"] == "3000000", 10, "the offset")
        rest = client.patch(path, content=data[3_000_000:], headers=TUS | PIECE | {"Upload-Offset": "3000000"})
        assert (rest.status_code, rest.headers["s3tui-job"]) == (204, path.replace("files", "jobs"))
        assert staged.read_bytes() == data


def test_a_tus_client_goes_on_after_the_server_was_killed(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    (home.work / "config.yaml").write_text("s3: {bucket_name: bucket}\napi: {start_worker: false}\n")
    data = b"id,name\n" + b"".join(b"%d,name\n" % number for number in range(200_000))
    with ApiServer(home) as server:
        client = TusClient(f"{server.url}/v1/files", headers=server.bearer)
        pairs = {"kind": "ingest", "filename": "large.csv"}
        uploader = client.uploader(file_stream=io.BytesIO(data), chunk_size=500_000, metadata=pairs, upload_checksum=True)
        uploader.upload(stop_at=1_000_000)
        server.kill()
        server.start()
        path = str(uploader.url).rpartition("/v1/files/")[2]
        again = TusClient(f"{server.url}/v1/files", headers=server.bearer).uploader(
            file_stream=io.BytesIO(data), chunk_size=500_000, url=f"{server.url}/v1/files/{path}", upload_checksum=True
        )
        assert again.offset == 1_000_000
        again.upload()
        job = server.get(f"/v1/jobs/{path}")
        assert (job["name"], job["kind"], job["body"]["size"]) == ("large.csv", "ingest", len(data))
        assert (server.staging / path / "large.csv").read_bytes() == data

"""Bodies on their way: whole ones are staged with their checksum, and of broken ones nothing is left."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import signal
import socket
import struct
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import Request

from s3tui.api.bodies import chunks_of
from s3tui.api.intake import safe_name
from s3tui.api.problems import Problem
from s3tui.api.sweeping import sweep
from s3tui.model import JobState, new_id, now_ms
from tests.api.offices import ROWS, Office
from tests.api.servers import ApiServer, answer_on
from tests.cli.command import Home
from tests.waiting import wait_until

CSV = {"Content_Type": "text/csv"}


@pytest.mark.parametrize("form", [False, True])
@pytest.mark.parametrize("size", [1, 65536, (1 << 20) - 1, 1 << 20, 5_000_001])
async def test_a_body_is_staged_as_it_was_sent(office: Office, form: bool, size: int) -> None:
    data = random.Random(size).randbytes(size)
    if form:
        answer = await office.client.post("/v1/videos", files={"f": ("film.MP4", data, "video/mp4")})
    else:
        answer = await office.client.post("/v1/videos?name=film.MP4", content=data)
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert job["body"] == {"size": size, "sha256": hashlib.sha256(data).hexdigest()}
    assert (job["kind"], job["name"], job["state"]) == ("video", "film.MP4", "pending")
    path = office.desk.staging.directory / job["id"] / f"{job['id']}.mp4"
    assert path.read_bytes() == data
    assert job["sources"] == [str(path)]
    assert [path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777] == [0o600, 0o700]


async def test_a_boundary_that_is_cut_anywhere_is_found(office: Office) -> None:
    """The form comes byte by byte, and the file is full of what is nearly a boundary."""
    data = b"\r\n--x\r\n--\r\n--xy-\r\n-" * 3 + b"\r\n--xyz"
    head = b'--xyzz\r\nContent-Disposition: form-data; name="f"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\n'
    form = head + data + b"\r\n--xyzz--\r\n"

    async def byte_by_byte() -> object:
        for byte in form:
            yield bytes([byte])

    headers = {"Content-Type": "multipart/form-data; boundary=xyzz"}
    answer = await office.client.post("/v1/ingests", content=byte_by_byte(), headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 202, answer.text
    assert (office.desk.staging.directory / answer.json()["id"] / "a.csv").read_bytes() == data


async def test_408_when_a_body_does_not_go_on() -> None:
    async def never() -> Any:
        await asyncio.Event().wait()

    request = Request({"type": "http", "method": "POST", "headers": []}, never)
    with pytest.raises(Problem, match="in the middle of the body") as refused:
        _ = [chunk async for chunk in chunks_of(request, largest=1, silence=0.01)]
    assert (refused.value.status, refused.value.reason) == (408, "timeout")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("rows.csv", "rows.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ann\\rows.csv", "rows.csv"),
        ("..", ""),
        ("...", ""),
        ("/", ""),
        (".hidden.csv", "hidden.csv"),
        ("a\x00b\x1b[31m\n.csv", "ab[31m.csv"),
        ("a\u202egpj.csv", "agpj.csv"),
        ("ü" * 300 + ".csv", "ü" * 98 + ".csv"),
        ("x." + "y" * 300, ""),
        ("  spaced  ", "spaced"),
        ("\udce4.csv", "csv"),
    ],
)
def test_names_are_made_safe(sent: str, kept: str) -> None:
    assert safe_name(sent) == kept
    assert len(kept.encode()) <= 200


async def test_what_is_asked_of_a_body_is_asked_of_its_job(office: Office) -> None:
    query = "delimiter=tab&quote=none&encoding=latin-1&header=false&schema=id:integer"
    query += "&table=people&payload=inline&strict=true&batch_rows=7"
    job = (await office.post_rows(f"{query}&target=s3://other/place")).json()
    assert job["target"] == "s3://other/place/"
    spec = json.loads(office.desk.service.job(job["id"]).spec)
    told = {name: spec[name] for name in ("delimiter", "quote", "encoding", "header", "schema", "table", "payload", "strict")}
    asked = {"delimiter": "tab", "quote": "none", "encoding": "latin-1", "header": False, "schema": "id:integer"}
    assert told == {**asked, "table": "people", "payload": "inline", "strict": True}
    assert spec["batch_rows"] == 7
    posted = await office.client.post("/v1/videos?ladder=720,360&segment_type=ts&segment_seconds=2&preset=fast", content=b"x")
    spec = json.loads(office.desk.service.job(posted.json()["id"]).spec)
    assert (spec["ladder"], spec["segment_type"], spec["segment_seconds"], spec["preset"]) == ("720,360", "ts", 2.0, "fast")


async def test_a_hostile_name_stays_in_staging(office: Office) -> None:
    answer = await office.post_rows("name=..%2F..%2F..%2Fetc%2Fcron.d%2Fx")
    assert answer.json()["name"] == "x"
    wide = await office.client.post("/v1/ingests", files={"𨣒": ("𨣒ä.csv", ROWS, "text/csv")})
    assert wide.json()["name"] == "𨣒ä.csv"
    form = await office.client.post("/v1/ingests", files={"f": ("../../../../tmp/y\r\n", ROWS, "text/csv")})
    assert (form.status_code, "/" in form.json()["name"]) == (202, False), form.text
    assert len(office.staged) == 3


async def test_staging_is_swept_of_what_nobody_needs(office: Office) -> None:
    """Bodies of jobs that have ended for good go; of failed ones they stay for a day; others stay, and so does what is not ours."""
    waiting, cancelled, failed, partial, rejected = [(await office.post_rows()).json()["id"] for _ in range(5)]
    await office.client.post(f"/v1/jobs/{cancelled}/cancel")
    _end(office, failed, JobState.FAILED, failed=0)
    _end(office, partial, JobState.PARTIAL, failed=1)
    _end(office, rejected, JobState.PARTIAL, failed=0)
    torn = new_id()
    (office.desk.staging.directory / torn).mkdir()
    (office.desk.staging.directory / torn / "half.csv").write_text("id,na")
    (office.desk.staging.directory / "not-ours").mkdir()
    sweep(office.desk)
    assert sorted(office.desk.staging.ids()) == sorted([waiting, failed, partial, "not-ours"])
    with office.store.database.write() as connection:
        connection.execute("UPDATE job SET finished_at = :then WHERE finished_at > 0", then=now_ms() - 25 * 3_600_000)
    sweep(office.desk)
    assert sorted(office.desk.staging.ids()) == sorted([waiting, "not-ours"])


async def test_a_body_that_is_being_received_is_not_swept(office: Office) -> None:
    held = office.desk.staging.begin(new_id(), "half.csv")
    sweep(office.desk)
    assert len(office.staged) == 1
    held.close()
    sweep(office.desk)
    assert office.staged == []


def _end(office: Office, job_id: str, state: JobState, *, failed: int) -> None:
    with office.store.database.write() as connection:
        connection.execute(
            "UPDATE job SET state = :state, failed = :failed, finished_at = :now WHERE id = :id",
            state=state,
            failed=failed,
            now=now_ms(),
            id=job_id,
        )


@pytest.mark.parametrize("way", ["closed", "reset"])
@pytest.mark.parametrize("path", ["/v1/ingests?name=a.csv", "/v1/videos?name=a.mp4"])
def test_a_client_that_drops_half_way_leaves_nothing(lone_server: ApiServer, path: str, way: str) -> None:
    sent = b"x" * 3_000_000
    kind = "text/csv" if "ingests" in path else "video/mp4"
    before, jobs = lone_server.staged, lone_server.get("/v1/jobs")
    connection = lone_server.begin_body(path, length=10_000_000, sent=sent, Content_Type=kind)
    wait_until(lambda: len(lone_server.staged) == len(before) + 2, 10, "the body to be staged")
    if way == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    wait_until(lambda: lone_server.staged == before, 10, "what has come to be removed")
    assert lone_server.get("/v1/jobs") == jobs


def test_a_form_that_is_broken_off_leaves_nothing(lone_server: ApiServer) -> None:
    before, jobs = lone_server.staged, lone_server.get("/v1/jobs")
    sent = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.csv"\r\n\r\n' + b"1\n" * 1_000_000
    form = "multipart/form-data; boundary=x"
    with closing(lone_server.begin_body("/v1/ingests", length=10_000_000, sent=sent, Content_Type=form)):
        wait_until(lambda: len(lone_server.staged) == len(before) + 2, 10, "the body to be staged")
    wait_until(lambda: lone_server.staged == before, 10, "what has come to be removed")
    assert lone_server.get("/v1/jobs") == jobs


def test_a_chunked_body_that_grows_too_large_is_refused_and_leaves_nothing(lone_server: ApiServer) -> None:
    before = lone_server.staged

    def endless() -> object:
        while True:
            yield b"x" * 1_000_000

    with lone_server.client() as client:
        try:
            answer = client.post("/v1/ingests", content=endless(), headers={"Content-Type": "text/csv"})  # type: ignore[arg-type]
            assert (answer.status_code, answer.json()["reason"]) == (413, "too_large")
        except (httpx.WriteError, httpx.ReadError):
            pass  # the server did not wait for the end, which never comes
    wait_until(lambda: lone_server.staged == before, 10, "what has come to be removed")


def test_a_refusal_comes_although_the_body_is_still_to_come(lone_server: ApiServer) -> None:
    connection = lone_server.begin_body("/v1/ingests", length=1 << 40, sent=b"id", Content_Type="text/csv", Connection="close")
    assert b" 413 " in answer_on(connection).split(b"\r\n")[0]


def test_a_server_that_is_killed_leaves_nothing_after_its_next_start(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    (home.work / "config.yaml").write_text("s3: {bucket_name: bucket}\napi: {start_worker: false}\n")
    with ApiServer(home) as server:
        with server.client() as client:
            whole = client.post("/v1/ingests?name=whole.csv", content=ROWS, headers={"Content-Type": "text/csv"})
            assert whole.status_code == 202
        with closing(server.begin_body("/v1/ingests", length=10_000_000, sent=b"1\n" * 2_000_000, Content_Type="text/csv")):
            wait_until(lambda: len(server.staged) == 4, 10, "the body to be staged")
            server.kill()
        assert len(server.staged) == 4
        server.start()
        assert server.staged == [whole.json()["id"], f"{whole.json()['id']}/whole.csv"]
        assert [job["id"] for job in server.get("/v1/jobs")["jobs"]] == [whole.json()["id"]]


def test_a_server_that_is_asked_to_end_lets_a_body_come_whole(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    (home.work / "config.yaml").write_text("s3: {bucket_name: bucket}\napi: {start_worker: false}\n")
    with ApiServer(home) as server:
        connection = server.begin_body("/v1/ingests", length=len(ROWS), sent=ROWS[:5], Content_Type="text/csv")
        wait_until(lambda: server.staged, 10, "the body to be staged")
        assert server.process is not None
        os.kill(server.process.pid, signal.SIGTERM)
        wait_until(lambda: not _listens(server), 10, "it to take no more")
        connection.sendall(ROWS[5:])
        assert answer_on(connection).startswith(b"HTTP/1.1 202 ")
        assert server.process.wait(20) == 0
        assert len(server.staged) == 2


def _listens(server: ApiServer) -> bool:
    try:
        server.connect().close()
    except OSError:
        return False
    return True

"""Everything that is refused, by its status: each is a problem document, and leaves nothing."""

from __future__ import annotations

import gzip
import resource
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from s3tui.api.staging import Staging
from s3tui.errors import ConfigError
from s3tui.model import new_id
from tests.api.offices import CSV, ROWS, Office, bearer, office_of

FORM = {"Content-Type": "multipart/form-data; boundary=x"}


def problem(answer: httpx.Response, status: int, reason: str) -> dict[str, Any]:
    """The document of a refusal, which must be this one."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    facts: dict[str, Any] = answer.json()
    assert (facts["status"], facts["reason"], facts["type"]) == (status, reason, f"urn:s3tui:problem:{reason}"), facts
    assert facts["title"]
    assert facts["detail"].endswith(".")
    return facts


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"Authorization": "Basic YTpi"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer s3t_aaaaaaaaaa_" + "a" * 52},
        {"Authorization": "Bearer x"},
    ],
)
@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/jobs?limit=0&kind=x", f"/v1/jobs/{new_id()}/report", "/metrics"])
async def test_401_without_a_good_token(office: Office, header: Mapping[str, str], path: str) -> None:
    del office.client.headers["Authorization"]
    answer = await office.client.get(path, headers=header)
    problem(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"].startswith('Bearer realm="s3tui"')


async def test_a_token_of_the_right_id_and_a_wrong_secret_is_refused(office: Office) -> None:
    wrong = office.token[:-1] + ("a" if office.token[-1] != "a" else "b")
    problem(await office.client.get("/v1/jobs", headers=bearer(wrong)), 401, "unauthorized")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/videos"),
        ("POST", "/v1/ingests"),
        ("POST", "/v1/uploads"),
        ("POST", "/v1/files"),
        ("POST", f"/v1/jobs/{new_id()}/cancel"),
    ],
)
async def test_403_for_a_token_that_may_only_read(office: Office, method: str, path: str) -> None:
    reader = office.bearer(scope="read")
    body = {"json": {"sources": ["/x"], "target": "s3://b"}} if path == "/v1/uploads" else {"content": ROWS}
    headers = reader | {"Tus-Resumable": "1.0.0", "Upload-Length": "3", "Upload-Metadata": "kind dmlkZW8="}
    answer = await office.client.request(method, path, headers=headers, **body)
    problem(answer, 403, "forbidden")
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    assert (await office.client.get("/v1/jobs", headers=reader)).status_code == 200
    assert office.staged == []


@pytest.mark.parametrize("job_id", [new_id(), "x", "..%2F..%2Fetc", "%00", "01J"])
@pytest.mark.parametrize("rest", ["", "/files", "/report", "/events"])
async def test_404_for_a_job_that_is_none(office: Office, job_id: str, rest: str) -> None:
    problem(await office.client.get(f"/v1/jobs/{job_id}{rest}"), 404, "not_found")


async def test_404_for_what_begins_more_than_nothing(office: Office) -> None:
    """The command line takes the beginning of an id; programs have all of it."""
    job = (await office.post_rows()).json()["id"]
    problem(await office.client.get(f"/v1/jobs/{job[:10]}"), 404, "not_found")
    problem(await office.client.get(f"/v1/jobs/{job.lower()}"), 404, "not_found")


async def test_404_and_405_for_paths_and_methods(office: Office) -> None:
    problem(await office.client.get("/v2"), 404, "not_found")
    answer = await office.client.delete("/v1/jobs")
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel", "retry"])
async def test_409_when_the_job_does_not_allow_it(office: Office, verb: str) -> None:
    job = (await office.post_rows()).json()["id"]
    assert (await office.client.post(f"/v1/jobs/{job}/cancel")).status_code == 202
    problem(await office.client.post(f"/v1/jobs/{job}/{verb}"), 409, "conflict")


async def test_409_for_the_retry_of_a_job_whose_body_is_gone(office: Office) -> None:
    job = (await office.post_rows()).json()["id"]
    office.desk.staging.remove(job)
    facts = problem(await office.client.post(f"/v1/jobs/{job}/retry"), 409, "conflict")
    assert "not in staging any more" in facts["detail"]


async def test_413_is_said_before_anything_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    async def unread() -> Any:
        raise AssertionError("the body was read")
        yield b""

    async with office_of(tmp_path, max_body="1KiB") as office:
        headers = CSV | {"Content-Length": "1025"}
        answer = await office.client.post("/v1/ingests", content=unread(), headers=headers)
        assert problem(answer, 413, "too_large")["max_bytes"] == 1024
        assert office.staged == []


@pytest.mark.parametrize("form", [False, True])
async def test_413_when_a_body_of_unknown_size_grows_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: bool) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    async def endless() -> Any:
        if form:
            yield b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.csv"\r\n\r\n'
        for _ in range(1000):
            yield b"x" * 10_000

    async with office_of(tmp_path, max_body="2MiB") as office:
        answer = await office.client.post("/v1/ingests", content=endless(), headers=FORM if form else CSV)
        problem(answer, 413, "too_large")
        assert office.staged == []
        assert office.desk.service.browse() == []


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1/ingests", {"Content-Type": "video/mp4"}),
        ("/v1/ingests", {"Content-Type": "application/x-www-form-urlencoded"}),
        ("/v1/videos", {"Content-Type": "text/csv"}),
        ("/v1/videos", {"Content-Type": "application/x-www-form-urlencoded"}),
    ],
)
async def test_415_for_another_type(office: Office, path: str, headers: dict[str, str]) -> None:
    answer = await office.client.post(path, content=ROWS, headers=headers)
    problem(answer, 415, "unsupported_type")
    assert "multipart/form-data" in answer.headers["accept-post"]


@pytest.mark.parametrize(
    ("path", "encoding", "taken"),
    [("/v1/ingests", "br", "gzip"), ("/v1/ingests", "gzip, gzip", "gzip"), ("/v1/videos", "gzip", "identity")],
)
async def test_415_for_another_encoding(office: Office, path: str, encoding: str, taken: str) -> None:
    headers = {"Content-Type": "application/octet-stream", "Content-Encoding": encoding}
    answer = await office.client.post(path, content=ROWS, headers=headers)
    problem(answer, 415, "unsupported_encoding")
    assert answer.headers["accept-encoding"] == taken


async def test_415_for_a_file_of_another_type_in_a_form(office: Office) -> None:
    answer = await office.client.post("/v1/ingests", files={"f": ("a.mp4", ROWS, "video/mp4")})
    problem(answer, 415, "unsupported_type")
    assert office.staged == []


@pytest.mark.parametrize(
    "query",
    [
        "target=s3://",
        "target=http://x/y",
        "target=s3://b%20d/",
        "schema=nonsense:::",
        "delimiter=ab",
        "batch_rows=0",
        "table=api_token",
        "table=a-b",
        "payload=nothing",
        "encoding=klingon",
        "colour=red",
        "strict=perhaps",
    ],
)
async def test_422_for_options_that_cannot_be_used(office: Office, query: str) -> None:
    answer = await office.post_rows(query)
    problem(answer, 422, "bad_arguments")
    assert office.staged == []


@pytest.mark.parametrize("query", ["ladder=tall", "segment_seconds=0", "segment_type=avi", "preset=placebo"])
async def test_422_for_options_of_videos(office: Office, query: str) -> None:
    answer = await office.client.post(f"/v1/videos?{query}", content=b"x", headers={"Content-Type": "video/mp4"})
    problem(answer, 422, "bad_arguments")


async def test_422_for_an_empty_body(office: Office) -> None:
    problem(await office.post_rows(content=b""), 422, "empty")
    problem(await office.client.post("/v1/ingests", files={"f": ("a.csv", b"", "text/csv")}), 422, "empty")
    assert office.staged == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--x--\r\n",
        b"no boundary at all",
        b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.csv"\r\n\r\nid\n1\n',
        b'--x\r\nContent-Disposition: form-data; name="f"\r\n\r\nid\n1\n\r\n--x--\r\n',
        b'--x\r\nContent-Disposition: attachment; name="f"; filename="a.csv"\r\n\r\nid\n1\n\r\n--x--\r\n',
        b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\nX: ' + b"y" * 9000 + b"\r\n\r\nid\n1\n\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nid\n1\n\r\n'
        b'--x\r\nContent-Disposition: form-data; name="g"; filename="b"\r\n\r\nid\n1\n\r\n--x--\r\n',
    ],
)
async def test_422_for_a_form_without_exactly_one_file(office: Office, body: bytes) -> None:
    problem(await office.client.post("/v1/ingests", content=body, headers=FORM), 422, "malformed_form")
    assert office.staged == []
    assert office.desk.service.browse() == []


async def test_422_for_what_is_no_gzip_although_it_says_so(office: Office) -> None:
    problem(await office.post_rows(headers={"Content-Encoding": "gzip"}), 422, "not_gzip")
    assert (await office.post_rows(content=gzip.compress(ROWS), headers={"Content-Encoding": "gzip"})).status_code == 202


async def test_422_for_a_body_that_is_not_what_its_digest_says(office: Office) -> None:
    digest = "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:"  # of "hello"
    problem(await office.post_rows(headers={"Content-Digest": digest}), 422, "digest_mismatch")
    assert office.staged == []
    assert (await office.post_rows(content=b"hello", headers={"Content-Digest": digest})).status_code == 202


@pytest.mark.parametrize("cursor", ["x", "djE6LTE", "djI6MQ", "é", "djE6OTk5OTk5OTk5OTk5OTk5OTk5OTk"])
async def test_422_for_a_cursor_that_is_none(office: Office, cursor: str) -> None:
    problem(await office.client.get("/v1/jobs", params={"cursor": cursor}), 422, "bad_cursor")


async def test_422_tells_where_and_repeats_nothing(office: Office) -> None:
    answer = await office.client.get("/v1/jobs?limit=0&kind=secret-kind")
    facts = problem(answer, 422, "bad_arguments")
    assert {one["where"] for one in facts["errors"]} == {"query.limit", "query.kind"}
    assert "secret-kind" not in answer.text


async def test_429_for_a_token_that_asks_too_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    async with office_of(tmp_path, requests_per_second=0.01) as office:
        answers = [await office.client.get("/v1/jobs") for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 429]
        problem(answers[1], 429, "rate_limited")
        assert 1 <= int(answers[1].headers["retry-after"]) <= 100
        other = await office.client.get("/v1/jobs", headers=office.bearer(scope="read"))
        assert other.status_code == 200


async def test_429_for_an_address_that_guesses_tokens_and_not_for_who_has_one(office: Office) -> None:
    answers = [await office.client.get("/v1/jobs", headers=bearer("x")) for _ in range(60)]
    problem(answers[-1], 429, "rate_limited")
    assert (await office.client.get("/v1/jobs")).status_code == 200


async def test_503_when_the_disk_is_full(office: Office) -> None:
    office.desk.staging = Staging(office.desk.staging.directory, least_free=1 << 60)
    answer = await office.post_rows()
    problem(answer, 503, "no_space")
    assert int(answer.headers["retry-after"]) > 0
    assert office.staged == []


async def test_503_when_a_body_cannot_be_written_to_its_end(office: Office) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3 << 20, before[1]))
    try:
        answer = await office.post_rows(content=b"1\n" * (4 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    problem(answer, 503, "staging")
    assert office.staged == []
    assert office.desk.service.browse() == []
    assert (await office.post_rows()).status_code == 202


async def test_503_when_staging_does_not_work(office: Office) -> None:
    office.desk.staging.directory.rmdir()
    office.desk.staging.directory.write_text("")
    answer = await office.post_rows()
    problem(answer, 503, "staging")
    assert str(office.desk.staging.directory) not in answer.text


async def test_503_when_the_database_cannot_be_read(office: Office) -> None:
    office.store.close()
    with office.store.database.path.open("r+b") as file:  # type: ignore[union-attr]
        file.write(b"\0" * 4096)
    for name in ("state.db-wal", "state.db-shm"):
        office.store.database.path.with_name(name).unlink(missing_ok=True)  # type: ignore[union-attr]
    answer = await office.client.get("/v1/jobs")
    facts = problem(answer, 503, "state")
    assert "state.db" not in facts["detail"]


async def test_a_staging_directory_that_cannot_be_used_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"Set api\.staging_directory"):
        Staging(tmp_path / "file" / "staging")


async def test_every_answer_has_the_headers_of_a_careful_server(office: Office) -> None:
    for path in ("/v1/jobs", "/v1/nothing", "/healthz", "/openapi.json", "/"):
        headers = (await office.client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "server" not in headers
        assert "access-control-allow-origin" not in headers

"""Jobs as resources: lists, versions, files, reports, steering, uploads from the server's machine."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from s3tui.api.sweeping import sweep
from s3tui.events import Failed, Planned
from s3tui.model import FileState, Fingerprint
from s3tui.state.bodies import Body
from s3tui.state.transfers import write_facts
from tests.api.offices import ROWS, Office, office_of
from tests.api.test_refusals import problem
from tests.state.scenes import ANN, claim, new_job, plan, planned, register


async def post_some(office: Office, count: int) -> list[str]:
    """Post CSV files; returns the ids of their jobs, newest first."""
    ids = [str((await office.post_rows(f"name={number}.csv")).json()["id"]) for number in range(count)]
    return ids[::-1]


async def test_a_list_is_read_page_by_page_while_jobs_come(any_office: Office) -> None:
    ids = await post_some(any_office, 7)
    told: list[str] = []
    cursor = None
    while True:
        page = (await any_office.client.get("/v1/jobs", params={"limit": 3} | ({"cursor": cursor} if cursor else {}))).json()
        told += [job["id"] for job in page["jobs"]]
        await any_office.post_rows()
        cursor = page["next"]
        if cursor is None:
            break
    assert told == ids


async def test_a_list_is_narrowed_by_kind_and_state(any_office: Office) -> None:
    ingest, other = await post_some(any_office, 2)
    video = (await any_office.client.post("/v1/videos", content=b"x")).json()["id"]
    await any_office.client.post(f"/v1/jobs/{other}/cancel")

    async def listed(**query: str) -> list[str]:
        return [job["id"] for job in (await any_office.client.get("/v1/jobs", params=query)).json()["jobs"]]

    assert await listed(kind="video") == [video]
    assert await listed(kind="ingest") == [ingest, other]
    assert await listed(state="cancelled") == [other]
    assert await listed(kind="ingest", state="pending") == [ingest]
    assert await listed(kind="backup") == []


async def test_a_version_that_is_known_is_not_told_again(any_office: Office) -> None:
    [job] = await post_some(any_office, 1)
    for path in (f"/v1/jobs/{job}", "/v1/jobs"):
        first = await any_office.client.get(path)
        tag = first.headers["etag"]
        again = await any_office.client.get(path, headers={"If-None-Match": f'"other", {tag}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    await any_office.client.post(f"/v1/jobs/{job}/pause")
    changed = await any_office.client.get(path, headers={"If-None-Match": tag})
    assert (changed.status_code, changed.json()["jobs"][0]["state"]) == (200, "paused")
    assert changed.headers["etag"] != tag


async def test_time_alone_makes_no_new_version(any_office: Office) -> None:
    [job] = await post_some(any_office, 1)
    with any_office.store.database.write() as connection:
        connection.execute("UPDATE job SET started_at = 999")
    first = await any_office.client.get(f"/v1/jobs/{job}")
    with any_office.store.database.write() as connection:
        connection.execute("UPDATE job SET started_at = 1")  # longer ago, and in the same second
    second = await any_office.client.get(f"/v1/jobs/{job}")
    assert first.json()["seconds"] != second.json()["seconds"]
    assert first.headers["etag"] == second.headers["etag"]


async def test_a_job_is_paused_resumed_and_cancelled(any_office: Office) -> None:
    [job] = await post_some(any_office, 1)
    states = []
    for verb in ("pause", "resume", "cancel"):
        answer = await any_office.client.post(f"/v1/jobs/{job}/{verb}")
        assert (answer.status_code, answer.headers["location"]) == (202, f"/v1/jobs/{job}")
        states.append(answer.json()["state"])
    assert states == ["paused", "pending", "cancelled"]


async def test_a_failed_job_whose_body_is_gone_does_not_go_on(office: Office) -> None:
    [job] = await post_some(office, 1)
    with office.store.database.write() as connection:
        connection.execute("UPDATE job SET state = 'failed', finished_at = 1")
    sweep(office.desk)
    for verb in ("resume", "retry"):
        facts = problem(await office.client.post(f"/v1/jobs/{job}/{verb}"), 409, "conflict")
        assert "Post it again" in facts["detail"]


async def test_a_retry_takes_only_what_failed_for_the_reason_that_is_given(office: Office) -> None:
    job = new_job(office.store)
    register(office.store, ANN)
    plan(office.store, [[planned("a"), planned("b")]])
    lease = claim(office.store)
    with office.store.database.write() as connection:
        write_facts(connection, lease, [Failed(0, 1, "access_denied", "No."), Failed(1, 1, "timeout", "Late.")])
    office.store.units.finish(lease)
    call = f"/v1/jobs/{job.id}/retry?reason="
    problem(await office.client.post(f"{call}throttled"), 409, "conflict")
    assert (await office.client.post(f"{call}not%20a%20word")).status_code == 422
    assert (await office.client.post(f"{call}timeout")).status_code == 202
    assert [cause.reason for cause in office.store.transfers.causes(job.no)] == ["access_denied"]


async def test_files_are_read_page_by_page_whatever_their_names(office: Office) -> None:
    job = new_job(office.store)
    with office.store.database.write() as connection:
        connection.execute("UPDATE job SET spec = :spec", spec=json.dumps({"sources": ["/s\udcff"], "target": "s3://b/"}))
    register(office.store, ANN)
    lease = claim(office.store)
    names = [b"a", b"\xff\xfe", b"</script><b>", b"c" * 200, b"e"]
    rows = [Planned(0, name, f"k/{no}", Fingerprint(1, 1, 1), FileState.PLANNED) for no, name in enumerate(names)]
    office.store.planning.add(lease, rows, hold=False)
    told: list[dict[str, object]] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await office.client.get(f"/v1/jobs/{job.id}/files", params={"limit": "2", **cursor})).json()
        told += page["files"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert [file["no"] for file in told] == [0, 1, 2, 3, 4]
    assert [str(file["path"]).encode("utf-8", "surrogateescape") for file in told] == names
    assert told[1]["path_base64"] == "//4="
    report = (await office.client.get(f"/v1/jobs/{job.id}/report")).json()
    assert [file["path"] for file in report["files"]] == [file["path"] for file in told]
    assert report["sources"] == (await office.client.get(f"/v1/jobs/{job.id}")).json()["sources"] == ["/s\udcff"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """What may be uploaded, and a secret beside it that may not."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("x")
    allowed = tmp_path / "allowed"
    (allowed / "in").mkdir(parents=True)
    (allowed / "in" / "a.txt").write_text("a")
    (allowed / "out").symlink_to(tmp_path / "secret")
    (allowed / "within").symlink_to(allowed / "in")
    return allowed


async def test_sources_are_taken_only_from_where_they_are_allowed(
    tmp_path: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    async with office_of(tmp_path, allowed_sources=[str(tree)]) as office:

        async def post(source: str) -> object:
            return await office.client.post("/v1/uploads", json={"sources": [source], "target": "s3://bucket/x"})

        for source in ("in", "in/a.txt", "within", "in/../in", ""):
            answer = await post(f"{tree}/{source}")
            assert answer.status_code == 202, answer.text  # type: ignore[attr-defined]
            [told] = answer.json()["sources"]  # type: ignore[attr-defined]
            assert Path(told) == (tree / source).resolve()
        outside = [
            "/",
            "/etc/passwd",
            str(tmp_path),
            f"{tree}/..",
            f"{tree}/out",
            f"{tree}/out/key",
            f"{tree}/out/nothing",
            f"{tree}2",
        ]
        for source in [*outside, "in", "relative/in", f"{tree}/in\x00", "~", "s3://x"]:
            facts = problem(await post(source), 403, "source_not_allowed")  # type: ignore[arg-type]
            assert "exist" not in facts["detail"]
        problem(await post(f"{tree}/nothing"), 422, "bad_arguments")  # type: ignore[arg-type]


async def test_without_a_word_no_source_is_allowed(office: Office, tree: Path) -> None:
    asked = {"sources": [str(tree)], "target": "s3://bucket/x"}
    problem(await office.client.post("/v1/uploads", json=asked), 403, "source_not_allowed")


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"sources": [], "target": "s3://b"},
        {"sources": ["/x"], "target": "b"},
        {"sources": "/x", "target": "s3://b"},
        {"sources": ["/x"], "target": "s3://b", "delete": True},
        [],
    ],
)
async def test_what_is_no_upload_is_refused(office: Office, asked: object) -> None:
    problem(await office.client.post("/v1/uploads", json=asked), 422, "bad_arguments")


async def test_a_body_of_json_that_is_too_large_or_none_is_refused(office: Office) -> None:
    headers = {"Content-Type": "application/json"}
    problem(await office.client.post("/v1/uploads", content=b'{"' + b"x" * (1 << 20), headers=headers), 413, "too_large")
    problem(await office.client.post("/v1/uploads", content=b'{"', headers=headers), 422, "bad_arguments")


async def test_the_name_of_what_was_posted_is_told(any_office: Office) -> None:
    [job] = await post_some(any_office, 1)
    assert (await any_office.client.get("/v1/jobs")).json()["jobs"][0]["name"] == "0.csv"
    body = any_office.store.bodies.get(job)
    assert isinstance(body, Body)
    assert (body.kind, body.size, body.tus, body.expires_at) == ("ingest", len(ROWS), None, None)


async def test_readiness_tells_what_is_missing_and_no_more(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    del office.client.headers["Authorization"]
    assert (await office.client.get("/healthz")).json()["status"] == "alive"
    answer = await office.client.get("/readyz")
    assert problem(answer, 503, "not_ready")["checks"] == {"state": "ok", "queue": "ok", "bucket": "failed", "staging": "ok"}
    assert "bucket" not in answer.text.replace('"bucket": "failed"', "").replace("Not ready: bucket.", "")


async def test_metrics_are_those_of_the_database(office: Office) -> None:
    await post_some(office, 2)
    answer = await office.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 's3tui_jobs{kind="ingest",state="pending"} 2.0' in answer.text


@pytest.mark.parametrize("path", ["/", "/docs"])
async def test_pages_load_nothing_from_elsewhere_and_run_nothing_but_their_own(office: Office, path: str) -> None:
    del office.client.headers["Authorization"]
    page = await office.client.get(path)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert "http" not in policy
    for way in ("http://", "https://", "innerHTML", "document.write", "insertAdjacentHTML", " src=", "onclick", "eval(", "style="):
        assert way not in page.text, way
    assert page.text.count("<script>") == page.text.count("<style>") == 1

"""Whole stories: a real server, curl, a real worker, a real S3, and on both databases."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from s3tui.model import ENDED_STATES
from s3tui.state.store import Store as StateStore
from tests.api.servers import ApiServer
from tests.cli.command import Home
from tests.films import faults
from tests.media.clips import SECONDS, Clips
from tests.missing import missing
from tests.servers import Store
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=8)

STATES = {str(state) for state in ENDED_STATES}


@pytest.fixture
def curl() -> str:
    """The client that everybody has."""
    found = shutil.which("curl")
    if found is None:
        missing("curl")
    return str(found)


@pytest.fixture
def served(any_home: Home, rclone_store: Store) -> Iterator[ApiServer]:
    """A server with everything behind it."""
    any_home.at(rclone_store)
    (any_home.work / "allowed").mkdir()
    (any_home.work / "config.yaml").write_text(
        f"s3: {{bucket_name: {rclone_store.bucket}, prefix: in/, addressing_style: path}}\n"
        f"video: {{preset: ultrafast, segment_seconds: 1, ladder: '120'}}\n"
        f"api: {{allowed_sources: ['{any_home.work}/allowed']}}\n"
    )
    with ApiServer(any_home) as server:
        yield server


def by_curl(curl: str, server: ApiServer, path: str, *words: str) -> Any:
    """What curl prints, as JSON; fails with curl's own words if it fails."""
    command = [curl, "-sS", "--fail-with-body", "-H", f"Authorization: Bearer {server.token}", *words, server.url + path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=server.home.work)
    assert done.returncode == 0, (done.stdout, done.stderr)
    return json.loads(done.stdout)


def ended(server: ApiServer, job_id: str) -> dict[str, Any]:
    """A job once it has ended."""
    wait_until(lambda: server.get(f"/v1/jobs/{job_id}")["state"] in STATES, 90, "the job to end")
    job: dict[str, Any] = server.get(f"/v1/jobs/{job_id}")
    return job


def state_of(home: Home) -> StateStore:
    """The state, to look at behind the scenes."""
    return StateStore(home.environment.get("DATABASE_URL", "sqlite"), home.directory / "state" / "s3tui")


def test_rows_are_posted_and_arrive(served: ApiServer, rclone_store: Store, curl: str) -> None:
    table = "id,name\n" + "".join(f"{number},name {number}\n" for number in range(2500))
    (served.home.work / "rows.csv").write_text(table)
    (served.home.work / "rows.csv.gz").write_bytes(gzip.compress(table.encode()))
    csv, encoded = ("-H", "Content-Type: text/csv"), ("-H", "Content-Encoding: gzip")
    jobs = [
        by_curl(curl, served, "/v1/ingests?name=rows.csv", *csv, "--data-binary", "@rows.csv"),
        by_curl(curl, served, "/v1/ingests?name=rows.csv", *csv, *encoded, "--data-binary", "@rows.csv.gz"),
        by_curl(curl, served, "/v1/ingests", "-F", "file=@rows.csv.gz;type=application/gzip"),
        by_curl(curl, served, "/v1/ingests", *csv, "-H", "Transfer-Encoding: chunked", "-X", "POST", "-T", "rows.csv"),
    ]
    for posted in jobs:
        job = ended(served, posted["id"])
        assert (job["state"], job["rows"]) == ("completed", {"read": 2500, "inserted": 2500, "rejected": 0}), job
        keys = [key for key in rclone_store.contents() if posted["id"] in key]
        assert sorted(keys) == [f"in/uploads/{posted['id']}/batch-{number:06}.json" for number in (1, 2, 3)]
        [file] = served.get(f"/v1/jobs/{posted['id']}/files")["files"]
        assert (file["state"], file["rows"]["inserted"]) == ("verified", 2500)
        assert served.get(f"/v1/jobs/{posted['id']}/report")["rows"]["inserted"] == 2500
    with closing(state_of(served.home)) as state, state.database.read() as connection:
        assert connection.rows("SELECT count(*) FROM ingest_rows") == [(10_000,)]
    wait_until(lambda: served.staged == [], 30, "staging to be swept")


def test_a_video_is_posted_and_plays(served: ApiServer, rclone_store: Store, curl: str, clips: Clips, ffmpeg: str) -> None:
    raw = by_curl(
        curl, served, "/v1/videos?name=holiday.mp4", "-H", "Content-Type: video/mp4", "--data-binary", f"@{clips['plain.mp4']}"
    )
    form = by_curl(curl, served, "/v1/videos", "-F", f"file=@{clips['plain.mp4']}")
    for posted, name in ((raw, "holiday.mp4"), (form, "plain.mp4")):
        assert (posted["name"], posted["state"]) == (name, "pending")
        job = ended(served, posted["id"])
        assert job["state"] == "completed", job
        master = f"in/{posted['id']}/master.m3u8"
        assert job["url"] == f"{rclone_store.url}/{rclone_store.bucket}/{master}"
        assert faults(rclone_store, master, ffmpeg, SECONDS) == []
        [file] = served.get(f"/v1/jobs/{posted['id']}/files")["files"]
        assert (file["url"], [rung["name"] for rung in file["renditions"]]) == (job["url"], ["120p"])


def test_a_directory_of_the_server_is_uploaded(served: ApiServer, rclone_store: Store, curl: str) -> None:
    tree = served.home.work / "allowed" / "tree"
    tree.mkdir()
    for number in range(20):
        (tree / f"{number}.txt").write_text("x" * number)
    asked = {"sources": [str(tree)], "target": f"s3://{rclone_store.bucket}/up", "exclude": ["1?.txt"]}
    posted = by_curl(curl, served, "/v1/uploads", "-H", "Content-Type: application/json", "-d", json.dumps(asked))
    job = ended(served, posted["id"])
    assert (job["state"], job["totals"]["uploaded"], job["totals"]["skipped"]) == ("completed", 10, 10), job
    assert sorted(key for key in rclone_store.contents() if key.startswith("up/")) == [f"up/{number}.txt" for number in range(10)]
    assert (tree / "1.txt").exists()
    ready = by_curl(curl, served, "/readyz")
    assert ready == {"ready": True, "checks": {"state": "ok", "queue": "ok", "bucket": "ok", "staging": "ok"}}


def test_a_worker_that_is_killed_is_replaced_while_jobs_wait(served: ApiServer) -> None:
    table = b"id,name\n" + b"".join(b"%d,name %d\n" % (number, number) for number in range(400_000))
    with served.client() as client:
        posted = client.post("/v1/ingests?name=large.csv", content=table, headers={"Content-Type": "text/csv"}).json()
    wait_until(lambda: served.get(f"/v1/jobs/{posted['id']}")["rows"]["inserted"] > 0, 60, "the first rows")
    killed = served.home.workers()
    for worker in killed:
        os.kill(worker.pid, signal.SIGKILL)
    assert served.get(f"/v1/jobs/{posted['id']}")["state"] not in STATES, "the job was too small for this test"
    job = ended(served, posted["id"])
    assert (job["state"], job["rows"]["inserted"]) == ("completed", 400_000), job
    assert {worker.id for worker in served.home.workers()}.isdisjoint(worker.id for worker in killed)


def test_what_failed_is_retried_with_the_body_that_was_kept(served: ApiServer, rclone_store: Store, curl: str) -> None:
    missing_bucket = f"{rclone_store.bucket}-late"
    rows = ("-H", "Content-Type: text/csv", "--data-binary", "id,name\n1,ann\n")
    posted = by_curl(curl, served, f"/v1/ingests?name=a.csv&target=s3://{missing_bucket}/", *rows)
    job = ended(served, posted["id"])
    assert (job["state"], job["reason"]) == ("failed", "no_such_bucket"), job
    assert served.staged != []
    rclone_store.client().create_bucket(Bucket=missing_bucket)
    by_curl(curl, served, f"/v1/jobs/{posted['id']}/resume", "-X", "POST")
    wait_until(lambda: served.get(f"/v1/jobs/{posted['id']}")["state"] == "completed", 60, "the job to be completed")


def test_nothing_secret_is_written_down(served: ApiServer, curl: str) -> None:
    """Neither tokens, good or wrong ones, nor bodies and queries stand in the log or on the screen."""
    wrong = served.token[:-4] + "aaaa"
    refused = subprocess.run(
        [curl, "-s", "-H", f"Authorization: Bearer {wrong}", f"{served.url}/v1/jobs?cursor=query-secret"],
        capture_output=True,
        check=False,
    )
    assert b'"status": 401' in refused.stdout
    words = ("-H", "Content-Type: text/csv", "--data-binary", "id,name\n1,body-secret\n")
    posted = by_curl(curl, served, "/v1/ingests?name=name-secret.csv", *words)
    ended(served, posted["id"])
    wait_until(lambda: "POST /v1/ingests 202" in served.log, 10, "the log")
    for secret in (served.token.rpartition("_")[2], wrong, "query-secret", "body-secret"):
        assert secret not in served.log
        assert secret not in "".join(served.said)


def test_tls_is_spoken(home: Home, curl: str, tmp_path: Path) -> None:
    from tests.certificates import self_signed

    certificate, key = self_signed(tmp_path)
    with ApiServer(home, ("--tls-cert", str(certificate), "--tls-key", str(key), "--host", "127.0.0.1")) as server:
        assert server.url.startswith("https://")
        done = subprocess.run(
            [curl, "-sS", "--cacert", str(certificate), f"{server.url}/healthz"], capture_output=True, check=False
        )
        assert json.loads(done.stdout)["status"] == "alive", done.stderr

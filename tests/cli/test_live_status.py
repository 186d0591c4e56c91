"""`live.url`: what commands mirror to a real Redis, and what they say of one that is not there."""

from __future__ import annotations

import json

import pytest
import redis

from tests.cli.command import Home, ended
from tests.front import FaultFront
from tests.ports import free_port
from tests.redis_servers import RedisServer, fields_of
from tests.servers import Store
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=5)

PASSWORD, TOKEN = "pa55w0rd-of-redis", "T0ken/of+this/Session=="


def log_of(home: Home) -> list[str]:
    """The lines of the log."""
    return (home.directory / "state" / "s3tui" / "s3tui.log").read_text().splitlines()


def test_a_command_in_the_foreground_tells_its_end_as_the_report_does(any_home: Home, rclone_store: Store, redis_url: str) -> None:
    any_home.at(rclone_store)
    any_home.environment["REDIS_URL"] = redis_url
    (any_home.work / "file").write_text("contents")
    done = any_home.run("upload", "file", f"s3://{rclone_store.bucket}/a", "--output-json", "report.json")
    assert done.code == 0, done.stderr
    report = json.loads((any_home.work / "report.json").read_text())
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        told = fields_of(client, key := f"s3tui:job:{report['job']}")
        client.delete(key)
    assert {name: told[name] for name in ("kind", "state", "target", "started_at", "finished_at")} == {
        name: report[name] for name in ("kind", "state", "target", "started_at", "finished_at")
    }
    assert {name: int(told[name]) for name in report["totals"]} == report["totals"]


def test_an_ingest_tells_its_rows(home: Home, rclone_store: Store, redis_server: RedisServer) -> None:
    home.at(rclone_store)
    (home.work / "a.csv").write_text("id,name\n" + "".join(f"{number},n\n" for number in range(2500)) + "ragged\n")
    done = home.run("ingest", "a.csv", f"s3://{rclone_store.bucket}/p", "--output-json", "-", REDIS_URL=redis_server.url)
    told = redis_server.job(done.json["job"])
    rows = {name: int(told[f"rows_{name}"]) for name in ("read", "inserted", "rejected")}
    assert (told["kind"], told["state"], rows) == ("ingest", "partial", done.json["rows"])
    assert rows == {"read": 2501, "inserted": 2500, "rejected": 1}


def test_redis_is_told_no_secret_and_no_path_and_its_password_is_told_to_nobody(
    home: Home, moto_store: Store, redis_server: RedisServer
) -> None:
    redis_server.client.config_set("requirepass", PASSWORD)
    redis_server.password = PASSWORD
    home.at(moto_store)
    home.environment |= {"REDIS_URL": redis_server.url, "S3TUI_LOGGING__LEVEL": "DEBUG", "AWS_SESSION_TOKEN": TOKEN}
    (home.work / "hush-hush").write_text("contents")
    upload = ["-vv", "upload", "hush-hush", f"s3://{moto_store.bucket}"]
    said = []
    for words in (upload, ["status", "--json"], ["config", "show"]):
        done = home.run(*words)
        said += [done.stdout, done.stderr]
    redis_server.client.config_set("requirepass", f"{PASSWORD}-2")
    said.append(home.run(*upload).stderr)
    assert "WARNING s3tui.live.mirror: " in "\n".join(log_of(home))
    assert "redis://:********@127.0.0.1" in "".join(said)
    redis_server.password = f"{PASSWORD}-2"
    client = redis_server.client
    kept = str([fields_of(client, str(key)) for key in client.keys()])  # noqa: SIM118 - no dict
    assert "completed" in kept
    for secret in (moto_store.secret, TOKEN, "hush-hush", str(home.work)):
        assert secret not in kept
    assert not [text for text in said if PASSWORD in text]
    assert not [path for path in home.directory.rglob("*") if path.is_file() and PASSWORD.encode() in path.read_bytes()]


def test_what_a_killed_worker_told_is_forgotten(
    home: Home, rclone_store: Store, front: FaultFront, redis_server: RedisServer
) -> None:
    home.at(rclone_store.behind(front))
    home.environment["REDIS_URL"] = redis_server.url
    (home.work / "file").write_text("contents")
    held = front.hold("PutObject", "file")
    upload = home.start("upload", "file", f"s3://{rclone_store.bucket}")
    assert held.arrived.wait(60)
    client = redis_server.client
    wait_until(lambda: len(client.keys("s3tui:*")) == 2, 30, "the job and its worker to be told")
    upload.kill()
    ended(upload)
    wait_until(lambda: client.keys("s3tui:*") == [], 30, "both to expire")


@pytest.mark.parametrize("hangs", [False, True])
def test_a_redis_that_is_away_costs_one_warning(home: Home, rclone_store: Store, redis_server: RedisServer, *, hangs: bool) -> None:
    home.at(rclone_store)
    home.environment["REDIS_URL"] = redis_server.url
    (home.work / "file").write_text("contents")
    if hangs:
        redis_server.freeze()
    else:
        redis_server.stop()
    done = home.run("upload", "file", f"s3://{rclone_store.bucket}")
    assert (done.code, list(rclone_store.contents())) == (0, ["file"])
    warnings = [line for line in log_of(home) if "s3tui.live" in line]
    assert len(warnings) <= 1
    assert hangs or "Connection refused. Jobs go on without it" in warnings[0]
    status = home.run("status", f"s3://{rclone_store.bucket}", "--json")
    finding = {found["name"]: found for found in status.json}["live"]
    assert (status.code, finding["state"]) == (1, "failed")
    assert ("no answer within 2 seconds" if hangs else "Connection refused") in finding["detail"]


def test_status_says_that_it_is_reached(home: Home, rclone_store: Store, redis_url: str) -> None:
    home.at(rclone_store)
    status = home.run("status", f"s3://{rclone_store.bucket}", REDIS_URL=redis_url)
    assert status.code == 0, status.stdout
    [line] = [line for line in status.stdout.splitlines() if line.startswith("live ")]
    assert line == f"live         ok      {redis_url} takes live status"


def test_a_url_that_leads_nowhere_is_named_before_anything_begins(home: Home, rclone_store: Store) -> None:
    home.at(rclone_store)
    (home.work / "file").write_text("contents")
    url = f"redis://:{PASSWORD}@127.0.0.1:{free_port()}/jobs"
    checked = home.run("config", "check", REDIS_URL=url)
    assert checked.code == 1
    assert checked.sentence.startswith("s3tui: environment REDIS_URL: live.url cannot be read: write it as redis://")
    refused = home.run("upload", "file", f"s3://{rclone_store.bucket}", REDIS_URL=url)
    assert refused.code == 1
    assert refused.sentence.startswith("s3tui: live.url cannot be read")
    status = home.run("status", REDIS_URL=url)
    assert "live         failed  live.url cannot be read" in status.stdout
    assert PASSWORD not in checked.stderr + refused.stderr + status.stdout
    assert rclone_store.contents() == {}

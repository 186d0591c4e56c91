"""`s3tui config` and `s3tui status`."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from s3tui.cli.main import run
from tests.cli.command import Home
from tests.servers import ACCESS_KEY, Store


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of a user who has configured nothing."""
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    return tmp_path


def test_init_writes_a_configuration_that_check_accepts_and_never_writes_over_it(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["config", "init"]) == 0
    assert run(["config", "check"]) == 0
    assert "config.yaml" in capfd.readouterr().out
    (here / "config.yaml").write_text("ui: {fps: 7}\n")
    assert run(["config", "init"]) == 1
    assert "--force" in capfd.readouterr().err
    assert (here / "config.yaml").read_text() == "ui: {fps: 7}\n"
    assert run(["config", "init", "--force"]) == 0
    assert "concurrency: 100" in (here / "config.yaml").read_text()


def test_show_prints_yaml_with_the_origin_of_every_value(
    here: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    (here / "config.yaml").write_text("ui:\n  keys: {quit: ctrl+q}\n")
    assert run(["config", "show", "--endpoint-url", "http://here.test"]) == 0
    text = capfd.readouterr().out
    shown = yaml.safe_load(text)
    assert shown["aws"]["region"] == "eu-west-1"
    assert shown["aws"]["endpoint_url"] == "http://here.test"
    assert shown["ui"]["keys"] == {"quit": "ctrl+q"}
    lines = {line.split(":")[0].strip(): line.partition(" # ")[2] for line in text.splitlines() if line.startswith("  ")}
    assert lines["region"] == "environment AWS_REGION"
    assert lines["endpoint_url"] == "argument"
    assert lines["keys"] == "config.yaml:2"
    assert lines["fps"] == "default"


def test_show_tells_no_secret(here: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "hunter3")
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hunter4@db/jobs")
    monkeypatch.setenv("RABBITMQ_URL", "amqp://me:hunter5@mq:5672/a;amqp://me:hunter6@mq2:5672/a")
    for words in (["config", "show"], ["config", "show", "--json"]):
        assert run(words) == 0
        text = capfd.readouterr().out
        assert "hunter" not in text
        assert "********" in text
        assert "postgresql://me:********@db/jobs" in text


def test_check_names_the_mistake(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (here / "config.yaml").write_text("ui:\n  fsp: 4\n")
    assert run(["config", "check"]) == 1
    assert "ui.fps" in capfd.readouterr().err


def test_status_says_that_all_is_well(home: Home, rclone_store: Store) -> None:
    home.at(rclone_store)
    result = home.run("status", f"s3://{rclone_store.bucket}", "--json")
    assert result.code == 0, result.stdout
    findings = {finding["name"]: finding for finding in result.json}
    assert list(findings) == ["config", "credentials", "bucket", "database", "queue", "worker", "ffmpeg"]
    assert {findings[name]["state"] for name in ("config", "credentials", "bucket", "database", "queue", "worker")} == {"ok"}
    assert rclone_store.bucket in findings["bucket"]["detail"]
    assert rclone_store.secret not in result.stdout
    assert ACCESS_KEY not in result.stdout


def test_status_names_what_is_wrong_and_goes_on(home: Home, rclone_store: Store) -> None:
    home.at(rclone_store)
    result = home.run("status", "s3://no-such-bucket", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert result.code == 1
    states = {line.split()[0]: line.split()[1] for line in result.stdout.splitlines()}
    assert (states["credentials"], states["bucket"], states["database"]) == ("failed", "failed", "ok")
    assert "AWS_ACCESS_KEY_ID" in result.stdout

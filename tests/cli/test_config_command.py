"""`s3tui config`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from s3tui.cli.main import run
from s3tui.config.settings import known_keys


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


@pytest.mark.parametrize("words", [["config", "show"], ["config", "show", "--json"]])
def test_show_tells_of_a_webhook_only_where_it_is(here: Path, capfd: pytest.CaptureFixture[str], words: list[str]) -> None:
    (here / "config.yaml").write_text("webhook: {url: 'https://hooks.example.org:8443/T0/HUSH?also=HUSH', secret: whatever}\n")
    assert run(words) == 0
    text = capfd.readouterr().out
    assert "https://hooks.example.org:8443/********" in text
    assert "HUSH" not in text


def test_check_names_the_mistake(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (here / "config.yaml").write_text("ui:\n  fsp: 4\n")
    assert run(["config", "check"]) == 1
    assert "ui.fps" in capfd.readouterr().err


def test_show_has_every_key_as_json_with_its_origin(
    here: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("S3TUI_UI__FPS", "9")
    (here / ".env").write_text("AWS_REGION=eu-west-1\n")
    (here / "config.yaml").write_text("transfer:\n  concurrency: 7\n")
    assert run(["config", "show", "--json"]) == 0
    shown = json.loads(capfd.readouterr().out)
    assert set(shown) == {f"{section}.{key}" for section, key, _ in known_keys()}
    assert shown["ui.fps"] == {"value": 9, "origin": "environment S3TUI_UI__FPS"}
    assert shown["aws.region"] == {"value": "eu-west-1", "origin": ".env:1 AWS_REGION"}
    assert shown["transfer.concurrency"] == {"value": 7, "origin": "config.yaml:2"}
    assert shown["s3.prefix"] == {"value": "backups/", "origin": "default"}


def test_init_makes_the_directory_of_the_configuration_and_keeps_it_private(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = here / "etc" / "s3tui" / "config.yaml"
    assert run(["config", "init", "--config", str(path)]) == 0
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    assert run(["config", "init", "--config", str(path), "--force"]) == 0
    assert path.stat().st_mode & 0o777 == 0o600
    assert run(["config", "init", "--config", "/dev/null/config.yaml"]) == 1
    assert "/dev/null/config.yaml cannot be written" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("ui: {theme: harbor}", ["config.yaml:1", "no theme 'harbor'", "Did you mean harbour?"]),
        ("ui: {theme: zzz}", ["no theme 'zzz'", "there are", "harbour"]),
        ("ui:\n  keys: {qiut: ctrl+q}", ["config.yaml:2", "ui.keys", "no action 'qiut'", "Did you mean quit?"]),
        ("ui: {keys: {quit: ctl+q}}", ["ui.keys", "quit", "'ctl+q'", "which no keyboard sends"]),
        ("ui: {keys: {quit: ''}}", ["ui.keys", "quit has no key"]),
        ("ui:\n  keys: {pause: x}", ["config.yaml:2", "x means pause and cancel on Jobs and Transfers", "a key of its own"]),
        ("logging: {log_file: nowhere/s3tui.log}", ["logging.log_file", "nowhere/s3tui.log", "cannot be written"]),
        ("state: {url: 'mysql://db'}", ["state.url", "mysql", "postgresql://"]),
        ("queue: {url: 'redis://mq'}", ["queue.url", "redis", "amqp://"]),
        ("state: {url: 'postgresql://db/jobs'}\nqueue: {url: sqlite}", ["config.yaml:2", "state.url names another database"]),
        ("s3: {bucket_name: my bucket}", ["'my bucket'", "name of a bucket"]),
        ("backup: {source_directory: nowhere}", ["backup.source_directory", "'nowhere'", "not a directory"]),
        ("api: {allowed_sources: [/nowhere]}", ["api.allowed_sources", "'/nowhere'", "not a directory"]),
        ("api: {allowed_sources: [here]}", ["api.allowed_sources", "'here'", "absolute path"]),
        ("aws: {secret_access_key: hunter2}", ["aws.access_key_id is not"]),
        ("transfer: {bandwith: 1MB/s}", ["transfer.bandwith", "Did you mean transfer.bandwidth?"]),
    ],
)
def test_check_names_what_will_not_work_and_where_it_is(
    here: Path, capfd: pytest.CaptureFixture[str], config: str, words: list[str]
) -> None:
    (here / "config.yaml").write_text(config + "\n")
    assert run(["config", "check"]) == 1
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "hunter2" not in captured.err
    for word in words:
        assert word in captured.err


def test_check_tells_all_that_will_not_work_at_once(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (here / "config.yaml").write_text("ui:\n  theme: zzz\n  keys: {a: b, c: d}\nlogging: {log_file: /dev}\n")
    assert run(["config", "check"]) == 1
    told = capfd.readouterr().err.splitlines()
    assert [word for line in told for word in ("ui.theme", "ui.keys", "logging.log_file") if word in line] == [
        "ui.theme",
        "ui.keys",
        "ui.keys",
        "logging.log_file",
    ]


def test_check_accepts_what_works(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (here / "logs").mkdir()
    (here / "config.yaml").write_text(
        "ui: {theme: harbour, keys: {quit: ctrl+q}}\nlogging: {log_file: logs/s3tui.log}\ns3: {bucket_name: photos}\n"
        "backup: {source_directory: logs}\nqueue: {url: 'amqp://me@mq/a'}\nstate: {url: 'postgresql://db/jobs'}\n"
    )
    assert run(["config", "check"]) == 0
    assert "can be used" in capfd.readouterr().out

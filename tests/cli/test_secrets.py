"""Secrets stay where they were given: no output, log, report or database has them, whatever goes wrong."""

from __future__ import annotations

import pytest

from tests.cli.command import Home
from tests.servers import Store

SECRET, TOKEN, PASSWORD = "Wr0ng+Secret/Key0123456789", "T0ken/of+this/Session==", "pa55/w0rd"


def written(home: Home) -> bytes:
    """Every byte that commands have left behind."""
    return b"".join(path.read_bytes() for path in home.directory.rglob("*") if path.is_file())


def test_no_secret_leaves_through_what_a_job_says_and_keeps(home: Home, rclone_store: Store) -> None:
    home.at(rclone_store.with_secret(SECRET))
    home.environment |= {"AWS_SESSION_TOKEN": TOKEN, "S3TUI_LOGGING__LEVEL": "DEBUG", "RABBITMQ_URL": f"amqp://me:{PASSWORD}@mq"}
    (home.work / "file").write_text("contents")
    refused = home.run(
        "-vv", "upload", "file", f"s3://{rclone_store.bucket}", "--output-json", "report.json", "--metrics-port", "0"
    )
    assert refused.code == 1
    assert "s3tui.state.chronicle" in refused.stderr
    said = [refused.stdout, refused.stderr]
    for words in (["config", "show"], ["config", "show", "--json"], ["status", f"s3://{rclone_store.bucket}", "--json"], ["jobs"]):
        done = home.run(*words)
        assert done.stdout
        said += [done.stdout, done.stderr]
    assert b"The upload is failed" in written(home)
    for secret in (SECRET, TOKEN, PASSWORD):
        assert not [text for text in said if secret in text]
        assert secret.encode() not in written(home)


def test_a_configuration_that_cannot_be_read_is_told_without_its_lines(home: Home) -> None:
    (home.work / "config.yaml").write_text(f"state:\n  url: {{postgresql://me:{PASSWORD}@db/jobs: ]\n")
    done = home.run("-vv", "jobs")
    assert done.code == 1
    assert "config.yaml, line 2, is not valid YAML" in done.stderr
    assert PASSWORD not in done.stderr


@pytest.mark.parametrize(
    "variables",
    [
        {"DATABASE_URL": f"postgresql://me:{PASSWORD}@127.0.0.1:1/jobs"},
        {"DATABASE_URL": f"mysql://me:{PASSWORD}@127.0.0.1:1/jobs"},
        {"RABBITMQ_URL": f"amqp://me:{PASSWORD}@127.0.0.1:1/"},
        {"RABBITMQ_URL": f"amqp://me:{PASSWORD}@127.0.0.1:none/"},
        {"AWS_ENDPOINT_URL": f"ftp://me:{PASSWORD}@127.0.0.1:1/"},
        {"AWS_ENDPOINT_URL": f"http://me:{PASSWORD}@127.0.0.1:1/"},
    ],
    ids=lambda variables: str(*variables.values()).partition(":")[0],
)
def test_a_url_that_cannot_be_used_is_told_without_its_password(home: Home, variables: dict[str, str]) -> None:
    done = home.run("-vv", "worker", "--until-idle", "1", **variables)
    assert done.code == 1
    assert "Traceback" in done.stderr
    assert PASSWORD not in done.stderr
    assert "w0rd" not in done.stderr
    assert b"w0rd" not in written(home)

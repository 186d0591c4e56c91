"""Whatever is wrong is one sentence on standard error, exit code 1, and nothing is started."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from s3tui.cli.foreground import GRACE_SECONDS
from s3tui.cli.main import run
from tests.cli.command import Home, ended
from tests.servers import Store

pytestmark = pytest.mark.thorough(one_in=5)

TARGET = "s3://bucket/prefix"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of a user who has configured nothing; `file` is in it."""
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    (tmp_path / "file").write_text("x")
    return tmp_path


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("upload", ["SOURCE", "missing"]),
        (f"upload {TARGET}", ["at least one SOURCE"]),
        ("upload file", ["target is missing", "s3://BUCKET", "'file'"]),
        (f"upload {TARGET} file", ["target comes last", f"s3tui upload file {TARGET}"]),
        (f"upload s3://a/b {TARGET}", ["source is a local path", "s3://a/b"]),
        (f"upload nowhere {TARGET}", ["nowhere", "cannot be read"]),
        ("upload file s3://", ["'s3:///' is not a target"]),
        (f"upload file {TARGET} --concurrency none", ["transfer.concurrency", "'none'", "argument"]),
        (f"upload file {TARGET} --checksum md5", ["--checksum", "md5", "crc64nvme"]),
        (f"upload file {TARGET} --part-size 1KB", ["transfer.part_size", "5MiB"]),
        (f"upload file {TARGET} --metadata novalue", ["--metadata", "K=V"]),
        (f"upload file {TARGET} --metadata owner=Ännchen", ["x-amz-meta-owner", "ASCII"]),
        (f"upload file {TARGET} --metadata a:b=c", ["'a:b'", "metadata"]),
        (f"upload file {TARGET} --cache-control no\x07store", ["cache-control", "ASCII"]),
        (f"upload file {TARGET} --frobnicate", ["--frobnicate"]),
        (f"upload file {TARGET} --output-json nowhere/report.json", ["nowhere/report.json", "cannot be written"]),
        (f"upload file {TARGET} --json-lines --output-json -", ["both want standard output"]),
        (f"upload file {TARGET} --config none.yaml", ["--config", "none.yaml", "does not exist"]),
        (f"upload file {TARGET} --endpoint-url localhost:9000", ["aws.endpoint_url", "http://"]),
        (f"upload file {TARGET} --ignore-file none", ["ignore file none", "no such file or directory", "--ignore-file"]),
        (f"upload . {TARGET} --files-from none", ["list of files none", "no such file or directory", "--files-from"]),
        (f"upload file {TARGET} --files-from file", ["exactly one SOURCE, a directory"]),
        (f"upload . . {TARGET} --files-from file", ["exactly one SOURCE, a directory"]),
        (f"upload . {TARGET} -0", ["--null", "--files-from"]),
        (f"upload . {TARGET} --min-size lots", ["--min-size", "'lots' is not a size", "8MiB"]),
        (f"upload . {TARGET} --min-size 2KB --max-size 1KB", ["--min-size", "--max-size"]),
        (f"upload . {TARGET} --max-age young", ["--max-age", "'young' is not an age", "30d"]),
        ("uplaod", ["uplaod", "upload"]),
        ("jobs show NONE", ["no job 'NONE'", "s3tui jobs list"]),
        ("jobs show", ["ID", "missing"]),
        ("jobs destroy X", ["destroy"]),
        ("jobs list --limit few", ["--limit", "few"]),
        ("status bucket", ["s3://BUCKET"]),
        ("tui", ["terminal"]),
        ("tui a b c", ["one SOURCE"]),
        ("worker now", ["now"]),
    ],
)
def test_a_mistake_on_the_command_line_is_one_sentence(
    here: Path, capfd: pytest.CaptureFixture[str], command: str, words: list[str]
) -> None:
    assert run(command.split()) == 1
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    for word in words:
        assert word in captured.err


def test_a_source_that_may_not_be_read_stops_the_command_before_a_job_exists(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (here / "loop").symlink_to("loop")
    assert run(["upload", "file", "loop", TARGET]) == 1
    assert "loop" in capfd.readouterr().err
    assert not (here / "home" / "s3tui" / "state.db").exists()


def test_malformed_yaml_names_its_line(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (here / "config.yaml").write_text("transfer:\n  concurrency: [1, 2\nui: {}\n")
    assert run(["upload", "file", TARGET]) == 1
    error = capfd.readouterr().err
    assert "config.yaml, line 3" in error
    assert "Traceback" not in error


def test_a_directory_in_the_place_of_the_configuration_is_not_passed_over(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (here / "config.yaml").mkdir()
    (here / ".env").mkdir()  # may well be a virtual environment
    assert run(["upload", "file", TARGET]) == 1
    assert "config.yaml cannot be read: Is a directory" in capfd.readouterr().err


def test_escape_sequences_in_arguments_do_not_reach_the_terminal(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["upload", "\x1b[31mred", TARGET]) == 1
    error = capfd.readouterr().err
    assert "\x1b" not in error
    assert r"\x1b[31mred" in error


def test_only_double_verbose_shows_a_traceback(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["-v", "jobs", "show", "NONE"]) == 1
    assert "Traceback" not in capfd.readouterr().err
    assert run(["-v", "jobs", "show", "NONE", "-v"]) == 1
    assert "Traceback" in capfd.readouterr().err


def test_an_unknown_bucket_ends_the_job_with_one_sentence(home: Home, rclone_store: Store, tree: Path) -> None:
    home.at(rclone_store)
    result = home.run("upload", "tree", "s3://no-such-bucket")
    assert result.code == 1
    assert "no such bucket" in result.sentence
    assert result.stdout == ""


def test_wrong_keys_end_the_job_with_one_sentence(home: Home, rclone_store: Store, tree: Path) -> None:
    home.at(rclone_store.with_secret("wrong"))
    result = home.run("upload", "tree", f"s3://{rclone_store.bucket}")
    assert result.code == 1
    assert "secret" in result.sentence
    assert rclone_store.contents() == {}


def test_an_endpoint_that_nobody_listens_on_ends_the_job_with_one_sentence(home: Home, rclone_store: Store, tree: Path) -> None:
    home.at(rclone_store)
    result = home.run("upload", "tree", "s3://bucket", "--endpoint-url", "http://127.0.0.1:9", "--output-json", "r.json")
    assert result.code == 1
    assert "127.0.0.1:9" in result.sentence
    assert json.loads((home.work / "r.json").read_text())["state"] == "failed"


def test_closed_streams_lead_nowhere_and_the_work_is_done(home: Home, rclone_store: Store, tree: Path) -> None:
    home.at(rclone_store)
    command = f"exec {sys.executable} -m s3tui upload tree/0 s3://{rclone_store.bucket} <&- >&- 2>&-"
    assert subprocess.run(["sh", "-c", command], cwd=home.work, env=home.variables, check=False).returncode == 0
    assert len(rclone_store.contents()) == 30


def test_a_store_that_never_answers_holds_an_interrupted_command_for_one_grace_only(home: Home, tree: Path) -> None:
    home.environment |= {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        command = home.start("upload", "tree", TARGET, "--endpoint-url", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        deaf.accept()
        command.terminate()
        began = time.monotonic()
        result = ended(command)
    assert result.code == 130
    assert "The same command resumes" in result.stderr
    assert time.monotonic() - began < GRACE_SECONDS * 2 + 3  # a second grace and a second breaking off would end after 16 seconds

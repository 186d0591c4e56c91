"""The log as an operator reads it afterwards: what happened, to which job and file, and never a secret."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any, Literal

import pytest

from s3tui.cli.logs import open_log
from s3tui.config import LoggingOptions
from s3tui.log_context import about
from s3tui.masking import hide
from tests.cli.command import Home, ended
from tests.front import FaultFront
from tests.servers import Store
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=3)

log = logging.getLogger("s3tui.test")

SECRET = "S3cr3t+Key/OfThisTest"


@pytest.fixture(autouse=True)
def known_secret() -> None:
    """The process knows a secret."""
    hide([SECRET])


def opened(
    path: Path, format: Literal["text", "json"] = "text", level: Literal["DEBUG", "INFO"] = "INFO", verbose: int = 0
) -> Path:
    """Log to this file from now on."""
    open_log(LoggingOptions(log_file=str(path / "log"), format=format, level=level), verbose=verbose)
    return path / "log"


def objects(path: Path) -> list[dict[str, Any]]:
    """Every line as JSON."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def log_of(home: Home) -> Path:
    """The log file of a user who has configured nothing."""
    return home.directory / "state" / "s3tui" / "s3tui.log"


def test_a_line_says_what_it_is_about_as_words(tmp_path: Path) -> None:
    path = opened(tmp_path)
    with about(job="01JD"):
        log.info("It begins.")
        with about(file=b'a b "c"', attempt=3, code="access_denied"):
            log.warning("It failed.")
        log.info("It ends.")
    log.info("Nothing in particular.")
    assert [line.partition("s3tui.test: ")[2] for line in path.read_text().splitlines()] == [
        "job=01JD: It begins.",
        r'job=01JD file="a b \"c\"" attempt=3 code=access_denied: It failed.',
        "job=01JD: It ends.",
        "Nothing in particular.",
    ]


def test_a_line_says_what_it_is_about_as_fields(tmp_path: Path) -> None:
    path = opened(tmp_path, "json")
    with about(job="01JD", file=b"caf\xe9", attempt=3, code="access_denied"):
        log.warning("It failed.")
    log.info("Nothing in particular.")
    first, second = objects(path)
    assert {name: first[name] for name in ("level", "logger", "job", "file", "attempt", "code", "message")} == {
        "level": "WARNING",
        "logger": "s3tui.test",
        "job": "01JD",
        "file": "caf\udce9",
        "attempt": 3,
        "code": "access_denied",
        "message": "It failed.",
    }
    assert first["at"].endswith("Z")
    assert set(second) == {"at", "level", "process", "logger", "message"}


def test_what_a_file_is_called_can_neither_begin_a_line_nor_command_a_terminal(tmp_path: Path) -> None:
    path = opened(tmp_path)
    with about(file=b"a\n2026-01-01 INFO forged \x1b[31m\xff"):
        log.warning("of %s", "a\nb\x1b[2J")
        try:
            raise ValueError("first\n2026-01-01 INFO forged\x1b[31m")
        except ValueError:
            log.exception("It broke.")
    text = path.read_text()
    assert "\x1b" not in text
    first, second, *traceback = text.splitlines()
    assert r'file="a\n2026-01-01 INFO forged \u001b[31m\xff"' in first
    assert "It broke." in second
    assert traceback
    assert all(line.startswith("  ") for line in traceback)


@pytest.mark.parametrize("format", ["text", "json"])
def test_no_secret_reaches_the_file_or_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], format: Literal["text", "json"]
) -> None:
    path = opened(tmp_path, format, "DEBUG", verbose=2)
    with about(file=SECRET.encode(), code=SECRET):
        log.info("The key is %s.", SECRET)
        try:
            raise ValueError(f"Authorization: AWS4-HMAC-SHA256 Signature={SECRET} postgresql://me:pa55word@db {SECRET}")
        except ValueError:
            log.exception("It broke, with %s.", {"X-Amz-Security-Token": "t0ken", "key": SECRET})
    for text in (path.read_text(), capfd.readouterr().err):
        assert "It broke" in text
        assert "ValueError" in text
        for secret in (SECRET, json.dumps(SECRET)[1:-1], "pa55word", "t0ken"):
            assert secret not in text


@pytest.mark.parametrize(("level", "written"), [("DEBUG", ["DEBUG", "INFO"]), ("INFO", ["INFO"])])
@pytest.mark.parametrize(("verbose", "shown"), [(0, []), (1, ["INFO"]), (2, ["DEBUG", "INFO"])])
def test_file_and_terminal_have_levels_of_their_own(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    verbose: int,
    shown: list[str],
    level: Literal["DEBUG", "INFO"],
    written: list[str],
) -> None:
    path = opened(tmp_path, "json", level, verbose)
    log.debug("small")
    log.info("larger")
    assert [line["level"] for line in objects(path)] == written
    assert [line.split()[0] for line in capfd.readouterr().err.splitlines()] == shown


def test_a_log_that_cannot_be_written_is_told_once_and_the_work_goes_on(home: Home, rclone_store: Store) -> None:
    (home.work / "file").write_text("contents")
    home.at(rclone_store)
    result = home.run("upload", "file", f"s3://{rclone_store.bucket}", S3TUI_LOGGING__LOG_FILE="missing/log")
    assert result.code == 0
    assert "The log missing/log cannot be written: No such file or directory." in result.sentence
    assert rclone_store.contents() == {"file": b"contents"}


@pytest.mark.parametrize("engine", ["wire", "s3transfer"])
def test_the_log_tells_the_story_of_a_job_and_names_each_file_that_failed(
    any_home: Home, front: FaultFront, rclone_store: Store, engine: str
) -> None:
    any_home.at(rclone_store.behind(front))
    tree = any_home.work / "tree"
    tree.mkdir()
    for name in (b"good", b"refused", b"slow", b"caf\xe9"):
        (Path(str(tree)) / name.decode("utf-8", "surrogateescape")).write_text("contents")
    front.fail("PutObject", "refused", status=403, code="AccessDenied")
    front.fail("PutObject", "slow")
    variables = {"S3TUI_LOGGING__FORMAT": "json", "S3TUI_LOGGING__LEVEL": "DEBUG", "S3TUI_TRANSFER__ENGINE": engine}
    result = any_home.run("upload", "tree", f"s3://{rclone_store.bucket}", **variables)
    assert result.code == 2, result.stderr
    told = objects(log_of(any_home))
    job = any_home.jobs()[0].id
    begun, *_, over = [line for line in told if "The upload" in line["message"] and line["logger"].startswith("s3tui.state")]
    assert (begun["job"], over["job"], over["level"]) == (job, job, "WARNING")
    assert "found 4, uploaded 2, skipped 0, failed 2, deleted 0, retries 1" in over["message"]
    failed = {line["file"]: line for line in told if line["level"] == "WARNING" and "file" in line}
    assert set(failed) == {"refused", "caf\udce9"}
    assert {name: failed["refused"][name] for name in ("job", "attempt", "code")} == {
        "job": job,
        "attempt": 1,
        "code": "access_denied",
    }
    assert failed["caf\udce9"]["code"] == "name_not_utf8"
    [again] = [line for line in told if line["message"].startswith("Once more")]
    assert (again["job"], again["attempt"], again["code"], Path(again["file"]).name) == (job, 1, "throttled", "slow")
    [mended] = [line for line in told if line.get("file") == "slow"]
    assert (mended["job"], mended["attempt"]) == (job, 2)
    assert not any("good" in json.dumps(line) for line in told)
    assert rclone_store.secret not in log_of(any_home).read_text()


def test_the_log_tells_of_a_job_that_failed_as_a_whole_and_of_the_worker(home: Home, rclone_store: Store) -> None:
    (home.work / "file").write_text("contents")
    home.at(rclone_store)
    process = home.start("worker")
    wait_until(home.workers, 30, "the worker to be registered")
    home.run("upload", "file", "s3://no-such-bucket-here", "--detach")
    wait_until(lambda: home.jobs()[0].state.ended, 30, "the job to fail")
    process.terminate()
    assert ended(process).code == 0
    text = log_of(home).read_text()
    assert f"job={home.jobs()[0].id} code=no_such_bucket: The upload is failed: found 0," in text
    assert " begins: version " in text
    assert " has stopped." in text

"""Commands whose jobs are told to a webhook, and webhooks that cannot be used."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from s3tui.model import JobState
from s3tui.state.store import Store as StateStore
from s3tui.webhooks.signing import key_of, signed_headers
from tests.cli.command import Home, ended
from tests.scripted import Call, Script, ScriptedServer
from tests.servers import Store
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=9)

SECRET = "whsec_" + b64encode(b"thirty-two bytes, as it must be!").decode()


def take(call: Call) -> None:
    call.read_body()
    call.answer(204)


def hang(call: Call) -> None:
    call.read_body()
    call.connection.recv(1)  # until it is hung up


@contextmanager
def receiving(home: Home, script: Script = take) -> Iterator[ScriptedServer]:
    """A receiver that the user's webhook leads to."""
    with ScriptedServer(script) as receiver:
        home.environment |= {
            "S3TUI_WEBHOOK__URL": f"{receiver.url}/hook-hunter2?token=hunter3",
            "S3TUI_WEBHOOK__SECRET": SECRET,
            "S3TUI_WEBHOOK__ALLOW_PRIVATE": "true",
        }
        yield receiver


@contextmanager
def state(home: Home) -> Iterator[StateStore]:
    with closing(StateStore(home.environment.get("DATABASE_URL", "sqlite"), home.directory / "state" / "s3tui")) as store:
        yield store


def waiting(home: Home) -> int:
    """How many notices have not been taken."""
    with state(home) as store:
        return store.webhooks.waiting()


def pass_time(home: Home) -> bool:
    """Let every pause and claim be over; False, so that it can be done while something is waited for."""
    with state(home) as store:
        if (store.webhooks.pause() or 0) > 0:  # SQLite's one writer may be the one that is waited for
            with store.database.write() as connection:
                connection.execute("UPDATE webhook SET due = 0")
    return False


def told(call: Call) -> Any:
    """What a receiver that verifies has been told."""
    expected = signed_headers(key_of(SECRET), call.header("webhook-id"), int(call.header("webhook-timestamp")), call.body)
    assert call.header("webhook-signature") == expected["webhook-signature"]
    return json.loads(call.body)


def test_an_upload_in_the_foreground_tells_its_end_before_it_ends(any_home: Home, rclone_store: Store, tree: Path) -> None:
    any_home.at(rclone_store)
    with receiving(any_home) as receiver:
        done = any_home.run("upload", "tree", f"s3://{rclone_store.bucket}", "--output-json", "report.json", "--quiet")
        assert done.code == 0, done.stderr
    [call] = receiver.calls
    notice = told(call)
    report = json.loads((any_home.work / "report.json").read_text())
    del report["files"]
    assert (notice["type"], notice["data"]) == ("job.completed", report)
    assert waiting(any_home) == 0


def test_what_a_face_ends_the_next_worker_tells(home: Home, rclone_store: Store) -> None:
    home.at(rclone_store)
    (home.work / "file").write_text("contents")
    with receiving(home) as receiver:
        planned = home.run("upload", "file", f"s3://{rclone_store.bucket}", "--dry-run")
        assert (planned.code, receiver.calls) == (0, [])
        assert home.run("jobs", "cancel", home.jobs()[0].id).code == 0
        assert (waiting(home), receiver.calls) == (1, [])
        assert home.run("worker", "--until-idle", "0.1").code == 0
    [call] = receiver.calls
    assert told(call)["type"] == "job.cancelled"


def test_a_receiver_that_hangs_keeps_no_command_and_the_next_worker_tells_it(home: Home, rclone_store: Store) -> None:
    home.at(rclone_store)
    (home.work / "file").write_text("contents")
    with receiving(home, lambda call: hang(call) if len(receiver.calls) == 1 else take(call)) as receiver:
        done = home.run("upload", "file", f"s3://{rclone_store.bucket}")
        assert done.code == 0, done.stderr
        assert waiting(home) == 1
        pass_time(home)
        assert home.run("worker", "--until-idle", "0.1").code == 0
    first, second = receiver.calls
    assert told(first) == told(second)
    assert first.header("webhook-id") == second.header("webhook-id")
    assert waiting(home) == 0


def test_a_worker_that_is_killed_between_the_end_and_the_telling_leaves_it_to_the_next(
    any_home: Home, rclone_store: Store, tree: Path
) -> None:
    home = any_home
    home.at(rclone_store)
    with receiving(home, lambda call: hang(call) if len(receiver.calls) == 1 else take(call)) as receiver:
        killed = home.start("worker")
        wait_until(lambda: home.workers(), 30, "the worker to be registered")
        assert home.run("upload", "tree", f"s3://{rclone_store.bucket}", "--detach").code == 0
        wait_until(lambda: receiver.calls, 60, "the first attempt")
        killed.kill()
        ended(killed)
        assert home.jobs()[0].state is JobState.COMPLETED
        assert waiting(home) == 1
        pass_time(home)
        next_one = home.start("worker")
        wait_until(lambda: waiting(home) == 0, 60, "the next worker to tell it")
        next_one.terminate()
        assert ended(next_one).code == 0
    first, second = receiver.calls
    assert told(first) == told(second)
    assert told(second)["data"]["totals"]["uploaded"] == 300


def test_a_background_worker_stays_while_something_is_to_be_told(home: Home, rclone_store: Store) -> None:
    home.at(rclone_store)
    (home.work / "file").write_text("contents")
    ready: list[bool] = []

    def script(call: Call) -> None:
        call.read_body()
        call.answer(200 if ready else 500)

    with receiving(home, script) as receiver:
        assert home.run("upload", "file", f"s3://{rclone_store.bucket}").code == 0
        worker = home.start("worker", "--until-idle", "0.1")
        wait_until(lambda: home.workers(), 30, "the worker to be registered")
        for refused in (2, 3):
            wait_until(lambda: pass_time(home) or len(receiver.calls) >= refused, 30, "another refusal")  # noqa: B023
        assert worker.poll() is None
        ready.append(True)
        wait_until(lambda: pass_time(home) or worker.poll() is not None, 30, "the worker to leave")
        assert ended(worker).code == 0
    assert waiting(home) == 0


def test_without_a_secret_nothing_begins(home: Home, rclone_store: Store) -> None:
    home.at(rclone_store)
    (home.work / "file").write_text("contents")
    home.environment["S3TUI_WEBHOOK__URL"] = "https://hooks.test/x"
    refused = home.run("upload", "file", f"s3://{rclone_store.bucket}")
    assert refused.code == 1
    assert refused.sentence.startswith("s3tui: webhook.url is set, but webhook.secret is not, and what is sent must be signed")
    assert rclone_store.contents() == {}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"URL": "https://hooks.test/x"}, "webhook.secret is not"),
        ({"URL": "http://127.0.0.1/", "SECRET": "correct horse"}, "set webhook.allow_private"),
    ],
)
def test_what_cannot_be_used_is_named_and_hides_nothing_else(
    home: Home, rclone_store: Store, given: dict[str, str], words: str
) -> None:
    home.at(rclone_store)
    home.environment |= {f"S3TUI_WEBHOOK__{name}": value for name, value in given.items()}
    checked = home.run("config", "check")
    assert checked.code == 1
    assert checked.sentence.startswith("s3tui: environment S3TUI_WEBHOOK__URL: webhook.url ")
    assert words in checked.sentence
    status = home.run("status", f"s3://{rclone_store.bucket}", "--json")
    findings = {finding["name"]: finding for finding in status.json}
    assert (status.code, findings["webhook"]["state"], findings["database"]["state"]) == (1, "failed", "ok")
    assert words in findings["webhook"]["detail"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"URL": "ftp://hooks.test/hunter2"}, "webhook.url cannot be what it is (environment S3TUI_WEBHOOK__URL)"),
        ({"URL": "https://hunter2@hooks.test/"}, "has no user and no password in it"),
        ({"SECRET": "whsec_hunter2!"}, "webhook.secret cannot be a secret (environment S3TUI_WEBHOOK__SECRET)"),
    ],
)
def test_what_is_malformed_is_refused_by_every_command(home: Home, given: dict[str, str], words: str) -> None:
    home.environment |= {f"S3TUI_WEBHOOK__{name}": value for name, value in given.items()}
    for command in (["jobs"], ["config", "check"]):
        refused = home.run(*command)
        assert refused.code == 1
        assert words in refused.sentence
        assert "hunter2" not in refused.stderr


def test_a_name_that_leads_to_this_machine_is_not_told_and_status_says_why(home: Home, rclone_store: Store) -> None:
    home.at(rclone_store)
    (home.work / "file").write_text("contents")
    with receiving(home) as receiver:
        home.environment |= {"S3TUI_WEBHOOK__ALLOW_PRIVATE": "false", "S3TUI_WEBHOOK__URL": f"http://localhost:{receiver.port}/"}
        assert home.run("upload", "file", f"s3://{rclone_store.bucket}").code == 0
        assert waiting(home) == 1
        status = home.run("status", f"s3://{rclone_store.bucket}")
        assert receiver.connections == 0
    [line] = [line for line in status.stdout.splitlines() if line.startswith("webhook")]
    assert status.code == 1
    assert "failed  The webhook's host localhost leads to " in line
    log = (home.directory / "state" / "s3tui" / "s3tui.log").read_text()
    assert "WARNING s3tui.webhooks.courier: job=" in log
    assert "which is no address of the public internet: nothing was sent." in log


def test_neither_the_secret_nor_the_path_is_told_to_anybody(home: Home, rclone_store: Store) -> None:
    home.at(rclone_store)
    (home.work / "file").write_text("contents")
    home.environment["S3TUI_LOGGING__LEVEL"] = "DEBUG"
    said = []
    with receiving(home, lambda call: call.answer(500)) as receiver:
        for words in (
            ["-vv", "upload", "file", f"s3://{rclone_store.bucket}", "--output-json", "report.json", "--json-lines"],
            ["status", f"s3://{rclone_store.bucket}"],
            ["jobs"],
        ):
            done = home.run(*words)
            assert done.code == 0, done.stderr
            said += [done.stdout, done.stderr]
        shown = home.run("config", "show").stdout
    assert "answered 500. The next attempt is in " in said[1]
    assert f"webhook      ok      {receiver_place(said)}; ends of jobs that wait to be told: 1, the log says why" in said[2]
    assert "********" in shown
    left = b"".join(path.read_bytes() for path in home.directory.rglob("*") if path.is_file())
    for secret in (SECRET, SECRET.removeprefix("whsec_"), "thirty-two bytes"):
        assert not [text for text in [*said, shown] if secret in text]
        assert secret.encode() not in left
    for part in ("hunter2", "hunter3"):
        assert not [text for text in said if part in text]
        assert part.encode() not in left
    assert receiver.calls


def receiver_place(said: list[str]) -> str:
    """The webhook, as a log may name it."""
    return said[1].partition("The webhook at ")[2].partition(" ")[0]

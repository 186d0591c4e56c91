"""`s3tui status`: the doctor, as a person and as a program meet it."""

from __future__ import annotations

import socket
import sqlite3
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path

import pytest

from s3tui.media.binary import find_ffmpeg
from tests.cli.command import Ended, Home, ended
from tests.front import FaultFront
from tests.scripted import Call, ScriptedServer
from tests.servers import ACCESS_KEY, Store
from tests.unprivileged import run_unprivileged

pytestmark = pytest.mark.thorough(one_in=8)

ALWAYS = ["config", "credentials", "bucket", "database", "queue", "worker"]


def states(result: Ended) -> dict[str, str]:
    """What was found, by name; the last line of a name counts."""
    return {line.split()[0]: line.split()[1] for line in result.stdout.splitlines()}


def line_of(result: Ended, name: str) -> str:
    """The line of one finding."""
    [found] = [line for line in result.stdout.splitlines() if line.split()[0] == name]
    return found


def test_it_says_that_all_is_well(any_home: Home, rclone_store: Store) -> None:
    any_home.at(rclone_store)
    result = any_home.run("status", f"s3://{rclone_store.bucket}", "--json")
    assert result.code == 0, result.stdout
    findings = {finding["name"]: finding for finding in result.json}
    here = ["disk"] if "DATABASE_URL" not in any_home.environment else []
    names = ["config", "credentials", "bucket", "clock", "store", "database", *here, "queue", "worker", "ffmpeg"]
    assert list(findings) == names
    assert {findings[name]["state"] for name in (*ALWAYS, "clock", *here)} == {"ok"}
    assert rclone_store.bucket in findings["bucket"]["detail"]
    assert findings["bucket"]["rights"] == {"ListObjectsV2": True, "ListMultipartUploads": True}
    assert "writable" in findings["database"]["detail"]
    assert rclone_store.secret not in result.stdout
    assert ACCESS_KEY not in result.stdout


def test_it_names_what_is_wrong_and_goes_on(home: Home, rclone_store: Store) -> None:
    home.at(rclone_store)
    result = home.run("status", "s3://no-such-bucket", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert result.code == 1
    found = states(result)
    assert (found["credentials"], found["bucket"], found["database"]) == ("failed", "failed", "ok")
    assert "AWS_ACCESS_KEY_ID" in result.stdout


def test_it_changes_nothing_on_the_store_unless_it_may_write(home: Home, rclone_store: Store, front: FaultFront) -> None:
    home.at(rclone_store.behind(front))
    result = home.run("status", f"s3://{rclone_store.bucket}/photos")
    assert result.code == 0, result.stdout
    assert {operation for operation, _ in front.requests} <= {"HeadBucket", "ListObjectsV2", "ListMultipartUploads"}
    assert "not known yet" in line_of(result, "store")


def test_it_tries_every_right_below_the_prefix_and_leaves_nothing(home: Home, moto_store: Store) -> None:
    home.at(moto_store)
    result = home.run("status", "--write", f"s3://{moto_store.bucket}/photos")
    assert result.code == 0, result.stdout
    for operation in ("PutObject", "HeadObject", "GetObject", "DeleteObject", "CreateMultipartUpload", "AbortMultipartUpload"):
        assert operation in line_of(result, "bucket")
    assert "--if-exists is free of races" in line_of(result, "store")
    assert moto_store.contents() == {}
    assert moto_store.open_uploads() == []
    known = home.run("status", f"s3://{moto_store.bucket}")  # what it found out is remembered
    assert "--if-exists is free of races" in line_of(known, "store")


@pytest.mark.parametrize(
    ("name", "engine", "proof", "words"),
    [
        ("radosgw_store", "auto", "server_checksum", "that proves a backup"),
        ("rclone_store", "auto", "etag_md5", "proven by the ETag"),
        ("moto_store", "s3transfer", "etag_md5", "proven by the ETag"),
    ],
)
def test_it_says_what_proves_a_backup(
    request: pytest.FixtureRequest, home: Home, name: str, engine: str, proof: str, words: str
) -> None:
    store: Store = request.getfixturevalue(name)
    home.at(store)
    result = home.run("status", "--write", "--json", f"s3://{store.bucket}", S3TUI_TRANSFER__ENGINE=engine)
    [found] = [finding for finding in result.json if finding["name"] == "store"]
    assert found["proof"] == proof
    assert words in found["detail"]


@pytest.mark.parametrize(
    ("forbidden", "words"),
    [(["HeadObject"], "proven by reading it back"), (["HeadObject", "GetObject"], "nothing would prove a backup")],
)
def test_a_backup_that_may_not_look_has_less_proof(home: Home, rclone_store: Store, forbidden: list[str], words: str) -> None:
    with FaultFront(rclone_store.url) as front:
        for operation in forbidden:
            front.fail(operation, status=403, code="AccessDenied")
        home.at(rclone_store.behind(front))
        result = home.run("status", "--write", f"s3://{rclone_store.bucket}")
    assert words in line_of(result, "store")


@pytest.mark.parametrize(
    ("operation", "right", "code"),
    [("PutObject", "s3:PutObject", 1), ("CreateMultipartUpload", "s3:PutObject", 1), ("GetObject", "s3:GetObject", 0)],
)
def test_it_names_the_rights_that_are_missing(home: Home, moto_store: Store, operation: str, right: str, code: int) -> None:
    with FaultFront(moto_store.url) as front:
        front.fail(operation, status=403, code="AccessDenied")
        home.at(moto_store.behind(front))
        result = home.run("status", "--write", f"s3://{moto_store.bucket}")
    assert result.code == code, result.stdout
    assert f"{operation} s3://{moto_store.bucket}/.s3tui-probe-" in line_of(result, "right")
    assert f"Allow these credentials {right}" in line_of(result, "right")
    assert moto_store.contents() == {}


def test_a_probe_that_cannot_be_removed_is_named(home: Home, moto_store: Store) -> None:
    with FaultFront(moto_store.url) as front:
        front.fail("DeleteObject", status=403, code="AccessDenied", times=9)
        home.at(moto_store.behind(front))
        result = home.run("status", "--write", f"s3://{moto_store.bucket}")
    assert result.code == 1
    [left] = moto_store.contents()
    assert f"s3://{moto_store.bucket}/{left} could not be removed" in line_of(result, "probe")


@pytest.mark.parametrize("operation", ["GetObject", "ListParts"])
def test_interrupted_half_way_it_leaves_nothing(home: Home, moto_store: Store, operation: str) -> None:
    with FaultFront(moto_store.url) as front:
        home.at(moto_store.behind(front))
        held = front.hold(operation)
        command = home.start("status", "--write", f"s3://{moto_store.bucket}")
        assert held.arrived.wait(30)
        command.terminate()
        assert ended(command).code == 130
    assert moto_store.contents() == {}
    assert moto_store.open_uploads() == []


def test_a_store_that_falls_silent_half_way_does_not_hold_it(home: Home, moto_store: Store) -> None:
    with FaultFront(moto_store.url) as front:
        home.at(moto_store.behind(front))
        front.hold("GetObject")
        began = time.monotonic()
        result = home.run("status", "--write", f"s3://{moto_store.bucket}")
        assert time.monotonic() - began < 16
    assert result.code == 1
    assert "did not answer in time" in line_of(result, "right")
    assert moto_store.contents() == {}


def test_bytes_that_come_back_changed_are_a_failure(home: Home) -> None:
    home.environment |= {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}

    def change(call: Call) -> None:
        call.read_body()
        call.answer(body={"GET": b"<R/>", "POST": b"<R><UploadId>1</UploadId></R>"}.get(call.method, b""))

    with ScriptedServer(change) as server:
        result = home.run("status", "--write", "--json", "s3://bucket", AWS_ENDPOINT_URL=server.url)
    [told] = [finding for finding in result.json if finding.get("operation") == "GetObject"]
    assert result.code == 1
    assert told["state"] == "failed"
    assert "other bytes than it was sent" in told["detail"]


def test_who_may_not_list_hears_how_to_find_out_whether_they_may_write(home: Home, moto_store: Store) -> None:
    with FaultFront(moto_store.url) as front:
        front.fail("ListObjectsV2", status=403, code="AccessDenied", times=9)
        home.at(moto_store.behind(front))
        looked = home.run("status", f"s3://{moto_store.bucket}/in")
        wrote = home.run("status", "--write", f"s3://{moto_store.bucket}/in")
    assert looked.code == 1
    assert "s3:ListBucket" in line_of(looked, "bucket")
    assert f"`s3tui status --write s3://{moto_store.bucket}/in/`" in line_of(looked, "bucket")
    assert wrote.code == 0, wrote.stdout
    assert states(wrote)["bucket"] == "ok"


def test_an_endpoint_that_never_answers_does_not_hold_it(home: Home) -> None:
    home.environment |= {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        began = time.monotonic()
        result = home.run("status", "--write", "s3://bucket", AWS_ENDPOINT_URL=url, AWS_ENDPOINT_URL_STS=url)
    assert time.monotonic() - began < 16
    assert result.code == 1
    assert states(result) | {"credentials": "ok", "bucket": "failed", "database": "ok"} == states(result)
    assert "did not answer in time" in line_of(result, "bucket")


def test_a_database_that_another_process_holds_does_not_hold_it(home: Home) -> None:
    home.run("status")
    holder = sqlite3.connect(home.directory / "state" / "s3tui" / "state.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    result = home.run("status")
    holder.close()
    assert time.monotonic() - began < 10
    assert result.code == 1
    assert "no answer within" in line_of(result, "database")
    assert states(result)["queue"] == "-"


def test_a_database_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    script = """
        import io, json, os, sys
        from contextlib import redirect_stdout
        from pathlib import Path
        from s3tui.cli.main import run

        os.chdir(home := json.loads(sys.argv[1]))
        os.environ |= {"HOME": home, "XDG_STATE_HOME": home, "AWS_EC2_METADATA_DISABLED": "true"}
        with redirect_stdout(io.StringIO()) as told:
            run(["status"])
            for path in Path(home, "s3tui").glob("state.db*"):
                path.chmod(0o400)
            told.truncate(0)
            code = run(["status"])
        print(json.dumps([code, told.getvalue()]))
    """
    code, told = run_unprivileged(script, str(tmp_path))
    [line] = [line for line in told.splitlines() if line.startswith("database")]
    assert code == 1
    assert line.split()[1] == "failed"
    assert "XDG_STATE_HOME" in line


def test_a_state_directory_that_cannot_be_is_told_with_the_way_out(home: Home) -> None:
    (home.work / "file").write_text("")
    result = home.run("status", XDG_STATE_HOME=str(home.work / "file"))
    assert result.code == 1
    assert "XDG_STATE_HOME" in line_of(result, "database")


def test_the_password_of_a_database_is_not_shown(home: Home) -> None:
    result = home.run(
        "status", DATABASE_URL="postgresql://me:hunter4@127.0.0.1:9/jobs", RABBITMQ_URL="amqp://me:hunter5@127.0.0.1:9"
    )
    assert states(result)["database"] == "failed"
    assert "hunter" not in result.stdout + result.stderr


def identity(answer: Callable[[Call], None]) -> ScriptedServer:
    """A token service."""

    def script(call: Call) -> None:
        call.read_body()
        answer(call)

    return ScriptedServer(script)


def test_it_says_who_we_are_where_a_token_service_knows(home: Home, moto_store: Store) -> None:
    home.at(moto_store)
    told = b"<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::1:user/ada</Arn></GetCallerIdentityResult>"
    with identity(lambda call: call.answer(body=told + b"</GetCallerIdentityResponse>")) as service:
        result = home.run("status", AWS_ENDPOINT_URL_STS=service.url)
    assert line_of(result, "credentials").endswith("of arn:aws:iam::1:user/ada")


@pytest.mark.parametrize(
    ("status", "code", "state", "words"),
    [
        (403, "InvalidClientTokenId", "failed", "not valid"),
        (403, "ExpiredToken", "failed", "expired"),
        (500, "InternalError", "ok", "does not answer"),
        (404, "NotFound", "ok", "does not answer"),
    ],
)
def test_only_a_service_that_knows_the_keys_can_say_that_they_are_bad(
    home: Home, moto_store: Store, status: int, code: str, state: str, words: str
) -> None:
    home.at(moto_store)
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>No.</Message></Error></ErrorResponse>".encode()
    with identity(lambda call: call.answer(status, body=body)) as service:
        result = home.run("status", AWS_ENDPOINT_URL_STS=service.url)
    assert states(result)["credentials"] == state
    assert words in line_of(result, "credentials")


def test_a_clock_that_is_off_is_told_with_the_way_out(home: Home) -> None:
    home.environment |= {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    date = f"Date: {formatdate(time.time() + 1200, usegmt=True)}\r\n"
    with ScriptedServer(lambda call: call.refuse(403, "RequestTimeTooSkewed", headers=date)) as server:
        result = home.run("status", "s3://bucket", AWS_ENDPOINT_URL=server.url)
    assert result.code == 1
    assert states(result)["bucket"] == "failed"
    assert "Set the clock" in line_of(result, "bucket")
    assert states(result)["clock"] == "failed"
    assert "behind the store's" in line_of(result, "clock")


def test_it_finds_ffmpeg(home: Home) -> None:
    ffmpeg = find_ffmpeg()
    result = home.run("status", S3TUI_FFMPEG=ffmpeg.path)
    assert line_of(result, "ffmpeg").split() == ["ffmpeg", "ok", f"{ffmpeg.path},", "version", ffmpeg.version]


def test_an_ffmpeg_that_was_named_has_to_be_one(home: Home) -> None:
    result = home.run("status", S3TUI_FFMPEG="/gone/ffmpeg")
    assert states(result)["ffmpeg"] == "failed"
    assert "/gone/ffmpeg does not run" in line_of(result, "ffmpeg")


def test_writing_wants_a_bucket(home: Home) -> None:
    result = home.run("status", "--write")
    assert result.code == 1
    assert "s3tui status s3://BUCKET" in line_of(result, "bucket")

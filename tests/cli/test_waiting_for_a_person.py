"""Commands whose credentials end half-way, with a real `credential_process` that gives no others until somebody signs in again."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from s3tui.model import JobState
from tests.cli.command import Ended, Home, ended
from tests.front import FaultFront
from tests.servers import ACCESS_KEY, Store
from tests.transfer.rides import MIB, filled

pytestmark = pytest.mark.thorough(one_in=5)

PROCESS = """
import datetime, json, pathlib, sys
session = pathlib.Path(sys.argv[1])
if not session.exists():
    sys.exit("The session has ended.")
end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
print(json.dumps({"Version": 1, "AccessKeyId": sys.argv[2], "SecretAccessKey": sys.argv[3], "SessionToken": session.read_text(),
                  "Expiration": end.isoformat()}))
"""


class Session:
    """A person's session: signed in, signed out, signed in again."""

    def __init__(self, home: Home, store: Store, front: FaultFront) -> None:
        self._token = home.directory / "session"
        self._front = front
        program = home.directory / "process.py"
        program.write_text(PROCESS)
        config = home.directory / "aws-config"
        command = f"{sys.executable} {program} {self._token} {ACCESS_KEY} {store.secret}"
        config.write_text(f"[profile short]\ncredential_process = {command}\n")
        home.environment |= {"AWS_ENDPOINT_URL": front.url, "AWS_CONFIG_FILE": str(config), "AWS_PROFILE": "short"}
        self.begin("first")

    def begin(self, token: str) -> None:
        """Sign in."""
        self._token.write_text(token)

    def end(self) -> None:
        """The time is over, for the store as well."""
        self._front.expired.add(self._token.read_text())
        self._token.unlink()


@pytest.fixture
def session(home: Home, rclone_store: Store, front: FaultFront) -> Session:
    """A session on `rclone_store`, behind `front`."""
    return Session(home, rclone_store, front)


def told(stopped: Ended, job: str) -> bool:
    """Whether standard error says what is wrong, what has been done, and how to go on."""
    *_, cause, step = stopped.stderr.splitlines()
    return (
        cause.startswith("s3tui: The access key")
        and "has expired, and there is no other" in cause
        and "The session has ended" in cause
        and step.startswith("The job waits; ")
        and f"the command that began it, or `s3tui jobs resume {job}`" in step
    )


def test_a_command_whose_credentials_end_says_so_and_goes_on_when_it_is_given_again(
    home: Home, rclone_store: Store, front: FaultFront, session: Session, tree: Path
) -> None:
    gate = front.hold("PutObject", "file-150")
    command = ["upload", "tree", f"s3://{rclone_store.bucket}", "--concurrency", "4"]
    process = home.start(*command, "--output-json", "report.json")
    assert gate.arrived.wait(30)
    session.end()
    gate.open()
    stopped = ended(process)
    [job] = home.jobs()
    assert (stopped.code, stopped.stdout) == (1, "")
    assert told(stopped, job.id)
    assert (job.state, job.reason, job.totals.failed) == (JobState.PAUSED, "credentials_expired", 0)
    assert '"state": "paused"' in (home.work / "report.json").read_text()
    assert "The session has ended" in home.run("jobs", "show", job.id).stdout
    session.begin("second")
    again = home.run(*command)
    assert (again.code, again.stderr.splitlines()[0].partition(":")[0]) == (0, f"Resuming job {job.id}")
    assert len(rclone_store.contents()) == 300
    [job] = home.jobs()
    assert (job.state, job.error, job.totals.uploaded) == (JobState.COMPLETED, None, 300)
    assert max(front.accepted["PutObject", f"{number % 10}/file-{number:03}.txt"] for number in range(300)) == 1


def test_resume_goes_on_with_new_credentials_and_sends_no_part_again(
    home: Home, rclone_store: Store, front: FaultFront, session: Session
) -> None:
    (home.work / "big").write_bytes(filled(40 * MIB))
    gate = front.hold("UploadPart", "#5$")
    process = home.start(
        "upload", "big", f"s3://{rclone_store.bucket}", "--part-size", "5MiB", "--concurrency", "1", "--json-lines"
    )
    assert gate.arrived.wait(30)
    session.end()
    gate.open()
    stopped = ended(process)
    [job] = home.jobs()
    assert stopped.code == 1
    assert told(stopped, job.id)
    last = stopped.events[-1]
    assert (last["event"], last["job"], last["reason"]) == ("job_waits", job.id, "credentials_expired")
    assert "The session has ended" in last["error"]
    session.begin("second")
    assert home.run("jobs", "resume", job.id).code == 0
    assert rclone_store.contents() == {"big": filled(40 * MIB)}
    assert front.accepted["UploadPart", "big"] == 8


def test_whoever_watches_such_a_job_is_told_too(
    home: Home, rclone_store: Store, front: FaultFront, session: Session, tree: Path
) -> None:
    gate = front.hold("PutObject", "file-150")
    job = home.run("upload", "tree", f"s3://{rclone_store.bucket}", "--detach").stdout.strip()
    try:
        assert gate.arrived.wait(30)
        watching = home.start("jobs", "watch", job)
        session.end()
        gate.open()
        stopped = ended(watching)
        assert stopped.code == 1
        assert told(stopped, job)
        assert told(home.run("jobs", "watch", job), job)
    finally:
        home.stop_workers()


def test_the_same_command_with_other_keys_in_the_environment_goes_on(home: Home, moto_store: Store, tree: Path) -> None:
    with FaultFront(moto_store.url) as front:
        home.at(moto_store.behind(front))
        home.environment["AWS_SESSION_TOKEN"] = "first"
        gate = front.hold("PutObject", "file-150")
        command = ["upload", "tree", f"s3://{moto_store.bucket}", "--concurrency", "4"]
        process = home.start(*command)
        assert gate.arrived.wait(30)
        front.expired.add("first")
        gate.open()
        stopped = ended(process)
        assert stopped.code == 1
        assert "has expired" in stopped.stderr
        home.environment |= {"AWS_ACCESS_KEY_ID": "ANOTHERKEY", "AWS_SESSION_TOKEN": "second"}
        again = home.run(*command)
        assert again.code == 0, again.stderr
        assert again.stderr.startswith("Resuming job ")
        assert len(home.jobs()) == 1
        assert len(moto_store.contents()) == 300

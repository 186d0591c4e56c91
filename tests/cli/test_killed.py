"""Uploads whose process is killed again and again, at whatever moment: in the end all is there, and hardly anything went twice."""

from __future__ import annotations

import random
import signal

import pytest

from s3tui.model import JobState
from tests.cli.command import Home, ended
from tests.front import FaultFront
from tests.servers import Store
from tests.transfer.rides import MIB, filled
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=8)

KILLS = 20
IN_FLIGHT = 8


def kill_again_and_again(home: Home, front: FaultFront, operation: str, command: list[str], *, total: int) -> int:
    """Run the command to its end, killing it each time a few more requests have come than before; returns how often."""
    dice = random.Random(7)
    for kills in range(KILLS):
        process = home.start(*command)
        goal = front.count(operation) + dice.randrange(1, max(2, total // KILLS))
        wait_until(lambda: process.poll() is not None or front.count(operation) >= goal, 60, "some requests")  # noqa: B023
        if process.poll() is None:
            process.kill()
        assert ended(process).code in (0, -signal.SIGKILL)
        if home.jobs()[0].state is JobState.COMPLETED:
            return kills + 1
    assert home.run(*command).code == 0
    return KILLS


def test_many_files_survive_twenty_kills(home: Home, rclone_store: Store, front: FaultFront) -> None:
    home.at(rclone_store.behind(front))
    contents = {f"{number % 20:02}/file-{number:04}": f"content {number}".encode() * 50 for number in range(1500)}
    for key, data in contents.items():
        path = home.work / "tree" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    command = ["upload", "tree", f"s3://{rclone_store.bucket}", "--concurrency", str(IN_FLIGHT)]
    kills = kill_again_and_again(home, front, "PutObject", command, total=len(contents))
    assert rclone_store.contents() == contents
    accepted = sum(front.accepted["PutObject", key] for key in contents)
    assert accepted - len(contents) <= kills * IN_FLIGHT
    assert len(home.jobs()) == 1


def test_large_files_survive_twenty_kills_and_send_no_part_twice_that_was_stored(
    home: Home, rclone_store: Store, front: FaultFront
) -> None:
    home.at(rclone_store.behind(front))
    contents = {f"big-{number}": filled(80 * MIB + number) for number in range(2)}
    (home.work / "tree").mkdir()
    for key, data in contents.items():
        (home.work / "tree" / key).write_bytes(data)
    parts = sum(-(-len(data) // (5 * MIB)) for data in contents.values())
    command = ["upload", "tree", f"s3://{rclone_store.bucket}", "--concurrency", "4", "--part-size", "5MiB"]
    kills = kill_again_and_again(home, front, "UploadPart", command, total=parts)
    assert rclone_store.contents() == contents
    assert rclone_store.open_uploads() == []
    accepted = sum(front.accepted["UploadPart", key] for key in contents)
    assert accepted - parts <= kills * 4
    assert len(home.jobs()) == 1


def killed_with_parts(home: Home, store: Store, front: FaultFront, *, parts: int) -> list[str]:
    """Kill the upload of a file of 40 MiB when so many of its 8 parts are stored; returns the command."""
    home.at(store.behind(front))
    (home.work / "big").write_bytes(filled(40 * MIB))
    gate = front.hold("UploadPart", rf"#[{parts + 1}-9]$", times=99)
    command = ["upload", "big", f"s3://{store.bucket}", "--part-size", "5MiB"]
    process = home.start(*command)
    assert gate.arrived.wait(30)
    wait_until(lambda: front.accepted["UploadPart", "big"] == parts and parts_known(home) == parts, 30, "the other parts")
    assert "a worker is at work on them" in home.run("status").stdout
    process.kill()
    ended(process)
    gate.times = 0  # what is held stays so: its bytes are on their way, and would be stored
    return command


def parts_known(home: Home) -> int:
    """How many stored parts have been written down."""
    found = [finding for finding in home.run("status", "--json").json if finding["name"] == "uploads"]
    return sum(int(upload["stored"]) for finding in found for upload in finding["uploads"]) // (5 * MIB)


def test_a_killed_large_upload_is_listed_and_goes_on_with_the_parts_that_are_missing(
    home: Home, rclone_store: Store, front: FaultFront
) -> None:
    command = killed_with_parts(home, rclone_store, front, parts=4)
    job = home.jobs()[0].id
    status = home.run("status")
    assert f"20.0 MiB in unfinished uploads of the running job: s3://{rclone_store.bucket}/big, since" in status.stdout
    assert f"`s3tui jobs resume {job}` goes on with them, `s3tui jobs cancel {job}` drops them" in status.stdout
    [listed] = [finding for finding in home.run("status", "--json").json if finding["name"] == "uploads"]
    assert (listed["job"], listed["job_state"]) == (job, "running")
    [upload] = listed["uploads"]
    assert (upload["target"], upload["stored"]) == (f"s3://{rclone_store.bucket}/big", 20 * MIB)
    assert upload["upload_id"]
    again = home.run(*command)
    assert (again.code, again.stderr.splitlines()[0].partition(":")[0]) == (0, f"Resuming job {job}")
    assert rclone_store.contents() == {"big": filled(40 * MIB)}
    assert front.accepted["UploadPart", "big"] == 8
    assert rclone_store.open_uploads() == []
    assert "unfinished" not in home.run("status").stdout


def test_a_cancelled_large_upload_leaves_nothing_on_the_store(home: Home, rclone_store: Store, front: FaultFront) -> None:
    killed_with_parts(home, rclone_store, front, parts=4)
    assert "big" in rclone_store.open_uploads()
    job = home.jobs()[0].id
    cancelled = home.run("jobs", "cancel", job)
    assert cancelled.code == 0
    assert "1 unfinished upload" in cancelled.stderr
    assert "big" not in rclone_store.open_uploads()
    assert "unfinished" not in home.run("status").stdout


def test_a_cancel_that_the_store_does_not_hear_of_says_so_and_may_be_asked_for_again(
    home: Home, rclone_store: Store, front: FaultFront
) -> None:
    home.at(rclone_store.behind(front))
    (home.work / "big").write_bytes(filled(20 * MIB))
    front.fail("UploadPart", r"^big#", status=500, code="InternalError", times=99)
    assert home.run("upload", "big", f"s3://{rclone_store.bucket}", "--max-attempts", "1").code == 2
    assert rclone_store.open_uploads() == ["big"]
    job = home.jobs()[0].id
    front.fail("AbortMultipartUpload", "big", status=403, code="AccessDenied", times=1)
    refused = home.run("jobs", "cancel", job, "--quiet")
    assert (refused.code, rclone_store.open_uploads()) == (1, ["big"])
    assert refused.sentence.startswith(f"s3tui: AbortMultipartUpload s3://{rclone_store.bucket}/big failed: ")
    front.fail("AbortMultipartUpload", "big", status=503, times=1)
    assert home.run("jobs", "cancel", job).code == 0
    assert rclone_store.open_uploads() == []

"""`s3tui upload` and `s3tui jobs` as users run them: the real command against a real S3."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from s3tui.model import Desired, JobState
from tests.cli.command import Home, ended
from tests.front import FaultFront
from tests.servers import ACCESS_KEY, Store
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=5)


def contents(root: Path) -> dict[str, bytes]:
    """Relative path and bytes of every file below a directory."""
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def conserves(report: dict[str, Any]) -> bool:
    """Whether every file that was found has reached an end, and is in the report."""
    totals = report["totals"]
    ends = totals["uploaded"] + totals["skipped"] + totals["failed"]
    return bool(totals["found"] == ends == len(report["files"]))


def read_until(process: subprocess.Popen[bytes], word: str) -> None:
    """Read standard error up to the line that holds the word."""
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if word.encode() in line:
            return
    raise AssertionError(f"the command ended with {process.wait(5)}, without saying {word!r}: {said}")


def test_a_tree_arrives_byte_identical_and_the_report_conserves_it(any_home: Home, rclone_store: Store, tree: Path) -> None:
    any_home.at(rclone_store)
    (tree / "newline\nand \x1b[31mescape").write_text("odd")
    os.mkfifo(tree / "fifo")
    (tree / "link").symlink_to("0/file-000.txt")
    result = any_home.run("upload", "tree", f"s3://{rclone_store.bucket}/p", "--output-json", "report.json")
    assert result.code == 0, result.stderr
    assert "301 uploaded, 2 skipped, 0 failed" in result.stdout
    assert "of 303 found" in result.stdout
    report = json.loads((any_home.work / "report.json").read_text())
    assert conserves(report)
    assert (report["state"], report["kind"], report["target"]) == ("completed", "upload", f"s3://{rclone_store.bucket}/p/")
    assert {file["reason"] for file in report["files"] if file["state"] == "skipped"} == {"not_a_file"}
    (tree / "fifo").unlink()
    check = subprocess.run(
        [
            *(Path(sys.executable).with_name("rclone"), "check", "--download", "--config=", str(tree)),
            f":s3,provider=Rclone,endpoint='{rclone_store.url}',access_key_id={ACCESS_KEY},"
            f"secret_access_key={rclone_store.secret}:{rclone_store.bucket}/p",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert check.returncode == 0, check.stderr


def test_a_file_given_directly_takes_its_base_name(home: Home, rclone_store: Store, tree: Path) -> None:
    home.at(rclone_store)
    result = home.run("upload", "tree/1/file-001.txt", "--quiet", f"s3://{rclone_store.bucket}")
    assert (result.code, result.stderr) == (0, "")
    assert rclone_store.contents() == {"file-001.txt": (tree / "1" / "file-001.txt").read_bytes()}


def test_includes_and_excludes_share_one_order_in_which_the_last_match_wins(home: Home, rclone_store: Store, tree: Path) -> None:
    home.at(rclone_store)
    options = ["--exclude", "*.txt", "--include", "3/*", "--exclude", "file-013.txt"]
    result = home.run("upload", *options, "tree", f"s3://{rclone_store.bucket}", "--output-json", "-", "-q")
    assert set(rclone_store.contents()) == {f"3/file-{number:03}.txt" for number in range(3, 300, 10) if number != 13}
    skipped = [file for file in result.json["files"] if file["state"] == "skipped"]
    assert len(skipped) == 271
    assert {file["reason"] for file in skipped} == {"excluded"}


def test_a_dry_run_writes_nothing_and_apply_carries_exactly_its_plan(any_home: Home, rclone_store: Store, tree: Path) -> None:
    any_home.at(rclone_store)
    target = f"s3://{rclone_store.bucket}"
    any_home.run("upload", "tree/1", target, "--quiet")
    before = rclone_store.contents()
    plan = any_home.run("upload", "tree", f"{target}/all", "--dry-run")
    assert plan.code == 0
    assert rclone_store.contents() == before
    assert ": 300 new (" in plan.stdout
    assert " to send in about 300 requests. Nothing was written" in plan.stdout
    planned = any_home.jobs()[0].id
    assert f"s3tui jobs apply {planned}" in plan.stdout
    (tree / "came later").write_text("not planned")
    applied = any_home.run("jobs", "apply", planned)
    assert applied.code == 0, applied.stderr
    assert "300 uploaded" in applied.stdout
    assert "all/came later" not in rclone_store.contents()
    again = any_home.run("jobs", "apply", planned)
    assert again.code == 1
    assert "not planned" in again.sentence


@pytest.mark.parametrize("kind", ["upload", "backup"])
def test_a_second_run_with_skip_unchanged_sends_what_changed_and_takes_a_tenth_of_the_requests(
    home: Home, rclone_store: Store, front: FaultFront, tree: Path, kind: str
) -> None:
    home.at(rclone_store.behind(front))
    command = [kind, "tree", f"s3://{rclone_store.bucket}/p", "--skip-unchanged"]
    assert "300 uploaded, 0 skipped" in home.run(*command).stdout
    requests = front.requests.total()
    front.requests.clear()
    (tree / "1" / "file-001.txt").write_bytes(b"changed")
    plan = home.run(*command, "--dry-run").stdout
    assert "1 overwrite (7 B), 299 skip (" in plan
    assert "(unchanged)" in plan
    result = home.run(*command, "--output-json", "report.json")
    assert "1 uploaded, 299 skipped, 0 failed" in result.stdout
    report = json.loads((home.work / "report.json").read_text())
    assert {file["reason"] for file in report["files"] if file["state"] == "skipped"} == {"unchanged"}
    receipts = [
        file["checksum"] and (file["etag"] or file["size"] == 0) for file in report["files"]
    ]  # rclone may have none for those
    assert all(receipts)
    assert front.requests.total() <= requests / 10
    assert rclone_store.contents() == {f"p/{name}": content for name, content in contents(tree).items()}


def test_a_dry_run_says_what_would_happen_to_each_file_and_why(home: Home, rclone_store: Store, tree: Path) -> None:
    home.at(rclone_store)
    target = f"s3://{rclone_store.bucket}"
    home.run("upload", "tree/1", f"{target}/1", "--quiet")
    lines = home.run("upload", "tree", target, "--dry-run", "--if-exists", "skip", "--exclude", "2/*").stdout.splitlines()
    by_path = {line[21:].split("  ")[0].split(" -> ")[0]: line for line in lines}
    assert by_path["0/file-000.txt"].startswith("new")
    assert by_path["1/file-001.txt"].startswith("skip")
    assert by_path["1/file-001.txt"].endswith("(exists)")
    assert by_path["2/file-002.txt"].endswith("(excluded)")


def test_show_tells_the_limits_of_a_job(home: Home, rclone_store: Store, tree: Path) -> None:
    home.at(rclone_store)
    home.run("upload", "tree", f"s3://{rclone_store.bucket}", "--dry-run", "--concurrency", "7", "--bandwidth", "10MB/s")
    shown = home.run("jobs", "show", home.jobs()[0].id).stdout
    assert "Concurrency  7\n" in shown
    assert "Bandwidth    10MB/s for each worker\n" in shown


def test_one_refused_key_is_named_and_retry_sends_exactly_that_file(
    any_home: Home, rclone_store: Store, front: FaultFront, tree: Path
) -> None:
    any_home.at(rclone_store.behind(front))
    front.fail("PutObject", "file-123", status=403, code="AccessDenied", times=1)
    result = any_home.run("upload", "tree", f"s3://{rclone_store.bucket}", "--output-json", "report.json")
    assert result.code == 2
    report = json.loads((any_home.work / "report.json").read_text())
    assert conserves(report)
    assert report["state"] == "partial"
    (failed,) = [file for file in report["files"] if file["state"] == "failed"]
    assert (failed["path"], failed["reason"]) == ("3/file-123.txt", "access_denied")
    assert failed["error"]
    assert "3/file-123.txt" in result.stdout
    assert f"s3tui jobs retry {report['job']}" in result.stdout
    assert len(rclone_store.contents()) == 299
    before = Counter({key: count for (operation, key), count in front.requests.items() if operation == "PutObject"})
    retried = any_home.run("jobs", "retry", report["job"][:20].lower())
    assert retried.code == 0, retried.stderr
    after = Counter({key: count for (operation, key), count in front.requests.items() if operation == "PutObject"})
    assert set(after - before) == {"3/file-123.txt"}
    assert rclone_store.contents() == contents(tree)
    assert any_home.run("jobs", "report", report["job"]).json["state"] == "completed"


def test_retry_of_named_files_leaves_the_others_failed(home: Home, rclone_store: Store, front: FaultFront, tree: Path) -> None:
    home.at(rclone_store.behind(front))
    front.fail("PutObject", "file-0[01]7", status=403, code="AccessDenied", times=2)
    assert home.run("upload", "tree", f"s3://{rclone_store.bucket}", "-q").code == 2
    job = home.jobs()[0].id
    assert home.run("jobs", "retry", job, "--file", "no such").code == 1
    assert home.run("jobs", "retry", job, "--file", "7/file-017.txt").code == 2
    report = home.run("jobs", "report", job).json
    assert [file["path"] for file in report["files"] if file["state"] == "failed"] == ["7/file-007.txt"]


def test_retry_of_one_reason_leaves_the_others_failed(home: Home, rclone_store: Store, front: FaultFront, tree: Path) -> None:
    home.at(rclone_store.behind(front))
    front.fail("PutObject", "file-0[01]7", status=403, code="AccessDenied", times=2)
    front.fail("PutObject", "file-02[78]", status=400, code="InvalidArgument", times=2)
    assert home.run("upload", "tree", f"s3://{rclone_store.bucket}", "-q").code == 2
    job = home.jobs()[0].id
    shown = home.run("jobs", "show", job).stdout
    assert "2 failed, access_denied:" in shown
    refused = home.run("jobs", "retry", job, "--reason", "timeout")
    assert (refused.code, "failed for the reason 'timeout'" in refused.stderr) == (1, True)
    assert home.run("jobs", "retry", job, "--reason", "access_denied", "--file", "7/file-007.txt").code == 1
    assert home.run("jobs", "retry", job, "--reason", "access_denied").code == 2
    report = home.run("jobs", "report", job).json
    assert [file["path"] for file in report["files"] if file["state"] == "failed"] == ["7/file-027.txt", "8/file-028.txt"]


def test_names_that_are_not_utf8_fail_alone_and_are_reported_safely(any_home: Home, rclone_store: Store) -> None:
    any_home.at(rclone_store)
    root = any_home.work / "odd"
    root.mkdir()
    for name in (b"caf\xe9", b"plain"):
        (root / os.fsdecode(name)).write_bytes(name)
    result = any_home.run("upload", "odd", f"s3://{rclone_store.bucket}", "--output-json", "report.json")
    assert result.code == 2
    assert r"caf\xe9" in result.stdout
    files = {file["path"]: file for file in json.loads((any_home.work / "report.json").read_text())["files"]}
    assert files["caf\udce9"]["reason"] == "name_not_utf8"
    assert files["caf\udce9"]["path_base64"] == "Y2Fm6Q=="
    assert "path_base64" not in files["plain"]
    assert any_home.run("upload", "odd", f"s3://{rclone_store.bucket}", "--encode-names", "percent", "-q").code == 0
    assert rclone_store.contents() == {"plain": b"plain", "caf%E9": b"caf\xe9"}


def test_json_lines_tell_each_file_once_between_a_start_and_an_end(any_home: Home, rclone_store: Store, tree: Path) -> None:
    any_home.at(rclone_store)
    (tree / "link").symlink_to("0")
    result = any_home.run("upload", "tree", f"s3://{rclone_store.bucket}", "--json-lines")
    events = result.events
    assert (events[0]["event"], events[-1]["event"]) == ("job_started", "job_ended")
    assert events[-1]["state"] == "completed"
    assert events[-1]["totals"]["uploaded"] == 300
    files = [event for event in events if event["event"] == "file"]
    assert sorted(file["path"] for file in files) == sorted([*contents(tree), "link"])
    assert any(event["event"] == "progress" for event in events)
    assert {event["job"] for event in events} == {events[0]["job"]}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_after_an_interruption_the_same_command_resumes_without_sending_finished_files_again(
    any_home: Home, rclone_store: Store, front: FaultFront, tree: Path, number: signal.Signals
) -> None:
    any_home.at(rclone_store.behind(front))
    held = front.hold("PutObject", "file-150")
    command = ["upload", "tree", f"s3://{rclone_store.bucket}", "--concurrency", "4"]
    process = any_home.start(*command)
    assert held.arrived.wait(30)
    process.send_signal(number)
    read_until(process, "Stopping")
    held.open()
    stopped = ended(process)
    assert stopped.code == 130, stopped.stderr
    assert "the state is saved" in stopped.stderr
    resumed = any_home.run(*command)
    assert resumed.code == 0, resumed.stderr
    assert resumed.stderr.startswith("Resuming job ")
    assert len(any_home.jobs()) == 1
    assert rclone_store.contents() == contents(tree)
    sent_again = [key for key in contents(tree) if front.accepted["PutObject", key] != 1]
    assert sent_again == [], "what was in flight ended within the grace, and nothing was sent twice"


def test_killed_at_once_the_same_command_finishes_the_job_without_sending_finished_files_again(
    any_home: Home, rclone_store: Store, front: FaultFront, tree: Path
) -> None:
    any_home.at(rclone_store.behind(front))
    held = front.hold("PutObject", "5/file-105")
    command = ["upload", "tree", f"s3://{rclone_store.bucket}", "--concurrency", "4"]
    process = any_home.start(*command)
    assert held.arrived.wait(30)
    wait_until(lambda: any_home.jobs()[0].totals.uploaded >= 150, 30, "half of the files to be written down")
    process.kill()
    assert ended(process).code == -signal.SIGKILL
    held.open()
    finished = [file["key"] for file in any_home.report() if file["state"] == "uploaded"]
    resumed = any_home.run(*command, "--output-json", "report.json")
    assert resumed.code == 0, resumed.stderr
    assert resumed.stderr.startswith("Resuming job ")
    assert conserves(json.loads((any_home.work / "report.json").read_text()))
    assert rclone_store.contents() == contents(tree)
    assert len(finished) >= 150
    assert [key for key in finished if front.accepted["PutObject", key] != 1] == []
    sent_twice = [key for (operation, key), count in front.accepted.items() if operation == "PutObject" and count > 1]
    assert sent_twice == [], "what was stored before the kill is recognised, even where the fact of it was lost"


def test_a_second_signal_leaves_at_once(home: Home, rclone_store: Store, front: FaultFront, tree: Path) -> None:
    home.at(rclone_store.behind(front))
    held = front.hold("PutObject", "file-200")
    process = home.start("upload", "tree", f"s3://{rclone_store.bucket}", "--concurrency", "4")
    assert held.arrived.wait(30)
    process.send_signal(signal.SIGINT)
    read_until(process, "Stopping")
    process.send_signal(signal.SIGINT)
    left = ended(process)
    assert left.code == 130
    assert "the state is saved" not in left.stderr, "it takes no leave"
    assert home.jobs()[0].desired is Desired.PAUSE, "no background worker shall go on with it unasked"


def test_detach_prints_the_id_of_a_job_that_a_background_worker_completes(any_home: Home, rclone_store: Store, tree: Path) -> None:
    any_home.at(rclone_store)
    try:
        detached = any_home.run("upload", "tree", f"s3://{rclone_store.bucket}", "--detach")
        assert detached.code == 0, detached.stderr
        job = detached.stdout.strip()
        watched = any_home.run("jobs", "watch", job)
        assert watched.code == 0, watched.stderr
        assert "300 uploaded" in watched.stdout
    finally:
        any_home.stop_workers()
    assert rclone_store.contents() == contents(tree)


def test_a_cancelled_job_is_over_and_cannot_be_resumed(any_home: Home, rclone_store: Store, tree: Path) -> None:
    any_home.at(rclone_store)
    any_home.run("upload", "tree", f"s3://{rclone_store.bucket}", "--dry-run")
    job = any_home.jobs()[0].id
    assert any_home.run("jobs", "cancel", job).code == 0
    assert any_home.run("jobs", "show", job, "--json").json["state"] == "cancelled"
    assert "cancelled" in any_home.run("jobs", "resume", job).sentence


def test_a_pause_holds_a_running_job_until_it_is_resumed(
    any_home: Home, rclone_store: Store, front: FaultFront, tree: Path
) -> None:
    any_home.at(rclone_store.behind(front))
    held = [front.hold("PutObject", key) for key in ("file-150", "file-151")]
    process = any_home.start("upload", "tree", f"s3://{rclone_store.bucket}", "--concurrency", "2", "-q")
    assert all(request.arrived.wait(30) for request in held)
    job = any_home.jobs()[0].id
    assert any_home.run("jobs", "pause", job).code == 0
    for _ in range(2):  # the first beat may have begun before the wish was written
        beat = any_home.last_beat()
        wait_until(lambda: any_home.last_beat() > beat, 30, "the worker to hear of it")  # noqa: B023
    for request in held:
        request.open()
    wait_until(lambda: any_home.jobs()[0].state is JobState.PAUSED, 30, "the job to be paused")
    assert process.poll() is None
    assert any_home.run("jobs", "resume", job, "--quiet").code == 0
    assert ended(process).code == 0
    assert rclone_store.contents() == contents(tree)


def test_metadata_tags_and_headers_reach_the_object(home: Home, moto_store: Store, tree: Path) -> None:
    home.at(moto_store)
    options = ["--metadata", "a=b=c", "--metadata", "x=", "--tag", "team=blue", "--cache-control", "no-cache"]
    code = home.run("upload", "tree/1/file-001.txt", f"s3://{moto_store.bucket}", *options, "--content-type", "text/x-test").code
    assert code == 0
    client = moto_store.client()
    head = client.head_object(Bucket=moto_store.bucket, Key="file-001.txt")
    assert head["Metadata"] == {"a": "b=c", "x": ""}
    assert (head["CacheControl"], head["ContentType"]) == ("no-cache", "text/x-test")
    tags = client.get_object_tagging(Bucket=moto_store.bucket, Key="file-001.txt")["TagSet"]
    assert tags == [{"Key": "team", "Value": "blue"}]

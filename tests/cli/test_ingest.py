"""`s3tui ingest` as users run it: the real command, a real S3, and both databases."""

from __future__ import annotations

import base64
import gzip
import json
import os
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from s3tui.model import JobState
from s3tui.state.settling import DONE, READY
from s3tui.state.store import Store as StateStore
from tests.cli.command import Home, ended
from tests.front import FaultFront
from tests.servers import Store
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=9)


def table(home: Home, name: str, count: int) -> Path:
    """A CSV file of so many rows in the working directory."""
    path = home.work / name
    path.write_text("id,name\n" + "".join(f"{number},name {number}\n" for number in range(1, count + 1)))
    return path


def state_of(home: Home) -> StateStore:
    """The user's state, to look at behind the scenes."""
    return StateStore(home.environment.get("DATABASE_URL", "sqlite"), home.directory / "state" / "s3tui")


def lines(home: Home, job_id: str) -> list[int]:
    """The lines of all rows of a job that are in the database, in order."""
    with closing(state_of(home)) as state, state.database.read() as connection:
        found = connection.rows("SELECT line FROM ingest_rows WHERE job_id = :id ORDER BY file, line", id=job_id)
        return [line for (line,) in found]


def objects(store: Store, job_id: str) -> dict[str, bytes]:
    """The objects of a job by name, as if it had no id."""
    prefix = f"p/uploads/{job_id}/"
    return {
        key.removeprefix(prefix): data.replace(job_id.encode(), b"")
        for key, data in store.contents().items()
        if key.startswith(prefix)
    }


def test_all_rows_arrive_and_the_report_counts_them(any_home: Home, rclone_store: Store) -> None:
    any_home.at(rclone_store)
    table(any_home, "a.csv", 2500)
    (any_home.work / "b.csv.gz").write_bytes(gzip.compress(b"x;y\n1;2\n3;4\n"))
    ended = any_home.run("ingest", "a.csv", "b.csv.gz", f"s3://{rclone_store.bucket}/p", "--output-json", "-")
    assert ended.code == 0, ended.stderr
    report = ended.json
    assert (report["kind"], report["state"], report["url"]) == ("ingest", "completed", None)
    assert report["rows"] == {"read": 2502, "inserted": 2502, "rejected": 0}
    first, second = report["files"]
    assert (first["path"], first["state"], first["size"], first["rejects_url"]) == (
        "a.csv",
        "verified",
        (any_home.work / "a.csv").stat().st_size,
        None,
    )
    assert (first["key"], second["key"]) == (
        f"p/uploads/{report['job']}/batch-000001.json",
        f"p/uploads/{report['job']}/batch-000004.json",
    )
    assert second["rows"] == {"read": 2, "inserted": 2, "rejected": 0}
    assert lines(any_home, report["job"]) == [*range(2, 2502), 2, 3]
    assert sorted(objects(rclone_store, report["job"])) == [f"batch-{number:06}.json" for number in range(1, 5)]
    assert json.loads(objects(rclone_store, report["job"])["batch-000004.json"])["rows"] == [["1", "2"], ["3", "4"]]


def test_rejected_rows_are_exit_code_two_and_their_file_can_be_mended_and_ingested(home: Home, rclone_store: Store) -> None:
    home.at(rclone_store)
    (home.work / "a.csv").write_text("id,name\n1,Ann\n2\n3,Bob,?\n")
    target = f"s3://{rclone_store.bucket}/p"
    ended = home.run("ingest", "a.csv", target)
    assert ended.code == 2
    job = home.jobs()[0]
    assert job.state is JobState.PARTIAL
    assert "1 row inserted, 2 rejected of 3 read" in ended.stdout
    assert "1 row inserted, 2 rejected of 3 read" in home.run("jobs", "show", job.id).stdout
    assert "1 too_few_fields" in ended.stdout
    assert f"/p/uploads/{job.id}/rejects.csv has them" in ended.stdout
    rejects = objects(rclone_store, job.id)["rejects.csv"].decode()
    assert rejects.splitlines() == ["id,name,_line,_reason", "2,,3,too_few_fields", "3,Bob,4,too_many_fields,?"]
    (home.work / "rejects.csv").write_text(rejects.replace("2,,", "2,Cyd,").replace(",?", ""))
    assert home.run("ingest", "rejects.csv", target).code == 0
    assert lines(home, home.jobs()[0].id) == [2, 3]


def test_a_strict_file_fails_whole(home: Home, rclone_store: Store) -> None:
    home.at(rclone_store)
    (home.work / "a.csv").write_text("id,name\n1,Ann\n2\n")
    ended = home.run("ingest", "a.csv", f"s3://{rclone_store.bucket}/p", "--strict", "--output-json", "-")
    [file] = ended.json["files"]
    assert (ended.code, file["state"], file["reason"]) == (2, "failed", "rejected_row")
    assert "line 3 is no row (too_few_fields)" in file["error"]
    assert file["rows"] == {"read": 0, "inserted": 0, "rejected": 0}
    assert lines(home, home.jobs()[0].id) == []


def test_a_dry_run_says_how_files_are_written_and_what_would_be_rejected(home: Home, rclone_store: Store) -> None:
    home.at(rclone_store)
    (home.work / "a.csv").write_bytes("id;städte;at\n1;Köln;2026-11-21\n2;Bonn\n".encode("latin-1"))
    (home.work / "empty.csv").write_bytes(b"")
    target = f"s3://{rclone_store.bucket}/p"
    ended = home.run("ingest", "a.csv", "empty.csv", target, "--dry-run")
    assert ended.code == 2
    assert 'Windows-1252 (assumed: it is not UTF-8), semicolon-separated, quoted by "' in ended.stdout
    assert "3 columns: id integer, städte text, at date" in ended.stdout
    assert "1 | Köln | 2026-11-21" in ended.stdout
    assert "1 row, 1 rejected (1 too_few_fields)" in ended.stdout
    assert "fails: Cannot ingest empty.csv" in ended.stdout
    assert "1 row for the table ingest_rows, in 1 batch of 2 files, 1 rejected, 1 failed." in ended.stdout
    job = home.jobs()[0]
    assert (job.state, rclone_store.contents(), lines(home, job.id)) == (JobState.PLANNED, {}, [])
    assert home.run("jobs", "apply", job.id).code == 2
    assert lines(home, job.id) == [2]
    report = home.run("ingest", "a.csv", target, "--dry-run", "--output-json", "-").json
    assert report["files"][0]["csv"]["columns"] == ["id", "städte", "at"]
    assert report["files"][0]["csv"]["counted"] == {"rows": 1, "rejected": 1, "too_few_fields": 1}
    [file] = [
        event for event in home.run("ingest", "a.csv", target, "--dry-run", "--json-lines").events if event["event"] == "file"
    ]
    assert file["csv"] == report["files"][0]["csv"]


def test_json_lines_tell_rows(home: Home, rclone_store: Store) -> None:
    home.at(rclone_store)
    table(home, "a.csv", 5)
    ended = home.run("ingest", "a.csv", f"s3://{rclone_store.bucket}", "--json-lines", "--batch-rows", "2")
    counted = {"read": 5, "inserted": 5, "rejected": 0}
    [file] = [event for event in ended.events if event["event"] == "file"]
    assert (file["rows"], file["rejects_url"]) == (counted, None)
    assert all(set(event["rows"]) == set(counted) for event in ended.events if event["event"] == "progress")
    assert ended.events[-1]["event"] == "job_ended"
    assert ended.events[-1]["rows"] == counted
    assert len(rclone_store.contents()) == 3


def test_the_background_worker_ingests_what_is_detached(home: Home, rclone_store: Store) -> None:
    home.at(rclone_store)
    table(home, "a.csv", 50)
    try:
        job_id = home.run("ingest", "a.csv", f"s3://{rclone_store.bucket}", "--detach").stdout.strip()
        assert home.run("jobs", "watch", job_id).code == 0
        assert lines(home, job_id) == list(range(2, 52))
    finally:
        home.stop_workers()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("a.csv", "s3://b/p", "--table", "batch"), "batch is a table"),
        (("a.csv", "s3://b/p", "--payload", "pigeon"), "pigeon"),
        (("a.csv", "s3://b/p", "--batch-rows", "0"), "ingest.batch_rows"),
        (("a.csv", "s3://b/p", "--delimiter", "::"), "delimiter"),
        (("a.csv", "s3://b/p", "--encoding", "klingon"), "klingon"),
        (("a.csv", "s3://b/p", "--schema", "id:colour"), "colour"),
        (("a.csv", "s3://b/p", "--schema-file", "gone"), "gone"),
        (("gone.csv", "s3://b/p"), "gone.csv"),
        (("a.csv",), "s3://BUCKET"),
        (("s3://b/p", "a.csv"), "s3tui ingest a.csv s3://b/p"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(home: Home, words: tuple[str, ...], says: str) -> None:
    table(home, "a.csv", 1)
    ended = home.run("ingest", *words)
    assert (ended.code, says in ended.sentence) == (1, True), ended.stderr


def test_a_schema_gives_types(home: Home, rclone_store: Store) -> None:
    home.at(rclone_store)
    table(home, "a.csv", 2)
    (home.work / "columns").write_text("id:integer\nname:text\n")
    assert home.run("ingest", "a.csv", f"s3://{rclone_store.bucket}/p", "--schema-file", "columns").code == 0
    [batch] = objects(rclone_store, home.jobs()[0].id).values()
    assert json.loads(batch)["rows"] == [[1, "name 1"], [2, "name 2"]]


def test_a_file_may_be_called_anything(home: Home, rclone_store: Store) -> None:
    home.at(rclone_store)
    (home.work / os.fsdecode(b"a\xff\n\x1b[2J.csv")).write_text("id\n1\n2,3\n")
    ended = home.run("ingest", b"a\xff\n\x1b[2J.csv", f"s3://{rclone_store.bucket}/p", "--output-json", "report.json")
    [file] = json.loads((home.work / "report.json").read_text())["files"]
    assert (ended.code, base64.b64decode(file["path_base64"])) == (2, b"a\xff\n\x1b[2J.csv")
    assert (file["rows"], "\x1b" in ended.stdout + ended.stderr) == ({"read": 2, "inserted": 1, "rejected": 1}, False)
    strict = home.run("ingest", b"a\xff\n\x1b[2J.csv", f"s3://{rclone_store.bucket}/p", "--strict")
    assert (strict.code, "\x1b" in strict.stdout + strict.stderr) == (2, False)


def test_a_disk_that_takes_no_batches_is_one_sentence_and_the_same_command_resumes(home: Home, rclone_store: Store) -> None:
    home.at(rclone_store)
    table(home, "a.csv", 5)
    in_the_way = home.directory / "state" / "s3tui" / "ingest"
    in_the_way.parent.mkdir(parents=True)
    in_the_way.write_text("")
    command = ("ingest", "a.csv", f"s3://{rclone_store.bucket}/p")
    stopped = home.run(*command)
    assert (stopped.code, "cannot be written to the state directory: Not a directory" in stopped.sentence) == (1, True)
    in_the_way.unlink()
    assert home.run(*command).code == 0
    [job] = home.jobs()
    assert lines(home, job.id) == list(range(2, 7))


_METERED = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(usage.ru_maxrss, usage.ru_utime + usage.ru_stime, file=sys.stderr)
sys.exit(code)
"""
"""Runs a command and tells its peak memory and CPU seconds. A process inherits the peak of who started it: this one is small."""


def test_a_gigabyte_in_a_megabyte_of_gzip_is_one_record_that_is_too_large_and_takes_no_memory(
    home: Home, rclone_store: Store
) -> None:
    home.at(rclone_store)
    zeros = gzip.compress(bytes(1 << 20)) * 1024
    (home.work / "bomb.csv.gz").write_bytes(gzip.compress(b"id,name\n1,a\n") + zeros + gzip.compress(b"\n2,b\n"))
    home.wrapper = (sys.executable, "-c", _METERED)
    ended = home.run("ingest", "bomb.csv.gz", f"s3://{rclone_store.bucket}/p", "-q")
    peak, seconds = map(float, ended.stderr.splitlines()[-1].split())
    assert ended.code == 2
    assert peak / (1 << (20 if sys.platform == "darwin" else 10)) < 400, "MiB"
    assert seconds < 60
    home.wrapper = ()
    [job] = home.jobs()
    assert lines(home, job.id) == [2, 4]
    with closing(state_of(home)) as state:
        assert state.rejects.reasons(job.no) == [("too_large", 1)]
    assert sum(map(len, rclone_store.contents().values())) < 64 << 20


def test_ctrl_c_saves_the_state_and_the_same_command_resumes(home: Home, rclone_store: Store, front: FaultFront) -> None:
    home.at(rclone_store.behind(front))
    table(home, "a.csv", 500)
    held = front.hold("PutObject", "batch-000015")
    command = ("ingest", "a.csv", f"s3://{rclone_store.bucket}/p", "--batch-rows", "10")
    process = home.start(*command)
    assert held.arrived.wait(30)
    process.send_signal(signal.SIGINT)
    stopped = ended(process)
    held.open()
    assert (stopped.code, "the state is saved" in stopped.stderr) == (130, True), stopped.stderr
    again = home.run(*command)
    [job] = home.jobs()
    assert (again.code, again.stderr.splitlines()[0].partition(":")[0]) == (0, f"Resuming job {job.id}")
    assert lines(home, job.id) == list(range(2, 502))


def killed_half_way(home: Home, front: FaultFront, command: tuple[str, ...], *, at: int) -> None:
    """Run a command and kill it when so many more objects have come."""
    process = home.start(*command)
    goal = front.count("PutObject") + at
    wait_until(lambda: process.poll() is not None or front.count("PutObject") >= goal, 60, "some objects")
    process.kill()
    assert ended(process).code in (0, 2, -signal.SIGKILL)


def test_rows_come_once_and_objects_are_the_same_however_often_it_is_killed(
    any_home: Home, rclone_store: Store, front: FaultFront
) -> None:
    any_home.at(rclone_store.behind(front))
    source = table(any_home, "a.csv", 20_000)
    with source.open("a") as file:
        file.write("20001\n")
    command = ("ingest", "a.csv", f"s3://{rclone_store.bucket}/p", "--batch-rows", "50")
    for kill in range(8):
        killed_half_way(any_home, front, command, at=5 + 12 * kill)
    assert any_home.run(*command).code == 2
    [job] = any_home.jobs()
    assert lines(any_home, job.id) == list(range(2, 20_002))
    assert any_home.run(*command).code == 2
    undisturbed = any_home.jobs()[0]
    assert undisturbed.id != job.id
    assert objects(rclone_store, job.id) == objects(rclone_store, undisturbed.id)
    assert len(objects(rclone_store, job.id)) == 402


def test_without_the_ledger_a_kill_would_bring_rows_twice(home: Home, rclone_store: Store, front: FaultFront) -> None:
    """The negative control of the test above: its rows are counted by what can see duplicates."""
    home.at(rclone_store.behind(front))
    table(home, "a.csv", 2000)
    command = ("ingest", "a.csv", f"s3://{rclone_store.bucket}/p", "--batch-rows", "50")
    held = front.hold("PutObject", "batch-00003")
    process = home.start(*command)
    assert held.arrived.wait(30)
    wait_until(lambda: landed(home), 30, "the first rows")
    process.kill()
    ended(process)
    held.open()
    with closing(state_of(home)) as state, state.database.write() as connection:
        connection.execute("UPDATE batch SET done = FALSE")
        connection.execute("UPDATE csv_file SET batches_done = 0, inserted = 0, landed = 0")
        connection.execute(f"UPDATE unit SET state = {READY} WHERE kind = 'carry'")
        connection.execute(f"UPDATE job SET units_done = (SELECT count(*) FROM unit WHERE state = {DONE})")
    assert home.run(*command).code == 0
    [job] = home.jobs()
    found = lines(home, job.id)
    assert set(found) == set(range(2, 2002))
    assert len(found) > 2000


def landed(home: Home) -> bool:
    """Whether any row is in the database, which may not be there yet."""
    path = home.directory / "state" / "s3tui" / "state.db"
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT 1 FROM ingest_rows LIMIT 1").fetchone() is not None


@pytest.mark.parametrize("one_dies", [False, True])
def test_two_workers_share_a_file(any_home: Home, rclone_store: Store, front: FaultFront, one_dies: bool) -> None:
    any_home.at(rclone_store.behind(front))
    table(any_home, "a.csv", 5000)
    held = front.hold("PutObject", "batch-", times=999)
    workers = [any_home.start("worker"), any_home.start("worker")]
    try:
        wait_until(lambda: len(any_home.workers()) == 2, 60, "both workers")
        job_id = any_home.run("ingest", "a.csv", f"s3://{rclone_store.bucket}/p", "--batch-rows", "50", "--detach").stdout.strip()
        with closing(state_of(any_home)) as state:
            [job] = state.jobs.find(job_id)
            wait_until(lambda: len(state.workers.of_job(job)) == 2, 60, "both to work on it")
        if one_dies:
            workers[0].kill()
        held.times = 0
        held.open()
        assert any_home.run("jobs", "watch", job_id).code == 0
        assert lines(any_home, job_id) == list(range(2, 5002))
        assert len(objects(rclone_store, job_id)) == 100
    finally:
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
            worker.communicate(timeout=60)


def test_rejects_are_listed_one_a_line_or_as_objects(any_home: Home, rclone_store: Store) -> None:
    home = any_home
    home.at(rclone_store)
    (home.work / "a.csv").write_bytes(b"id,name\n2\n3,\xff\x1b[2J\n" + b"4,b\n" * 600 + b"4,b,c\n" * 600)
    (home.work / "b.csv").write_bytes(b'id,name\n1,"a\nb" c\n')
    assert home.run("ingest", "a.csv", "b.csv", f"s3://{rclone_store.bucket}/p", "--encoding", "utf-8").code == 2
    [job] = home.jobs()
    some = home.run("jobs", "rejects", job.id, "--limit", "2")
    assert some.stdout.splitlines() == [
        "a.csv:2: too_few_fields: 2 fields are expected and it has 1: 2",
        r"a.csv:3: undecodable: its byte 3 is not UTF-8 (invalid start byte): 3,\xff\x1b[2J",
    ]
    assert "2 of 603 rejected records; --limit 0 prints all of them." in some.stderr
    assert "/rejects-2.csv" in some.stderr
    every = home.run("jobs", "rejects", job.id, "--limit", "0", "--json-lines").events
    assert len(every) == 603
    assert every[1]["raw"] == "3,\udcff\x1b[2J"
    assert [one["line"] for one in every[:-1]] == [2, 3, *range(604, 1204)]
    assert every[-1] == {
        "path": "b.csv",
        "file": 2,
        "line": 2,
        "record": 1,
        "reason": "text_after_quote",
        "detail": "text follows a closing quote; a quote inside a quoted field is written twice",
        "raw": '1,"a\nb" c',
        "bytes": 9,
    }
    assert home.run("jobs", "rejects", "01NOSUCHJOB").code == 1

"""What a command writes about a job: the files as CSV, and a summary that a person takes in at a glance."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest

from tests.cli.command import Home
from tests.servers import Store


@pytest.fixture
def odd(home: Home) -> Path:
    """A good file, three that are skipped, and one whose name cannot be a key."""
    root = home.work / "odd"
    root.mkdir()
    (root / "good, indeed").write_text("contents")
    (root / "link").symlink_to("good, indeed")
    for name in ("fifo", "pipe"):
        os.mkfifo(root / name)
    Path(os.fsdecode(os.fsencode(root) + b"/caf\xe9")).write_text("contents")
    return root


def rows_of(text: str) -> dict[str, dict[str, str]]:
    """The lines of a CSV file, by path."""
    return {row["path"]: row for row in csv.DictReader(text.splitlines())}


def test_the_files_of_a_job_are_written_as_csv_beside_the_json(home: Home, rclone_store: Store, odd: Path) -> None:
    home.at(rclone_store)
    done = home.run("upload", "odd", f"s3://{rclone_store.bucket}", "--output-csv", "files.csv", "--output-json", "-")
    assert done.code == 2, done.stderr
    written = (home.work / "files.csv").read_bytes()
    rows = rows_of(written.decode())
    assert [file["path"] for file in done.json["files"]] == ["caf\udce9", "fifo", "good, indeed", "link", "pipe"]
    assert set(rows) == {r"caf\udce9", "fifo", "good, indeed", "link", "pipe"}
    assert (rows["good, indeed"]["state"], rows["good, indeed"]["size"], rows["good, indeed"]["error"]) == ("uploaded", "8", "")
    assert (rows[r"caf\udce9"]["reason"], rows[r"caf\udce9"]["path_base64"]) == ("name_not_utf8", "Y2Fm6Q==")
    again = home.run("jobs", "report", done.json["job"], "--csv", "-", LC_ALL="C", PYTHONUTF8="0")
    assert again.code == 0
    assert again.stdout.encode() == written
    assert [path.name for path in home.work.iterdir() if "partial" in path.name] == []


def test_a_report_in_both_forms_goes_to_files(home: Home, rclone_store: Store, odd: Path) -> None:
    home.at(rclone_store)
    home.run("upload", "odd", f"s3://{rclone_store.bucket}")
    job = home.jobs()[0].id
    done = home.run("jobs", "report", job, "--csv", "files.csv", "--output-json", "report.json")
    assert (done.code, done.stdout) == (0, "")
    files = json.loads((home.work / "report.json").read_text())["files"]
    assert len(rows_of((home.work / "files.csv").read_text())) == len(files) == 5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--json-lines", "--output-csv", "-"), "--json-lines and --output-csv - both want standard output"),
        (("--output-json", "-", "--output-csv", "-"), "--output-json - and --output-csv - both want standard output"),
        (("--output-csv", "missing/files.csv"), "The report cannot be written to missing/files.csv"),
    ],
)
def test_a_csv_that_cannot_be_written_is_refused_before_any_work(
    home: Home, rclone_store: Store, odd: Path, words: tuple[str, ...], said: str
) -> None:
    home.at(rclone_store)
    done = home.run("upload", "odd", f"s3://{rclone_store.bucket}", *words)
    assert done.code == 1
    assert said in done.sentence
    assert home.jobs() == []


def test_the_summary_groups_what_was_skipped_and_what_failed_by_cause(any_home: Home, rclone_store: Store, odd: Path) -> None:
    any_home.at(rclone_store)
    any_home.run("upload", "odd", f"s3://{rclone_store.bucket}")
    done = any_home.run("upload", "odd", f"s3://{rclone_store.bucket}", "--if-exists", "skip")
    _, *lines = done.stdout.splitlines()
    assert lines[:3] == ["  3 skipped, not_a_file", "  1 skipped, exists", "  1 failed, name_not_utf8:"]
    assert lines[3].startswith(r"    caf\xe9: The name of caf\xe9 is not UTF-8")

"""Choosing files, as users do it: the real command against a real S3."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Home, ended
from tests.front import FaultFront
from tests.servers import Store
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=5)

DAY = 86_400


@pytest.fixture
def mixed(home: Home) -> Path:
    """A directory as people have them."""
    root = home.work / "mixed"
    for name in (
        "main.py",
        "main.pyc",
        "node_modules/x/y.js",
        ".git/config",
        ".env",
        "doc/a.txt",
        "doc/new\nline.txt",
        "b\udce9",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name, errors="surrogateescape")
    return root


def _reasons(report: dict[str, Any]) -> dict[str, str | None]:
    totals = report["totals"]
    assert totals["found"] == totals["uploaded"] + totals["skipped"] + totals["failed"] == len(report["files"])
    return {file["path"]: file["reason"] for file in report["files"]}


def _lists(home: Home) -> list[Path]:
    return list((home.directory / "state" / "s3tui" / "lists").glob("*"))


def _given(home: Home, content: bytes, *words: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command with this on its standard input."""
    command = [sys.executable, "-m", "s3tui", *words]
    return subprocess.run(command, cwd=home.work, env=home.variables, input=content, capture_output=True, check=False, timeout=60)


def test_ignored_and_hidden_names_are_left_out_with_a_row_each(any_home: Home, rclone_store: Store, mixed: Path) -> None:
    any_home.at(rclone_store)
    (any_home.work / "ignore").write_bytes(b"*.pyc\r\nnode_modules/\n*.txt\n")
    (any_home.work / "more").write_bytes(b"!a.txt\nb?\n")
    chosen = ["--ignore-file", "ignore", "--ignore-file", "more", "--no-hidden", "--include", "*"]
    result = any_home.run("upload", "mixed", f"s3://{rclone_store.bucket}", *chosen, "--output-json", "report.json")
    assert result.code == 0, result.stderr
    assert _reasons(json.loads((any_home.work / "report.json").read_text())) == {
        ".env": "excluded",
        ".git/": "excluded",
        "b\udce9": "excluded",
        "doc/a.txt": None,
        "doc/new\nline.txt": "excluded",
        "main.py": None,
        "main.pyc": "excluded",
        "node_modules/": "excluded",
    }
    assert sorted(rclone_store.contents()) == ["doc/a.txt", "main.py"]


def test_size_and_age_are_told_as_reasons_of_a_dry_run(home: Home, rclone_store: Store) -> None:
    home.at(rclone_store)
    root = home.work / "sized"
    root.mkdir()
    for name, size, days in (("good", 2000, 10), ("small", 10, 10), ("large", 5000, 10), ("new", 2000, 0), ("old", 2000, 100)):
        (root / name).write_bytes(b"x" * size)
        modified = (root / name).stat().st_mtime - days * DAY
        os.utime(root / name, (modified, modified))
    limits = ["--min-size", "1KB", "--max-size", "2KB", "--min-age", "1d", "--max-age", "4w"]
    lines = home.run("upload", "sized", f"s3://{rclone_store.bucket}", "--dry-run", *limits).stdout
    by_name = {line[21:].split()[0]: line for line in lines.splitlines()[:5]}
    assert by_name["good"].startswith("new")
    for name, reason in (("small", "size_limit"), ("large", "size_limit"), ("new", "age_limit"), ("old", "age_limit")):
        assert by_name[name].startswith("skip")
        assert by_name[name].endswith(f"({reason})")


def test_a_list_of_files_is_taken_from_standard_input_and_forgotten(any_home: Home, rclone_store: Store, mixed: Path) -> None:
    any_home.at(rclone_store)
    listed = b"\0".join([b"doc/new\nline.txt", b"main.py", bytes(mixed) + b"/doc/a.txt", b"gone", b"../ignore", b"doc", b""])
    command = ["upload", "mixed", f"s3://{rclone_store.bucket}", "--files-from", "-", "-0", "--exclude", "a.txt"]
    result = _given(any_home, listed, *command, "--output-json", "report.json")
    assert result.returncode == 2, result.stderr
    report = json.loads((any_home.work / "report.json").read_text())
    assert _reasons(report) == {
        "../ignore": "outside_source",
        "doc": "is_a_directory",
        "doc/a.txt": "excluded",
        "doc/new\nline.txt": None,
        "gone": "source_vanished",
        "main.py": None,
    }
    assert all(file["error"] for file in report["files"] if file["state"] == "failed")
    assert b"--files-from takes files" in result.stdout
    assert sorted(rclone_store.contents()) == ["doc/new\nline.txt", "main.py"]
    assert _lists(any_home) == []


def _killed_while_it_plans(home: Home, front: FaultFront, command: list[str], *, scanned: bool = False) -> None:
    """Kill a command before its scan, while it looks for the bucket, or after it, while it compares."""
    held = front.hold("ListObjectsV2" if scanned else "HeadBucket")
    process = home.start(*command)
    assert held.arrived.wait(30)
    process.kill()
    assert ended(process).code == -signal.SIGKILL
    held.open()


@pytest.mark.parametrize("scanned", [False, True])
def test_a_job_of_a_list_survives_a_kill_and_the_same_command_resumes_it(
    any_home: Home, rclone_store: Store, front: FaultFront, tree: Path, scanned: bool
) -> None:
    any_home.at(rclone_store.behind(front))
    listed = sorted(str(path.relative_to(tree)) for path in tree.rglob("*7.txt"))
    (any_home.work / "list").write_text("\n".join(listed))
    command = ["upload", "tree", f"s3://{rclone_store.bucket}", "--files-from", "list", "--if-exists", "skip"]
    _killed_while_it_plans(any_home, front, command, scanned=scanned)
    assert len(_lists(any_home)) == 1
    assert (any_home.jobs()[0].totals.found > 0) is scanned
    (any_home.work / "list").write_text("\n".join(reversed(listed)) + "\n\n")  # another spelling of the same list
    resumed = any_home.run(*command)
    assert resumed.code == 0, resumed.stderr
    assert resumed.stderr.startswith("Resuming job ")
    assert len(any_home.jobs()) == 1
    assert sorted(rclone_store.contents()) == listed
    assert _lists(any_home) == []


def test_a_job_keeps_the_patterns_that_its_ignore_file_had(home: Home, rclone_store: Store, front: FaultFront, tree: Path) -> None:
    home.at(rclone_store.behind(front))
    (home.work / "ignore").write_text("*\n!/7/\n!file-007.txt\n")
    _killed_while_it_plans(home, front, ["upload", "tree", f"s3://{rclone_store.bucket}", "--ignore-file", "ignore"])
    (home.work / "ignore").unlink()
    assert home.run("jobs", "resume", home.jobs()[0].id).code == 0
    assert list(rclone_store.contents()) == ["7/file-007.txt"]


def test_a_background_worker_takes_the_list_of_a_job_that_was_killed(
    any_home: Home, rclone_store: Store, front: FaultFront, tree: Path
) -> None:
    any_home.at(rclone_store.behind(front))
    (any_home.work / "list").write_text("7/file-007.txt\n")
    command = ["upload", "tree", f"s3://{rclone_store.bucket}", "--files-from", "list", "--if-exists", "skip"]
    _killed_while_it_plans(any_home, front, command)
    try:
        assert any_home.run("jobs", "resume", any_home.jobs()[0].id, "--detach").code == 0
        wait_until(lambda: any_home.jobs()[0].state.ended, 60, "the background worker to end the job")
    finally:
        any_home.stop_workers()
    assert [(file["path"], file["state"]) for file in any_home.report()] == [("7/file-007.txt", "uploaded")]
    assert _lists(any_home) == []


def test_a_job_whose_list_is_not_here_says_so_in_one_sentence(
    home: Home, rclone_store: Store, front: FaultFront, tree: Path
) -> None:
    home.at(rclone_store.behind(front))
    (home.work / "list").write_text("7/file-007.txt\n")
    command = ["upload", "tree", f"s3://{rclone_store.bucket}", "--files-from", "list", "--if-exists", "skip"]
    _killed_while_it_plans(home, front, command)
    for path in _lists(home):
        path.unlink()
    resumed = home.run("jobs", "resume", home.jobs()[0].id)
    assert resumed.code == 1
    assert "cannot be read on this machine" in resumed.stderr
    assert "Give the command again, with its list." in resumed.stderr
    assert home.run(*command).code == 0
    assert list(rclone_store.contents()) == ["7/file-007.txt"]


def test_a_list_that_another_job_still_needs_is_kept(home: Home, rclone_store: Store, front: FaultFront, tree: Path) -> None:
    home.at(rclone_store.behind(front))
    (home.work / "list").write_text("7/file-007.txt\n")
    command = ["upload", "tree", "--files-from", "list", "--if-exists", "skip"]
    _killed_while_it_plans(home, front, [*command, f"s3://{rclone_store.bucket}/first"])
    assert home.run(*command, f"s3://{rclone_store.bucket}/second").code == 0
    assert len(_lists(home)) == 1
    assert home.run("jobs", "resume", home.jobs()[1].id).code == 0
    assert sorted(rclone_store.contents()) == ["first/7/file-007.txt", "second/7/file-007.txt"]
    assert _lists(home) == []


def test_a_backup_takes_the_extensions_of_the_configuration_and_nothing_else_is_deleted(home: Home, rclone_store: Store) -> None:
    home.at(rclone_store)
    root = home.work / "documents"
    for name in ("a.pdf", "b.JPG", "c.txt", "sub/d.PDF", "sub/pdf"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (home.work / "config.yaml").write_text(
        f"s3: {{bucket_name: {rclone_store.bucket}, prefix: kept/}}\n"
        "backup: {source_directory: documents, file_extensions: [pdf, .jpg], delete_after_upload: true}\n"
    )
    (home.work / "list").write_text("a.pdf\nc.txt\n")
    assert home.run("backup", "--files-from", "list").code == 0
    assert list(rclone_store.contents()) == ["kept/a.pdf"]
    result = home.run("backup", "--output-json", "report.json")
    assert result.code == 0, result.stderr
    assert sorted(rclone_store.contents()) == ["kept/a.pdf", "kept/b.JPG", "kept/sub/d.PDF"]
    reasons = _reasons(json.loads((home.work / "report.json").read_text()))
    assert reasons == {"b.JPG": None, "c.txt": "excluded", "sub/d.PDF": None, "sub/pdf": "excluded"}
    assert sorted(str(path.relative_to(root)) for path in root.rglob("*")) == ["c.txt", "sub", "sub/pdf"]

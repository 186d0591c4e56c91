"""`s3tui backup` as users run it: the real command against a real S3, sources that change, stores that lie or forbid."""

from __future__ import annotations

import json
import os
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Home, ended
from tests.cli.test_upload import conserves, contents
from tests.front import FaultFront
from tests.servers import Store
from tests.transfer.rides import MIB, filled

pytestmark = pytest.mark.thorough(one_in=5)


def files_of(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The files of a report by path."""
    return {file["path"]: file for file in report["files"]}


class Backup:
    """Runs backups of `tree` to one bucket."""

    def __init__(self, home: Home, store: Store, url: str) -> None:
        self.home = home
        self.store = store
        home.at(store)
        home.environment["AWS_ENDPOINT_URL"] = url
        self.tree = home.work / "tree"

    def run(self, *options: str) -> dict[str, Any]:
        """Run one; its report, with the exit code as `code`."""
        words = ("backup", "tree", f"s3://{self.store.bucket}/p", "--output-json", "report.json", *options)
        result = self.home.run(*words)
        report: dict[str, Any] = json.loads((self.home.work / "report.json").read_text())
        assert conserves(report)
        return report | {"code": result.code, "stdout": result.stdout}

    def stored(self) -> dict[str, bytes]:
        """What the bucket has, by the path in the tree."""
        return {key.removeprefix("p/"): data for key, data in self.store.contents().items()}


@pytest.fixture
def backup(home: Home, rclone_store: Store, front: FaultFront, tree: Path) -> Backup:
    """A backup to a store that checks nothing of what it receives, through a front."""
    return Backup(home, rclone_store, front.url)


def test_every_file_is_proven_and_the_sources_stay(any_home: Home, moto_store: Store, tree: Path) -> None:
    report = Backup(any_home, moto_store, moto_store.url).run()
    assert (report["code"], report["state"], report["totals"]["uploaded"], report["totals"]["deleted"]) == (0, "completed", 300, 0)
    assert {(file["state"], file["proof"] is not None) for file in report["files"]} == {("verified", True)}
    assert len(contents(tree)) == 300


def test_sources_go_once_they_are_proven_and_so_do_emptied_directories(any_home: Home, rclone_store: Store, tree: Path) -> None:
    (tree / "large").write_bytes(filled(17 * MIB))
    (tree / "empty before").mkdir()
    before = contents(tree)
    backup = Backup(any_home, rclone_store, rclone_store.url)
    report = backup.run("--delete-after-upload")
    assert (report["code"], report["totals"]["deleted"]) == (0, 301)
    assert "301 uploaded, 0 skipped, 0 failed, 301 deleted" in report["stdout"]
    assert {file["state"] for file in report["files"]} == {"deleted"}
    assert [path.name for path in tree.iterdir()] == ["empty before"]
    assert backup.stored() == before


def test_directories_stay_if_that_is_asked(backup: Backup) -> None:
    directories = sorted(path for path in backup.tree.rglob("*") if path.is_dir())
    assert backup.run("--delete-after-upload", "--no-prune-empty-dirs")["code"] == 0
    assert sorted(backup.tree.rglob("*")) == directories


def test_the_configuration_says_what_where_and_whether(home: Home, rclone_store: Store, tree: Path) -> None:
    home.at(rclone_store)
    (home.work / "config.yaml").write_text(
        f"s3: {{bucket_name: {rclone_store.bucket}, prefix: kept/}}\n"
        "backup: {source_directory: tree, delete_after_upload: true, prune_empty_dirs: false}\n"
    )
    before = contents(tree)
    assert home.run("backup", "--no-delete-after-upload").code == 0
    assert contents(tree) == before
    assert home.run("backup").code == 0
    assert contents(tree) == {}
    assert (tree / "0").is_dir()
    assert {key.removeprefix("kept/"): data for key, data in rclone_store.contents().items()} == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["backup"], "Nothing to back up: give a SOURCE, or set backup.source_directory"),
        (["backup", "tree"], "The target is missing: give s3://BUCKET/PREFIX, or set s3.bucket_name"),
        (["backup", "missing", "s3://b"], "The source missing cannot be read"),
        (["backup", "tree", "tree/0", "s3://b", "--delete-after-upload"], "lies in"),
    ],
)
def test_what_is_missing_is_one_sentence(home: Home, tree: Path, words: list[str], sentence: str) -> None:
    result = home.run(*words)
    assert result.code == 1
    assert sentence in result.sentence


def test_a_flipped_bit_keeps_the_source_and_is_sent_again_by_a_retry(backup: Backup, front: FaultFront) -> None:
    front.spoil("PutObject", r"file-001\.txt$")
    report = backup.run("--delete-after-upload")
    assert (report["code"], report["state"], report["totals"]["failed"]) == (2, "partial", 1)
    [failed] = [file for file in report["files"] if file["state"] == "failed"]
    assert (failed["path"], failed["reason"], failed["proof"]) == ("1/file-001.txt", "not_identical", None)
    before = contents(backup.tree)
    assert list(before) == ["1/file-001.txt"]
    assert backup.home.run("jobs", "retry", report["job"]).code == 0
    assert contents(backup.tree) == {}
    assert backup.stored()["1/file-001.txt"] == before["1/file-001.txt"]


def test_where_nothing_can_be_proven_nothing_is_deleted(backup: Backup, front: FaultFront) -> None:
    for operation in ("HeadObject", "GetObject"):
        front.fail(operation, status=403, code="AccessDenied", times=10**6)
    before = contents(backup.tree)
    report = backup.run("--delete-after-upload")
    assert (report["code"], report["totals"]["failed"], report["totals"]["deleted"]) == (2, 300, 0)
    assert {file["reason"] for file in report["files"]} == {"unproven"}
    assert contents(backup.tree) == before


def test_a_backup_that_deletes_nothing_says_what_is_not_proven(backup: Backup, front: FaultFront) -> None:
    (backup.tree / "large").write_bytes(filled(17 * MIB))
    for operation in ("HeadObject", "GetObject"):
        front.fail(operation, status=403, code="AccessDenied", times=10**6)
    report = backup.run()
    assert (report["code"], report["totals"]["uploaded"]) == (0, 301)
    assert {file["path"] for file in report["files"] if (file["state"], file["reason"]) == ("uploaded", "unproven")} == {"large"}
    assert {file["proof"] for file in report["files"] if file["path"] != "large"} == {"etag_md5"}


def test_what_changes_after_it_was_stored_is_kept_and_stored_anew_by_a_retry(backup: Backup, front: FaultFront) -> None:
    held = front.hold("HeadObject", r"file-001\.txt$")
    process = backup.home.start("backup", "tree", f"s3://{backup.store.bucket}/p", "--delete-after-upload")
    assert held.arrived.wait(30)
    (backup.tree / "1" / "file-001.txt").write_text("a later thought")
    held.open()
    result = ended(process)
    assert result.code == 2
    assert "1 failed, changed_after_upload" in result.stdout
    assert contents(backup.tree) == {"1/file-001.txt": b"a later thought"}
    assert backup.home.run("jobs", "retry", backup.home.jobs()[0].id).code == 0
    assert contents(backup.tree) == {}
    assert backup.stored()["1/file-001.txt"] == b"a later thought"


def test_what_cannot_be_deleted_is_only_deleted_by_a_retry(backup: Backup, front: FaultFront) -> None:
    with (backup.tree / "1" / "file-001.txt").open("a"):
        report = backup.run("--delete-after-upload")
    assert (report["code"], files_of(report)["1/file-001.txt"]["reason"]) == (2, "open_for_write")
    sent = front.count("PutObject")
    assert backup.home.run("jobs", "retry", report["job"]).code == 0
    assert contents(backup.tree) == {}
    assert front.count("PutObject") == sent


def test_what_is_deleted_later_is_looked_at_once_more_and_sent_again_if_its_object_is_gone(backup: Backup) -> None:
    kept = "1/file-001.txt"
    with (backup.tree / kept).open("a"):
        report = backup.run("--delete-after-upload")
    before = contents(backup.tree)
    assert list(before) == [kept]
    backup.store.client().delete_object(Bucket=backup.store.bucket, Key=f"p/{kept}")
    assert backup.home.run("jobs", "retry", report["job"]).code == 2
    assert contents(backup.tree) == before
    [failed] = [file for file in backup.home.report() if file["state"] == "failed"]
    assert (failed["reason"], failed["proof"]) == ("not_identical", None)
    assert backup.home.run("jobs", "retry", report["job"]).code == 0
    assert contents(backup.tree) == {}
    assert backup.stored()[kept] == before[kept]


@pytest.mark.parametrize("delete", [True, False])
def test_the_odd_entries_of_a_tree_each_have_their_end(backup: Backup, tmp_path: Path, delete: bool) -> None:
    tree, outside = backup.tree, tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_bytes(b"not yours")
    (tree / "out").symlink_to(outside)
    (tree / "dangling").symlink_to("nowhere")
    (tree / "loop").symlink_to(".")
    os.mkfifo(tree / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(tree / "socket"))
    Path(os.fsdecode(bytes(tree) + b"/\xff")).write_bytes(b"odd name")
    os.mknod(tree / "device", 0o600 | 0o020000, os.makedev(1, 3)) if os.geteuid() == 0 else (tree / "device").symlink_to(
        "/dev/null"
    )
    report = backup.run(*(["--delete-after-upload"] if delete else []))
    ends = {path: (file["state"], file["reason"]) for path, file in files_of(report).items() if file["reason"]}
    skipped = dict.fromkeys(("out", "dangling", "loop", "fifo", "socket", "device"), ("skipped", "not_a_file"))
    assert ends == skipped | {"\udcff": ("failed", "name_not_utf8")}
    assert report["code"] == 2
    assert (outside / "file").exists()
    assert {path.name for path in tree.iterdir()} == {*skipped, "\udcff", *([] if delete else map(str, range(10)))}


def test_what_cannot_be_read_has_failed_and_everything_else_is_backed_up(backup: Backup) -> None:
    tree = backup.tree
    (tree / "1" / "file-001.txt").chmod(0)
    (tree / "2").chmod(0)
    backup.home.ordinary = True
    report = backup.run("--delete-after-upload")
    (tree / "2").chmod(0o755)
    failed = {path: file["reason"] for path, file in files_of(report).items() if file["state"] == "failed"}
    assert failed == {"1/file-001.txt": "permission_denied", "2/": "permission_denied"}
    assert "contents are unknown" in files_of(report)["2/"]["error"]
    assert (report["code"], report["totals"]["deleted"]) == (2, 269)
    assert sorted(contents(tree)) == ["1/file-001.txt", *sorted(f"2/file-{number:03}.txt" for number in range(2, 300, 10))]


def test_links_that_are_followed_keep_what_they_lead_to(backup: Backup, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_bytes(b"not yours")
    (backup.tree / "directory").symlink_to(outside)
    (backup.tree / "file").symlink_to(outside / "file")
    report = backup.run("--delete-after-upload", "--follow-symlinks")
    assert report["totals"]["uploaded"] == 300
    assert {path for path, file in files_of(report).items() if file["reason"] == "reached_through_link"} == {
        "directory/file",
        "file",
    }
    assert (outside / "file").read_bytes() == b"not yours"
    assert backup.stored()["directory/file"] == b"not yours"


def test_a_plan_that_was_read_is_carried_exactly_and_tells_what_has_changed(backup: Backup) -> None:
    tree = backup.tree
    backup.store.client().put_object(Bucket=backup.store.bucket, Key="p/0/file-000.txt", Body=b"old")
    plan = backup.home.run("backup", "tree", f"s3://{backup.store.bucket}/p", "--delete-after-upload", "--dry-run")
    assert plan.code == 0
    assert re.search(r"\b299 new\b.*\b1 overwrite\b", plan.stdout)
    [job] = backup.home.jobs()
    (tree / "1" / "file-001.txt").write_text("changed since")
    (tree / "2" / "file-002.txt").unlink()
    (tree / "new").write_text("not in the plan")
    applied = backup.home.run("jobs", "apply", job.id, "--output-json", "report.json")
    report = json.loads((backup.home.work / "report.json").read_text())
    failed = {path: file["reason"] for path, file in files_of(report).items() if file["state"] == "failed"}
    assert failed == {"1/file-001.txt": "changed_since_planned", "2/file-002.txt": "source_vanished"}
    assert applied.code == 2
    assert "1 failed, changed_since_planned" in applied.stdout
    assert contents(tree) == {"1/file-001.txt": b"changed since", "new": b"not in the plan"}
    assert backup.home.run("jobs", "retry", job.id, "--file", "1/file-001.txt").code == 2
    assert contents(tree) == {"new": b"not in the plan"}
    assert backup.stored()["1/file-001.txt"] == b"changed since"


def test_what_has_come_under_a_key_since_the_plan_is_left_alone(home: Home, moto_store: Store, tree: Path) -> None:
    backup = Backup(home, moto_store, moto_store.url)
    assert home.run("backup", "tree", f"s3://{moto_store.bucket}/p", "--dry-run").code == 0
    [job] = home.jobs()
    moto_store.client().put_object(Bucket=moto_store.bucket, Key="p/0/file-000.txt", Body=b"somebody else's")
    assert home.run("jobs", "apply", job.id).code == 2
    [failed] = [file for file in home.report() if file["state"] == "failed"]
    assert (failed["path"], failed["reason"]) == ("0/file-000.txt", "exists")
    assert backup.stored()["0/file-000.txt"] == b"somebody else's"


def test_a_cancelled_job_deletes_nothing_more_and_so_has_no_retry(backup: Backup, front: FaultFront) -> None:
    front.fail("PutObject", r"file-001\.txt$", status=403, code="AccessDenied", times=10)
    held = front.hold("HeadObject", times=300)
    process = backup.home.start("backup", "tree", f"s3://{backup.store.bucket}/p", "--delete-after-upload")
    assert held.arrived.wait(30)
    [job] = backup.home.jobs()
    assert backup.home.run("jobs", "cancel", job.id).code == 0
    held.open()
    ended(process)
    left = contents(backup.tree)
    retried = backup.home.run("jobs", "retry", job.id)
    assert (retried.code, contents(backup.tree)) == (1, left)
    assert "cannot be retried: it is cancelled already" in retried.sentence


@pytest.mark.parametrize("option", ["--dry-run", "--if-exists=fail", "--if-exists=skip"])
def test_a_retry_stores_what_has_changed_over_the_object_that_the_job_itself_has_stored(
    home: Home, moto_store: Store, tree: Path, option: str
) -> None:
    kept = "1/file-001.txt"
    with FaultFront(moto_store.url) as front:
        backup = Backup(home, moto_store, front.url)
        words = ["backup", "tree", f"s3://{moto_store.bucket}/p", "--delete-after-upload", option]
        if option == "--dry-run":
            assert home.run(*words).code == 0
            words = ["jobs", "apply", home.jobs()[0].id]
        held = front.hold("HeadObject", rf"{kept}$")
        process = home.start(*words)
        assert held.arrived.wait(30)
        (tree / kept).write_text("a later thought")
        held.open()
        assert ended(process).code == 2
        assert home.run("jobs", "retry", home.jobs()[0].id).code == 0
        assert contents(tree) == {}
        assert backup.stored()[kept] == b"a later thought"


def test_each_file_is_told_once_when_it_has_its_end(backup: Backup) -> None:
    result = backup.home.run("backup", "tree", f"s3://{backup.store.bucket}/p", "--delete-after-upload", "--json-lines")
    files = [event for event in result.events if event["event"] == "file"]
    assert len(files) == len({file["no"] for file in files}) == 300
    assert {file["state"] for file in files} == {"deleted"}

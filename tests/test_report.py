"""The report: what it says of each file and of the whole, as one document that is never whole in memory."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from s3tui.events import Compared, Failed
from s3tui.model import Action, FileState, Job
from s3tui.report import failures_by_reason, file_facts, report_csv, report_json
from s3tui.state.store import Store
from s3tui.state.transfers import write_facts
from tests.state.scenes import ANN, claim, new_job, plan, planned, register, uploaded

Write = Callable[[Store, Job], Iterator[str]]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty state database."""
    store = Store("sqlite", tmp_path)
    register(store, ANN)
    yield store
    store.close()


WILL = {Action.NEW: [0, 1, 2], Action.OVERWRITE: [3, 4], Action.SKIP: [5]}


@pytest.fixture
def any_store(state_store: Store) -> Store:
    """The same, on each database in turn."""
    register(state_store, ANN)
    return state_store


def read_report(store: Store, job: Job) -> dict[str, Any]:
    """The report as a program reads it."""
    document: dict[str, Any] = json.loads("".join(report_json(store, store.jobs.by_no(job.no))))
    return document


def test_a_plan_tells_what_applying_it_would_take(any_store: Store) -> None:
    mib = 1 << 20
    job = new_job(any_store, dry_run=True)
    small, large, huge = planned("a", 5), planned("b", 20 * mib), planned("c", 200_000 * mib)
    lease = claim(any_store)
    any_store.planning.add(lease, [small, large, huge, planned("d", 7), planned("e", 20 * mib), planned("f", 9)], hold=True)
    new, over, skip = ([Compared(no, action) for no in nos] for action, nos in WILL.items())
    any_store.planning.compared(lease, [*new, *over, *skip])
    any_store.planning.finish(lease)
    report = read_report(any_store, job)
    assert report["actions"] == {
        "new": {"files": 3, "bytes": 5 + 200_020 * mib},
        "overwrite": {"files": 2, "bytes": 7 + 20 * mib},
        "skip": {"files": 1, "bytes": 9},
    }
    new_ones = 1 + (1 + 1 + 3 + 1) + (1 + 1 + 10_000 + 1)  # PutObject; HeadObject, CreateMultipartUpload, parts, Complete...
    assert report["requests"] == new_ones + 1 + (1 + 3 + 1)


def test_a_job_that_ended_is_conserved_and_every_file_tells_its_end(store: Store) -> None:
    job = new_job(store)
    entries = [planned("a"), planned("b"), planned("link", state=FileState.SKIPPED, reason="not_a_file"), planned("c")]
    plan(store, [entries])
    lease = claim(store)
    with store.database.write() as connection:
        write_facts(connection, lease, [uploaded(0, attempts=3), uploaded(1), Failed(3, 5, "access_denied", "It was refused.")])
    store.units.finish(lease)
    report = read_report(store, job)
    assert report["totals"] == {"found": 4, "uploaded": 2, "skipped": 1, "failed": 1, "deleted": 0, "bytes": 20, "retries": 6}
    assert (report["job"], report["kind"], report["state"], report["dry_run"]) == (job.id, "upload", "partial", False)
    assert (report["url"], report["rows"]) == (None, None)
    assert report["started_at"] <= report["finished_at"]
    assert report["seconds"] >= 0
    assert [(file["path"], file["state"], file["reason"]) for file in report["files"]] == [
        ("a", "uploaded", None),
        ("b", "uploaded", None),
        ("link", "skipped", "not_a_file"),
        ("c", "failed", "access_denied"),
    ]
    assert report["files"][0] == {
        "path": "a",
        "key": "p/a",
        "size": 10,
        "state": "uploaded",
        "action": "upload",
        "attempts": 3,
        "checksum": "crc64nvme:AAAAAAAAAAA=",
        "etag": '"e"',
        "proof": None,
        "reason": None,
        "error": None,
    }
    assert report["files"][3]["error"] == "It was refused."


def test_a_path_that_is_not_utf8_is_escaped_and_repeated_in_base64(store: Store) -> None:
    job = new_job(store)
    plan(store, [[planned("caf\udce9"), planned("café"), planned("plain")]])
    text = "".join(report_json(store, store.jobs.by_no(job.no)))
    assert text.isascii()
    assert r"caf\udce9" in text
    files = json.loads(text)["files"]
    assert [file.get("path_base64") for file in files] == ["Y2Fm6Q==", None, None]
    assert files[0]["path"].encode("utf-8", "surrogateescape") == b"caf\xe9"


def test_a_file_is_written_as_json_itself_would_write_it(store: Store) -> None:
    job = new_job(store)
    names = ['"quoted\\"', "caf\udce9", "café ☕ 🪣", "tab\tand\nline", "plain"]
    plan(store, [[*map(planned, names), planned("bad", state=FileState.FAILED, reason="name_not_utf8")]])
    lease = claim(store)
    with store.database.write() as connection:
        write_facts(connection, lease, [uploaded(0), Failed(1, 2, "denied", 'The "bucket" said\nno: é.')])
    text = "".join(report_json(store, store.jobs.by_no(job.no)))
    for row in store.transfers.window(job.no, 0, 9):
        assert f"\n  {json.dumps(file_facts(row))}" in text


def test_the_csv_has_one_line_for_each_file_with_the_values_of_the_json(store: Store) -> None:
    job = new_job(store)
    names = ["a,b", 'say "no"', "two\nlines", "two\r\nmore", "caf\udce9", "café ☕", "=1+1", " edge "]
    plan(store, [[*map(planned, names), planned("bad", state=FileState.FAILED, reason="name_not_utf8")]])
    lease = claim(store)
    with store.database.write() as connection:
        write_facts(connection, lease, [uploaded(0), Failed(1, 2, "denied", 'The "bucket" said\nno: é.')])
    text = "".join(report_csv(store, store.jobs.by_no(job.no)))
    assert text.startswith("path,key,size,state,action,attempts,checksum,etag,reason,error,proof,path_base64\r\n")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["path"] for row in rows] == [*names, "bad"]
    for row, file in zip(rows, read_report(store, job)["files"], strict=True):
        assert row == {name: "" if file.get(name) is None else str(file[name]) for name in row}
    assert [row["path_base64"] for row in rows if row["path_base64"]] == ["Y2Fm6Q=="]


def test_a_job_without_files_has_an_empty_list(store: Store) -> None:
    report = read_report(store, new_job(store))
    assert report["files"] == []
    assert (report["state"], report["started_at"], report["seconds"]) == ("pending", None, 0.0)


def test_failures_are_grouped_by_reason_the_most_frequent_first_and_the_first_few_named(store: Store) -> None:
    job = new_job(store)
    refused = [planned(f"bad-{number}", state=FileState.FAILED, reason="name_not_utf8") for number in range(5)]
    plan(store, [[planned("a"), *refused]])
    lease = claim(store)
    with store.database.write() as connection:
        write_facts(connection, lease, [Failed(0, 1, "access_denied", "It was refused.")])
    store.units.finish(lease)
    first, second = failures_by_reason(store, job)
    assert (first.reason, first.count, first.mendable) == ("name_not_utf8", 5, False)
    assert [row.path for row in first.first] == [b"bad-0", b"bad-1", b"bad-2"]
    assert (second.reason, second.count, second.mendable) == ("access_denied", 1, True)


def test_skips_are_counted_by_reason_the_most_frequent_first(state_store: Store) -> None:
    register(state_store, ANN)
    job = new_job(state_store)
    kinds = ["not_a_file", "exists", "exists", None]
    plan(state_store, [[planned("a"), *(planned(str(no), state=FileState.SKIPPED, reason=why) for no, why in enumerate(kinds))]])
    assert state_store.transfers.skips(job.no) == [("exists", 2), ("not_a_file", 1), ("unknown", 1)]


@pytest.mark.parametrize("write", [report_json, report_csv])
def test_writing_a_report_takes_no_more_memory_for_many_files_than_for_few(store: Store, write: Write) -> None:
    peaks = []
    for pages in (3, 30):
        job = new_job(store, dry_run=True, spec_hash=str(pages))
        plan(store, ([planned(f"{page}-{number}") for number in range(1_000)] for page in range(pages)), hold=True)
        peaks.append(_peak(store, job, write))
    assert peaks[1] < 3 * peaks[0]  # for ten times the files; when garbage is collected is chance


def _peak(store: Store, job: Job, write: Write) -> int:
    written = 0
    tracemalloc.start()
    try:
        for piece in write(store, job):
            written += len(piece)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

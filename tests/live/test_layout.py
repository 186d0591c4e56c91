"""What stands in Redis."""

from __future__ import annotations

import json
from dataclasses import replace

from s3tui.live.layout import ENDED_MS, LIVE_MS, job_hash, worker_hash
from s3tui.model import Desired, Job, JobState, RowCounts, Totals
from s3tui.state.workers import WorkerRow

JOB = Job(
    no=7,
    id="01J",
    kind="video",
    state=JobState.RUNNING,
    desired=Desired.RUN,
    spec=json.dumps({"sources": ["/home/me/secret-place"], "target": "s3://bucket/a/"}),
    dry_run=False,
    planned=True,
    totals=Totals(found=3, uploaded=1, bytes_found=300, bytes=100),
    concurrency=4,
    created_at=1_000,
    started_at=2_000,
    error="/home/me/secret-place cannot be read.",
    identity="fingerprint",
)


def worker(name: str, *flights: list[float]) -> WorkerRow:
    video = [2, "transcoding", 1.0, 4.0, 2.0, 30.0, ["120p"], [5], 0.6, "film\udcff.mp4"]
    progress = {JOB.id: {"rate": 10.4, "active": flights, "videos": [video]}} if flights else {}
    return WorkerRow(name, "machine/boot/pid:[1]", 99, "1.0", "fingerprint", ("upload", "video"), False, 3_000, progress, 0, 0)


WORKERS = [worker("ann", [2, 50, 100, 1, 10.4]), worker("bob", [1, 25, 100, 1, 10.4]), worker("idle")]


def test_a_job_adds_up_what_its_workers_have_in_flight() -> None:
    told = job_hash(JOB, WORKERS)
    assert (told.key, told.ttl_ms) == ("s3tui:job:01J", LIVE_MS)
    fields = told.fields
    assert (fields["sent"], fields["rate"], fields["in_flight"], fields["workers"]) == ("175", "21", "2", "2")
    assert (fields["found"], fields["uploaded"], fields["bytes"], fields["target"]) == ("3", "1", "100", "s3://bucket/a/")
    assert (fields["started_at"], fields["finished_at"]) == ("1970-01-01T00:00:02Z", "")
    video = json.loads(fields["videos"])[0]
    assert (video["phase"], video["seconds_left"], video["renditions"]) == ("transcoding", 1.5, [{"name": "120p", "segments": 5}])
    assert r"film\udcff.mp4" in fields["videos"], "as in reports"


def test_of_a_job_that_has_ended_nothing_is_in_flight_whatever_a_late_sample_says() -> None:
    told = job_hash(replace(JOB, state=JobState.PARTIAL, finished_at=9_000), WORKERS)
    assert told.ttl_ms == ENDED_MS
    assert [told.fields[name] for name in ("sent", "rate", "in_flight", "workers", "videos")] == ["100", "0", "0", "0", "[]"]


def test_the_rows_of_an_ingest_are_told_and_what_of_its_files_has_come_in() -> None:
    fields = job_hash(JOB, [], RowCounts(inserted=7, rejected=2, landed=40)).fields
    assert [fields[f"rows_{name}"] for name in ("read", "inserted", "rejected")] == ["9", "7", "2"]
    assert (fields["sent"], job_hash(JOB, []).fields["rows_read"]) == ("140", "")


def test_a_job_that_waits_for_a_person_is_not_at_its_end() -> None:
    assert job_hash(replace(JOB, state=JobState.PAUSED, reason="credentials_expired"), []).ttl_ms == LIVE_MS


def test_a_worker_tells_its_jobs() -> None:
    told = worker_hash(WORKERS[0])
    assert (told.key, told.ttl_ms) == ("s3tui:worker:ann", LIVE_MS)
    assert (told.fields["jobs"], told.fields["queues"], told.fields["host"]) == ('["01J"]', "upload,video", "machine")
    assert (told.fields["in_flight"], told.fields["rate"], told.fields["home_only"]) == ("1", "10", "0")


def test_neither_sources_nor_sentences_nor_fingerprints_are_told() -> None:
    told = str([job_hash(JOB, WORKERS), *map(worker_hash, WORKERS)])
    assert "secret-place" not in told
    assert "fingerprint" not in told

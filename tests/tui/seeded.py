"""A door over memory: a real implementation of what the screens ask.

Jobs are made from a seed; only `advance` moves them.
"""

from __future__ import annotations

import math
import random
import threading
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from s3tui.errors import Conflict, NotFound, S3tuiError, StorageError
from s3tui.jobs.backup import BackupSpec
from s3tui.jobs.ingest import IngestSpec
from s3tui.jobs.specs import decode_spec, encode_spec
from s3tui.jobs.upload import UploadSpec
from s3tui.jobs.video import VideoSpec
from s3tui.model import (
    Action,
    ActiveTransfer,
    Desired,
    FileChoice,
    FileRow,
    FileState,
    Fingerprint,
    Holding,
    Job,
    JobState,
    ObjectRef,
    OpenUpload,
    Order,
    Policy,
    Proof,
    RejectChoice,
    RejectLine,
    RejectWay,
    RowCounts,
    Sample,
    StoredPart,
    Totals,
    VideoPhase,
    VideoSample,
    View,
    WorkerState,
)
from s3tui.report import FailureGroup, Outlook
from s3tui.service import Submitted
from s3tui.storage.browsing import TargetPage
from s3tui.transfer.choice import Choice

if TYPE_CHECKING:
    from s3tui.jobs.specs import Spec

_S = TypeVar("_S", bound=UploadSpec)
STARTED = 1_795_257_000_000
"""2026-11-21 10:30:00 UTC."""
_WORDS = ("harbour", "lantern", "salt", "rope", "gull", "mast", "keel", "tide", "chart", "buoy")
_ENDINGS = ("jpg", "txt", "parquet", "tar.gz", "mp4", "py")


@dataclass(frozen=True)
class SeededSight:
    """One look at a seeded job."""

    job: Job
    active: tuple[ActiveTransfer, ...]
    workers: tuple[str, ...]
    videos: tuple[VideoSample, ...] = ()
    rows: RowCounts | None = None
    crew: tuple[WorkerState, ...] = ()

    @property
    def sent(self) -> int:
        return self.job.totals.bytes + sum(sample.sent for sample in self.active)

    @property
    def rate(self) -> float:
        return sum(sample.rate for sample in self.active)


@dataclass
class SeededJob:
    """A job and its files, all in memory."""

    job: Job
    rows: list[FileRow]
    active: dict[int, ActiveTransfer] = field(default_factory=dict)
    workers: tuple[str, ...] = ("worker",)
    crew: tuple[WorkerState, ...] = ()
    samples: tuple[Sample, ...] = ()
    uploads: tuple[OpenUpload, ...] = ()
    videos: tuple[VideoSample, ...] = ()
    published: dict[int, tuple[str, list[dict[str, Any]]]] = field(default_factory=dict)
    counts: dict[int, dict[str, Any]] = field(default_factory=dict)
    facts: dict[int, dict[str, Any]] = field(default_factory=dict)
    rejects: list[tuple[str, int]] = field(default_factory=list)
    reject_lines: Sequence[RejectLine] = ()

    def totals(self) -> Totals:
        done = [row for row in self.rows if row.state in (FileState.UPLOADED, FileState.VERIFIED, FileState.DELETED)]
        failed = [row for row in self.rows if row.state is FileState.FAILED]
        skipped = [row for row in self.rows if row.state is FileState.SKIPPED]
        return Totals(
            found=len(self.rows),
            uploaded=len(done),
            skipped=len(skipped),
            failed=len(failed),
            deleted=sum(row.state is FileState.DELETED for row in self.rows),
            retries=sum(max(0, row.attempts - 1) for row in self.rows),
            bytes_found=sum(row.size for row in self.rows if row.state is not FileState.SKIPPED),
            bytes=sum(row.size for row in done),
        )

    def row_counts(self) -> RowCounts | None:
        if self.job.kind != "ingest":
            return None
        rows = [one["rows"] for one in self.counts.values()]
        landed = sum(sample.sent for sample in self.active.values())
        return RowCounts(sum(one["inserted"] for one in rows), sum(one["rejected"] for one in rows), landed)

    def settle(self) -> None:
        self.job = replace(self.job, totals=self.totals())


class ManyRejects(Sequence[RejectLine]):
    """So many rejects of the first file, made when they are looked at: every third record is one."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, at: int) -> RejectLine:  # type: ignore[override]
        if not 0 <= at < self._count:
            raise IndexError(at)
        text = f"record {3 * at}"
        return RejectLine(0, 3 * at, 3 * at + 1, "too_few_fields", "2 fields are expected and it has 1", text, len(text), True)


def make_rows(count: int, seed: int = 7) -> list[FileRow]:
    """Files with plausible names and sizes."""
    pick = random.Random(seed)
    rows = []
    for no in range(count):
        folder = "/".join(pick.choice(_WORDS) for _ in range(pick.randint(1, 4)))
        path = f"{folder}/{pick.choice(_WORDS)}-{no:04}.{pick.choice(_ENDINGS)}".encode()
        size = int(10 ** pick.uniform(2, 8))
        rows.append(FileRow(no, path, f"backups/{path.decode()}", size, FileState.PLANNED, Action.NEW))
    return rows


def make_job(
    number: int,
    state: JobState,
    *,
    sources: Sequence[str] = ("/home/ada/photos",),
    target: str = "s3://harbour/backups/",
    deletes: bool | None = None,
    **fields: Any,
) -> Job:
    """A job row: of an upload, or of a backup that deletes or keeps its sources."""
    kind = UploadSpec if deletes is None else partial(BackupSpec, delete_after_upload=deletes)
    spec = kind(sources=tuple(sources), target=target)
    return Job(
        no=number,
        id=f"01JD{number:022}",
        kind=spec.kind,
        state=state,
        desired=Desired.RUN,
        spec=encode_spec(spec),
        dry_run=fields.pop("dry_run", False),
        planned=fields.pop("planned", True),
        totals=fields.pop("totals", Totals()),
        concurrency=100,
        created_at=STARTED - 3_600_000 * (100 - number),
        started_at=STARTED,
        **fields,
    )


def running(number: int = 9, count: int = 2310) -> SeededJob:
    """A job in the middle: done files first, a few failures, some in flight."""
    rows = make_rows(count)
    done, flight = count * 2 // 5, min(12, count // 4)
    for no in range(done):
        rows[no] = replace(rows[no], state=FileState.UPLOADED, attempts=1 + (no % 41 == 0), checksum="crc64nvme:q1w2e3r4t5y=")
    _fail(rows, 3, "access_denied", "Upload of it to s3://harbour/backups/ was refused: the credentials may not write this key.")
    _fail(rows, done - 4, "changed_while_reading", "The file changed while it was read; nothing was stored.")
    for no in (5, 6):
        rows[no] = replace(rows[no], state=FileState.SKIPPED, reason="exists", attempts=0)
    active = {
        no: ActiveTransfer(no, int(rows[no].size * (0.1 + 0.07 * at)), rows[no].size, 1 + at % 5 // 4, 1.3e6 * (1 + at % 3))
        for at, no in enumerate(range(done, done + flight))
    }
    seeded = SeededJob(make_job(number, JobState.RUNNING), rows, active)
    seeded.settle()
    return seeded


def backing_up(number: int = 9, *, state: JobState = JobState.RUNNING) -> SeededJob:
    """A backup that deletes: files at each of its steps."""
    rows = [
        replace(row, attempts=1, checksum="crc64nvme:q1w2e3r4t5y=", etag="9e107d9d372bb6826bd81d3542a419d6")
        for row in make_rows(40)
    ]
    for no in range(18):
        rows[no] = replace(rows[no], state=FileState.DELETED, proof=Proof.SERVER_CHECKSUM)
    for no in range(18, 22):
        rows[no] = replace(rows[no], state=FileState.VERIFIED, proof=Proof.SERVER_CHECKSUM)
    for no in range(22, 26):
        rows[no] = replace(rows[no], state=FileState.UPLOADED)
    for no in range(28, 40):
        rows[no] = replace(rows[no], attempts=0, checksum=None, etag=None)
    _fail(rows, 4, "open_for_write", "It is not deleted: a program has it open for writing; close that, then retry.")
    rows[6] = replace(rows[6], state=FileState.SKIPPED, reason="unchanged", attempts=0, proof=None)
    active = {no: ActiveTransfer(no, rows[no].size // 3, rows[no].size, 1, 2e6) for no in (26, 27)}
    seeded = SeededJob(make_job(number, state, deletes=True), rows, {} if state.ended else active)
    seeded.settle()
    return seeded


def filming(number: int = 9, *, watch: bool = False) -> SeededJob:
    """A job of videos: one is published, one refused, one at work, one waits."""
    names = ("harbour.mp4", "poem.mkv", "regatta at dusk.mov", "keel.mp4")
    rows = [
        FileRow(no, name.encode(), f"films/{Path(name).stem}/master.m3u8", 48_000_000 + no, FileState.PLANNED, Action.NEW)
        for no, name in enumerate(names)
    ]
    rows[0] = replace(rows[0], state=FileState.VERIFIED, attempts=1, proof=Proof.SERVER_CHECKSUM)
    _fail(rows, 1, "audio_only", "poem.mkv has sound but no picture, so no video can be made of it.")
    active = {2: ActiveTransfer(2, 20_160_000, rows[2].size, 1, 0.0)}
    job = make_job(number, JobState.RUNNING)
    sources = ("/home/ada/films",) if watch else tuple(f"/home/ada/{name}" for name in names)
    spec = VideoSpec(sources=sources, target="s3://harbour/films/", watch=watch)
    seeded = SeededJob(replace(job, kind="video", spec=encode_spec(spec)), rows, active)
    seeded.videos = (VideoSample(2, VideoPhase.TRANSCODING, 21.0, 50.0, 2.5, 63.0, ("720p", "480p", "a0_eng"), (6, 6, 6), 3.0),)
    rungs = [{"name": f"{height}p", "width": height * 16 // 9, "height": height, "bytes": height * 9000} for height in (720, 360)]
    seeded.published = {0: ("https://harbour.example/films/harbour/master.m3u8", rungs)}
    seeded.settle()
    return seeded


def ingesting(number: int = 9, *, plan: bool = False) -> SeededJob:
    """An ingest job: one file is in, one refused, one at work, one waits; or the plan of these."""
    names = ("people.csv", "notes.csv", "visits\x1b[2J 2026.csv", "ports.csv.gz")
    rows = [
        FileRow(no, name.encode(), f"data/uploads/01JD/batch-{no:06}.json", 48_000_000 + no, FileState.PLANNED, Action.UPLOAD)
        for no, name in enumerate(names)
    ]
    _fail(rows, 1, "dialect", "notes.csv cannot be ingested: its delimiter is not clear; give the delimiter.")
    rows[1] = replace(rows[1], key=None, action=Action.FAIL)
    people = [
        [str(no), name, "1815-12-10", "a\tb"] for no, name in enumerate(("Ada", "Grace [b]", "\x1b[31mred", "Łucja", "李小龍"))
    ]
    facts = {
        0: _facts(["id", "name", "born", "note"], ["integer", "text", "date", "text"], people, rows=1200, too_few_fields=2, nul=1),
        2: _facts([f"column {no}" for no in range(30)], ["text"] * 30, [["x" * 50] * 30] * 10, rows=90_000),
        3: _facts(["port"], ["text"], [["Gdańsk"]], rows=40),
    }
    state = JobState.PLANNED if plan else JobState.RUNNING
    job = make_job(number, state, dry_run=plan)
    spec = IngestSpec(sources=tuple(f"/home/ada/{name}" for name in names), target="s3://harbour/data/")
    seeded = SeededJob(replace(job, kind="ingest", spec=encode_spec(spec)), rows, facts=facts)
    counts = {0: (1200, 3), 2: (37_800, 0), 3: (0, 0)} if not plan else dict.fromkeys(facts, (0, 0))
    for no, (inserted, rejected) in counts.items():
        told = {"read": inserted + rejected, "inserted": inserted, "rejected": rejected}
        seeded.counts[no] = {"rows": told, "rejects_url": None}
    if not plan:
        rows[0] = replace(rows[0], state=FileState.VERIFIED, attempts=1, proof=Proof.SERVER_CHECKSUM)
        seeded.active = {2: ActiveTransfer(2, 20_160_000, rows[2].size, 1, 0.0)}
        seeded.rejects = [("too_few_fields", 2), ("nul", 1)]
        seeded.reject_lines = [
            RejectLine(0, 16, 17, "too_few_fields", "4 fields are expected and it has 2", "16\tGrace [b]\x1b[2J", 12, True),
            RejectLine(0, 41, 43, "nul", "it holds a NUL character", "41\tMary \0\udcff[/b]\u202egpj\t1780-12-26", 31, True),
            RejectLine(
                0,
                977,
                981,
                "too_few_fields",
                "4 fields are expected and it has 3",
                '977\t"李小龍\nand more"\t' + "x" * 1200,
                900_000,
                False,
            ),
        ]
        seeded.counts[0]["rejects_url"] = "https://harbour.example/data/uploads/01JD/rejects.csv"
    seeded.settle()
    return seeded


def _facts(columns: list[str], types: list[str], sample: list[list[str]], **counted: int) -> dict[str, Any]:
    rejected = sum(counted.values()) - counted["rows"]
    return {
        "encoding": "utf-8",
        "delimiter": "\t",
        "quote": '"',
        "columns": columns,
        "types": types,
        "sample": sample,
        "counted": counted | {"rejected": rejected},
    }


def _fail(rows: list[FileRow], no: int, reason: str, error: str) -> None:
    rows[no] = replace(rows[no], state=FileState.FAILED, attempts=5, reason=reason, error=error)


def open_upload(no: int, parts: int) -> OpenUpload:
    """A multipart upload with so many parts of 5 MiB on the store."""
    size = 5 << 20
    stored = tuple(StoredPart(number, size, "q1w2e3r4t5y=", "etag") for number in range(1, parts + 1))
    target = ObjectRef("harbour", f"backups/big-{no}")
    return OpenUpload(no, target, f"upload-{no}", size, Fingerprint(20 * size, 0, no), "crc64nvme", STARTED, stored)


def sampled(seeded: SeededJob, seconds: int = 90) -> SeededJob:
    """The same job, with samples: it speeds up and slows down, and has some trouble."""
    sent, samples = 0, []
    for second in range(seconds):
        samples.append(Sample(STARTED + second * 1000, sent, second * 10, second * 450, second // 40, second // 9))
        sent += round(30e6 * (1 + 0.5 * math.sin(second / 9)))
    seeded.samples = tuple(samples)
    return seeded


def crew(job_id: str) -> tuple[WorkerState, ...]:
    """Three workers: one is lost, one has the job, one is for a command of its own."""
    queues, heard = ("upload", "video", "ingest"), STARTED + 90_000
    lost, held = (Holding(job_id, 2, 0, 9, 1e6),), (Holding(job_id, 3, 1, 12, 3.1e7),)
    return (
        WorkerState("w-1", "grace", 17, "0.1.0", ("video",), False, STARTED, STARTED + 60_000, 42.0, True, lost),
        WorkerState("w-2", "ada", 4711, "0.1.0", queues, False, STARTED, heard, 0.5, False, held),
        WorkerState("w-3", "mary", 99, "0.1.0", queues, True, STARTED, heard, 7.0, False),
    )


def held(number: int = 9, count: int = 60) -> SeededJob:
    """A job that waits for a person."""
    seeded = running(number, count)
    seeded.active, seeded.workers = {}, ()
    error = "The access key ...3F7A has expired, and there is no other. Sign in again; the job can then be resumed."
    seeded.job = replace(seeded.job, state=JobState.PAUSED, desired=Desired.PAUSE, reason="credentials_expired", error=error)
    return seeded


def planned(number: int = 8, count: int = 42, *, deletes: bool | None = None) -> SeededJob:
    """A finished dry run."""
    rows = make_rows(count, seed=11)
    for no in range(2, count, 5):
        rows[no] = replace(rows[no], action=Action.OVERWRITE)
    for no in range(4, count, 9):
        rows[no] = replace(rows[no], action=Action.SKIP, state=FileState.SKIPPED, reason="exists")
    rows[6] = replace(rows[6], action=Action.FAIL, state=FileState.FAILED, reason="permission_denied", error="Permission denied.")
    seeded = SeededJob(make_job(number, JobState.PLANNED, deletes=deletes, dry_run=True), rows)
    seeded.settle()
    return seeded


def failing(number: int = 9) -> SeededJob:
    """A job that ended with a hundred failures for four causes; one of these is the plan's own."""
    rows = [replace(row, state=FileState.UPLOADED, attempts=1) for row in make_rows(300)]
    for no in range(100):
        if no < 60:
            _fail(rows, no, "access_denied", f"Upload of lantern-{no:04} was refused: the credentials may not write this key.")
        elif no < 85:
            _fail(rows, no, "changed_while_reading", "The file changed while it was read; nothing was stored.")
        elif no < 95:
            _fail(rows, no, "timeout", "The store did not answer within 60 s.")
        else:
            _fail(rows, no, "name_not_utf8", f"caf\udce9-{no} cannot be a key: its name is not UTF-8.")
            rows[no] = replace(rows[no], action=Action.FAIL, key=None, attempts=0)
    seeded = SeededJob(make_job(number, JobState.PARTIAL, finished_at=STARTED + 75_000), rows)
    seeded.settle()
    return seeded


def ended(number: int, state: JobState, count: int = 120, **fields: Any) -> SeededJob:
    """A job of the past."""
    rows = [replace(row, state=FileState.UPLOADED, attempts=1) for row in make_rows(count, seed=number)]
    if state is JobState.PARTIAL:
        _fail(rows, 17, "access_denied", "Upload was refused.")
    seeded = SeededJob(make_job(number, state, finished_at=STARTED + 75_000, **fields), rows)
    seeded.settle()
    return seeded


class SeededService:
    """The door, over seeded jobs. Thread-safe like the real one."""

    def __init__(self, jobs: Sequence[SeededJob] = ()) -> None:
        self._lock = threading.RLock()
        self.jobs = {seeded.job.id: seeded for seeded in jobs}
        self.calls: list[tuple[Any, ...]] = []
        self.trouble: S3tuiError | None = None
        self.plan_rows = 42
        self.everybody: Sequence[WorkerState] = ()
        """All workers."""
        self.ways: list[RejectWay] = []
        """How pages of rejects were asked for."""

    def _find(self, job_id: str) -> SeededJob:
        if self.trouble is not None:
            raise self.trouble
        if job_id not in self.jobs:
            raise NotFound(f"There is no job {job_id!r}; `s3tui jobs list` shows them all.")
        return self.jobs[job_id]

    def _change(self, job_id: str, **fields: Any) -> None:
        with self._lock:
            seeded = self._find(job_id)
            seeded.job = replace(seeded.job, **fields)

    def plan(self, spec: Spec, *, concurrency: int, bandwidth: int = 0) -> str:
        with self._lock:
            if self.trouble is not None:
                raise self.trouble
            self.calls.append(("plan", spec, concurrency))
            seeded = planned(50 + len(self.jobs), self.plan_rows)
            return self._begin(seeded, spec, concurrency, bandwidth)

    def submit(self, spec: Spec, *, concurrency: int, bandwidth: int = 0) -> Submitted:
        with self._lock:
            self.calls.append(("submit", spec, concurrency))
            return Submitted(self._begin(running(50 + len(self.jobs)), spec, concurrency, bandwidth), resumed=False)

    def _begin(self, seeded: SeededJob, spec: Spec, concurrency: int, bandwidth: int) -> str:
        seeded.job = replace(seeded.job, kind=spec.kind, spec=encode_spec(spec), concurrency=concurrency, bandwidth=bandwidth)
        self.jobs[seeded.job.id] = seeded
        return seeded.job.id

    def apply(self, job_id: str) -> None:
        if self._find(job_id).job.state is not JobState.PLANNED:
            raise Conflict(f"Job {job_id} cannot be applied.")
        self.calls.append(("apply", job_id))
        self._change(job_id, state=JobState.PENDING, dry_run=False)

    def carried(self, job: Job) -> bool:
        return bool(self._find(job.id).workers)

    def pause(self, job_id: str) -> None:
        self.calls.append(("pause", job_id))
        self._change(job_id, state=JobState.PAUSED, desired=Desired.PAUSE)

    def resume(self, job_id: str) -> None:
        self.calls.append(("resume", job_id))
        self._change(job_id, state=JobState.RUNNING, desired=Desired.RUN, reason=None, error=None)

    def cancel(self, job_id: str) -> None:
        self.calls.append(("cancel", job_id))
        if not self._find(job_id).job.state.ended:
            self._change(job_id, state=JobState.CANCELLED, desired=Desired.CANCEL)

    def retry(self, job_id: str, numbers: Sequence[int] | None = None, *, reason: str | None = None) -> int:
        with self._lock:
            self.calls.append(("retry", job_id, reason or (None if numbers is None else list(numbers))))
            seeded = self._find(job_id)
            failed = [row for row in seeded.rows if row.state is FileState.FAILED and row.action is not Action.FAIL]
            named = None if numbers is None else set(numbers)
            chosen = [row.no for row in failed if (named is None or row.no in named) and reason in (None, row.reason)]
            if not chosen:
                raise Conflict(f"Job {job_id} has no failed file that another attempt could mend.")
            for no in chosen:
                seeded.rows[no] = replace(seeded.rows[no], state=FileState.PLANNED, reason=None, error=None)
            seeded.settle()
            return len(chosen)

    def tune(self, job_id: str, *, concurrency: int | None = None, bandwidth: int | None = None) -> None:
        wishes = {"concurrency": concurrency, "bandwidth": bandwidth}
        told = {name: wish for name, wish in wishes.items() if wish is not None}
        self.calls.append(("tune", job_id, told))
        self._change(job_id, **told)

    def videos(self, job: Job, numbers: Sequence[int]) -> dict[int, tuple[str, list[dict[str, Any]]]]:
        return {no: video for no, video in self._find(job.id).published.items() if no in numbers}

    def row_counts(self, job: Job) -> dict[int, dict[str, Any]]:
        return self._find(job.id).counts

    def rejects(self, job: Job, file_no: int | None = None) -> list[tuple[str, int]]:
        seeded = self._find(job.id)
        if file_no is None or isinstance(seeded.reject_lines, ManyRejects):
            return seeded.rejects
        return Counter(line.reason for line in seeded.reject_lines if line.file_no == file_no).most_common()

    def reject_lines(self, job: Job, chosen: RejectChoice, way: RejectWay) -> list[RejectLine]:
        self.ways.append(way)
        lines = self._find(job.id).reject_lines
        if not isinstance(lines, ManyRejects):
            lines = [one for one in lines if chosen.file_no in (None, one.file_no) and chosen.reason in (None, one.reason)]
        place = attrgetter("file_no", "record")
        if way.backwards:
            end = len(lines) if way.beside is None else bisect_right(lines, way.beside, key=place)
            return [lines[at] for at in range(max(0, end - way.skip - way.most), end - way.skip)]
        start = way.skip + (0 if way.beside is None else bisect_left(lines, way.beside, key=place))
        return [lines[at] for at in range(start, min(len(lines), start + way.most))]

    def reject_text(self, job: Job, file_no: int, record: int) -> str | None:
        found = [line.text for line in self._find(job.id).reject_lines if (line.file_no, line.record) == (file_no, record)]
        return found[0] if found else None

    def csv_facts(self, job: Job, numbers: Sequence[int] | None = None) -> dict[int, dict[str, Any]]:
        return {no: facts for no, facts in self._find(job.id).facts.items() if numbers is None or no in numbers}

    def open_uploads(self, job: Job) -> list[OpenUpload]:
        return list(self._find(job.id).uploads)

    def watch(self, job_id: str) -> SeededSight:
        with self._lock:
            seeded = self._find(job_id)
            return SeededSight(
                seeded.job, tuple(seeded.active.values()), seeded.workers, seeded.videos, seeded.row_counts(), seeded.crew
            )

    def samples(self, job: Job) -> list[Sample]:
        return list(self._find(job.id).samples)

    def crew(self) -> list[WorkerState]:
        if self.trouble is not None:
            raise self.trouble
        return list(self.everybody)

    def browse(self, *, limit: int = 100, before: int | None = None) -> list[Job]:
        with self._lock:
            if self.trouble is not None:
                raise self.trouble
            found = sorted((seeded.job for seeded in self.jobs.values()), key=lambda job: -job.no)
            return [job for job in found if before is None or job.no < before][:limit]

    def outlook(self, job: Job) -> Outlook:
        rows = self._find(job.id).rows
        sizes = {action: [row.size for row in rows if row.action is action] for action in {row.action for row in rows}}
        sent = sum(len(sizes[action]) for action in sizes.keys() - {Action.SKIP, Action.FAIL})
        return Outlook({action: (len(group), sum(group)) for action, group in sizes.items()}, sent)

    def passing(self, job: Job) -> frozenset[FileState]:
        return frozenset() if job.state.ended else decode_spec(job.kind, job.spec).passing

    def window(self, job: Job, first: int, count: int) -> list[FileRow]:
        with self._lock:
            return self._find(job.id).rows[first : first + count]

    def rows(self, job: Job, numbers: Sequence[int]) -> list[FileRow]:
        with self._lock:
            return [self._find(job.id).rows[no] for no in numbers]

    def numbers(self, job: Job, choice: FileChoice) -> array[int]:
        with self._lock:
            seeded = self._find(job.id)
            wanted = choice.containing.lower().encode()
            rows = [row for row in seeded.rows if wanted in row.path.lower() and _in_view(row, choice.view, seeded.active)]
            rows = [row for row in rows if choice.reason in (None, row.reason)]
            return array("I", [row.no for row in sorted(rows, key=_KEYS[choice.order], reverse=choice.backwards)])

    def failures(self, job: Job, named: int) -> list[FailureGroup]:
        with self._lock:
            failed = [row for row in self._find(job.id).rows if row.state is FileState.FAILED]
            groups: dict[str, list[FileRow]] = {}
            for row in failed:
                groups.setdefault(row.reason or "unknown", []).append(row)
            told = [_group(reason, rows, named) for reason, rows in groups.items()]
            return sorted(told, key=lambda group: -group.count)

    def advance(self, job_id: str) -> None:
        """What is in flight ends, and the next files take off."""
        with self._lock:
            seeded = self._find(job_id)
            for no in seeded.active:
                seeded.rows[no] = replace(seeded.rows[no], state=FileState.UPLOADED, attempts=1)
            waiting = [row for row in seeded.rows if row.state is FileState.PLANNED][:12]
            seeded.active = {row.no: ActiveTransfer(row.no, row.size // 3, row.size, 1, 2e6) for row in waiting}
            seeded.settle()
            if not waiting:
                state = JobState.PARTIAL if seeded.job.totals.failed else JobState.COMPLETED
                seeded.job = replace(seeded.job, state=state, finished_at=STARTED + 90_000)


def _group(reason: str, rows: list[FileRow], named: int) -> FailureGroup:
    mendable = sum(row.action is not Action.FAIL for row in rows)
    return FailureGroup(reason, len(rows), mendable, sum(row.size for row in rows), rows[:named])


_KEYS: dict[Order, Callable[[FileRow], Any]] = {
    Order.NUMBER: attrgetter("no"),
    Order.PATH: attrgetter("path"),
    Order.SIZE: attrgetter("size"),
    Order.STATE: attrgetter("state", "action"),
    Order.TRIES: attrgetter("attempts"),
    Order.REASON: lambda row: row.reason or "",
}


def _in_view(row: FileRow, view: View, active: dict[int, ActiveTransfer]) -> bool:
    waiting = row.state is FileState.PLANNED
    return {
        View.ALL: True,
        View.ACTIVE: waiting and row.no in active,
        View.QUEUED: waiting and row.no not in active,
        View.FAILED: row.state is FileState.FAILED,
        View.DONE: not waiting and row.state is not FileState.FAILED,
    }[view]


class SeededLister:
    """Lists what the house has on its shelves, three names a page."""

    def __init__(self, house: SeededHouse) -> None:
        self._house = house
        self.pages = 0
        self.closed = False

    def page(self, bucket: str, prefix: str, token: str = "") -> TargetPage:
        if self._house.listing_trouble is not None:
            raise self._house.listing_trouble
        self.pages += 1
        names, start = self._house.shelves.get((bucket, prefix), ()), int(token or 0)
        rest = str(start + 3) if len(names) > start + 3 else ""
        return TargetPage(tuple(names[start : start + 3]), 2 if bucket else 0, rest)

    def close(self) -> None:
        self.closed = True


class SeededHouse:
    """The house around a seeded door."""

    def __init__(self, *jobs: SeededJob) -> None:
        self.service = SeededService(jobs)
        self.workers_asked = 0
        self.shelves: dict[tuple[str, str], Sequence[str]] = {}
        """Names by (bucket, prefix); ("", "") has the buckets."""
        self.listing_trouble: StorageError | None = None
        self.listers: list[SeededLister] = []

    def upload_spec(self, sources: Sequence[str], target: str, **overrides: Any) -> UploadSpec:
        return self._spec(UploadSpec, sources, target, overrides)

    def backup_spec(self, sources: Sequence[str], target: str, **overrides: Any) -> BackupSpec:
        return self._spec(BackupSpec, sources, target, overrides)

    def video_spec(self, sources: Sequence[str], target: str, **overrides: Any) -> VideoSpec:
        policy = Policy(checksum=overrides.pop("checksum"), max_attempts=overrides.pop("max_attempts"))
        return VideoSpec(sources=tuple(sources), target=target, policy=policy, **overrides)

    def ingest_spec(self, sources: Sequence[str], target: str, **overrides: Any) -> IngestSpec:
        policy = Policy(checksum=overrides.pop("checksum"), max_attempts=overrides.pop("max_attempts"))
        return IngestSpec(sources=tuple(sources), target=target, policy=policy, **overrides)

    def _spec(self, kind: type[_S], sources: Sequence[str], target: str, overrides: dict[str, Any]) -> _S:
        policy = Policy(
            if_exists=overrides.pop("if_exists", "overwrite"),
            checksum=overrides.pop("checksum", "crc64nvme"),
            max_attempts=overrides.pop("max_attempts", 5),
        )
        names = ("rules", "follow_symlinks", "encode_names", "hidden", "ignore")
        choice = Choice(**{name: overrides.pop(name) for name in names if name in overrides})
        return kind(sources=tuple(sources), target=target, choice=choice, policy=policy, **overrides)

    def target_lister(self) -> SeededLister:
        self.listers.append(SeededLister(self))
        return self.listers[-1]

    def ensure_worker(self) -> None:
        self.workers_asked += 1

    def close(self) -> None:
        pass


def harbour() -> SeededHouse:
    """A house with a history: one job of each kind."""
    return SeededHouse(
        running(9),
        planned(8),
        ended(7, JobState.COMPLETED, 3120),
        ended(6, JobState.PARTIAL, 300, sources=("/srv/archive/2025", "/srv/archive/2026")),
        ended(5, JobState.FAILED, 0, reason="no_such_bucket", error="Planning stopped: there is no bucket s3://harbor; create it."),
        ended(4, JobState.CANCELLED, 45),
    )

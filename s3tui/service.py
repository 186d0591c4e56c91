"""The door: everything a face may ask for. It writes jobs and reads the state store; the work itself is done by workers.

    plan      scan and compare, then wait: the job ends in `planned`
    submit    plan and apply in one: units are carried while the scan still runs
    apply     carry exactly what `plan` wrote down
    pause, resume, cancel, retry, tune        steer a job, whoever works on it
    watch     one look at a live job: its counters and the transfers in flight
    browse    jobs, newest first; `window`, `rows` and `numbers` look at the files of one

Every call is safe from any thread and blocks only on the state database.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s3tui.errors import Conflict, NotFound, SpecError
from s3tui.jobs.specs import decode_spec, encode_spec, place_hash, spec_hash
from s3tui.model import (
    ActiveTransfer,
    Desired,
    FileChoice,
    FileRow,
    FileState,
    Job,
    JobState,
    OpenUpload,
    RejectChoice,
    RejectLine,
    RejectWay,
    RowCounts,
    Sample,
    VideoSample,
    View,
    WorkerState,
    new_id,
    now_ms,
)
from s3tui.report import (
    NAMED,
    FailureGroup,
    Outlook,
    csv_facts,
    failures_by_reason,
    outlook,
    reject_lines,
    reject_text,
    report_csv,
    report_head,
    report_json,
    row_facts,
    rows_of,
)
from s3tui.state.jobs import NewJob
from s3tui.state.sightings import this_vantage
from s3tui.state.store import Store
from s3tui.state.workers import WorkerRow
from s3tui.text import display_text
from s3tui.transfer.landmarks import landmarks_of

if TYPE_CHECKING:
    from s3tui.jobs.specs import Spec


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of a submitted spec."""

    job_id: str
    resumed: bool
    """Whether an unfinished job of the same spec goes on instead of a new one."""
    carried_elsewhere: bool = False
    """Whether another live process works on it already."""


@dataclass(frozen=True, slots=True)
class JobSight:
    """One look at a job."""

    job: Job
    active: tuple[ActiveTransfer, ...]
    """Transfers in flight, by number, over all workers; sampled once a second. CSV files of which something has landed."""
    workers: tuple[WorkerRow, ...]
    """The live workers that hold units of this job."""
    videos: tuple[VideoSample, ...] = ()
    """Videos that are being made, by number, likewise sampled."""
    rows: RowCounts | None = None
    """What has become of the rows so far, if it is an ingest job."""
    crew: tuple[WorkerState, ...] = ()
    """The same workers as people see them, and those that are lost while nobody has taken over their units."""

    @property
    def sent(self) -> int:
        """Bytes stored, and bytes of the transfers in flight; of CSV files, bytes that have come into the database."""
        if self.rows is not None:
            return self.job.totals.bytes + self.rows.landed
        return self.job.totals.bytes + sum(transfer.sent for transfer in self.active)

    @property
    def rate(self) -> float:
        """Bytes per second, over all workers."""
        return sum(worker.rate(self.job.id) for worker in self.workers)


class Service:
    """The door, over one state store."""

    def __init__(self, store: Store, *, identity: str = "") -> None:
        """`identity` is the fingerprint of the caller's own credentials, which the job's workers must share; empty: any."""
        self._store = store
        self._identity = identity

    def plan(self, spec: Spec, *, concurrency: int, bandwidth: int = 0, home: str | None = None) -> str:
        """Start a dry run and return its job's id; the limits (see `tune`) hold when it is applied.

        Raises SpecError for a job that watches: what will come cannot be planned.
        """
        if spec.watch:
            raise SpecError("What comes to a watched directory cannot be planned: leave out --watch to see what is there.")
        new = self._new(spec, dry_run=True, concurrency=concurrency, bandwidth=bandwidth, home=home)
        self._store.jobs.create(new)
        return new.id

    def submit(
        self, spec: Spec, *, concurrency: int, bandwidth: int = 0, home: str | None = None, job_id: str | None = None
    ) -> Submitted:
        """Start a job, or let the unfinished job of the same spec go on, with these limits (see `tune`).

        `job_id`: the id of the job if it is a new one, as `model.new_id` makes them. `home` binds the job to the one worker with
        this id (a headless command is its own worker). A job that is bound to another worker, which is alive, is left with it.
        """
        new = self._new(spec, dry_run=False, concurrency=concurrency, bandwidth=bandwidth, home=home, job_id=job_id)
        unfinished = self._store.jobs.create(new, unless_unfinished=True)
        if unfinished is None:
            return Submitted(new.id, resumed=False)
        if self._store.workers.carrying(unfinished):
            return Submitted(unfinished.id, resumed=True, carried_elsewhere=True)
        self._store.jobs.look_anew(unfinished.no, new.vantage, new.landmarks)
        self._store.jobs.tune(unfinished.no, concurrency=concurrency, bandwidth=bandwidth)
        self._store.jobs.reopen(unfinished.no, home=home, identity=self._identity)
        return Submitted(unfinished.id, resumed=True)

    def apply(self, job_id: str, *, home: str | None = None) -> None:
        """Carry a planned job exactly as planned. Raises NotFound, Conflict."""
        job = self.job(job_id)
        if job.state is not JobState.PLANNED:
            raise Conflict(f"Job {job.id} cannot be applied: it is {job.state}, not planned.")
        self._store.jobs.apply(job.no, home=home, identity=self._identity)

    def pause(self, job_id: str) -> None:
        """Admit no further file; what is in flight ends. Raises NotFound, Conflict."""
        job = self._going(job_id, "paused")
        if job.state.ended:
            raise _has_ended(job, "paused")
        if job.state is JobState.PLANNED:
            raise Conflict(f"Job {job.id} cannot be paused: it is only planned.")
        self._store.jobs.desire(job.no, Desired.PAUSE)

    def resume(self, job_id: str, *, home: str | None = None) -> None:
        """Go on with a job that is paused, failed half-way, or was left behind by a dead worker. Raises NotFound, Conflict.

        A job that a live worker carries stays with that worker.
        """
        job = self._going(job_id, "resumed")
        if job.state is JobState.PLANNED:
            raise Conflict(f"Job {job.id} is only planned: run `s3tui jobs apply {job.id}`.")
        if job.state.ended and job.state is not JobState.FAILED:
            raise _has_ended(job, "resumed")
        home, identity = self._carrier(job, home)
        self._store.jobs.reopen(job.no, home=home, identity=identity)

    def cancel(self, job_id: str) -> None:
        """Break off a job for good; what is stored stays stored, and uploads that are open are aborted. Raises NotFound, Conflict.

        A job that has ended stays as it ended, and can be cancelled only while it has open uploads.
        """
        job = self.job(job_id)
        if job.state.ended and not self.open_uploads(job):
            raise _has_ended(job, "cancelled")
        self._store.jobs.desire(job.no, Desired.CANCEL)

    def retry(
        self, job_id: str, numbers: Sequence[int] | None = None, *, reason: str | None = None, home: str | None = None
    ) -> int:
        """Send failed files again: those with these numbers, those that failed for a reason, or all. Returns how many.

        The rest of the job goes on as well, if there is any. Raises NotFound, and Conflict for a job that was cancelled, or when
        there is none that sending again could help.
        """
        job = self._going(job_id, "retried")
        if job.state is JobState.CANCELLED:
            raise _has_ended(job, "retried")
        home, identity = self._carrier(job, home)
        count = self._store.jobs.retry(job.no, numbers, reason=reason, home=home, identity=identity)
        if not count:
            why = "" if reason is None else f" for the reason {display_text(reason)!r}"
            raise Conflict(f"Job {job.id} has no file that failed{why} and that another attempt could mend.")
        return count

    def tune(self, job_id: str, *, concurrency: int | None = None, bandwidth: int | None = None) -> None:
        """Change how many transfers are in flight, or how many bytes per second are sent (0: no limit), for each worker.

        It takes effect within a second. Raises NotFound.
        """
        self._store.jobs.tune(self.job(job_id).no, concurrency=concurrency, bandwidth=bandwidth)

    def job(self, job_id: str) -> Job:
        """The job with this id, or with the one id that begins so. Raises NotFound, Conflict."""
        found = self._store.jobs.find(job_id)
        if not found:
            raise NotFound(f"There is no job {job_id!r}; `s3tui jobs list` shows them all.")
        if len(found) > 1:
            raise Conflict(f"{job_id!r} begins more than one job id; give more characters of it.")
        return found[0]

    def watch(self, job_id: str) -> JobSight:
        """One look at a job. Raises NotFound."""
        job = self.job(job_id)
        workers, crew = self._store.workers.holders(job)
        if job.kind == "ingest":
            at_work = self._store.ingests.at_work(job.no) if workers else ()
            return JobSight(job, tuple(at_work), workers, rows=self._store.ingests.sum(job.no), crew=crew)
        active = sorted((transfer for worker in workers for transfer in worker.active(job.id)), key=lambda transfer: transfer.no)
        videos = sorted(video for worker in workers for video in worker.videos(job.id))
        return JobSight(job, tuple(active), workers, tuple(videos), crew=crew)

    def samples(self, job: Job) -> list[Sample]:
        """How far a job was, time after time: from its beginning to now, or to its end. Some 600 at most; none of a plan."""
        return self._store.samples.of_job(job)

    def browse(
        self, *, limit: int = 100, before: int | None = None, kind: str | None = None, state: JobState | None = None
    ) -> list[Job]:
        """Jobs, newest first, all or those of one kind or state; `before` is the `no` of the last job of the page above."""
        return self._store.jobs.newest(limit=limit, before=before, kind=kind, state=state)

    def window(self, job: Job, first: int, count: int) -> list[FileRow]:
        """The files numbered from `first`, at most `count`; in O(log n + count)."""
        return self._store.transfers.window(job.no, first, count)

    def rows(self, job: Job, numbers: Sequence[int]) -> list[FileRow]:
        """The files with these numbers, in their order; at most 500 of them."""
        return self._store.transfers.rows(job.no, numbers)

    def numbers(self, job: Job, choice: FileChoice) -> array[int]:
        """The numbers of the chosen files, as they are sorted. O(n), and more for some orders: call it off the UI.

        ACTIVE gives what is in flight by the newest samples, QUEUED all that is planned and not in flight.
        """
        flying = choice.view in (View.ACTIVE, View.QUEUED)
        active = [transfer.no for transfer in self.watch(job.id).active] if flying else []
        return self._store.transfers.numbers(job.no, choice, active)

    def passing(self, job: Job) -> frozenset[FileState]:
        """The states in which files of the job are not at their end."""
        return frozenset() if job.state.ended else decode_spec(job.kind, job.spec).passing

    def report(self, job: Job) -> Iterator[str]:
        """The report of a job, as pieces of one JSON document; see `s3tui.report`."""
        return report_json(self._store, job)

    def head(self, job: Job) -> dict[str, Any]:
        """The report of a job without its files; that of a plan tells its outlook besides."""
        return report_head(self._store, job)

    def outlook(self, job: Job) -> Outlook:
        """What applying the plan of a job would take. O(n) in the database: call it off the UI."""
        return outlook(self._store, job)

    def report_csv(self, job: Job) -> Iterator[str]:
        """The files of a job, as pieces of one CSV document; see `s3tui.report`."""
        return report_csv(self._store, job)

    def skips(self, job: Job) -> list[tuple[str, int]]:
        """(reason, count) of the skipped files of a job, the most frequent first. O(n): a job has a million of them at times."""
        return self._store.transfers.skips(job.no)

    def failures(self, job: Job, named: int = NAMED) -> list[FailureGroup]:
        """The failed files of a job by reason, the most frequent first, the first few of each named. O(n): call it off the UI."""
        return failures_by_reason(self._store, job, named)

    def videos(self, job: Job, numbers: Sequence[int]) -> dict[int, tuple[str, list[dict[str, Any]]]]:
        """(address, renditions) of those of these videos of a job that are published, by number."""
        return self._store.videos.published_of(job.no, numbers)

    def row_counts(self, job: Job) -> dict[int, dict[str, Any]]:
        """`rows` and `rejects_url` of each CSV file of a job, as its report has them, by number."""
        return row_facts(self._store, job)

    def rows_of(self, job: Job) -> dict[str, int] | None:
        """The rows of all files of an ingest job, as its report has them."""
        return rows_of(self._store, job)

    def rejects(self, job: Job, file_no: int | None = None) -> list[tuple[str, int]]:
        """(reason, count) of the records of an ingest job, or of one of its files, that are no rows, the most frequent first.

        O(n), and there may be a million: call it off the UI.
        """
        return self._store.rejects.reasons(job.no, file_no)

    def reject_lines(self, job: Job, chosen: RejectChoice, way: RejectWay) -> list[RejectLine]:
        """A page of these records, in the order of files and lines; costs what it holds and what is skipped."""
        return reject_lines(self._store, job, chosen, way)

    def reject_text(self, job: Job, file_no: int, record: int) -> str | None:
        """All of such a record; see `RejectLine.text`. None if it is not there any more."""
        return reject_text(self._store, job, file_no, record)

    def csv_facts(self, job: Job, numbers: Sequence[int] | None = None) -> dict[int, dict[str, Any]]:
        """What the plan of an ingest job says of each of these files (None: all) whose header could be read; see `s3tui.report`."""
        return csv_facts(self._store, job, numbers)

    def foretells_rejects(self, job: Job) -> bool:
        """Whether applying the plan of a job would reject records."""
        return job.state is JobState.PLANNED and any(
            facts.get("counted", {}).get("rejected") for facts in self.csv_facts(job).values()
        )

    def open_uploads(self, job: Job) -> list[OpenUpload]:
        """The multipart uploads of the job that are neither completed nor aborted: what `cancel` removes from the store."""
        return self._store.multiparts.of_job(job.no)

    def carried(self, job: Job) -> bool:
        """Whether a live worker works on the job, or is the one that it is bound to."""
        return self._store.workers.carrying(job)

    def workers(self) -> list[WorkerRow]:
        """The workers whose heart beats."""
        return self._store.workers.alive()

    def crew(self) -> list[WorkerState]:
        """Every worker, oldest first, those that were lost lately too, and what each is doing."""
        return self._store.workers.crew()

    def _new(
        self, spec: Spec, *, dry_run: bool, concurrency: int, bandwidth: int, home: str | None, job_id: str | None = None
    ) -> NewJob:
        return NewJob(
            id=job_id or new_id(),
            kind=spec.kind,
            queue=spec.queue,
            spec=encode_spec(spec),
            spec_hash=spec_hash(spec),
            place=place_hash(spec),
            dry_run=dry_run,
            concurrency=concurrency,
            bandwidth=bandwidth,
            home=home,
            identity=self._identity,
            created_at=now_ms(),
            vantage=this_vantage() if self._store.database.is_shared else "",
            landmarks=landmarks_of([os.fsencode(source) for source in spec.sources]) if self._store.database.is_shared else "",
        )

    def _going(self, job_id: str, done: str) -> Job:
        """The job, unless it is being cancelled. Raises NotFound, Conflict."""
        job = self.job(job_id)
        if job.desired is Desired.CANCEL and not job.state.ended:
            raise Conflict(f"Job {job.id} cannot be {done}: it is being cancelled.")
        return job

    def _carrier(self, job: Job, home: str | None) -> tuple[str | None, str]:
        """(home, identity) of a job that goes on: it stays with the worker that carries it already, else it is the caller's."""
        return (job.home, job.identity) if self._store.workers.carrying(job) else (home, self._identity)


def _has_ended(job: Job, done: str) -> Conflict:
    return Conflict(f"Job {job.id} cannot be {done}: it is {job.state} already.")

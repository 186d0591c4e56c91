"""What the terminal UI needs of the rest of the program. `runtime.Runtime` and `service.Service` fit these shapes.

Every call of `Door`, and the first look at `House.service`, may block on the database: make them in a thread.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from s3tui.model import (
    ActiveTransfer,
    FileChoice,
    FileRow,
    FileState,
    Job,
    OpenUpload,
    RejectChoice,
    RejectLine,
    RejectWay,
    RowCounts,
    Sample,
    VideoSample,
    WorkerState,
)

if TYPE_CHECKING:
    from s3tui.jobs.backup import BackupSpec
    from s3tui.jobs.ingest import IngestSpec
    from s3tui.jobs.specs import Spec
    from s3tui.jobs.upload import UploadSpec
    from s3tui.jobs.video import VideoSpec
    from s3tui.report import FailureGroup, Outlook
    from s3tui.storage.browsing import TargetPage


class Sight(Protocol):
    """One look at a live job."""

    @property
    def job(self) -> Job:
        """The job and its counters."""
        ...

    @property
    def active(self) -> tuple[ActiveTransfer, ...]:
        """Transfers in flight, by number."""
        ...

    @property
    def videos(self) -> tuple[VideoSample, ...]:
        """Videos that are being made, by number."""
        ...

    @property
    def rows(self) -> RowCounts | None:
        """What has become of the rows so far, if it is an ingest job."""
        ...

    @property
    def workers(self) -> Sequence[object]:
        """The live workers that hold units of this job."""
        ...

    @property
    def crew(self) -> Sequence[WorkerState]:
        """The same as people see them, and those that are lost while nobody has taken over their units."""
        ...

    @property
    def sent(self) -> int:
        """Bytes stored, and bytes in flight."""
        ...

    @property
    def rate(self) -> float:
        """Bytes per second."""
        ...


class Begun(Protocol):
    """What became of a job that was started."""

    @property
    def job_id(self) -> str:
        """Its id."""
        ...


class Lister(Protocol):
    """Who lists what there is to upload to; every call may block on the store."""

    def page(self, bucket: str, prefix: str, token: str = "") -> TargetPage:
        """Some of the prefixes right below one; without a bucket, of the buckets. Raises StorageError."""
        ...

    def close(self) -> None:
        """Ask no more."""
        ...


class Door(Protocol):
    """The part of `service.Service` that screens use; see there for what each call does and raises."""

    def plan(self, spec: Spec, *, concurrency: int, bandwidth: int = 0) -> str:
        """Start a dry run; returns the job's id."""
        ...

    def submit(self, spec: Spec, *, concurrency: int, bandwidth: int = 0) -> Begun:
        """Start a job without a plan, as one that watches has none."""
        ...

    def apply(self, job_id: str) -> None:
        """Carry exactly what was planned."""
        ...

    def pause(self, job_id: str) -> None:
        """Admit no further file."""
        ...

    def resume(self, job_id: str) -> None:
        """Go on."""
        ...

    def cancel(self, job_id: str) -> None:
        """Break off for good."""
        ...

    def retry(self, job_id: str, numbers: Sequence[int] | None = None, *, reason: str | None = None) -> int:
        """Send failed files again; returns how many."""
        ...

    def tune(self, job_id: str, *, concurrency: int | None = None, bandwidth: int | None = None) -> None:
        """Change how many transfers are in flight, or how many bytes per second are sent; 0: no limit."""
        ...

    def videos(self, job: Job, numbers: Sequence[int]) -> dict[int, tuple[str, list[dict[str, Any]]]]:
        """(address, renditions) of those of these videos of a job that are published, by number."""
        ...

    def row_counts(self, job: Job) -> dict[int, dict[str, Any]]:
        """`rows` and `rejects_url` of each CSV file of a job, by number."""
        ...

    def rejects(self, job: Job, file_no: int | None = None) -> list[tuple[str, int]]:
        """(reason, count) of the records of an ingest job, or of one of its files, that are no rows, the most frequent first."""
        ...

    def reject_lines(self, job: Job, chosen: RejectChoice, way: RejectWay) -> list[RejectLine]:
        """A page of these records."""
        ...

    def reject_text(self, job: Job, file_no: int, record: int) -> str | None:
        """All of such a record; None if it is not there any more."""
        ...

    def csv_facts(self, job: Job, numbers: Sequence[int] | None = None) -> dict[int, dict[str, Any]]:
        """How these CSV files of a job are written (None: all), and what a plan has counted of them, by number."""
        ...

    def open_uploads(self, job: Job) -> list[OpenUpload]:
        """The multipart uploads that `cancel` removes from the store."""
        ...

    def watch(self, job_id: str) -> Sight:
        """One look at a job."""
        ...

    def samples(self, job: Job) -> list[Sample]:
        """How far a job was, time after time, from its beginning to now or to its end."""
        ...

    def crew(self) -> list[WorkerState]:
        """Every worker, those that were lost lately too, and what each is doing."""
        ...

    def carried(self, job: Job) -> bool:
        """Whether a live worker works on the job, or is the one that it is bound to."""
        ...

    def browse(self, *, limit: int = 100, before: int | None = None) -> list[Job]:
        """Jobs, newest first."""
        ...

    def outlook(self, job: Job) -> Outlook:
        """What applying a plan would take."""
        ...

    def passing(self, job: Job) -> frozenset[FileState]:
        """The states in which files of the job are not at their end."""
        ...

    def window(self, job: Job, first: int, count: int) -> list[FileRow]:
        """The files numbered from `first`."""
        ...

    def rows(self, job: Job, numbers: Sequence[int]) -> list[FileRow]:
        """The files with these numbers, at most 500."""
        ...

    def numbers(self, job: Job, choice: FileChoice) -> array[int]:
        """The numbers of the chosen files, sorted."""
        ...

    def failures(self, job: Job, named: int) -> list[FailureGroup]:
        """The failed files by reason, the most frequent first."""
        ...


class House(Protocol):
    """The part of `runtime.Runtime` that screens use."""

    @property
    def service(self) -> Door:
        """The door; the first look opens the database."""
        ...

    def upload_spec(self, sources: Sequence[str], target: str, **overrides: Any) -> UploadSpec:  # noqa: ANN401 - fields of several nouns
        """A spec from the form and the settings. Raises SpecError."""
        ...

    def backup_spec(self, sources: Sequence[str], target: str, **overrides: Any) -> BackupSpec:  # noqa: ANN401
        """The spec of a backup, likewise. Raises SpecError."""
        ...

    def video_spec(self, sources: Sequence[str], target: str, **overrides: Any) -> VideoSpec:  # noqa: ANN401
        """The spec of a video job, likewise. Raises SpecError."""
        ...

    def ingest_spec(self, sources: Sequence[str], target: str, **overrides: Any) -> IngestSpec:  # noqa: ANN401
        """The spec of an ingest job, likewise. Raises SpecError."""
        ...

    def target_lister(self) -> Lister:
        """Who lists buckets and prefixes; whoever asks for one closes it."""
        ...

    def ensure_worker(self) -> None:
        """Start a detached local worker unless one lives."""
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...

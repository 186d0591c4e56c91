"""`--json-lines`: what happens to a job as one JSON object per line, in memory that does not grow with its files.

    {"event": "job_started", "job", "kind", "sources", "target", "dry_run", "resumed"}
    {"event": "progress", "job", "state", "planned", "found", ..., "sent", "rate"}      about once a second; of a job of videos also
        "videos": [{"no", "phase", "seconds_made", "seconds", "speed", "fps", "seconds_left", "renditions": [{"name", "segments"}]}]
        of CSV files "rows": {"read", "inserted", "rejected"}
    {"event": "file", "job", "no", ...}                 a file has reached its end; its fields are those of the report
    {"event": "job_ended", ...}                         the head of the report; also when the plan of a dry run is ready
    {"event": "interrupted", "job"}                     instead, after Ctrl-C
    {"event": "job_waits", "job", "reason", "error"}    instead, when a person must remove a cause before the job can go on

A job that is resumed tells its finished files first, so every file is told once. All objects have `at`, the time in UTC.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterator
from itertools import chain, count
from typing import TYPE_CHECKING, Any

from s3tui.cli.output import plan_facts, print_json
from s3tui.model import FileRow, FileState, Job, JobState, now_ms
from s3tui.report import file_facts, job_facts, video_facts
from s3tui.text import format_time

if TYPE_CHECKING:
    from s3tui.service import JobSight, Service

_PAGE = 500
_PROGRESS_SECONDS = 1.0


class JsonLines:
    """Tells one job."""

    def __init__(self, service: Service, *, resumed: bool) -> None:
        self._service = service
        self._resumed = resumed
        self._ended: EndedRows | None = None
        self._progress_at = 0.0

    def look(self, sight: JobSight) -> None:
        """Tell what is new."""
        job = sight.job
        if self._ended is None:
            self._ended = EndedRows(lambda first, size: self._service.window(job, first, size))
            facts = job_facts(job)
            self._tell(
                "job_started",
                job,
                **{name: facts[name] for name in ("kind", "sources", "target", "dry_run")},
                resumed=self._resumed,
            )
        if not job.dry_run:
            totals = job.totals
            for row in self._ended.new(totals.uploaded + totals.skipped + totals.failed, self._service.passing(job)):
                self._tell("file", job, no=row.no, **file_facts(row), **self._row_facts(job, row.no))
        if time.monotonic() - self._progress_at >= _PROGRESS_SECONDS:
            self._progress_at = time.monotonic()
            facts = {
                **job_facts(job)["totals"],
                "bytes_found": job.totals.bytes_found,
                "sent": sight.sent,
                "rate": round(sight.rate),
            }
            if sight.rows is not None:
                facts["rows"] = {"read": sight.rows.read, "inserted": sight.rows.inserted, "rejected": sight.rows.rejected}
            if sight.videos:
                facts["videos"] = [video_facts(video) for video in sight.videos]
            self._tell("progress", job, state=str(job.state), planned=job.planned, **facts)

    def end(self, job: Job) -> None:
        """Tell how it ended."""
        if job.state is JobState.PLANNED:
            for facts in plan_facts(self._service, job):
                print_json(facts)
        facts = {name: value for name, value in self._service.head(job).items() if name != "job"}
        if job.kind == "ingest":
            facts["rows"] = self._service.rows_of(job)
        self._tell("job_ended", job, **facts)

    def interrupt(self, job: Job) -> None:
        """Tell that we leave before the end."""
        self._tell("interrupted", job)

    def wait(self, job: Job) -> None:
        """Tell what a person must do before it goes on."""
        self._tell("job_waits", job, reason=job.reason, error=job.error)

    def close(self) -> None:
        """Nothing is held."""

    def _row_facts(self, job: Job, no: int) -> dict[str, Any]:
        """What became of the rows of a CSV file."""
        return self._service.row_counts(job).get(no, {"rows": None, "rejects_url": None}) if job.kind == "ingest" else {}

    def _tell(self, event: str, job: Job, **facts: object) -> None:
        print_json({"event": event, "job": job.id, "at": format_time(now_ms()), **facts})


class EndedRows:
    """Finds the rows that have ended since the last look.

    Rows are read in pages. Of a page that is not told to its end, one bit per row is kept; a page that is, is never read again.
    """

    def __init__(self, window: Callable[[int, int], list[FileRow]]) -> None:
        self._window = window
        self._told = 0
        self._unfinished: dict[int, int] = {}
        self._next = 0

    def new(self, ended: int, passing: Container[FileState]) -> Iterator[FileRow]:
        """The rows that are new among the `ended` ones that the job's counters speak of; what is `passing` has not ended."""
        for page in chain(list(self._unfinished), count(self._next)):
            if self._told >= ended:
                return
            rows = self._window(page * _PAGE, _PAGE)
            if not rows:
                return
            self._next = max(self._next, page + 1)
            yield from self._new_of(page, rows, passing)

    def _new_of(self, page: int, rows: list[FileRow], passing: Container[FileState]) -> Iterator[FileRow]:
        bits = self._unfinished.pop(page, 0)
        new = [row for row in rows if row.state not in passing and not bits >> row.no % _PAGE & 1]
        for row in new:
            bits |= 1 << row.no % _PAGE
        self._told += len(new)
        if bits.bit_count() < _PAGE:
            self._unfinished[page] = bits
        yield from new

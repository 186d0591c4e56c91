"""What becomes of jobs and their files, told to the log: who reads it afterwards wants to know what began, what ended how, and why.

Whoever writes a change down tells it, so of many processes one does. Files that were stored at the first attempt, which most are,
are not told, and cost nothing.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection
from contextlib import suppress

from s3tui.errors import StateError
from s3tui.log_context import about
from s3tui.model import FileState, Job, JobState
from s3tui.state.database import Database
from s3tui.state.sql import Connection, Row

_log = logging.getLogger(__name__)

_LEVELS = {JobState.FAILED: logging.ERROR, JobState.PARTIAL: logging.WARNING}

_ENDED = """
SELECT id, kind, state, reason, error, found, uploaded, skipped, failed, deleted, retries, bytes FROM job WHERE no = :no"""

_FILES = """
SELECT job.id, transfer.path, transfer.state, transfer.attempts, transfer.reason, transfer.error
FROM transfer JOIN job ON job.no = transfer.job_no
WHERE transfer.job_no = :job_no AND transfer.no = ANY(:numbers) ORDER BY transfer.no"""


def tell_begun(job: Job) -> None:
    """The first unit of a job is taken, or the first since it was paused, interrupted or asked for again."""
    spec, totals = json.loads(job.spec), job.totals
    done = totals.uploaded + totals.skipped
    how = f"goes on, {done} of {totals.found}{'' if job.planned else ' or more'} files done" if totals.found else "begins"
    with about(job=job.id):
        _log.info("The %s %s: %s to %s.", job.kind, how, ", ".join(spec.get("sources", [])), spec.get("target"))


def tell_ended(connection: Connection, number: int) -> None:
    """A job has come to its end, on the transaction that says so."""
    [(job_id, kind, state, reason, error, *totals)] = connection.rows(_ENDED, no=number)
    names = ("found", "uploaded", "skipped", "failed", "deleted", "retries", "bytes")
    counts = ", ".join(f"{name} {count}" for name, count in zip(names, totals, strict=True))
    with about(job=job_id, code=reason):
        _log.log(
            _LEVELS.get(JobState(state), logging.INFO), "The %s is %s: %s.%s", kind, state, counts, f" {error}" if error else ""
        )


def tell_files(database: Database, job_no: int, numbers: Collection[int]) -> None:
    """These files have failed, were not proven, or took more than one attempt, and that is durable. Of others nothing is told."""
    if not numbers:
        return
    rows: list[Row] = []
    with suppress(StateError), database.read() as connection:  # whoever must write next will say so
        rows = connection.rows(_FILES, job_no=job_no, numbers=list(numbers))
    for job_id, path, state, attempts, reason, error in rows:
        with about(job=job_id, file=path, attempt=attempts or None, code=reason):
            if state == FileState.FAILED:
                _log.warning("%s", error or reason)
            elif error:
                _log.info("It was not proven: %s", error)
            elif attempts > 1:
                _log.info("It was stored at attempt %d.", attempts)

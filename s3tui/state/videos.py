"""Rows of `video`: whose prefix in the bucket is a video's own, and what is published there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from s3tui.events import Fact
from s3tui.model import Job, Lease
from s3tui.state.database import Database
from s3tui.state.job_row import JOB, job_of
from s3tui.state.multiparts import ABANDONED, CANCELLED, SWEEP_MS
from s3tui.state.transfers import write_facts
from s3tui.state.units import Claimant, assert_held

_VIDEO = "job_no = :job_no AND no = :no"

_PUBLISHED = """
SELECT no, url, renditions FROM video
WHERE job_no = :job_no AND no = ANY(:numbers) AND url IS NOT NULL ORDER BY no"""

_FIRST = "SELECT url FROM video WHERE job_no = :job_no AND url IS NOT NULL ORDER BY no LIMIT 1"

_TO_SWEEP = f"""
SELECT video.no, transfer.key, {JOB} FROM video
JOIN job ON job.no = video.job_no JOIN transfer ON transfer.job_no = video.job_no AND transfer.no = video.no
WHERE video.url IS NULL AND video.swept_until < clock_ms() AND {ABANDONED}
ORDER BY video.job_no, video.no LIMIT :limit
FOR UPDATE OF video SKIP LOCKED"""


class Videos:
    """The videos of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, lease: Lease, no: int) -> None:
        """From now on what is below the video's prefix is its own, and may be removed. Raises LeaseLost."""
        with self._database.write() as connection:
            assert_held(connection, lease)
            connection.execute("INSERT INTO video (job_no, no) VALUES (:job_no, :no)", job_no=lease.job_no, no=no)

    def has_begun(self, lease: Lease, no: int) -> bool:
        """Whether `begin` was said of it, by whatever worker, and it was not forgotten since."""
        with self._database.read() as connection:
            return connection.first(f"SELECT 1 FROM video WHERE {_VIDEO}", job_no=lease.job_no, no=no) is not None

    def forget(self, lease: Lease, no: int) -> None:
        """Nothing of it is in the bucket any more. Raises LeaseLost."""
        with self._database.write() as connection:
            assert_held(connection, lease)
            connection.execute(f"DELETE FROM video WHERE {_VIDEO}", job_no=lease.job_no, no=no)

    def published(self, lease: Lease, facts: Sequence[Fact], url: str, renditions: Sequence[dict[str, Any]]) -> None:
        """A video is published: the facts about its file, its address, and its renditions, in one transaction. Raises LeaseLost."""
        with self._database.write() as connection:
            write_facts(connection, lease, facts)
            connection.execute(
                f"UPDATE video SET url = :url, renditions = :renditions WHERE {_VIDEO}",
                url=url,
                renditions=json.dumps(list(renditions)),
                job_no=lease.job_no,
                no=facts[0].no,
            )

    def published_of(self, job_no: int, numbers: Sequence[int]) -> dict[int, tuple[str, list[dict[str, Any]]]]:
        """(address, renditions) of those of these videos of a job that are published, by number."""
        with self._database.read() as connection:
            rows = connection.rows(_PUBLISHED, job_no=job_no, numbers=list(numbers))
            return {no: (url, json.loads(renditions)) for no, url, renditions in rows}

    def first_address(self, job_no: int) -> str | None:
        """Where the first of a job's published videos is."""
        with self._database.read() as connection:
            row = connection.first(_FIRST, job_no=job_no)
            return None if row is None else str(row[0])

    def any_cancelled(self) -> bool:
        """Whether there is anything to sweep, perhaps for another worker, or a little later."""
        query = f"SELECT 1 FROM video JOIN job ON job.no = video.job_no WHERE video.url IS NULL AND {CANCELLED} LIMIT 1"
        with self._database.read() as connection:
            return connection.first(query) is not None

    def to_sweep(self, claimant: Claimant, limit: int) -> list[tuple[Job, int, str]]:
        """(job, number, key) of what cancelled jobs began and never published; for a minute nobody else is given it."""
        with self._database.write() as connection:
            found = [(job_of(row[2:]), row[0], row[1]) for row in connection.rows(_TO_SWEEP, limit=limit, **claimant.values)]
            connection.execute_each(
                f"UPDATE video SET swept_until = clock_ms() + {SWEEP_MS} WHERE job_no = ? AND no = ?",
                [(job.no, no) for job, no, _ in found],
            )
            return found

    def swept(self, job_no: int, no: int) -> None:
        """Forget a video that was given to a sweeper, and that has no objects any more."""
        with self._database.write() as connection:
            connection.execute(f"DELETE FROM video WHERE {_VIDEO} AND url IS NULL", job_no=job_no, no=no)

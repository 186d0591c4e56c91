"""What the whole database amounts to: sums over rows of jobs, units and open uploads, never over files: there may be millions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from s3tui.model import Totals
from s3tui.state.database import Database
from s3tui.state.settling import LEASED, READY

_TOTALS = tuple(field.name for field in fields(Totals))

_SUMS = f"""
SELECT kind, state, count(*), {", ".join(f"CAST(sum({name}) AS BIGINT)" for name in _TOTALS)} FROM job
GROUP BY kind, state ORDER BY kind, state"""

# What nobody may take, because its job is paused or over, does not wait for a worker.
_UNITS = f"""
SELECT job.queue, unit.state, count(*) FROM unit JOIN job ON job.no = unit.job_no
WHERE unit.state = {LEASED} OR unit.state = {READY} AND job.state IN ('pending', 'running') AND job.desired = 'run'
GROUP BY job.queue, unit.state ORDER BY job.queue, unit.state"""

_UPLOADS = "SELECT (SELECT count(*) FROM multipart), (SELECT CAST(coalesce(sum(size), 0) AS BIGINT) FROM part)"


@dataclass(frozen=True, slots=True)
class Sums:
    """The database at one moment."""

    jobs: Mapping[tuple[str, str], int]
    """How many jobs there are of each (kind, state) that occurs."""
    totals: Mapping[str, Totals]
    """By kind: the counters of its jobs, added up."""
    ready: Mapping[str, int]
    """By queue: units that wait for a worker."""
    leased: Mapping[str, int]
    """By queue: units in work."""
    open_uploads: int
    open_upload_bytes: int
    """Bytes in the confirmed parts of uploads that are neither completed nor aborted."""


def read_sums(database: Database) -> Sums:
    """Add up what there is. Raises StateError."""
    with database.read() as connection:
        jobs = connection.rows(_SUMS)
        units = connection.rows(_UNITS)
        [(uploads, stored)] = connection.rows(_UPLOADS)
    totals: dict[str, list[int]] = {}
    for kind, _state, _count, *counters in jobs:
        totals[kind] = [before + more for before, more in zip(totals.get(kind, [0] * len(counters)), counters, strict=True)]
    return Sums(
        jobs={(kind, state): count for kind, state, count, *_ in jobs},
        totals={kind: Totals(*counters) for kind, counters in totals.items()},
        ready={queue: count for queue, state, count in units if state == READY},
        leased={queue: count for queue, state, count in units if state == LEASED},
        open_uploads=uploads,
        open_upload_bytes=stored,
    )

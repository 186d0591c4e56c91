"""A job: where it stands, what people want of it, what it has counted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class JobState(StrEnum):
    """Where a job stands.

    planned ──apply──▶ pending ──▶ running ──▶ completed | partial | failed
                          ▲           │
                          └──resume── paused          cancelled from any of the unfinished ones
    """

    PLANNED = "planned"
    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen unless somebody asks for it."""
        return self in ENDED_STATES


ENDED_STATES = frozenset({JobState.COMPLETED, JobState.PARTIAL, JobState.FAILED, JobState.CANCELLED})


class Desired(StrEnum):
    """What a person wants of a job; workers read it at every heartbeat."""

    RUN = "run"
    PAUSE = "pause"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Totals:
    """The counters of a job. `found = uploaded + skipped + failed` once it has ended."""

    found: int = 0
    uploaded: int = 0
    skipped: int = 0
    failed: int = 0
    deleted: int = 0
    retries: int = 0
    bytes_found: int = 0
    """Bytes of everything that was found and is to be sent."""
    bytes: int = 0
    """Bytes stored on S3."""


@dataclass(frozen=True, slots=True)
class Job:
    """A unit of asked work, as the state store has it."""

    no: int
    """Small number that only the state store uses."""
    id: str
    kind: str
    state: JobState
    desired: Desired
    spec: str
    """JSON of the kind's spec."""
    dry_run: bool
    planned: bool
    """Whether the scan has ended, so that `totals.found` is final."""
    totals: Totals
    concurrency: int
    """Transfers in flight, for each worker."""
    created_at: int
    started_at: int | None = None
    finished_at: int | None = None
    reason: str | None = None
    error: str | None = None
    """A sentence, if the job as a whole failed, or waits for a person to remove a cause."""
    home: str | None = None
    """The one worker that may take its units, if it is bound to one."""
    identity: str = ""
    """Fingerprint of the credentials that its workers must hold; empty: any worker may take it."""
    bandwidth: int = 0
    """Bytes per second, for each worker; 0: no limit."""
    applied: bool = False
    """Whether a person has read its plan, so that exactly this is to be carried."""
    queue: str = ""
    """Whose workers take its units."""

    @property
    def watches(self) -> bool:
        """Whether it goes on until it is stopped, taking what comes to its sources."""
        return bool(json.loads(self.spec).get("watch", False))

    @property
    def waits_for_person(self) -> bool:
        """Whether it is paused until a person has removed the cause that `error` tells."""
        return self.state is JobState.PAUSED and self.reason is not None


class Sample(NamedTuple):
    """How far a job was at one moment: what it had counted since its beginning. Between two of them lies a rate."""

    at: int
    bytes: int = 0
    """Stored, or in flight; of CSV files, come into the database."""
    files: int = 0
    """Uploaded or skipped."""
    rows: int = 0
    """Read, of CSV files."""
    failed: int = 0
    """Files; fewer than before where some are sent again."""
    retries: int = 0

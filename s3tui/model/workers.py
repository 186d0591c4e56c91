"""A worker, and the units it holds the leases of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class UnitKind(StrEnum):
    """What a unit asks of a worker."""

    PLAN = "plan"
    CARRY = "carry"


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one worker to one unit. Each write it makes carries `token`; a later owner has a higher one."""

    job_no: int
    unit_no: int
    kind: UnitKind
    first: int
    last: int
    """First and last transfer number of the unit, both included."""
    token: int
    worker: str
    after_crash: bool = False
    """Whether an earlier owner died over the unit."""


class Holding(NamedTuple):
    """What a worker has of one job."""

    job_id: str
    units: int
    """It holds the leases of so many."""
    taken_over: int
    """Those of them that an earlier worker died over."""
    in_flight: int
    """Files, as of its last heartbeat."""
    rate: float
    """Bytes per second, likewise."""


@dataclass(frozen=True, slots=True)
class WorkerState:
    """A worker process as people see it: alive, or lost lately."""

    id: str
    host: str
    """The name of its machine."""
    pid: int
    version: str
    queues: tuple[str, ...]
    home_only: bool
    """Whether it works on one job of its own: a headless command."""
    started_at: int
    seen_at: int
    """Its last heartbeat, by the database's clock."""
    silent: float
    """Seconds since then."""
    lost: bool
    """Whether it is taken for dead, so that its units are another's to take."""
    holdings: tuple[Holding, ...] = ()
    """Job by job."""
    hangs: bool = False
    """Whether it is lost, and yet its process is there, on this machine: no other background worker can begin beside it."""

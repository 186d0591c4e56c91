"""The nouns: what a job, a unit, a transfer and a proof are. Standard library only.

Times are integers, milliseconds since 1970 in UTC. Sizes are bytes. Local paths are `bytes`, as the operating system has them.

What exists once for each file is a named tuple: made several times as fast as a frozen dataclass. Two of them are equal if their
values are, whatever their kinds, so they are told apart by `isinstance`, and never kept in one set.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
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


class FileState(IntEnum):
    """Where one file stands. The numbers are stored; the names, in lower case, are the report's words."""

    PLANNED = 0
    UPLOADED = 1
    VERIFIED = 2
    DELETED = 3
    SKIPPED = 4
    FAILED = 5

    @property
    def word(self) -> str:
        """The state as reports and screens write it."""
        return self.name.lower()


class Action(IntEnum):
    """What the plan says will happen to a file. The numbers are stored."""

    UPLOAD = 0
    """Sent without having looked whether the key is taken."""
    NEW = 1
    OVERWRITE = 2
    SKIP = 3
    FAIL = 4

    @property
    def word(self) -> str:
        """The action as reports and screens write it."""
        return self.name.lower()


class View(StrEnum):
    """The five ways to look at the files of a job."""

    ALL = "all"
    ACTIVE = "active"
    QUEUED = "queued"
    FAILED = "failed"
    DONE = "done"


class Order(StrEnum):
    """What a list of files is sorted by."""

    NUMBER = "number"
    """As the scan found them."""
    PATH = "path"
    SIZE = "size"
    STATE = "state"
    TRIES = "tries"
    REASON = "reason"


class FileChoice(NamedTuple):
    """Which files of a job a list holds, and how it is sorted; of those that are equal, the first found comes first."""

    view: View = View.ALL
    containing: str = ""
    """A part of their paths, ASCII letters of either case."""
    reason: str | None = None
    """Why they were skipped or failed; None: for whatever reason, or for none."""
    order: Order = Order.NUMBER
    backwards: bool = False


WHOLE = FileChoice()
"""Every file, as the scan found them: a list in which line and number are one."""


class ObjectRef(NamedTuple):
    """One object: bucket and key."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True, slots=True)
class Connection:
    """Which S3 to talk to. No secret is ever in here: credentials come from the worker's own settings."""

    endpoint_url: str = ""
    profile: str = ""
    region: str = ""
    addressing_style: str = "auto"


SIGNED_64 = (1 << 63) - 1
"""Databases keep signed 64-bit integers; inode numbers may use the top bit."""


class Fingerprint(NamedTuple):
    """How to tell that a file is still the file that was planned."""

    size: int
    mtime_ns: int
    inode: int
    """The lower 63 bits of the inode number."""

    @classmethod
    def of(cls, status: os.stat_result) -> Fingerprint:
        """Take the fingerprint from a stat result."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ino & SIGNED_64)


class Transfer(NamedTuple):
    """One source to one object; `no` is dense within its job, from 0."""

    no: int
    path: bytes
    """Absolute local path."""
    target: ObjectRef
    fingerprint: Fingerprint
    attempts: int = 0
    """Attempts already spent by earlier runs."""
    unsure: bool = False
    """Whether a worker that died may have stored it without writing so down: look before sending it again."""
    upload: OpenUpload | None = None
    """What an earlier run left of a multipart upload: its parts need not be sent again."""


@dataclass(frozen=True, slots=True)
class ObjectHeaders:
    """What is stored with every object of a job; empty means: leave it to the store."""

    storage_class: str = ""
    sse: str = ""
    sse_kms_key_id: str = ""
    metadata: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    cache_control: str = ""
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """How the engine carries the transfers of a job."""

    checksum: str = "crc64nvme"
    if_exists: str = "overwrite"
    """`overwrite`, `skip` or `fail`."""
    max_attempts: int = 5
    part_size: int = 0
    """Bytes; 0 lets the engine choose."""
    headers: ObjectHeaders = field(default_factory=ObjectHeaders)


class Receipt(NamedTuple):
    """What the store answered when it took an object."""

    size: int
    checksum: str
    """`crc64nvme:BASE64`, over the whole object, of the bytes that were sent."""
    etag: str
    version_id: str = ""
    seen: Fingerprint | None = None
    """The file as it was read, if that is not how it was planned."""

    def of_file(self, read: Fingerprint, planned: Fingerprint) -> Receipt:
        """The same, knowing how the file was when it was read."""
        return self if read == planned else self._replace(seen=read)


class Proof(StrEnum):
    """How it is known that an object holds the bytes that were sent."""

    SERVER_CHECKSUM = "server_checksum"
    """The store checked them against their checksum, and keeps refusing what does not fit."""
    ETAG_MD5 = "etag_md5"
    """Its ETag is their MD5, which it was never told."""
    READ_BACK = "read_back"
    """They were read back from it."""


class Stored(NamedTuple):
    """A transfer whose object is on the store, as it was written down."""

    no: int
    source_no: int
    path: bytes
    """Relative to its source."""
    key: str
    fingerprint: Fingerprint
    """Of the file as it was sent."""
    receipt: Receipt
    deleting: bool
    """Whether its source was about to be deleted."""


class StoredPart(NamedTuple):
    """A part of a multipart upload that the store has confirmed."""

    number: int
    """From 1."""
    size: int
    checksum: str
    """Base64, over this part alone."""
    etag: str


@dataclass(frozen=True, slots=True)
class OpenUpload:
    """A multipart upload of ours that is neither completed nor aborted."""

    no: int
    """The transfer's number."""
    target: ObjectRef
    upload_id: str
    """Empty: it was intended, and the store's answer is not known."""
    part_size: int
    """Chosen when it was begun, and kept."""
    fingerprint: Fingerprint
    """Of the file as it was opened then."""
    checksum: str
    """The algorithm."""
    intended_at: int
    parts: tuple[StoredPart, ...]
    """By number; there may be parts on the store that are not among them."""


@dataclass(frozen=True, slots=True)
class LingeringUpload:
    """An open upload as a person sees it: what it belongs to, and what it holds on the store."""

    job_id: str
    job_state: JobState
    target: ObjectRef
    upload_id: str
    stored: int
    """Bytes in its confirmed parts."""
    intended_at: int


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as a listing shows it."""

    key: str
    size: int
    etag: str
    """Without its quotes; a hash only where the store says so."""
    modified_ms: int


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


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file of a job, as screens and reports show it."""

    no: int
    path: bytes
    """Relative to its source."""
    key: str | None
    size: int
    state: FileState
    action: Action
    attempts: int = 0
    reason: str | None = None
    error: str | None = None
    checksum: str | None = None
    etag: str | None = None
    proof: str | None = None
    """`Proof`, once the object was proven to hold the file's bytes."""


@dataclass(frozen=True, slots=True)
class ActiveTransfer:
    """A sample of one transfer in flight."""

    no: int
    sent: int
    size: int
    attempt: int
    rate: float
    """Bytes per second, smoothed."""


class VideoPhase(StrEnum):
    """What is done of a video at the moment."""

    PROBING = "probing"
    TRANSCODING = "transcoding"
    UPLOADING = "uploading"
    """Everything is made, and only segments are on their way."""
    PUBLISHING = "publishing"


class VideoSample(NamedTuple):
    """A sample of one video that is being made."""

    no: int
    phase: VideoPhase = VideoPhase.PROBING
    made: float = 0.0
    """Seconds of it that are made."""
    total: float = 0.0
    """Seconds that it is long; 0 while that is not known."""
    speed: float = 0.0
    """Times real time; 0 while it is not known, as are the next."""
    fps: float = 0.0
    renditions: tuple[str, ...] = ()
    """Names of what it becomes: the rungs, the best first, then sound tracks of their own."""
    sent: tuple[int, ...] = ()
    """Segments of each of them that are on S3."""
    segment_seconds: float = 0.0
    """How long a segment is, more or less."""
    name: str = ""
    """Of its file; bytes that are not UTF-8 are surrogate-escaped."""

    @property
    def segments(self) -> int:
        """On S3, over all renditions."""
        return sum(self.sent)

    @property
    def sent_shares(self) -> list[float]:
        """How much of each rendition is on S3, from 0 to 1."""
        if self.phase is VideoPhase.PUBLISHING:
            return [1.0 for _ in self.renditions]
        return [min(1.0, sent * self.segment_seconds / self.total) if self.total else 0.0 for sent in self.sent]

    @property
    def share(self) -> float:
        """How much of it is made, from 0 to 1."""
        return min(1.0, self.made / self.total) if self.total else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Until it is made, at the present speed; None if nobody can know."""
        if self.phase is not VideoPhase.TRANSCODING or not self.speed or not self.total:
            return None
        return max(0.0, self.total - self.made) / self.speed


class RowCounts(NamedTuple):
    """What has become of the rows of CSV files."""

    inserted: int = 0
    rejected: int = 0
    landed: int = 0
    """Bytes of the files that are not at their end, as far as they have come into the database."""

    @property
    def read(self) -> int:
        """All that are not blank."""
        return self.inserted + self.rejected


class RejectChoice(NamedTuple):
    """Which rejected records of an ingest job a list is of; None: all."""

    file_no: int | None = None
    reason: str | None = None


class RejectWay(NamedTuple):
    """How to get to a page of such a list: from a record (None: from an end of the list), over so many others."""

    beside: tuple[int, int] | None
    """Number of the file, and of the record in it. The record itself is the first that counts."""
    backwards: bool
    skip: int
    most: int
    """Records of the page."""


class RejectLine(NamedTuple):
    """A rejected record, as people look at it."""

    file_no: int
    record: int
    """Its number in the file, from 1."""
    line: int
    """On which it begins, from 1."""
    reason: str
    detail: str
    text: str
    """Its beginning, not safe to show: a byte NN that is part of no character is U+DCNN."""
    size: int
    """Bytes of all of it."""
    whole: bool
    """Whether `text` is all of it."""


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


_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_id() -> str:
    """A ULID: 26 characters that sort by time of creation."""
    number = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10))
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def now_ms() -> int:
    """Milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000

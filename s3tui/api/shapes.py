"""How answers and JSON bodies look, for the OpenAPI document, and for checking what comes in."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from s3tui.jobs.options import Payload, Preset, SegmentType
from s3tui.model import Desired, JobState

Kind = Literal["upload", "backup", "video", "ingest"]
Text = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
Time = Annotated[str | None, Field(description="UTC, like 2026-11-21T10:30:15Z")]
Target = Annotated[str, StringConstraints(min_length=6, max_length=1100, pattern=r"^s3://")]
Name = Annotated[str, Field(max_length=1024, description="What the file is called; a form may say it instead")]

_WHERE = "s3://BUCKET/PREFIX; without it the configuration's"


class Totals(BaseModel):
    """Counters; `found = uploaded + skipped + failed` once a job has ended."""

    found: int
    uploaded: int
    skipped: int
    failed: int
    deleted: int
    bytes: int
    retries: int


class BodyFacts(BaseModel):
    """What was posted."""

    size: int
    sha256: str | None = Field(description="In hex; null: it came in pieces")


class Links(BaseModel):
    """Where more is."""

    self: str
    files: str
    report: str
    events: str


class JobHead(BaseModel):
    """A job in a list."""

    id: str
    kind: str
    state: JobState
    desired: Desired = Field(description="What people want of it")
    name: str | None = Field(description="Of the body that was posted")
    dry_run: bool
    planned: bool = Field(description="Whether `totals.found` is final")
    sources: list[str]
    target: str | None
    created_at: Time
    started_at: Time
    finished_at: Time
    seconds: float
    totals: Totals
    reason: str | None = Field(description="A stable word of what failed or stopped the whole job")
    error: str | None
    body: BodyFacts | None
    links: Links


class Progress(BaseModel):
    """What moves at the moment; a sample, a second old at most."""

    sent: int = Field(description="Bytes, those in flight included")
    rate: int = Field(description="Bytes per second")
    in_flight: int
    workers: int


class Job(JobHead):
    """A job."""

    progress: Progress
    rows: dict[str, int] | None = Field(description="Of an ingest: read, inserted, rejected")
    videos: list[dict[str, Any]] = Field(description="Videos that are being made")
    url: str | None = Field(description="Of a video: its master playlist, once it is published")


class Jobs(BaseModel):
    """A page of jobs."""

    jobs: list[JobHead]
    next: str | None = Field(description="The cursor of the page below")


class File(BaseModel):
    """A file of a job, as its report has it."""

    model_config = ConfigDict(extra="allow")

    no: int
    path: str
    key: str | None
    size: int
    state: str
    action: str
    attempts: int
    checksum: str | None
    etag: str | None
    proof: str | None
    reason: str | None
    error: str | None


class Files(BaseModel):
    """A page of files."""

    files: list[File]
    next: str | None = Field(description="The cursor of the page below")


class Report(BaseModel):
    """How a job ended, or stands."""

    model_config = ConfigDict(extra="allow")

    job: str
    kind: str
    state: JobState
    totals: Totals
    files: list[dict[str, Any]]


class VideoQuery(BaseModel):
    """What may be asked of a video."""

    model_config = ConfigDict(extra="forbid")

    name: Name = ""
    target: Annotated[Target | None, Field(description=_WHERE)] = None
    ladder: Annotated[str | None, Field(max_length=100, description="auto, or heights like 1080,720,480")] = None
    segment_type: SegmentType | None = None
    segment_seconds: Annotated[float | None, Field(ge=1, le=60)] = None
    preset: Preset | None = None


class IngestQuery(BaseModel):
    """What may be asked of a CSV file."""

    model_config = ConfigDict(extra="forbid", validate_by_name=True, validate_by_alias=True)

    name: Name = ""
    target: Annotated[Target | None, Field(description=_WHERE)] = None
    delimiter: Annotated[str | None, Field(max_length=10, description="One character, or tab; else it is found out")] = None
    quote: Annotated[str | None, Field(max_length=10, description="\", ' or none; likewise")] = None
    encoding: Annotated[str | None, Field(max_length=40, description="Like utf-8 or latin-1; likewise")] = None
    header: Annotated[bool | None, Field(description="Whether the first record names the columns")] = None
    columns: Annotated[
        str | None, Field(alias="schema", max_length=4_000, description="Like id:integer,price:decimal?,name:text")
    ] = None
    table: Annotated[str | None, Field(max_length=60, description="A table with typed columns for the rows; else ingest_rows")] = (
        None
    )
    payload: Annotated[Payload | None, Field(description="inline: workers need not reach the staged file")] = None
    strict: Annotated[bool | None, Field(description="Fail at the first row that is rejected")] = None
    batch_rows: Annotated[int | None, Field(ge=1, le=1_000_000)] = None


class UploadRequest(BaseModel):
    """What `POST /v1/uploads` takes."""

    model_config = ConfigDict(extra="forbid")

    sources: Annotated[list[Text], Field(min_length=1, max_length=100, description="Absolute paths below api.allowed_sources")]
    target: Target = Field(description="s3://BUCKET/PREFIX")
    exclude: Annotated[list[Text], Field(max_length=100, description="Globs of what is left out")] = []
    if_exists: Literal["overwrite", "skip", "fail"] = "overwrite"
    skip_unchanged: bool = False


class Ready(BaseModel):
    """Whether a job that came now could be carried."""

    ready: bool
    checks: dict[str, str] = Field(description="ok, failed, or - for what is not configured")


class Alive(BaseModel):
    """The answer of a process that answers."""

    status: Literal["alive"]
    version: str

"""A body that has arrived becomes a job: what may be asked of it, where it is called what, and the one step from file to job."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from s3tui.api.desk import Desk
from s3tui.api.shapes import IngestQuery, VideoQuery
from s3tui.errors import SpecError
from s3tui.jobs.ingest import IngestSpec
from s3tui.jobs.video import VideoSpec, check_key
from s3tui.model import now_ms
from s3tui.state.bodies import Body

KINDS = ("video", "ingest")

_MOST_NAME = 200
"""Bytes; file systems take 255, and S3 keys 1024."""

_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,8}")

_NAMELESS = {"video": "video", "ingest": "rows.csv"}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of a body."""

    kind: str
    name: str
    """As it was sent."""
    target: str | None = None
    """`s3://BUCKET/PREFIX`; None: as configured."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the kind's spec."""

    def named(self, name: str) -> Wish:
        """The same with the name that a form gave, if there was none."""
        return self if self.name else Wish(self.kind, name, self.target, self.options)

    @property
    def safe_name(self) -> str:
        """The name as people see it, and as the CSV file in staging is called: no path, nothing unprintable, not too long."""
        return safe_name(self.name) or _NAMELESS[self.kind]

    def file_name(self, body_id: str) -> str:
        """The name in staging. A video's place on S3 is called by the job's id, so its file is."""
        if self.kind != "video":
            return self.safe_name
        extension = _EXTENSION.fullmatch(Path(self.safe_name).suffix)
        return body_id + (extension[0].lower() if extension else "")

    @property
    def as_json(self) -> str:
        """Target and options, for the database."""
        return json.dumps({"target": self.target, "options": dict(self.options)})


def wished(kind: str, asked: VideoQuery | IngestQuery) -> Wish:
    """The same from a query."""
    options = asked.model_dump(by_alias=True, exclude_none=True, exclude={"name", "target"})
    return Wish(kind, asked.name, asked.target, options)


def wish_of(body: Body) -> Wish:
    """What was asked of a body that is known."""
    asked = json.loads(body.options)
    return Wish(body.kind, body.name, asked["target"], asked["options"])


def safe_name(name: str) -> str:
    """The last part of a path, of either system's, as a name that hides and breaks nothing; empty if nothing is left."""
    last = re.split(r"[/\\]", name)[-1]
    printable = "".join(character for character in last if character.isprintable()).strip().lstrip(".")
    stem, suffix = Path(printable).stem, Path(printable).suffix
    room = _MOST_NAME - len(suffix.encode())
    return stem.encode()[: max(0, room)].decode("utf-8", "ignore") + suffix if room > 0 else ""


def spec_of(desk: Desk, wish: Wish, body_id: str) -> VideoSpec | IngestSpec:
    """The job's spec. Raises SpecError, ConfigError."""
    s3 = desk.settings.s3
    target = wish.target or (f"s3://{s3.bucket_name}/{s3.prefix}" if s3.bucket_name else "")
    if not target:
        raise SpecError("The target is missing: give ?target=s3://BUCKET/PREFIX, or set s3.bucket_name in the configuration.")
    sources = [str(desk.staging.path(body_id, wish.file_name(body_id)))]
    if wish.kind == "ingest":
        return desk.runtime.ingest_spec(sources, target, **wish.options)
    spec = desk.runtime.video_spec(sources, target, **wish.options)
    check_key(spec)
    return spec


def make_job(desk: Desk, wish: Wish, body_id: str, *, size: int, sha256: str | None, token_id: str) -> str:
    """Write down the body and its job; returns the job's id, which is the body's. Raises SpecError, StateError. Blocks."""
    spec = spec_of(desk, wish, body_id)
    body = Body(body_id, wish.kind, wish.safe_name, wish.as_json, token_id, size, sha256, None, None, now_ms())
    desk.store.bodies.drop(body_id)  # of an attempt that was killed
    desk.store.bodies.add(body)
    return submit(desk, spec, body_id)


def submit(desk: Desk, spec: VideoSpec | IngestSpec, body_id: str) -> str:
    """Make the job with the id of its body. Blocks."""
    limits = desk.settings.transfer
    concurrency, bandwidth = limits.concurrency, limits.bytes_per_second
    return desk.service.submit(spec, concurrency=concurrency, bandwidth=bandwidth, job_id=body_id).job_id

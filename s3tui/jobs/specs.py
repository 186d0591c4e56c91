"""Specs to JSON and back. The JSON is ASCII, so names that are not UTF-8 survive every database as `\\udcXX` escapes.

A kind's module is imported when its first spec is read: stories weigh much, and a face shows jobs without them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from importlib import import_module
from typing import TYPE_CHECKING, Any

from s3tui.errors import SpecError
from s3tui.model import Connection, ObjectHeaders, Policy
from s3tui.transfer.choice import Choice

if TYPE_CHECKING:
    from s3tui.jobs.backup import BackupSpec
    from s3tui.jobs.ingest import IngestSpec
    from s3tui.jobs.upload import UploadSpec
    from s3tui.jobs.video import VideoSpec

    Spec = UploadSpec | BackupSpec | VideoSpec | IngestSpec
    """The spec of any kind."""

_NAMES = {"upload": "UploadSpec", "backup": "BackupSpec", "video": "VideoSpec", "ingest": "IngestSpec"}
"""What the spec of a kind is called in the module that has the kind's name."""


def encode_spec(spec: Spec) -> str:
    """The spec as JSON."""
    return json.dumps(asdict(spec), sort_keys=True, separators=(",", ":"))


def decode_spec(kind: str, text: str) -> Spec:
    """The spec of a job of this kind. Raises SpecError for a kind this version does not know."""
    if kind not in _NAMES:
        raise SpecError(f"This version of s3tui has no job kind {kind!r}; upgrade it to work on this job.")
    fields: dict[str, Any] = json.loads(text)
    policy = fields.pop("policy")
    headers = policy.pop("headers")
    for name in ("metadata", "tags"):
        headers[name] = tuple((key, value) for key, value in headers[name])
    fields["sources"] = tuple(fields["sources"])
    fields["connection"] = Connection(**fields["connection"])
    fields["policy"] = Policy(**policy, headers=ObjectHeaders(**headers))
    if "choice" in fields:
        fields["choice"] = _choice(fields["choice"])
    spec: Spec = getattr(import_module(f"s3tui.jobs.{kind}"), _NAMES[kind])(**fields)
    return spec


def _choice(fields: dict[str, Any]) -> Choice:
    rules = tuple((action, glob) for action, glob in fields["rules"])
    lists = {name: tuple(fields.get(name, ())) for name in ("ignore", "extensions")}
    return Choice(**{**fields, **lists, "rules": rules})


def spec_hash(spec: Spec) -> str:
    """What makes two commands the same command: all of the spec but how hard it tries."""
    fields = asdict(spec)
    fields["policy"].pop("max_attempts")
    return hashlib.sha256(json.dumps([spec.kind, fields], sort_keys=True).encode()).hexdigest()[:32]


def place_hash(spec: Spec) -> str:
    """What makes two jobs send the same files to the same keys, if not all of them; empty: the keys are the job's own."""
    if spec.kind == "ingest":
        return ""
    choice: Choice = getattr(spec, "choice", Choice())
    place = [spec.kind == "video", spec.connection.endpoint_url, spec.target, spec.sources, choice.encode_names]
    return hashlib.sha256(json.dumps(place).encode()).hexdigest()[:32]

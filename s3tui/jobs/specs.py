"""Specs to JSON and back. The JSON is ASCII, so names that are not UTF-8 survive every database as `\\udcXX` escapes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from s3tui.errors import SpecError
from s3tui.jobs.backup import BackupSpec
from s3tui.jobs.ingest import IngestSpec
from s3tui.jobs.upload import UploadSpec
from s3tui.jobs.video import VideoSpec
from s3tui.model import Connection, ObjectHeaders, Policy
from s3tui.transfer.choice import Choice

Spec = UploadSpec | BackupSpec | VideoSpec | IngestSpec
"""The spec of any kind."""

_KINDS: dict[str, type[Spec]] = {spec.kind: spec for spec in (UploadSpec, BackupSpec, VideoSpec, IngestSpec)}


def encode_spec(spec: Spec) -> str:
    """The spec as JSON."""
    return json.dumps(asdict(spec), sort_keys=True, separators=(",", ":"))


def decode_spec(kind: str, text: str) -> Spec:
    """The spec of a job of this kind. Raises SpecError for a kind this version does not know."""
    if kind not in _KINDS:
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
    return _KINDS[kind](**fields)


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
    if isinstance(spec, IngestSpec):
        return ""
    encode_names = "" if isinstance(spec, VideoSpec) else spec.choice.encode_names
    place = [spec.kind == VideoSpec.kind, spec.connection.endpoint_url, spec.target, spec.sources, encode_names]
    return hashlib.sha256(json.dumps(place).encode()).hexdigest()[:32]

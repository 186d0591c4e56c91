"""Specs to JSON and back. The JSON is ASCII, so names that are not UTF-8 survive every database as `\\udcXX` escapes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from s3tui.errors import SpecError
from s3tui.jobs.upload import UploadSpec
from s3tui.model import Connection, ObjectHeaders, Policy

Spec = UploadSpec
"""The spec of any kind."""


def encode_spec(spec: Spec) -> str:
    """The spec as JSON."""
    return json.dumps(asdict(spec), sort_keys=True, separators=(",", ":"))


def decode_spec(kind: str, text: str) -> Spec:
    """The spec of a job of this kind. Raises SpecError for a kind this version does not know."""
    if kind != UploadSpec.kind:
        raise SpecError(f"This version of s3tui has no job kind {kind!r}; upgrade it to work on this job.")
    fields: dict[str, Any] = json.loads(text)
    policy = fields.pop("policy")
    headers = policy.pop("headers")
    for name in ("metadata", "tags"):
        headers[name] = tuple((key, value) for key, value in headers[name])
    return UploadSpec(
        **{
            **fields,
            "sources": tuple(fields["sources"]),
            "rules": tuple((action, glob) for action, glob in fields["rules"]),
            "connection": Connection(**fields["connection"]),
            "policy": Policy(**policy, headers=ObjectHeaders(**headers)),
        }
    )


def spec_hash(spec: Spec) -> str:
    """What makes two commands the same command: all of the spec but how hard it tries."""
    fields = asdict(spec)
    fields["policy"].pop("max_attempts")
    return hashlib.sha256(json.dumps([spec.kind, fields], sort_keys=True).encode()).hexdigest()[:32]

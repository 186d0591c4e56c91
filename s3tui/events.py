"""Facts: something now true about one transfer, in the past tense. They are the transfer engine's only output.

A fact is written to the state store before the step that depends on it; what is not a fact (bytes in flight, rates) is sampled.
"""

from __future__ import annotations

from dataclasses import dataclass

from s3tui.model import Action, FileState, Fingerprint, Receipt


@dataclass(frozen=True, slots=True)
class Planned:
    """The scan met an entry. Its number is given when it is written down.

    `state` is PLANNED for what is to be sent, SKIPPED or FAILED (with `reason`) for what the scan already decided.
    """

    source_no: int
    """Which of the job's sources it was found in, from 0."""
    path: bytes
    """Relative to that source; the base name for a source that is a file."""
    key: str | None
    """The object's key, or None if the name cannot be one."""
    fingerprint: Fingerprint
    state: FileState = FileState.PLANNED
    reason: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """The plan was held against what the target has. SKIP and FAIL actions carry a `reason`."""

    no: int
    action: Action
    reason: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Uploaded:
    """The store took the object and answered so."""

    no: int
    attempts: int
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Verified:
    """The stored object was proven to hold the source's bytes."""

    no: int


@dataclass(frozen=True, slots=True)
class SourceDeleted:
    """The source was deleted, after proof."""

    no: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """The file was left alone for a stated reason."""

    no: int
    attempts: int
    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The file could not be sent; `error` is a sentence."""

    no: int
    attempts: int
    reason: str
    error: str


Fact = Uploaded | Verified | SourceDeleted | Skipped | Failed

"""How states look: a glyph, a word and a style, so that none of them rests on colour alone."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass

from s3tui.model import Action, FileRow, FileState, Job, JobState, Proof

STYLES = ("queued", "active", "done", "failed", "skipped")
"""The names of the styles; each is a colour of the theme, `$state-NAME`."""


@dataclass(frozen=True, slots=True)
class Look:
    """How one state looks."""

    name: str
    """Names the glyph in a theme file."""
    glyph: str
    word: str
    style: str
    """One of STYLES."""


LOOKS = {
    look.name: look
    for look in (
        Look("queued", "·", "queued", "queued"),
        Look("waiting", "↻", "again", "active"),
        Look("active", "▸", "sending", "active"),
        Look("stored", "▸", "uploaded", "active"),
        Look("proven", "▸", "verified", "active"),
        Look("done", "✓", "uploaded", "done"),
        Look("unproven", "!", "unproven", "skipped"),
        Look("verified", "≡", "verified", "done"),
        Look("deleted", "⌫", "deleted", "done"),
        Look("skipped", "–", "skipped", "skipped"),
        Look("failed", "✗", "failed", "failed"),
        Look("send", "↑", "send", "active"),
        Look("new", "+", "new", "done"),
        Look("overwrite", "±", "replace", "active"),
        Look("skip", "–", "skip", "skipped"),
        Look("fail", "✗", "fail", "failed"),
        Look("planned", "◇", "planned", "skipped"),
        Look("scanning", "▸", "scanning", "active"),
        Look("pending", "·", "waiting", "queued"),
        Look("running", "▸", "running", "active"),
        Look("pausing", "‖", "pausing", "skipped"),
        Look("paused", "‖", "paused", "skipped"),
        Look("held", "!", "paused", "failed"),
        Look("completed", "✓", "completed", "done"),
        Look("partial", "!", "partial", "failed"),
        Look("broken", "✗", "failed", "failed"),
        Look("stopping", "×", "stopping", "skipped"),
        Look("cancelled", "×", "cancelled", "queued"),
    )
}

_PASSING = {FileState.UPLOADED: "stored", FileState.VERIFIED: "proven"}
"""Files of a backup that have not come to their end: of some the proof is missing, of others the deletion."""
_FILES = {
    FileState.UPLOADED: "done",
    FileState.VERIFIED: "verified",
    FileState.DELETED: "deleted",
    FileState.SKIPPED: "skipped",
    FileState.FAILED: "failed",
}
PROOFS = {
    Proof.SERVER_CHECKSUM: ("store checked it", "the store checked the bytes against their checksum"),
    Proof.ETAG_MD5: ("ETag is its MD5", "its ETag, which the store has made, is the MD5 of the bytes"),
    Proof.READ_BACK: ("read back", "the bytes were read back, and are the same"),
}
"""How an object was proven, in a few words and as a sentence."""
_ACTIONS = {Action.UPLOAD: "send", Action.NEW: "new", Action.OVERWRITE: "overwrite", Action.SKIP: "skip", Action.FAIL: "fail"}
_JOBS = {
    JobState.PLANNED: "planned",
    JobState.PENDING: "pending",
    JobState.RUNNING: "running",
    JobState.PAUSED: "paused",
    JobState.COMPLETED: "completed",
    JobState.PARTIAL: "partial",
    JobState.FAILED: "broken",
    JobState.CANCELLED: "cancelled",
}


class Looks:
    """The looks of one theme: its glyphs instead of ours where it names some."""

    def __init__(self, glyphs: Mapping[str, str] | None = None, *, ascii_bars: bool = False) -> None:
        self._looks = {
            name: Look(name, (glyphs or {}).get(name, look.glyph), look.word, look.style) for name, look in LOOKS.items()
        }
        self.ascii_bars = ascii_bars

    def of_file(self, row: FileRow, *, in_flight: bool, passing: Container[FileState] = ()) -> Look:
        """How a file of a running or ended job looks; in a state that is `passing` it has not come to its end."""
        if row.state is FileState.UPLOADED and row.reason is not None:
            return self._looks["unproven"]
        if row.state is not FileState.PLANNED:
            return self._looks[_PASSING[row.state] if row.state in passing else _FILES[row.state]]
        if in_flight:
            return self._looks["active"]
        return self._looks["waiting" if row.attempts else "queued"]

    def of_plan(self, row: FileRow) -> Look:
        """How a file of a plan looks: what would happen to it."""
        if row.state is FileState.FAILED:
            return self._looks["fail"]
        if row.state is FileState.SKIPPED:
            return self._looks["skip"]
        return self._looks[_ACTIONS[row.action]]

    def of_job(self, job: Job) -> Look:
        """How a job looks."""
        if not job.state.ended and job.state is not JobState.PAUSED:
            if job.desired == "cancel":
                return self._looks["stopping"]
            if job.desired == "pause":
                return self._looks["pausing"]
            if job.dry_run and job.state is JobState.RUNNING:
                return self._looks["scanning"]
        return self._looks["held" if job.waits_for_person else _JOBS[job.state]]

    def named(self, name: str) -> Look:
        """The look with this name."""
        return self._looks[name]


_PLAIN = Looks()


def looks_of(app: object) -> Looks:
    """The looks of the application's theme."""
    found = getattr(app, "looks", None)
    return found if isinstance(found, Looks) else _PLAIN

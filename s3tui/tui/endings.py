"""Jobs that end while the UI is open: which ones, and the sentence and the signal that tell a person who looks elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from s3tui.model import Job
from s3tui.text import display_text, plural
from s3tui.tui.figures import subject_of

_SUBJECT = 80
"""Cells that what a job is about may take."""
_LONGEST = 240
"""Characters of a notice; desktops cut longer ones, each where it likes."""
_PLAIN_TERMINALS = ("", "dumb", "linux", "unknown")
"""Terminals that would print an OSC sequence, or may; so may every `vt...`."""


class Endings:
    """Finds jobs that have ended since the last look. The first look only learns what there is."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[bool, int | None]] | None = None
        self._newest = 0

    def learn(self, jobs: Sequence[Job]) -> list[Job]:
        """The jobs that ended since the last look, oldest first. A job that was retried ends again."""
        known = self._known
        ended = [job for job in jobs if known is not None and job.state.ended and self._is_news(job, known)]
        self._known = {job.id: (job.state.ended, job.finished_at) for job in jobs}
        self._newest = max([self._newest, *(job.no for job in jobs)])
        return sorted(ended, key=lambda job: job.no)

    def _is_news(self, job: Job, known: dict[str, tuple[bool, int | None]]) -> bool:
        if job.id in known:
            return known[job.id] != (True, job.finished_at)
        return job.no > self._newest  # it began and ended between two looks; an older one comes back from beyond the list


def ending_sentence(job: Job) -> str:
    """`upload photos → s3://harbour/backups/: partial, 119 of 120 files, 1 failed`, safe to show."""
    totals = job.totals
    done = totals.uploaded + totals.skipped
    failed = f", {totals.failed:,} failed" if totals.failed else ""
    files = f"{done:,} of {plural(totals.found, 'file')}"
    return display_text(f"{job.kind} {subject_of(job).short(_SUBJECT)}: {job.state.value}, {files}{failed}")[:_LONGEST]


def desktop_notice(sentence: str, terminal: str) -> str:
    """The OSC 9 sequence by which terminals tell the desktop; empty where `TERM` names one that would print it.

    The text begins with a word, for some terminals take a number there as a command.
    """
    if terminal in _PLAIN_TERMINALS or terminal.startswith("vt"):
        return ""
    return f"\x1b]9;s3tui: {display_text(sentence)}\x07"

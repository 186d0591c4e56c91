"""The numbers of a job as sentences and shares."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rich.cells import cell_len

from s3tui.model import Job, View
from s3tui.text import display_text, format_duration, format_rate, format_size
from s3tui.tui.door import Sight


@dataclass(frozen=True, slots=True)
class Subject:
    """What a job is about, out of its spec; every kind names its sources and target so."""

    sources: tuple[str, ...]
    target: str
    deletes: bool = False
    """Whether sources go once their objects are proven."""
    prunes: bool = False
    """Whether directories that this empties go, too."""

    @property
    def bucket(self) -> str:
        """The target's bucket."""
        return self.target.removeprefix("s3://").partition("/")[0]

    def short(self, width: int) -> str:
        """What fits in a few cells: the last names of the sources, and the target without what all targets begin with."""
        names = [Path(source).name or source for source in self.sources]
        more = f" +{len(names) - 1}" if len(names) > 1 else ""
        text = display_text(f"{names[0] if names else ''}{more} → {self.target}")
        return text if cell_len(text) <= width else text.replace("→ s3://", "→ ", 1)

    def __str__(self) -> str:
        first = self.sources[0] if self.sources else ""
        more = f" and {len(self.sources) - 1} more" if len(self.sources) > 1 else ""
        return display_text(f"{tilde(first)}{more} → {self.target}")


def tilde(path: str) -> str:
    """The path as people write it: `~` for their home."""
    home = str(Path.home())
    return "~" + path.removeprefix(home) if home != "/" and (path == home or path.startswith(home + "/")) else path


def subject_of(job: Job) -> Subject:
    """What the job's spec says; empty where it has nothing of it."""
    try:
        spec = json.loads(job.spec)
        sources = tuple(str(source) for source in spec.get("sources", ()))
        deletes = bool(spec.get("delete_after_upload"))
        return Subject(sources, str(spec.get("target", "")), deletes, deletes and bool(spec.get("prune_empty_dirs")))
    except (ValueError, AttributeError):
        return Subject((), "")


def done_share(job: Job, sent: int | None = None) -> float:
    """How much of the job is behind us, from 0 to 1: by bytes, or by files if there are no bytes.

    What was sent is not all while sources wait for their deletion.
    """
    totals = job.totals
    if job.state == "completed":
        return 1.0
    most = 0.99 if not job.state.ended and totals.deleted < totals.uploaded and subject_of(job).deletes else 1.0
    if totals.bytes_found:
        return min(most, (totals.bytes if sent is None else sent) / totals.bytes_found)
    return min(most, (totals.uploaded + totals.skipped + totals.failed) / totals.found) if totals.found else 0.0


def time_left(sight: Sight) -> float | None:
    """Seconds until the end at the present rate; None if nobody can know."""
    missing = sight.job.totals.bytes_found - sight.sent
    if sight.job.state.ended or not sight.job.planned or sight.rate <= 0 or missing <= 0:
        return None
    return missing / sight.rate


def figures(sight: Sight) -> list[tuple[str, str]]:
    """The summary line: (text, style name) in order of importance."""
    job, totals = sight.job, sight.job.totals
    ended = totals.uploaded + totals.skipped + totals.failed
    found = f"{totals.found:,}" if job.planned else f"{totals.found:,}+"
    parts = [("watching", "active")] if job.watches and job.state == "running" else []
    parts += [(f"{ended:,} of {found} files", ""), (f"{format_size(sight.sent)} of {format_size(totals.bytes_found)}", "")]
    if subject_of(job).deletes:
        parts.append((f"{totals.deleted:,} of {totals.uploaded:,} deleted", "done" if job.state.ended else "active"))
    limit = _limit(sight)
    if not job.state.ended and job.state != "paused":
        parts.append((f"{format_size(sight.rate)}/s" + (f" of {limit}" if limit else ""), "active"))
    elif not job.state.ended and limit:
        parts.append((f"limit {limit}", "quiet"))
    left = time_left(sight)
    if left is not None:
        parts.append((f"{format_duration(left)} left", "active"))
    parts += endings(job)
    if not job.state.ended:
        parts.append((f"{job.concurrency} at once", "quiet"))
    return parts


def limits(sight: Sight) -> list[tuple[str, str]]:
    """What may go on at once, for a summary line that has no word of it; nothing once the job has ended."""
    if sight.job.state.ended:
        return []
    limit = _limit(sight)
    return [(f"{sight.job.concurrency} at once", "quiet"), *([(f"limit {limit}", "quiet")] if limit else [])]


def endings(job: Job) -> list[tuple[str, str]]:
    """What went wrong, and how long it took."""
    totals = job.totals
    parts = []
    if totals.failed:
        parts.append((f"{totals.failed:,} failed", "failed"))
    if totals.retries:
        parts.append((f"{totals.retries:,} {'retry' if totals.retries == 1 else 'retries'}", "skipped"))
    if job.started_at and job.finished_at:
        parts.append((f"took {format_duration((job.finished_at - job.started_at) / 1000)}", "quiet"))
    return parts


def _limit(sight: Sight) -> str:
    """`10MB/s`, or `2 x 10MB/s` for two workers, as each has it to itself; empty if there is none."""
    each = f"{len(sight.workers)} x " if len(sight.workers) > 1 else ""
    return each + format_rate(sight.job.bandwidth) if sight.job.bandwidth else ""


def view_counts(sight: Sight) -> dict[View, int]:
    """How many files each view holds."""
    totals, active = sight.job.totals, len(sight.active)
    done = totals.uploaded + totals.skipped
    return {
        View.ALL: totals.found,
        View.ACTIVE: active,
        View.QUEUED: max(0, totals.found - done - totals.failed - active),
        View.FAILED: totals.failed,
        View.DONE: done,
    }


def clock_time(milliseconds: int | None) -> str:
    """`Nov 21 10:30` in the local time zone."""
    return "" if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000).strftime("%b %d %H:%M")

"""The workers of a job, and of the house, in words for the screens."""

from __future__ import annotations

from collections.abc import Sequence

from s3tui.model import JobState, WorkerState
from s3tui.text import display_text, format_duration, format_size, plural
from s3tui.tui.door import Sight

SILENT_SECONDS = 5.0
"""A heart beats once a second; from here on its silence is worth a word."""
_NAMED = 3
"""Machines that are named in a line."""


def crew_words(sight: Sight) -> list[tuple[str, str]]:
    """Who works on a job: (text, style name). Nothing, while nobody has to."""
    if sight.job.state not in (JobState.PENDING, JobState.RUNNING):
        return []
    live, words = [worker for worker in sight.crew if not worker.lost and worker.silent < SILENT_SECONDS], []
    for worker in sight.crew:
        if worker.hangs:
            words.append((f"{_named(worker)} hangs for {_since(worker)}: end its process {worker.pid}", "failed"))
        elif worker.lost:
            words.append((f"{_named(worker)} lost {_since(worker)} ago: others take its units", "failed"))
        elif worker not in live:
            words.append((f"{_named(worker)} silent for {_since(worker)}", "skipped"))
    if live:
        words.append((f"{plural(len(live), 'worker')} on {machines(live)}", "quiet"))
    taken_over = sum(holding.taken_over for worker in live for holding in worker.holdings)
    if taken_over:
        words.append((f"{plural(taken_over, 'unit')} taken over from a lost worker", "skipped"))
    if not sight.workers and not sight.crew:
        words.append(("no worker has it: starting one, or waiting for one", "skipped"))
    return words


def house_words(running: int, crew: Sequence[WorkerState]) -> str:
    """What goes on in the house, in a few words; nothing where nothing does."""
    if not running:
        return ""
    live = [worker for worker in crew if not worker.lost]
    rate = sum(holding.rate for worker in live for holding in worker.holdings)
    words = [f"{running} running", *([f"{format_size(rate)}/s"] if rate else [])]
    words += [f"{plural(len(live), 'worker')} on {machines(live)}"] if live else []
    return ", ".join([*words, *([f"{len(crew) - len(live)} lost"] if len(crew) > len(live) else [])])


def machines(workers: Sequence[WorkerState]) -> str:
    """`ada`, `ada, grace`, `5 machines`."""
    names = sorted({worker.host for worker in workers})
    return display_text(", ".join(names)) if len(names) <= _NAMED else f"{len(names):,} machines"


def state_of(worker: WorkerState) -> tuple[str, str]:
    """(name of its look, word)."""
    if worker.lost:
        return "failed", "hangs" if worker.hangs else "lost"
    return ("held", "silent") if worker.silent >= SILENT_SECONDS else ("active", "alive")


def _named(worker: WorkerState) -> str:
    return f"worker on {display_text(worker.host)}"


def _since(worker: WorkerState) -> str:
    return format_duration(worker.silent)

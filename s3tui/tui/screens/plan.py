"""The dry run: what would happen to each file and why. Enter does exactly that."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from s3tui.model import FileState, Job, JobState, View
from s3tui.text import format_size
from s3tui.tui.commands import Where, bindings
from s3tui.tui.door import Door, House, Sight
from s3tui.tui.looks import looks_of
from s3tui.tui.screens.job_page import JobPage
from s3tui.tui.widgets.summary import Part

_STRETCH = 2000
_TALLY_SECONDS = 0.1


class PlanPage(JobPage):
    """The preview."""

    PLACES: ClassVar[tuple[Where, ...]] = (Where.PLAN, Where.LIST)
    SECTION = "Plan"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.PLAN)]
    VIEWS: ClassVar[dict[View, str]] = {View.ALL: "All", View.QUEUED: "To send", View.FAILED: "Will fail", View.DONE: "Skipped"}
    IS_PLAN = True

    def __init__(self, house: House, job_id: str, fps: float) -> None:
        super().__init__(house, job_id, fps)
        self._tally: Counter[str] = Counter()
        self._told = 0

    def show_job(self, sight: Sight) -> None:
        """Show the figures; count what is new, and leave for the transfers if the plan was applied meanwhile."""
        super().show_job(sight)
        job = sight.job
        if not job.dry_run and not job.state.ended:
            self.give_way()
            return
        if not self.live and self._told < job.totals.found:  # the comparing changes rows until its end
            told = self._told
            self.ask("tally", lambda: count_actions(self.house.service, job, told), self._counted)
        self.summary.show(None, "active", self._figures(job))

    def _counted(self, counted: tuple[int, Counter[str]]) -> None:
        told, tally = counted
        self._told += told
        self._tally += tally
        if self.sight is not None:
            self.summary.show(None, "active", self._figures(self.sight.job))

    def _figures(self, job: Job) -> Sequence[Part]:
        totals = job.totals
        parts: list[Part] = [(f"{totals.found:,} files", ""), (f"{format_size(totals.bytes_found)} to send", "")]
        if not job.planned and not job.state.ended:
            parts.insert(0, ("Scanning…", "active"))
        for name in ("new", "overwrite", "send", "skip", "fail"):
            look = looks_of(self.app).named(name)
            if self._tally[name]:
                parts.append((f"{self._tally[name]:,} {look.word}", look.style))
        return parts

    def counts(self, sight: Sight) -> dict[View, int]:
        """How many files each view holds."""
        totals = sight.job.totals
        waiting = totals.found - totals.skipped - totals.failed
        return {View.ALL: totals.found, View.QUEUED: waiting, View.FAILED: totals.failed, View.DONE: totals.skipped}

    def nothing(self) -> str:
        """What an empty table says."""
        if self.sight is not None and not self.sight.job.planned and not self.sight.job.state.ended:
            return "Scanning…"
        return super().nothing() if self.containing else "There is nothing to show here."

    def next_step(self) -> str:
        """What to do when the scan failed."""
        return "Nothing was sent. Esc goes back to the form; `s3tui status` checks the settings."

    def action_apply(self) -> None:
        """Carry exactly what was planned."""
        job = None if self.sight is None else self.sight.job
        if job is None or (not job.state.ended and job.state is not JobState.PLANNED):
            self.say("The scan is not finished yet: Enter works when it is.")
        elif job.state is not JobState.PLANNED:
            self.say(f"This plan cannot be applied: it is {job.state}.")
        elif job.totals.found == job.totals.skipped + job.totals.failed:
            self.say("There is nothing to send in this plan.")
        else:
            self.ask("steer", self._apply, lambda _: self.give_way())

    def _apply(self) -> None:
        self.house.service.apply(self.job_id)
        self.house.ensure_worker()


def count_actions(door: Door, job: Job, first: int) -> tuple[int, Counter[str]]:
    """What is planned for the files from `first` on, as far as a tenth of a second goes: how many were read, and the counts.

    Rows of a finished plan do not change, so each is read once. Blocks on the database.
    """
    tally: Counter[str] = Counter()
    end, at = time.monotonic() + _TALLY_SECONDS, first
    while at < job.totals.found and time.monotonic() < end:
        rows = door.window(job, at, _STRETCH)
        if not rows:
            break
        for row in rows:
            tally[
                "fail" if row.state is FileState.FAILED else "skip" if row.state is FileState.SKIPPED else _word(row.action.word)
            ] += 1
        at += len(rows)
    return at - first, tally


def _word(action: str) -> str:
    return "send" if action == "upload" else action

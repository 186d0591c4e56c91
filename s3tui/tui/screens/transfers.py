"""A job at work: what is in flight, what waits, what failed and why."""

from __future__ import annotations

import time
from typing import ClassVar

from textual.binding import BindingType

from s3tui.model import Job, JobState, View
from s3tui.text import format_rate
from s3tui.tui.commands import Where, bindings, first_key
from s3tui.tui.csv_files import Pace, csv_figures, reasons_words
from s3tui.tui.door import House, Sight
from s3tui.tui.figures import done_share, figures, view_counts
from s3tui.tui.looks import looks_of
from s3tui.tui.messages import OpenFailures, OpenRejects
from s3tui.tui.screens.dialogs import BandwidthEntry
from s3tui.tui.screens.retrying import RetryingPage
from s3tui.tui.videos import videos_figures, videos_share


class TransfersPage(RetryingPage):
    """The live screen."""

    PLACES: ClassVar[tuple[Where, ...]] = (Where.TRANSFERS, Where.LIST)
    SECTION = "Transfers"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.TRANSFERS)]
    VIEWS: ClassVar[dict[View, str]] = {
        View.ALL: "All",
        View.ACTIVE: "Active",
        View.QUEUED: "Queued",
        View.FAILED: "Failed",
        View.DONE: "Done",
    }

    def __init__(self, house: House, job_id: str, fps: float) -> None:
        super().__init__(house, job_id, fps)
        self._pace_of_rows = Pace()

    def on_mount(self) -> None:
        """Show first what moves."""
        self.table.following = True

    def show_job(self, sight: Sight) -> None:
        """Show bar and figures."""
        super().show_job(sight)
        if sight.job.dry_run:
            self.give_way()
            return
        style = looks_of(self.app).of_job(sight.job).style
        if sight.job.kind == "video":
            self.summary.show(videos_share(sight), style, videos_figures(sight))
        elif sight.rows is not None:
            pace = self._pace_of_rows.look(time.monotonic(), sight.rows.read, sight.sent)
            self.summary.show(done_share(sight.job, sight.sent), style, csv_figures(sight, pace))
        else:
            self.summary.show(done_share(sight.job, sight.sent), style, figures(sight))

    def foretell(self, job: Job) -> str:
        """Why records were rejected; where failures are looked at, how to see their causes."""
        rejected = f"Rejected: {reasons_words(self.reasons)}. e shows them." if self.reasons else ""
        if self.choice.view is not View.FAILED or not job.totals.failed:
            return rejected
        key = first_key("failures", Where.TRANSFERS, getattr(self.app, "keys", {}))
        return f"{rejected} {key} groups them by cause, and sends a group again.".strip()

    def counts(self, sight: Sight) -> dict[View, int]:
        """How many files each view holds."""
        return view_counts(sight)

    def nothing(self) -> str:
        """What an empty table says."""
        if self.choice.containing:
            return "No path here contains that text."
        if self.sight is not None and not self.sight.job.planned and not self.sight.job.state.ended:
            return "Looking for files…"
        return {
            View.ALL: "This job found no files.",
            View.ACTIVE: "Nothing is in flight.",
            View.QUEUED: "Nothing waits.",
            View.FAILED: "Nothing failed.",
            View.DONE: "Nothing is done yet.",
        }[self.choice.view]

    # What the widgets say.

    def on_detail_rejects_asked(self) -> None:
        """The other one."""
        self.action_rejects()

    # Actions.

    def action_rejects(self) -> None:
        """Show the records that are no rows: of the file under the cursor, or of all files if none of it was rejected."""
        if self.sight is None or self.sight.rows is None:
            self.say("Only jobs that ingest CSV files reject records.")
        elif not self.sight.rows.rejected:
            self.say("No record was rejected.")
        else:
            number = self.table.pointed_number
            counts = None if number is None else self.csv.counts.get(number)
            self.post_message(OpenRejects(self.job_id, number if counts is not None and counts.rejected else None))

    def action_failures(self) -> None:
        """Show what failed, grouped by cause."""
        self.post_message(OpenFailures(self.job_id))

    def action_pause(self) -> None:
        """Pause the job, or let it go on."""
        if self.sight is None:
            return
        job = self.sight.job
        if job.state is JobState.PAUSED or job.desired == "pause":
            self.ask("steer", lambda: self.house.service.resume(self.job_id), lambda _: self._resumed())
        else:
            told = "Pausing: files in flight are finished first."
            self.ask("steer", lambda: self.house.service.pause(self.job_id), lambda _: self.steered(told))

    def _resumed(self) -> None:
        self.ask("worker", self.house.ensure_worker, lambda _: None)
        self.steered("The job goes on.")

    def action_tune(self, direction: int) -> None:
        """More transfers in flight, or fewer."""
        if self.sight is None or self.sight.job.state.ended:
            self.say("The job has ended: there is nothing to speed up.")
            return
        concurrency = next_concurrency(self.sight.job.concurrency, direction)
        self.ask(
            "tune",
            lambda: self.house.service.tune(self.job_id, concurrency=concurrency),
            lambda _: self.steered(f"{concurrency} at once."),
        )

    def action_limit(self) -> None:
        """Limit the bandwidth, or lift the limit."""
        if self.sight is None or self.sight.job.state.ended:
            self.say("The job has ended: there is nothing to limit.")
            return

        def answered(bandwidth: int | None) -> None:
            if bandwidth is not None:
                told = f"At most {format_rate(bandwidth)} from now on." if bandwidth else "No limit from now on."
                self.ask("tune", lambda: self.house.service.tune(self.job_id, bandwidth=bandwidth), lambda _: self.steered(told))

        self.app.push_screen(BandwidthEntry(self.sight.job.bandwidth), answered)

    def action_follow(self) -> None:
        """Show all files, and stay with those in flight."""
        self.table.following = True
        self.action_view(View.ALL.value)
        self.read_now()


def next_concurrency(now: int, direction: int) -> int:
    """The next of 1, 2, ... 10, 15, ... 50, 60, ... 200, 250, ...: small steps where they matter."""
    step = 1 if now + min(0, direction) < 10 else 5 if now + min(0, direction) < 50 else 10 if now + min(0, direction) < 200 else 50
    return max(1, now + step * direction)

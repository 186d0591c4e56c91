"""A job at work: what is in flight, what waits, what failed and why."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual.binding import BindingType

from s3tui.model import WHOLE, Job, JobState, Order, Sample, View
from s3tui.text import format_rate
from s3tui.tui.commands import Where, bindings, first_key
from s3tui.tui.course import Course, seconds_apart, spark
from s3tui.tui.crew import crew_words
from s3tui.tui.csv_files import Pace, csv_figures, reasons_words
from s3tui.tui.door import House, Sight
from s3tui.tui.figures import done_share, figures, limits, view_counts
from s3tui.tui.looks import looks_of
from s3tui.tui.messages import OpenCourse, OpenFailures, OpenRejects
from s3tui.tui.screens.dialogs import BandwidthEntry
from s3tui.tui.screens.retrying import RetryingPage
from s3tui.tui.videos import videos_figures, videos_share

_LONGEST_PAUSE = 15.0
"""Seconds between two readings of samples, at most."""


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
    ORDERS: ClassVar[tuple[Order, ...]] = (Order.NUMBER, Order.PATH, Order.SIZE, Order.STATE, Order.TRIES)

    def __init__(self, house: House, job_id: str, fps: float) -> None:
        super().__init__(house, job_id, fps)
        self._pace_of_rows = Pace()
        self._course = Course(())
        self._course_from = 0.0
        """When it is time to read that again."""
        self._course_to: int | None = None
        """The end of the job, as it was read."""

    def on_mount(self) -> None:
        """Show first what moves."""
        self.table.following = True

    def show_job(self, sight: Sight) -> None:
        """Show bar and figures."""
        super().show_job(sight)
        if sight.job.dry_run:
            self.give_way()
            return
        looks, share = looks_of(self.app), done_share(sight.job, sight.sent)
        if sight.job.kind == "video":
            share, parts = videos_share(sight), videos_figures(sight) + limits(sight)
        elif sight.rows is not None:
            pace = self._pace_of_rows.look(time.monotonic(), sight.rows.read, sight.sent)
            parts = csv_figures(sight, pace) + limits(sight)
        else:
            parts = figures(sight)
        self.summary.show(share, looks.of_job(sight.job).style, parts, crew_words(sight), self._spark(looks.ascii_bars))
        self._mind_course(sight.job)

    # The sparkline.

    def _mind_course(self, job: Job) -> None:
        """Read the samples anew when a cell of the sparkline may have changed."""
        ended_anew = job.finished_at is not None and job.finished_at != self._course_to
        if self.summary.spark_cells and (ended_anew or (self.live and time.monotonic() >= self._course_from)):
            self.ask("course", lambda: self.house.service.samples(job), partial(self._take_course, job))

    def _take_course(self, job: Job, samples: Sequence[Sample]) -> None:
        self._course, self._course_to = Course(samples), job.finished_at
        pause = seconds_apart(self._course.seconds, self.summary.spark_cells or 1) / 8
        self._course_from = time.monotonic() + min(_LONGEST_PAUSE, max(1.0, pause))

    def _spark(self, ascii_only: bool) -> str:
        cells, figure = self.summary.spark_cells, "rows" if self.table.of_csv else "bytes"
        if not cells or self._course.seconds < 1:
            return ""
        return spark(self._course.rates(figure, seconds_apart(self._course.seconds, cells)), ascii_only=ascii_only)

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

    def action_course(self) -> None:
        """Draw how fast the job was."""
        self.post_message(OpenCourse(self.job_id))

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
        self.choose(WHOLE._replace(containing=self.choice.containing))


def next_concurrency(now: int, direction: int) -> int:
    """The next of 1, 2, ... 10, 15, ... 50, 60, ... 200, 250, ...: small steps where they matter."""
    step = 1 if now + min(0, direction) < 10 else 5 if now + min(0, direction) < 50 else 10 if now + min(0, direction) < 200 else 50
    return max(1, now + step * direction)

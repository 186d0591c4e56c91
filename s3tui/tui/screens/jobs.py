"""The start screen: every job there ever was, newest first."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.timer import Timer
from textual.widget import Widget

from s3tui.errors import S3tuiError
from s3tui.model import Job, JobState, WorkerState
from s3tui.text import display_text
from s3tui.tui.commands import Where, bindings
from s3tui.tui.crew import house_words
from s3tui.tui.door import House
from s3tui.tui.figures import subject_of
from s3tui.tui.link import link_of
from s3tui.tui.messages import JobsRead, OpenCourse, OpenFailures, OpenJob, OpenNewJob
from s3tui.tui.screens.page import PATIENCE, SILENCE, WORKER_EVERY, Page
from s3tui.tui.widgets.job_table import JobTable
from s3tui.tui.widgets.summary import Trouble

SHOWN = 500
"""Jobs on this screen; older ones are reached with `s3tui jobs list`."""
_LONG = 60.0
"""Seconds until a worker is looked for again after that has failed."""


class JobsPage(Page):
    """The history."""

    PLACES: ClassVar[tuple[Where, ...]] = (Where.JOBS, Where.LIST)
    SECTION = "Jobs"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.JOBS)]

    def __init__(self, house: House, fps: float) -> None:
        super().__init__(house)
        self._pause = 1 / fps
        self._read_at = 0.0
        self._timer: Timer | None = None
        self._crew: Sequence[WorkerState] = ()
        self._worker_at = time.monotonic()
        self._trouble = Trouble()
        self.table = JobTable(id="jobs")

    def body(self) -> Iterable[Widget]:
        """Trouble, if there is some, and the list."""
        yield self._trouble
        yield self.table

    def on_mount(self) -> None:
        """Read, and read again."""
        self.set_focus(self.table)
        self._timer = self.set_interval(self._pause, self.tick)
        self.set_interval(1.0, self._look_around)
        self.tick()

    def keep_pace(self, fps: float) -> None:
        """Read so often from now on."""
        self._pause = 1 / fps
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_interval(self._pause, self.tick)

    def on_screen_resume(self) -> None:
        """Something may have changed meanwhile."""
        self._read_at = 0.0

    def tick(self) -> None:
        """Read the history: as often as is painted while a job runs and this is on show, else once a second."""
        if self.waiting("history") > PATIENCE:
            self._trouble.say(*SILENCE)
        if self.may_look(self._pause if self.running and self.is_current else 1.0, self._read_at):
            self.ask("history", lambda: self.house.service.browse(limit=SHOWN), self._show, self._unread)

    @property
    def running(self) -> list[Job]:
        """Jobs that go on by themselves."""
        return [job for job in self.table.jobs if job.state in (JobState.PENDING, JobState.RUNNING)]

    def _show(self, jobs: list[Job]) -> None:
        self._read_at = time.monotonic()
        self._trouble.say("")
        self.table.show(jobs)
        self.title_bar.tell(house_words(len(self.running), self._crew))
        self.post_message(JobsRead(jobs))
        self._mind_worker()

    def _mind_worker(self) -> None:
        """Jobs that nobody works on need a worker, whether somebody looks at them or not."""
        running, door = self.running, self.house
        if not running or time.monotonic() - self._worker_at < WORKER_EVERY:
            return

        def see_to_it() -> None:
            if not all(door.service.carried(job) for job in running):
                door.ensure_worker()

        def not_now(error: Exception) -> None:
            self._worker_at = time.monotonic() + _LONG
            if self.is_current:  # else the page of that job tells it
                self.failed(error)

        self._worker_at = time.monotonic()
        self.ask("worker", see_to_it, lambda _: None, not_now)

    def _look_around(self) -> None:
        """See who works, if anybody has to."""
        if self.running and self.is_current and link_of(self.app).free:
            self.ask("crew", lambda: self.house.service.crew(), self._take_crew, lambda _: None)

    def _take_crew(self, crew: Sequence[WorkerState]) -> None:
        self._crew = crew
        self.title_bar.tell(house_words(len(self.running), crew))

    def _unread(self, error: Exception) -> None:
        if not isinstance(error, S3tuiError):
            raise error
        self._read_at = time.monotonic()
        self._trouble.say(display_text(str(error)), "Trying again every second; `s3tui status` tells more.")

    def on_line_table_chosen(self) -> None:
        """A click on a job opens it."""
        self.action_open()

    # Actions.

    def action_open(self) -> None:
        """Open the job under the cursor."""
        job = self.table.pointed
        if job is not None:
            self.post_message(OpenJob(job.id, plan=job.dry_run))

    def action_new(self) -> None:
        """The form."""
        self.post_message(OpenNewJob())

    def action_pause(self) -> None:
        """Pause the job, or let it go on."""
        job = self._pointed()
        if job is None:
            return
        door = self.house
        if job.state is JobState.PAUSED or job.desired == "pause":
            self.ask("steer", lambda: door.service.resume(job.id), lambda _: self._resumed())
        else:
            self.ask(
                "steer", lambda: door.service.pause(job.id), lambda _: self._told("Pausing: files in flight are finished first.")
            )

    def action_cancel(self) -> None:
        """Break the job off, after a question."""
        job = self._pointed()
        if job is not None:
            self.ask_to_cancel([job], self._told)

    def action_retry_all(self) -> None:
        """Send every failed file of the job again."""
        job = self._pointed()
        if job is not None:
            self.ask("steer", lambda: self.house.service.retry(job.id), self._retried)

    def action_failures(self) -> None:
        """Show what failed of the job, grouped by cause."""
        job = self._pointed()
        if job is not None:
            self.post_message(OpenFailures(job.id))

    def action_course(self) -> None:
        """Draw how fast the job was."""
        job = self._pointed()
        if job is not None:
            self.post_message(OpenCourse(job.id))

    def action_copy(self) -> None:
        """Copy the job's target."""
        job = self._pointed()
        if job is not None:
            target = subject_of(job).target
            self.copy(target, f"Copied {target}", "This target cannot be copied through a terminal; `s3tui jobs show` has it.")

    def _resumed(self) -> None:
        self.ask("worker", self.house.ensure_worker, lambda _: None)
        self._told("The job goes on.")

    def _retried(self, count: int) -> None:
        self.ask("worker", self.house.ensure_worker, lambda _: None)
        self._told(f"{count:,} {'file is' if count == 1 else 'files are'} tried again.")

    def _told(self, sentence: str) -> None:
        self._read_at = 0.0
        self.say(sentence)

    def _pointed(self) -> Job | None:
        job = self.table.pointed
        if job is None:
            self.say("There is no job yet: press n to start one.")
        return job

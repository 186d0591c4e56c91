"""What the Plan and the Transfers screen share: a job, its files in a virtual table, views, a filter and a detail pane.

One question is out at a time. While the job may change it is asked at `fps`, or as often as the line to the terminal takes it; a
job at rest is looked at once a second. A screen on which nothing changed writes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from s3tui.errors import S3tuiError
from s3tui.model import FileRow, Job, JobState, VideoSample
from s3tui.text import display_text
from s3tui.tui.csv_files import COUNTING_SHARE, CsvSeen, Lines, Reasons, Sheet, csv_lines, sheet_of
from s3tui.tui.door import House, Sight
from s3tui.tui.figures import subject_of
from s3tui.tui.looks import looks_of
from s3tui.tui.messages import OpenJob
from s3tui.tui.reading import Glance, Seen, read
from s3tui.tui.screens.choosing import ChoosingPage
from s3tui.tui.screens.page import PATIENCE, SILENCE, WORKER_EVERY
from s3tui.tui.videos import Published, detail_lines
from s3tui.tui.widgets.detail import Detail
from s3tui.tui.widgets.file_table import FileTable
from s3tui.tui.widgets.summary import Summary, Trouble

_NO_KEY = "This file has no key: its name is not UTF-8."


class JobPage(ChoosingPage):
    """A screen about the files of one job."""

    IS_PLAN: ClassVar[bool] = False

    def __init__(self, house: House, job_id: str, fps: float) -> None:
        super().__init__(house, FileTable(plan=self.IS_PLAN, id="files"))
        self.job_id = job_id
        self.published: Mapping[int, Published] = {}
        self.csv = CsvSeen()
        self.reasons: Reasons = ()
        """Why records of an ingest job are no rows."""
        self._reasons_of, self._reasons_from = 0, 0.0
        """How many rejects `reasons` are of, and when it is time to count again."""
        self._pause = 1 / fps
        self._timer: Timer | None = None
        self._read_at = 0.0
        self._worker_at = 0.0
        self._told_of_worker = ""
        self._gone = False
        self.trouble, self.summary, self.detail = Trouble(), Summary(), Detail()
        self.notice = Static("", id="notice", markup=False)
        self.notice.display = False

    def body(self) -> Iterable[Widget]:
        """Head, table, detail."""
        yield self.summary
        yield self.notice
        yield self.trouble
        yield self.views
        yield self.filter
        yield self.table
        yield self.detail

    def on_mount(self) -> None:
        """Read, and read again."""
        self.table.nothing = "Opening the job…"
        self.set_focus(self.table)
        self._timer = self.set_interval(self._pause, self.tick)
        self.tick()

    def keep_pace(self, fps: float) -> None:
        """Read so often from now on."""
        self._pause = 1 / fps
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_interval(self._pause, self.tick)

    # Reading.

    @property
    def live(self) -> bool:
        """Whether the job may change by itself."""
        return self.sight is None or self.sight.job.state in (JobState.PENDING, JobState.RUNNING)

    def tick(self) -> None:
        """Read if it is time to."""
        if self.waiting("look") > PATIENCE:
            self.trouble.say(*SILENCE)
        if self.is_current and self.may_look(self._pause if self.live else 1.0, self._read_at):
            self.read_now()

    def read_now(self) -> None:
        """Read, unless a reading is out already."""
        page = (self.table.first_visible, self.table.page_lines) if self.table.following else None
        described = self.table.pointed_number if self.detail.display else None
        glance = Glance(self.job_id, self.table.wanted(), self.choice, page, described, reasons=self._reasons_due())
        self.ask("look", lambda: read(self.house.service, glance), self._seen, self.unread)
        self.list_files()

    def _reasons_due(self) -> bool:
        rows = None if self.sight is None else self.sight.rows
        return rows is not None and rows.rejected != self._reasons_of and time.monotonic() >= self._reasons_from

    def _seen(self, seen: Seen) -> None:
        self._read_at = time.monotonic()
        self.sight, self.published = seen.sight, seen.published
        self._take_csv(seen)
        self.table.of_videos = seen.sight.job.kind == "video"
        glance = seen.glance
        current = glance.choice == self.choice
        if current and glance.whole:
            self.table.show_all(seen.sight.job.totals.found)
        elif current and seen.numbers is not None:
            self.table.show_numbers(seen.numbers, glance.choice)
        self.table.show(seen.rows, seen.sight.active, seen.passing, seen.sight.videos, seen.csv.counts)
        if current and self.table.following and seen.start is not None and seen.start != self.table.first_visible:
            self.table.show_from(seen.start)
        self.table.nothing = self.nothing()
        self.show_job(seen.sight)
        self._show_detail()
        self._mind_worker(seen.sight)
        uncounted = self._reasons_due() and not self.reasons and seen.csv.reasons is None
        if uncounted or not current or (self.table.missing and glance.wanted != self.table.wanted()) or self._undescribed(glance):
            self.read_now()

    def _take_csv(self, seen: Seen) -> None:
        self.table.of_csv = seen.sight.job.kind == "ingest"
        self.csv = seen.csv
        if seen.csv.reasons is not None and seen.sight.rows is not None:
            self.reasons, self._reasons_of = seen.csv.reasons, seen.sight.rows.rejected
            self._reasons_from = time.monotonic() + max(1.0, seen.csv.counting * COUNTING_SHARE)

    def _undescribed(self, glance: Glance) -> bool:
        """Whether the detail is of another file by now than the one that was asked for."""
        return self.table.of_csv and self.detail.display and glance.described != self.table.pointed_number

    def unread(self, error: Exception) -> None:
        """The database could not be read: say so, and try again."""
        if not isinstance(error, S3tuiError):
            raise error
        self._read_at = time.monotonic()
        self.trouble.say(display_text(str(error)), "Trying again every second; `s3tui status` tells more.")

    def _mind_worker(self, sight: Sight) -> None:
        """A job that nobody works on needs a worker."""
        unattended = sight.job.state in (JobState.PENDING, JobState.RUNNING) and not sight.workers
        if unattended and time.monotonic() - self._worker_at >= WORKER_EVERY:
            self._worker_at = time.monotonic()
            self.ask("worker", self.house.ensure_worker, lambda _: None, self._without_worker)
        elif sight.workers:
            self._told_of_worker = ""

    def _without_worker(self, error: Exception) -> None:
        """Tell why there is no worker: once, not at every attempt."""
        if str(error) != self._told_of_worker:
            self._told_of_worker = str(error)
            self.failed(error)

    def show_job(self, sight: Sight) -> None:
        """Show what is known of the job as a whole."""
        job = sight.job
        self.title_bar.tell(str(subject_of(job)), looks_of(self.app).of_job(job))
        self.show_notice(job)
        self.trouble.say(display_text(job.error or ""), self.next_step(job))
        self.show_views()

    def show_notice(self, job: Job) -> None:
        """Show the sentence about what the job will do."""
        notice = self.foretell(job)
        if notice != self.notice.content:  # an update lays out the whole screen
            self.notice.update(notice)
            self.notice.display = bool(notice)

    def foretell(self, job: Job) -> str:  # noqa: ARG002 - for those that have something to say
        """A sentence about what the job will do; empty if there is none."""
        return ""

    def nothing(self) -> str:
        """What an empty table says."""
        return "No path contains that text." if self.choice.containing else "No file here."

    def next_step(self, job: Job) -> str:
        """What to do when the job as a whole failed, or waits for a person."""
        raise NotImplementedError

    def _show_detail(self) -> None:
        if self.detail.display and self.sight is not None:
            row = self.table.pointed_row
            look = None if row is None else self.table.look_of(row)
            video = None if row is None else self.table.video_of(row.no)
            sample = None if row is None or video is not None else self.table.sample_of(row.no)
            more, sheet = ((), ()) if row is None else self._more(row, video)
            counts = None if row is None or self.IS_PLAN else self.csv.counts.get(row.no)
            subject, rejects = subject_of(self.sight.job), counts is not None and counts.rejected > 0
            self.detail.show(row, look, subject, sample, more, sheet, retry=not self.IS_PLAN, rejects=rejects)

    def _more(self, row: FileRow, video: VideoSample | None) -> tuple[Lines, Sheet]:
        """What the job's kind has to say of a file."""
        if not self.table.of_csv:
            return detail_lines(video, self.published.get(row.no)), ()
        facts = self.csv.facts.get(row.no)
        return csv_lines(self.csv.counts.get(row.no), facts, plan=self.IS_PLAN), sheet_of(facts)

    # What the widgets say.

    def on_file_list_moved(self) -> None:
        """Read the rows that came into sight."""
        self.read_now()

    def on_line_table_pointed(self) -> None:
        """The detail follows the cursor."""
        self._show_detail()
        if self.table.of_csv and self.detail.display:
            self.read_now()

    # Actions.

    def action_detail(self) -> None:
        """Show the detail pane, or hide it."""
        self.table.following = False
        self.detail.display = not self.detail.display
        self._show_detail()
        if self.table.of_csv:
            self.read_now()

    def action_scroll_detail(self, direction: int) -> None:
        """Scroll the detail pane; if it is hidden, show it."""
        if self.detail.display:
            self.detail.scroll_by_key(direction)
        else:
            self.action_detail()

    def action_back(self) -> None:
        """Close what is open, else leave."""
        if self.filter.drop():
            self.take_filter()
            self.set_focus(self.table)
        elif self.detail.display:
            self.detail.display = False
            self.set_focus(self.table)
        else:
            self.app.pop_screen()

    def action_copy(self) -> None:
        """Copy the address of the file under the cursor: of a published video its playlist, of a CSV file its rejects."""
        row = self.table.pointed_row
        if row is None or self.sight is None:
            return
        if row.key is None:
            self.say("This file has no key: no object was made of it." if self.table.of_csv else _NO_KEY)
            return
        address = self._own_address(row) or f"s3://{subject_of(self.sight.job).bucket}/{row.key}"
        self.copy(address, f"Copied {address}", "This key cannot be copied through a terminal; `s3tui jobs report` has it.")

    def _own_address(self, row: FileRow) -> str:
        """What people take from a file instead of the address of its object; empty if there is nothing."""
        counts, published = self.csv.counts.get(row.no), self.published.get(row.no)
        return published[0] if published else (counts.rejects_url or "") if counts else ""

    def action_cancel(self) -> None:
        """Break the job off, after a question."""
        if self.sight is not None:
            self.ask_to_cancel([self.sight.job], self.steered)

    def steered(self, sentence: str) -> None:
        """A wish was taken; look what became of it."""
        self.say(sentence)
        self.read_now()

    def give_way(self) -> None:
        """The job is planned only, or carried now: show the other screen instead of this one."""
        if not self._gone:
            self._gone = True
            self.post_message(OpenJob(self.job_id, plan=not self.IS_PLAN, instead=True))

"""What every list of a job's files can do about those that failed: send them again, and tell why."""

from __future__ import annotations

from collections.abc import Sequence

from s3tui.model import FileState, Job
from s3tui.text import plural
from s3tui.tui.screens.job_page import JobPage
from s3tui.tui.screens.page import Page
from s3tui.tui.widgets.file_list import MOST_MARKED
from s3tui.tui.widgets.file_table import FileTable

_TOO_MANY = f"At most {MOST_MARKED:,} files can be marked: send a whole group (F), or all that failed (R)."


class RetryingPage(JobPage):
    """A page of files that can be retried: one, those that are marked, or all that failed."""

    def next_step(self, job: Job) -> str:
        """What to do when the job as a whole failed, or waits for a person."""
        if not job.state.ended and not job.waits_for_person:
            return ""
        if not job.state.ended:
            return "The job waits, and no file has failed for it: p lets it go on."
        return "Nothing more is sent. `s3tui status` checks the settings; then start it again."

    def on_file_table_retry_asked(self, event: FileTable.RetryAsked) -> None:
        """A failed line's button."""
        self.retry([event.number])

    def on_detail_retry_asked(self) -> None:
        """The detail pane's button."""
        self.action_retry()

    def action_retry(self) -> None:
        """Send the marked files again, or the one under the cursor."""
        row = self.table.pointed_row
        if self.table.marked:
            self.retry(sorted(self.table.marked))
        elif row is not None and row.state is FileState.FAILED:
            self.retry([row.no])
        else:
            self.say("This file has not failed: there is nothing to send again.")

    def action_retry_all(self) -> None:
        """Send every failed file again."""
        self.retry()

    def retry(self, numbers: Sequence[int] | None = None, reason: str | None = None) -> None:
        """Send these files again, those that failed for a reason, or all."""
        self.ask("steer", lambda: self.house.service.retry(self.job_id, numbers, reason=reason), self._retried)

    def _retried(self, count: int) -> None:
        self.table.unmark_all()
        self.ask("worker", self.house.ensure_worker, lambda _: None)
        self.steered(retried_sentence(count))

    def action_copy_error(self) -> None:
        """Copy why the file under the cursor failed."""
        row = self.table.pointed_row
        copy_error(self, "" if row is None else row.error or "")

    def action_mark(self) -> None:
        """Mark the file under the cursor."""
        self.table.toggle_mark()

    def action_mark_range(self) -> None:
        """Begin a range of marks, or end it."""
        ends = self.table.in_range
        if self.table.mark_range() is None and ends:
            self.say(_TOO_MANY)

    def action_invert_marks(self) -> None:
        """Mark what is not marked in the list, and the other way round."""
        if not self.table.invert_marks():
            self.say(_TOO_MANY)


def retried_sentence(count: int) -> str:
    """What to tell when so many files are to be sent again."""
    return f"{plural(count, 'file is', 'files are')} tried again."


def copy_error(page: Page, error: str) -> None:
    """Copy an error, as it was written, or say why not."""
    if not error:
        page.say("There is no error to copy here.")
    else:
        page.copy(error, "Copied the error.", "This error cannot be copied through a terminal; `s3tui jobs report` has it.")

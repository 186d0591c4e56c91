"""What failed of a job, grouped by cause: read why, and send one group again, or all."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.widget import Widget
from textual.widgets import Static

from s3tui.errors import S3tuiError
from s3tui.text import display_text, format_size, plural
from s3tui.tui.commands import Where, bindings
from s3tui.tui.csv_files import COUNTING_SHARE
from s3tui.tui.door import House, Sight
from s3tui.tui.figures import subject_of
from s3tui.tui.link import link_of
from s3tui.tui.looks import looks_of
from s3tui.tui.messages import OpenFailedFiles
from s3tui.tui.screens.page import Page
from s3tui.tui.screens.retrying import copy_error, retried_sentence
from s3tui.tui.widgets.cause_table import CauseDetail, CauseTable, example_error
from s3tui.tui.widgets.line_table import LineTable
from s3tui.tui.widgets.summary import Trouble

if TYPE_CHECKING:
    from s3tui.report import FailureGroup

_EVERY = 1.0
"""Seconds between two looks."""
_DETAIL_FROM = 20
"""Lines from which on the detail is open from the beginning: the list is short."""


class FailuresPage(Page):
    """The causes of one job's failures."""

    PLACES: ClassVar[tuple[Where, ...]] = (Where.FAILURES, Where.LIST)
    SECTION = "Failures"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.FAILURES)]

    def __init__(self, house: House, job_id: str) -> None:
        super().__init__(house)
        self.job_id = job_id
        self._counted: tuple[int, int] | None = None
        """Failures and retries of the job when its failures were counted last."""
        self._count_from = 0.0
        """When it is time to count again: of a million files that takes a second."""
        self.place, self.trouble = Static("", id="place", markup=False), Trouble()
        self.table, self.detail = CauseTable(id="causes"), CauseDetail()

    def body(self) -> Iterable[Widget]:
        """Head, table, detail."""
        yield self.place
        yield self.trouble
        yield self.table
        yield self.detail

    def on_mount(self) -> None:
        """Read, and read again."""
        self.set_focus(self.table)
        self.detail.display = self.app.size.height >= _DETAIL_FROM
        self.set_interval(_EVERY, self._tick)
        self.read_now()

    # Reading.

    def _tick(self) -> None:
        if self.is_current and link_of(self.app).free:
            self.read_now()

    def read_now(self) -> None:
        """Look at the job, and count its failures if there are others than when that was done last."""
        due = time.monotonic() >= self._count_from
        self.ask("look", lambda: self._read(self._counted, due=due), self._show, self._unread)

    def _read(self, counted: tuple[int, int] | None, *, due: bool) -> tuple[Sight, Sequence[FailureGroup] | None, float]:
        sight, begun = self.house.service.watch(self.job_id), time.monotonic()
        if not due or counted == _state(sight):
            return sight, None, 0.0
        return sight, self.house.service.failures(sight.job, 1), time.monotonic() - begun

    def _unread(self, error: Exception) -> None:
        if not isinstance(error, S3tuiError):
            raise error
        self.trouble.say(display_text(str(error)), "Trying again every second; `s3tui status` tells more.")

    def _show(self, read: tuple[Sight, Sequence[FailureGroup] | None, float]) -> None:
        sight, groups, seconds = read
        self.trouble.say("")
        self.title_bar.tell(str(subject_of(sight.job)), looks_of(self.app).of_job(sight.job))
        if groups is None:
            return
        self._counted, self._count_from = _state(sight), time.monotonic() + seconds * COUNTING_SHARE
        files, size = sum(group.count for group in groups), sum(group.size for group in groups)
        causes = plural(len(groups), "cause")
        self.place.update(f"{plural(files, 'file')} ({format_size(size)}) failed, for {causes}." if groups else "Nothing failed.")
        self.table.nothing = "Nothing failed."
        self.table.show(groups)
        self.detail.show(self.table.pointed)

    # What the widgets say.

    def on_line_table_pointed(self, _: LineTable.Pointed) -> None:
        """The detail follows the cursor."""
        self.detail.show(self.table.pointed)

    def on_cause_table_retry_asked(self) -> None:
        """A line's button."""
        self.action_retry_group()

    def on_cause_table_open_asked(self) -> None:
        """A click on a line."""
        self.action_open()

    async def on_cause_detail_asked(self, event: CauseDetail.Asked) -> None:
        """A button of the detail pane."""
        await self.run_action(event.action)

    # Actions.

    def action_open(self) -> None:
        """Show the files that failed for the cause under the cursor."""
        group = self.table.pointed
        if group is not None:
            self.post_message(OpenFailedFiles(self.job_id, group.reason))

    def action_retry_group(self) -> None:
        """Send what failed for this cause again."""
        group = self.table.pointed
        if group is None:
            self.say("Nothing failed: there is nothing to send again.")
        elif not group.mendable:
            self.say("The plan itself refused these files: another attempt would not mend them.")
        else:
            self._retry(group.reason)

    def action_retry_all(self) -> None:
        """Send every failed file again."""
        self._retry(None)

    def _retry(self, reason: str | None) -> None:
        self.ask("steer", lambda: self.house.service.retry(self.job_id, reason=reason), self._retried)

    def _retried(self, count: int) -> None:
        self.ask("worker", self.house.ensure_worker, lambda _: None)
        self.say(retried_sentence(count))
        self._count_from = 0.0
        self.read_now()

    def action_detail(self) -> None:
        """Show the detail pane, or hide it."""
        self.detail.display = not self.detail.display

    def action_scroll_detail(self, direction: int) -> None:
        """Scroll the detail pane; if it is hidden, show it."""
        if self.detail.display:
            self.detail.scroll_by_key(direction)
        else:
            self.action_detail()

    def action_copy_error(self) -> None:
        """Copy the error of the example."""
        group = self.table.pointed
        copy_error(self, "" if group is None else example_error(group))

    def action_back(self) -> None:
        """Go back to the job."""
        self.app.pop_screen()


def _state(sight: Sight) -> tuple[int, int]:
    return sight.job.totals.failed, sight.job.totals.retries

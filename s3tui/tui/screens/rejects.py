"""The records of an ingest job that are no rows: where each stands, why it was rejected, and its own bytes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget
from textual.widgets import Static

from s3tui.errors import S3tuiError
from s3tui.model import Job, RejectChoice, RejectLine
from s3tui.text import display_text, plural
from s3tui.tui.commands import REASONS, Where, bindings
from s3tui.tui.csv_files import COUNTING_SHARE, CsvCounts, reason_word
from s3tui.tui.door import House
from s3tui.tui.link import link_of
from s3tui.tui.looks import looks_of
from s3tui.tui.rejects import RejectsGlance, RejectsReader, RejectsSeen
from s3tui.tui.screens.page import Page
from s3tui.tui.widgets.reject_table import RejectDetail, RejectTable
from s3tui.tui.widgets.summary import Choice, Trouble, ViewBar

_EVERY = 1.0
"""Seconds between two looks at a job that may change."""
_ALL = "all"


class RejectsPage(Page):
    """The rejects of one file, or of all files of a job."""

    PLACES: ClassVar[tuple[Where, ...]] = (Where.REJECTS, Where.LIST)
    SECTION = "Rejects"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.REJECTS)]

    def __init__(self, house: House, job_id: str, file_no: int | None) -> None:
        super().__init__(house)
        self.job_id = job_id
        self.chosen = RejectChoice(file_no)
        self._file_no = file_no
        """The file that it was opened for."""
        self._reader: RejectsReader | None = None
        self._seen: RejectsSeen | None = None
        self._reasons: Mapping[str, int] = {}
        self._counted: tuple[int | None, int] | None = None
        """(file, rejects) that `_reasons` are of."""
        self._count_from = 0.0
        """When it is time to count again."""
        self.place, self.views, self.trouble = Static("", id="place", markup=False), ViewBar(), Trouble()
        self.table, self.detail = RejectTable(id="rejects"), RejectDetail()

    def body(self) -> Iterable[Widget]:
        """Head, table, detail."""
        yield self.place
        yield self.trouble
        yield self.views
        yield self.table
        yield self.detail

    def on_mount(self) -> None:
        """Read, and read again."""
        self.set_focus(self.table)
        self.set_interval(_EVERY, self._tick)
        self.read_now()

    # Reading.

    def _tick(self) -> None:
        changing = self._seen is None or not self._seen.sight.job.state.ended or self.table.missing
        if self.is_current and changing and link_of(self.app).free:
            self.read_now()

    def read_now(self) -> None:
        """Read what is in sight, unless a reading is out already."""
        counted = self._counted is not None and self._counted[0] == self.chosen.file_no
        total = self._reasons.get(self.chosen.reason, 0) if self.chosen.reason and counted else None
        glance = RejectsGlance(self.job_id, self.chosen, *self.table.wanted(), total)
        self.ask("look", lambda: self._read(glance), self._show, self._unread)

    def _read(self, glance: RejectsGlance) -> RejectsSeen:
        if self._reader is None:
            self._reader = RejectsReader(self.house.service)
        return self._reader.read(glance)

    def _unread(self, error: Exception) -> None:
        if not isinstance(error, S3tuiError):
            raise error
        self.trouble.say(display_text(str(error)), "Trying again every second; `s3tui status` tells more.")

    def _show(self, seen: RejectsSeen) -> None:
        self.trouble.say("")
        self._seen = seen
        glance = seen.glance
        if glance.chosen != self.chosen:
            self.read_now()
            return
        self.table.of_files = self.chosen.file_no is None and len(seen.counts) > 1
        counting = glance.chosen.reason is not None and glance.total is None
        self.table.nothing = (
            "Counting…" if counting else "No record was rejected for this." if seen.rejected else "No record was rejected."
        )
        self.table.show(seen.first, seen.lines, seen.total, seen.names)
        self._show_head(seen)
        self._show_detail()
        self._count_reasons(seen)
        if self.table.missing and (seen.glance.first, seen.glance.most) != self.table.wanted():
            self.read_now()

    def _show_head(self, seen: RejectsSeen) -> None:
        job = seen.sight.job
        file_no = self.chosen.file_no
        about = plural(len(seen.counts), "file") if file_no is None else self.table.name_of(file_no)
        self.title_bar.tell(about, looks_of(self.app).of_job(job))
        self.place.update(f"{about}: {seen.rejected:,} rejected. {self._whereabouts(seen, job)}")
        chosen = self.chosen.reason or _ALL
        occurring = [(str(key), reason) for key, reason in enumerate(REASONS, start=2) if reason in (*self._reasons, chosen)]
        choices = [Choice(key, reason, reason_word(reason), self._reasons.get(reason, 0)) for key, reason in occurring]
        self.views.show(chosen, [Choice("1", _ALL, "all", seen.rejected), *choices])

    def _whereabouts(self, seen: RejectsSeen, job: Job) -> str:
        """Where the rejects file is."""
        file_no = self.chosen.file_no
        counts = seen.counts.get(file_no) if file_no is not None else self._counts_of(self.table.pointed)
        if counts is not None and counts.rejects_url:
            return display_text(counts.rejects_url)
        return "" if job.state.ended or not seen.rejected else "rejects.csv is made when the file has come to its end."

    def _counts_of(self, reject: RejectLine | None) -> CsvCounts | None:
        return None if reject is None or self._seen is None else self._seen.counts.get(reject.file_no)

    def _count_reasons(self, seen: RejectsSeen) -> None:
        """Count them if there are more, or others, than when that was done last."""
        file_no, state = self.chosen.file_no, (self.chosen.file_no, seen.rejected)
        new = self._counted is None or self._counted[0] != file_no
        if state == self._counted or not (new or time.monotonic() >= self._count_from):
            return

        def count() -> tuple[dict[str, int], float]:
            begun = time.monotonic()
            return dict(self.house.service.rejects(seen.sight.job, file_no)), time.monotonic() - begun

        def counted(answer: tuple[dict[str, int], float]) -> None:
            reasons, seconds = answer
            if file_no == self.chosen.file_no:
                self._reasons, self._counted = reasons, state
                self._count_from = time.monotonic() + seconds * COUNTING_SHARE
            self.read_now()

        self.ask("reasons", count, counted)

    def _show_detail(self) -> None:
        if self.detail.display:
            reject = self.table.pointed
            self.detail.show(reject, "" if reject is None else self.table.name_of(reject.file_no))

    # What the widgets say.

    def on_reject_table_moved(self) -> None:
        """Read the records that came into sight."""
        self.read_now()

    def on_line_table_pointed(self) -> None:
        """The detail follows the cursor."""
        self._show_detail()
        if self._seen is not None and self._seen.glance.chosen == self.chosen:
            self._show_head(self._seen)

    def on_view_bar_picked(self, event: ViewBar.Picked) -> None:
        """A reason was clicked."""
        self.action_reason(event.name)

    # Actions.

    def action_reason(self, name: str) -> None:
        """Show the records that were rejected for one reason, or all."""
        self._choose(self.chosen._replace(reason=None if name == _ALL else name))

    def action_all_files(self) -> None:
        """Show the rejects of all files, or of the one under the cursor."""
        if self.chosen.file_no is None:
            reject = self.table.pointed
            self._choose(RejectChoice(self._file_no if reject is None else reject.file_no, self.chosen.reason))
        else:
            self._choose(RejectChoice(None, self.chosen.reason))

    def _choose(self, chosen: RejectChoice) -> None:
        if chosen != self.chosen:
            if chosen.file_no != self.chosen.file_no:
                self._reasons, self._counted = {}, None
            self.chosen = chosen
            self.table.begin_anew()
            self.read_now()

    def action_detail(self) -> None:
        """Show the detail pane, or hide it."""
        self.detail.display = not self.detail.display
        self._show_detail()

    def action_scroll_detail(self, direction: int) -> None:
        """Scroll the detail pane; if it is hidden, show it."""
        if self.detail.display:
            self.detail.scroll_by_key(direction)
        else:
            self.action_detail()

    def action_back(self) -> None:
        """Close the detail pane, else leave."""
        if self.detail.display:
            self.detail.display = False
        else:
            self.app.pop_screen()

    def action_copy(self) -> None:
        """Copy the record under the cursor as it stands in its file."""
        reject, seen = self.table.pointed, self._seen
        if reject is not None and seen is not None:
            job, place = seen.sight.job, (reject.file_no, reject.record)
            self.ask("copy", lambda: self.house.service.reject_text(job, *place), lambda text: self._copy_record(reject, text))

    def _copy_record(self, reject: RejectLine, text: str | None) -> None:
        if text is None:
            self.say("This record is not there any more: its file has failed.")
        else:
            instead = "This record cannot be copied through a terminal; rejects.csv has it."
            self.copy(text, f"Copied the record of line {reject.line:,}.", instead)

    def action_copy_address(self) -> None:
        """Copy where the rejects file is."""
        file_no = self.chosen.file_no
        counts = self._counts_of(self.table.pointed) if file_no is None or self._seen is None else self._seen.counts.get(file_no)
        if counts is None or not counts.rejects_url:
            self.say("There is no rejects.csv yet: it is made when the file has come to its end.")
            return
        self.copy(counts.rejects_url, f"Copied {counts.rejects_url}")

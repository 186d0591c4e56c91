"""The dry run: what would happen to each file and why. Enter does exactly that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from s3tui.model import Action, Job, JobState, Order, View
from s3tui.text import format_size, plural
from s3tui.tui.commands import Where, bindings
from s3tui.tui.csv_files import CsvAhead, ahead_of, reasons_words
from s3tui.tui.door import House, Sight
from s3tui.tui.figures import subject_of
from s3tui.tui.looks import looks_of
from s3tui.tui.screens.dialogs import delete_question
from s3tui.tui.screens.job_page import JobPage
from s3tui.tui.widgets.summary import Part

if TYPE_CHECKING:
    from s3tui.report import Outlook

_BYTES_FROM = 105
"""Cells from which on there is room for the bytes of each action."""
_ROWS_FROM = 20
"""Lines from which on there is room for a file's rows below the files."""
_ORDER = (Action.NEW, Action.OVERWRITE, Action.UPLOAD, Action.SKIP, Action.FAIL)


class PlanPage(JobPage):
    """The preview."""

    PLACES: ClassVar[tuple[Where, ...]] = (Where.PLAN, Where.LIST)
    SECTION = "Plan"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.PLAN)]
    VIEWS: ClassVar[dict[View, str]] = {View.ALL: "All", View.QUEUED: "To send", View.FAILED: "Will fail", View.DONE: "Skipped"}
    ORDERS: ClassVar[tuple[Order, ...]] = (Order.NUMBER, Order.PATH, Order.SIZE, Order.STATE, Order.REASON)
    IS_PLAN = True

    def __init__(self, house: House, job_id: str, fps: float) -> None:
        super().__init__(house, job_id, fps)
        self._ahead: Outlook | None = None
        self._rows_ahead: CsvAhead | None = None
        self._opened = False

    def show_job(self, sight: Sight) -> None:
        """Show the figures; ask once what is ahead, and leave for the transfers if the plan was applied meanwhile."""
        super().show_job(sight)
        job = sight.job
        if not job.dry_run and not job.state.ended:
            self.give_way()
            return
        if job.state is JobState.PLANNED and self._ahead is None:
            self.ask("outlook", lambda: self._look_ahead(job), self._foretold)
        if job.kind == "ingest" and not self._opened:
            self._opened = True
            self.detail.display = self.size.height >= _ROWS_FROM  # the first rows are what one looks for
        self.summary.show(None, "active", self._figures(job))

    def _look_ahead(self, job: Job) -> tuple[Outlook, CsvAhead | None]:
        ahead = self.house.service.outlook(job)
        if job.kind != "ingest":
            return ahead, None
        return ahead, ahead_of(self.house.service.csv_facts(job).values(), ahead.requests)

    def _foretold(self, ahead: tuple[Outlook, CsvAhead | None]) -> None:
        self._ahead, self._rows_ahead = ahead
        if self.sight is not None:
            self.show_notice(self.sight.job)
            self.summary.show(None, "active", self._figures(self.sight.job))

    def _figures(self, job: Job) -> Sequence[Part]:
        totals = job.totals
        parts: list[Part] = [
            (f"{totals.found:,} files", ""),
            (f"{format_size(totals.bytes_found)} to {'ingest' if job.kind == 'ingest' else 'send'}", ""),
        ]
        if not job.planned and not job.state.ended:
            parts.insert(0, ("Scanning…", "active"))
        if self._ahead is None:
            return parts
        for action in sorted(self._ahead.actions, key=_ORDER.index):
            look = looks_of(self.app).named("send" if action is Action.UPLOAD else action.word)
            count, size = self._ahead.actions[action]
            sent = f" ({format_size(size)})" if self.size.width >= _BYTES_FROM and action not in (Action.SKIP, Action.FAIL) else ""
            parts.append((f"{count:,} {look.word}{sent}", look.style))
        if job.kind == "video":  # what it becomes is known when it is looked at
            return parts
        if (rows := self._rows_ahead) is not None:
            rejected = (f"{rows.rejected:,} rejected", "skipped" if rows.rejected else "quiet")
            batches = f"{rows.batches:,} {'batch' if rows.batches == 1 else 'batches'}"
            return [*parts, (plural(rows.rows, "row"), ""), rejected, (batches, "")]
        return [*parts, (f"about {self._ahead.requests:,} requests", "")]

    def foretell(self, job: Job) -> str:
        """Whether sources will go: how many, and after what; of CSV files, why records are no rows."""
        if self._rows_ahead is not None:
            return f"Would be rejected: {words}." if (words := reasons_words(self._rows_ahead.reasons)) else ""
        if job.kind != "backup" or job.state.ended:
            return ""
        count = to_send(job)
        if not subject_of(job).deletes:
            return "Each object will be proven. No source will be deleted."
        if not job.planned:
            return "After proof, the sources will be deleted."
        return f"After proof, {plural(count, 'source')} ({format_size(job.totals.bytes_found)}) will be deleted."

    def counts(self, sight: Sight) -> dict[View, int]:
        """How many files each view holds."""
        totals = sight.job.totals
        return {View.ALL: totals.found, View.QUEUED: to_send(sight.job), View.FAILED: totals.failed, View.DONE: totals.skipped}

    def nothing(self) -> str:
        """What an empty table says."""
        if self.sight is not None and not self.sight.job.planned and not self.sight.job.state.ended:
            return "Scanning…"
        return super().nothing() if self.choice.containing else "There is nothing to show here."

    def next_step(self, job: Job) -> str:
        """What to do when the scan failed, or waits for a person."""
        if not job.state.ended and not job.waits_for_person:
            return ""
        if not job.state.ended:
            return "Nothing was sent, and the scan waits: p in the list of jobs lets it go on."
        return "Nothing was sent. Esc goes back to the form; `s3tui status` checks the settings."

    def action_apply(self) -> None:
        """Carry exactly what was planned; if sources go with it, after a question."""
        job = None if self.sight is None else self.sight.job
        if job is None or (not job.state.ended and job.state is not JobState.PLANNED):
            self.say("The scan is not finished yet: Enter works when it is.")
        elif job.state is not JobState.PLANNED:
            self.say(f"This plan cannot be applied: it is {job.state}.")
        elif not to_send(job):
            self.say("There is nothing to send in this plan.")
        elif not subject_of(job).deletes:
            self._carry()
        elif self._ahead is None:
            self.say("The plan is still being counted: Enter works when it is.")
        else:
            replaced, _ = self._ahead.actions.get(Action.OVERWRITE, (0, 0))
            self.app.push_screen(delete_question(to_send(job), job.totals.bytes_found, replaced, subject_of(job)), self._answered)

    def _answered(self, answer: str | None) -> None:
        if answer == "y":
            self._carry()

    def _carry(self) -> None:
        self.ask("steer", self._apply, lambda _: self.give_way())

    def _apply(self) -> None:
        self.house.service.apply(self.job_id)
        self.house.ensure_worker()


def to_send(job: Job) -> int:
    """How many files of a plan would be sent."""
    totals = job.totals
    return totals.found - totals.skipped - totals.failed

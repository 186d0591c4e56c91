"""Who works, where, and on what: the workers of the house."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget
from textual.widgets import Static

from s3tui.errors import S3tuiError
from s3tui.model import WorkerState
from s3tui.text import display_text, format_size, plural
from s3tui.tui.commands import Where, bindings
from s3tui.tui.crew import machines
from s3tui.tui.door import House
from s3tui.tui.figures import clock_time
from s3tui.tui.link import link_of
from s3tui.tui.messages import OpenJob
from s3tui.tui.screens.page import Page
from s3tui.tui.widgets.summary import Trouble
from s3tui.tui.widgets.worker_table import WorkerTable

_NAMED = 2
"""Jobs that are named of a worker."""


class WorkersPage(Page):
    """The workers, those that were lost lately too."""

    PLACES: ClassVar[tuple[Where, ...]] = (Where.WORKERS, Where.LIST)
    SECTION = "Workers"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.WORKERS)]

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self.about, self.trouble = Static("", id="place", markup=False), Trouble()
        self.table = WorkerTable(id="workers")

    def body(self) -> Iterable[Widget]:
        """The list, and what there is to say of the one under the cursor."""
        yield self.trouble
        yield self.table
        yield self.about

    def on_mount(self) -> None:
        """Read, and read again."""
        self.set_focus(self.table)
        self.set_interval(1.0, self.tick)
        self.tick()

    def tick(self) -> None:
        """Look who is there."""
        if self.is_current and link_of(self.app).free:
            self.ask("crew", lambda: self.house.service.crew(), self._take, self._unread)

    def _take(self, crew: list[WorkerState]) -> None:
        self.trouble.say("")
        live = [worker for worker in crew if not worker.lost]
        lost = f", {len(crew) - len(live)} lost" if len(crew) > len(live) else ""
        self.title_bar.tell(f"{len(live)} on {machines(live)}{lost}" if live else f"none runs{lost}")
        self.table.show(crew)
        self._tell()

    def _unread(self, error: Exception) -> None:
        if not isinstance(error, S3tuiError):
            raise error
        self.trouble.say(display_text(str(error)), "Trying again every second; `s3tui status` tells more.")

    def _tell(self) -> None:
        worker = self.table.pointed
        self.about.update("" if worker is None else _sentences(worker))

    def on_line_table_pointed(self) -> None:
        """The sentences follow the cursor."""
        self._tell()

    # Actions.

    def action_open(self) -> None:
        """Open the job that the worker works on."""
        worker = self.table.pointed
        if worker is None or not worker.holdings:
            self.say("This worker works on no job." if worker else "There is no worker.")
        else:
            self.post_message(OpenJob(worker.holdings[0].job_id, plan=False))

    def action_copy(self) -> None:
        """Copy the worker's id, as logs name it."""
        worker = self.table.pointed
        if worker is not None:
            self.copy(worker.id, f"Copied {worker.id}")

    def action_back(self) -> None:
        """Leave."""
        self.app.pop_screen()


def _sentences(worker: WorkerState) -> str:
    queues = "one job of its own" if worker.home_only else ", ".join(worker.queues)
    begun = f"Version {worker.version}, since {clock_time(worker.started_at)}, takes {queues}."
    named = [
        f"Job {holding.job_id}: {plural(holding.units, 'unit')}, {holding.in_flight:,} in flight, {format_size(holding.rate)}/s"
        + (f", {holding.taken_over} taken over" if holding.taken_over else "")
        for holding in worker.holdings[:_NAMED]
    ]
    more = [f"and {len(worker.holdings) - _NAMED} more jobs"] if len(worker.holdings) > _NAMED else []
    if worker.hangs:
        named.append(f"its process {worker.pid} is there and does nothing: end it, so that another can go on")
    elif worker.lost and worker.holdings:
        named.append("others take these units within seconds")
    return display_text(begun) + "".join(f"\n{display_text(line)}." for line in ["; ".join([*named, *more])] if line)

"""How fast a job was, from its beginning to now or to its end, drawn."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from s3tui.errors import S3tuiError
from s3tui.model import JobState, Sample
from s3tui.text import display_text, format_duration, format_size, plural
from s3tui.tui.commands import Where, bindings
from s3tui.tui.course import Course, Scale, scale, seconds_apart
from s3tui.tui.door import House, Sight
from s3tui.tui.figures import clock_time, subject_of
from s3tui.tui.link import link_of
from s3tui.tui.looks import looks_of
from s3tui.tui.screens.page import Page
from s3tui.tui.widgets.plot import Drawing, Line, Plot
from s3tui.tui.widgets.summary import Choice, Trouble, ViewBar

_STRETCHES = 60
"""Stretches of a job that goes on: those that are over stay as they are, and so does most of the picture."""
_TALL = 30
"""From so many lines on there is room for all plots."""
_PLOTS = ("bytes", "files", "trouble")
"""What there is a plot of; the identifiers of the widgets, too."""


class CoursePage(Page):
    """The plots of one job."""

    PLACES: ClassVar[tuple[Where, ...]] = (Where.COURSE,)
    SECTION = "Throughput"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.COURSE)]

    def __init__(self, house: House, job_id: str) -> None:
        super().__init__(house)
        self.job_id = job_id
        self._chosen = ""
        self._seen: tuple[Sight, Course] | None = None
        self._read_at = 0.0
        self.place, self.trouble, self.views = Static("", id="place", markup=False), Trouble(), ViewBar()
        self.plots = {name: Plot(id=f"plot-{name}") for name in _PLOTS}

    def body(self) -> Iterable[Widget]:
        """The figures in a sentence, the choices, the plots."""
        yield self.place
        yield self.trouble
        yield self.views
        yield Vertical(*self.plots.values(), id="plots")

    def on_mount(self) -> None:
        """Read, and read again."""
        self.set_interval(1.0, self.tick)
        self.tick()

    def on_resize(self) -> None:
        """More or fewer plots have room."""
        self._show()

    def tick(self) -> None:
        """Read again, while the job goes on."""
        rest = self._seen is not None and self._seen[0].job.state not in (JobState.PENDING, JobState.RUNNING)
        if self.is_current and link_of(self.app).free and (not rest or time.monotonic() - self._read_at >= 5):
            self.ask("course", self._read, self._take, self._unread)

    def _read(self) -> tuple[Sight, list[Sample]]:
        sight = self.house.service.watch(self.job_id)
        return sight, self.house.service.samples(sight.job)

    def _take(self, answer: tuple[Sight, list[Sample]]) -> None:
        sight, samples = answer
        self._read_at = time.monotonic()
        self._seen = (sight, Course(samples))
        self.trouble.say("")
        self.title_bar.tell(str(subject_of(sight.job)), looks_of(self.app).of_job(sight.job))
        self._show()

    def _unread(self, error: Exception) -> None:
        if not isinstance(error, S3tuiError):
            raise error
        self.trouble.say(display_text(str(error)), "Trying again every second; `s3tui status` tells more.")

    # What it shows.

    @property
    def view(self) -> str:
        """What is chosen, or else what has room."""
        return self._chosen or ("all" if self.size.height >= _TALL else "bytes")

    def _show(self) -> None:
        if self._seen is None:
            return
        sight, course = self._seen
        of_rows = sight.rows is not None
        words = (("all", "All"), ("bytes", "Bytes"), ("files", "Rows" if of_rows else "Files"), ("trouble", "Errors"))
        self.views.show(self.view, [Choice(str(number), name, word) for number, (name, word) in enumerate(words, start=1)])
        self.place.update(_sentence(sight, course))
        drawings = _drawings(course, of_rows=of_rows, live=not sight.job.state.ended)
        for name, plot in self.plots.items():
            plot.display = self.view in ("all", name)
            if name in drawings:
                plot.draw(drawings[name])

    def on_view_bar_picked(self, event: ViewBar.Picked) -> None:
        """A view was clicked."""
        self.action_plot(event.name)

    # Actions.

    def action_plot(self, name: str) -> None:
        """Draw one figure large, or all of them."""
        self._chosen = name
        self._show()

    def action_back(self) -> None:
        """Leave."""
        self.app.pop_screen()


def _sentence(sight: Sight, course: Course) -> str:
    if course.seconds < 1:
        return "Nothing was measured yet." if not sight.job.state.ended else "This job was over before anything was measured."
    totals = sight.job.totals
    mean = f"{format_size(course.mean('bytes'))}/s"
    mean += f", {course.mean('rows'):,.0f} rows/s" if sight.rows is not None else f", {course.mean('files'):,.1f} files/s"
    trouble = f"{plural(totals.retries, 'retry', 'retries')}, {totals.failed:,} failed"
    return f"{format_duration(course.seconds)} since {clock_time(sight.job.started_at)}; mean {mean}; {trouble}."


def _drawings(course: Course, *, of_rows: bool, live: bool) -> dict[str, Drawing]:
    if course.seconds < 1:
        return {}
    apart: float = seconds_apart(course.seconds, _STRETCHES) if live else max(1.0, course.seconds / _STRETCHES)
    seconds = max(_STRETCHES * apart, 1) if live else course.seconds
    counted, word = ("rows", "Rows") if of_rows else ("files", "Files")
    sent, done = course.rates("bytes", apart), course.rates(counted, apart)
    retries, failed = course.counts("retries", apart), course.counts("failed", apart)
    axes = {
        "bytes": scale(max(sent, default=0), base=1024),
        "files": scale(max(done, default=0)),
        "trouble": scale(max([*retries, *failed], default=0)),
    }
    ticks = {
        name: [f"{format_size(tick)}/s" if name == "bytes" else _count(tick, axis) for tick in axis.ticks]
        for name, axis in axes.items()
    }
    margin = max(len(tick) for words in ticks.values() for tick in words)
    titles = {
        "bytes": "Bytes per second, by time since the beginning",
        "files": f"{word} per second, by time since the beginning",
        "trouble": "Retries (+) and failed files (x) so far, by time since the beginning",
    }
    lines: dict[str, Sequence[Line]] = {
        "bytes": [Line(sent, "active")],
        "files": [Line(done, "done")],
        "trouble": [Line(retries, "skipped", "+"), Line(failed, "failed", "x")],
    }
    return {name: Drawing(titles[name], lines[name], apart, seconds, axes[name], ticks[name], margin) for name in _PLOTS}


def _count(value: float, axis: Scale) -> str:
    return f"{value:,.0f}" if axis.top >= len(axis.ticks) - 1 and value == int(value) else f"{value:,.1f}"

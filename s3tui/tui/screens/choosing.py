"""Which files of a job its page lists: a view, a part of their paths, an order. What takes long is done in a thread of its own, so
that the list on show can be scrolled meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import ClassVar

from textual.timer import Timer

from s3tui.model import WHOLE, FileChoice, Order, View
from s3tui.text import display_text
from s3tui.tui.csv_files import COUNTING_SHARE
from s3tui.tui.door import House, Sight
from s3tui.tui.looks import looks_of
from s3tui.tui.reading import IN_FLIGHT, Listed, list_files
from s3tui.tui.screens.page import Page
from s3tui.tui.sorting import inverted, order_words, sorted_by, sorted_next
from s3tui.tui.widgets.file_table import FileTable
from s3tui.tui.widgets.filter_line import FilterLine
from s3tui.tui.widgets.summary import Choice, ViewBar


class ChoosingPage(Page):
    """A page with a list of files that can be narrowed and sorted."""

    VIEWS: ClassVar[Mapping[View, str]] = {}
    ORDERS: ClassVar[tuple[Order, ...]] = ()
    """What its files can be sorted by, in the order in which a key tries them."""

    def __init__(self, house: House, table: FileTable) -> None:
        super().__init__(house)
        self.sight: Sight | None = None
        self.choice = WHOLE
        self.table, self.views = table, ViewBar()
        self._listed: tuple[object, ...] = ()
        """What the list on show depends on, as it was when that was made."""
        self._list_from = 0.0
        """When it is time to make it again: sorting a million files takes seconds."""
        self.filter = FilterLine("a path")
        self._filter_timer: Timer | None = None

    # What its pages say.

    def read_now(self) -> None:
        """Look at the job and the rows in sight."""
        raise NotImplementedError

    def show_job(self, sight: Sight) -> None:
        """Show what is known of the job."""
        raise NotImplementedError

    def unread(self, error: Exception) -> None:
        """The database could not be read."""
        raise NotImplementedError

    # The list.

    def list_files(self) -> None:
        """Choose and sort the files, if they are others than when that was done last."""
        sight, choice, state = self.sight, self.choice, self._list_state()
        if sight is None or choice in (WHOLE, IN_FLIGHT):
            return
        if choice == self.table.choice and (state == self._listed or time.monotonic() < self._list_from):
            return
        wanted = self.table.wanted()
        question = partial(list_files, self.house.service, sight.job, choice, wanted)
        if self.ask("list", question, lambda listed: self._take_list(listed, state), self.unread):
            self.show_views()

    def _take_list(self, listed: Listed, state: tuple[object, ...]) -> None:
        if listed.choice == self.choice:
            self._listed, self._list_from = state, time.monotonic() + max(1.0, listed.seconds * COUNTING_SHARE)
            self.table.show_numbers(listed.numbers, listed.choice, listed.rows)
            self.show_views()
        self.read_now()

    def _list_state(self) -> tuple[object, ...]:
        """What the list of a view's numbers depends on."""
        sight = self.sight
        flying = sight is not None and self.choice.view in (View.ACTIVE, View.QUEUED)
        active = tuple(sample.no for sample in sight.active) if sight is not None and flying else ()
        return (self.choice, None if sight is None else sight.job.totals, active)

    # What is said of it.

    def show_views(self) -> None:
        """Show the views, and how the list is narrowed and sorted."""
        awaited = (self.choice.order, self.choice.backwards) != (self.table.choice.order, self.table.choice.backwards)
        self.table.await_order(self.choice.order if awaited else None)
        if self.sight is not None:
            self.views.show(self.choice.view.value, self.choices(self.sight), self._narrowed())

    def _narrowed(self) -> str:
        """How the list is narrowed and sorted."""
        containing = f"/{display_text(self.choice.containing)}" if self.choice.containing else ""
        order = order_words(self.choice, ascii_only=looks_of(self.app).ascii_bars)
        return "  ".join(filter(None, (containing, order)))

    def choices(self, sight: Sight) -> Sequence[Choice]:
        """The views, with how many files each holds."""
        counts = self.counts(sight)
        return [
            Choice(str(number), view.value, self.VIEWS[view], counts.get(view, 0), alarms=view is View.FAILED)
            for number, view in enumerate(View, start=1)
            if view in self.VIEWS
        ]

    def counts(self, sight: Sight) -> dict[View, int]:
        """How many files each view holds."""
        raise NotImplementedError

    # What the person asks for.

    def on_view_bar_picked(self, event: ViewBar.Picked) -> None:
        """A view was clicked."""
        self.action_view(event.name)

    def on_input_changed(self) -> None:
        """Filter when the typing pauses."""
        if self._filter_timer is not None:
            self._filter_timer.stop()
        self._filter_timer = self.set_timer(0.15, self.take_filter)

    def on_input_submitted(self) -> None:
        """Keep the filter, and go to the list."""
        self.take_filter()
        self.set_focus(self.table)

    def take_filter(self) -> None:
        """Narrow the list to what is written."""
        text = self.filter.field.value
        if text != self.choice.containing:
            self.choose(self.choice._replace(containing=text))

    def action_view(self, name: str) -> None:
        """Show another view."""
        if View(name) in self.VIEWS and View(name) is not self.choice.view:
            self.choose(self.choice._replace(view=View(name)))

    def choose(self, choice: FileChoice) -> None:
        """Show other files, or in another order."""
        self.choice = choice
        if self.sight is not None:
            self.show_job(self.sight)
        self.read_now()

    def action_sort(self) -> None:
        """Sort by the next column."""
        self.table.following = False
        self.choose(sorted_next(self.choice, self.ORDERS))

    def action_invert_order(self) -> None:
        """Show the list the other way round."""
        self.table.following = False
        self.choose(inverted(self.choice))

    def on_file_table_order_asked(self, event: FileTable.OrderAsked) -> None:
        """The heading of a column was clicked."""
        if event.order in self.ORDERS:
            self.table.following = False
            self.choose(sorted_by(self.choice, event.order))

    def action_filter(self) -> None:
        """Show the filter, and write in it."""
        self.filter.open()

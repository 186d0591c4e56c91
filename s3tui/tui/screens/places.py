"""Places to go to: folders for the tree, targets for the field."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget
from textual.widgets import Static

from s3tui.errors import S3tuiError
from s3tui.model import Job
from s3tui.state.options import state_directory
from s3tui.text import display_text
from s3tui.tui.bookmarks import BookmarkFile, Bookmarks
from s3tui.tui.commands import Where, bindings
from s3tui.tui.door import House
from s3tui.tui.places import Known, Place, places
from s3tui.tui.screens.page import Page
from s3tui.tui.widgets.place_table import PlaceTable

_JOBS = 200
"""The newest jobs whose places are offered."""


class PlacesPage(Page):
    """A list. Closes with `go` or `mark` called for what was chosen, or without."""

    PLACES: ClassVar[tuple[Where, ...]] = (Where.PLACES, Where.LIST)
    SECTION = "Places"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.PLACES)]

    def __init__(self, house: House, known: Known, first: str, go: Callable[[Place], None], mark: Callable[[Place], None]) -> None:
        """`first` is the path that the cursor begins on."""
        super().__init__(house)
        self._known, self._first, self._go, self._mark = known, first, go, mark
        self._file = BookmarkFile(state_directory() / "bookmarks.json")
        self._told = ""
        self.table = PlaceTable()

    def body(self) -> Iterable[Widget]:
        """What the keys do, and the list."""
        yield Static("Enter goes there, Space marks it, b bookmarks it (*) or no more.", id="place", markup=False)
        yield self.table

    def on_mount(self) -> None:
        """Look."""
        self.set_focus(self.table)
        self._look()

    def _look(self) -> None:
        self.ask("places", self._read, self._show)

    def _read(self) -> tuple[list[Place], str]:
        """The places, and what was wrong."""
        jobs: list[Job] = []
        bookmarks, problems = Bookmarks(), []
        try:
            bookmarks = self._file.read()
        except S3tuiError as error:
            problems.append(str(error))
        try:
            jobs = self.house.service.browse(limit=_JOBS)
        except S3tuiError as error:
            problems.append(str(error))
        return places(self._known, jobs, bookmarks), " ".join(problems)

    def _show(self, found: tuple[list[Place], str]) -> None:
        known, problem = found
        self.table.show(known)
        if self._first:
            self.table.go_to(self._first)
            self._first = ""
        if problem and problem != self._told:
            self.notify(display_text(problem), severity="warning", markup=False, timeout=10)
        self._told = problem

    def on_line_table_chosen(self) -> None:
        """A click goes there."""
        self.action_choose()

    # Actions.

    def action_choose(self) -> None:
        """Go there."""
        self._close(self._go)

    def action_mark(self) -> None:
        """Mark it as it is."""
        place = self.table.pointed
        if place is not None and place.is_target:
            self.say("This is a target: Enter takes it.")
        else:
            self._close(self._mark)

    def _close(self, then: Callable[[Place], None]) -> None:
        place = self.table.pointed
        if place is not None:
            self.app.pop_screen()
            then(place)

    def action_bookmark(self) -> None:
        """Bookmark it, or remove its bookmark."""
        place = self.table.pointed
        if place is not None:
            self.ask("bookmark", lambda: self._file.toggle(place.path), lambda _: self._look())

    def action_back(self) -> None:
        """Leave."""
        self.app.pop_screen()

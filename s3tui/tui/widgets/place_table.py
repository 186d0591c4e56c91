"""Folders and targets to go to, one a line."""

from __future__ import annotations

from collections.abc import Sequence

from s3tui.text import display_text
from s3tui.tui.cells import left, tail
from s3tui.tui.figures import tilde
from s3tui.tui.places import Place
from s3tui.tui.widgets.line_table import LineTable, Piece

_WHAT = 14


class PlaceTable(LineTable):
    """One line per place; a star marks the bookmarked ones."""

    HEADER = 0

    def __init__(self) -> None:
        super().__init__(id="places")
        self._places: Sequence[Place] = ()

    def show(self, places: Sequence[Place]) -> None:
        """Show these; the cursor stays on its place, if that is still there."""
        path = self.pointed.path if self.pointed is not None else ""
        self._places = places
        self.set_count(len(places))
        self.go_to(path)
        self.refresh()

    def go_to(self, path: str) -> None:
        """Put the cursor on this place, if it is there."""
        self.move_to(next((at for at, place in enumerate(self._places) if place.path == path), self.cursor))

    @property
    def pointed(self) -> Place | None:
        """What the cursor stands on."""
        return self._places[self.cursor] if self.cursor < len(self._places) else None

    def empty(self, width: int) -> Sequence[Piece]:
        """Before anything is known."""
        return [(left("  Looking…", width), "quiet")]

    def line(self, index: int, width: int) -> Sequence[Piece]:
        """One place."""
        place = self._places[index]
        room = max(4, width - 2 - 2 - _WHAT - 1)
        path = display_text(place.path if place.is_target else tilde(place.path))
        return [
            ("▌ " if index == self.cursor else "  ", "mark"),
            ("* " if place.bookmarked else "  ", "active"),
            (left(place.what, _WHAT) + " ", "quiet"),
            (tail(path, room), "strong" if place.is_target else ""),
        ]

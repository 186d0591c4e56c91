"""The line in which people write what a list is narrowed to."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, Label


class FilterLine(Horizontal):
    """A field that is hidden until a filter is wanted. Its page hears `Input.Changed` and `Input.Submitted`."""

    def __init__(self, part_of: str, *, kept: str = "the filter") -> None:
        """`part_of`: what the filter is a part of, `a path`; `kept`: what Enter keeps, in a word for a narrow field."""
        super().__init__(id="filter")
        self.display = False
        self.field = Input(placeholder=f"part of {part_of}; Enter keeps {kept}, Esc drops it", compact=True)
        self.field.can_focus = False  # while it is hidden: of what can be focused, it comes first on most pages

    def compose(self) -> ComposeResult:
        """The sign by which it is known, and the field."""
        yield Label("/", markup=False)
        yield self.field

    def open(self) -> None:
        """Show it, and write in it."""
        self.display = self.field.can_focus = True
        self.screen.set_focus(self.field)  # at once: what is typed fast comes right behind

    def drop(self) -> bool:
        """Hide it and empty it. Returns whether there was one."""
        was_open = bool(self.display)
        self.display = self.field.can_focus = False
        self.field.value = ""
        return was_open

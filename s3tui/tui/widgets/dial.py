"""A field of few values, changed in place by the arrow keys or the space bar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from s3tui.tui.internals import paint_now


class Dial(Widget, can_focus=True):
    """A value between two arrows."""

    class Turned(Message):
        """Somebody chose another value."""

        def __init__(self, dial: Dial) -> None:
            super().__init__()
            self.dial = dial

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space,l", "turn(1)", "Next value", show=False),
        Binding("left,h", "turn(-1)", "Value before", show=False),
    ]
    index = reactive(0)

    def __init__(self, values: Sequence[str], value: str = "", *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._values = list(values)
        self.set_reactive(Dial.index, self._values.index(value) if value in self._values else 0)

    @property
    def value(self) -> str:
        """The value on show."""
        return self._values[self.index]

    def turn_to(self, value: str) -> None:
        """Show this value; that is not `Turned`."""
        self.index = self._values.index(value)

    def action_turn(self, steps: int) -> None:
        """Another value."""
        self.index = (self.index + steps) % len(self._values)
        paint_now(self)
        self.post_message(self.Turned(self))

    def on_click(self) -> None:
        """A click turns on."""
        self.focus()
        self.action_turn(1)

    def render(self) -> Content:
        """The field."""
        return Content.assemble(("‹ ", "$accent"), self.value, (" ›", "$accent"))

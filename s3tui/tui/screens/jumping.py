"""The question for a line to jump to."""

from __future__ import annotations

import re
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from s3tui.text import plural

_PLACE = re.compile(r"(\d+)(%?)")


class LineEntry(ModalScreen[int | None]):
    """Asks for a line of a list. Closes with its index, or with None for Escape; stays open on what is none."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "Close", show=False)]

    def __init__(self, count: int) -> None:
        super().__init__()
        self._count = count

    def compose(self) -> ComposeResult:
        """How many lines there are, and a field."""
        with Vertical(classes="dialog"):
            yield Static("Jump to which line?", classes="dialog-title", markup=False)
            told = f"There are {plural(self._count, 'line')}: a number, or a share like 50%."
            yield Static(told, classes="dialog-text", markup=False)
            yield Input(placeholder="1", compact=True)
            with Horizontal(classes="dialog-buttons"):
                yield Button("Jump (Enter)", id="jump", compact=True)
                yield Button("Stay (Esc)", id="stay", compact=True)

    def on_input_submitted(self) -> None:
        """Go there, or say why not."""
        index = line_index(self.query_one(Input).value, self._count)
        if index is None:
            self.query_one(".dialog-text", Static).add_class("complaint").update("Write a number like 1200, or a share like 50%.")
        else:
            self.dismiss(index)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """The same by mouse."""
        if event.button.id == "jump":
            self.on_input_submitted()
        else:
            self.dismiss(None)

    def action_close(self) -> None:
        """Stay."""
        self.dismiss(None)


def line_index(text: str, count: int) -> int | None:
    """The index of the line that a person names, the nearest that there is; None for what names none."""
    found = _PLACE.fullmatch(text.strip().replace(",", "").replace("_", ""))
    if found is None:
        return None
    number, share = int(found[1]), bool(found[2])
    index = count * number // 100 if share else number - 1
    return max(0, min(index, count - 1))

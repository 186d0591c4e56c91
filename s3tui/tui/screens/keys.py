"""The keys of all screens: every action with its id, which is what `ui.keys` wants, and what was remapped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget
from textual.widgets import Static

from s3tui.text import plural
from s3tui.tui.commands import COMMANDS, Where, bindings
from s3tui.tui.door import House
from s3tui.tui.keymap import is_remapped
from s3tui.tui.screens.page import Page
from s3tui.tui.widgets.key_table import KeyTable


class KeysPage(Page):
    """The table of commands."""

    PLACES: ClassVar[tuple[Where, ...]] = (Where.KEYS, Where.LIST)
    SECTION = "Keys"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.KEYS)]

    def __init__(self, house: House, keymap: Mapping[str, str]) -> None:
        super().__init__(house)
        self._remapped = len({command.id for command in COMMANDS if is_remapped(command, keymap)})
        self.table = KeyTable(keymap, id="keys")

    def body(self) -> Iterable[Widget]:
        """How to remap, and the list."""
        yield Static("ui: {keys: {pause: f9}} in the configuration gives an action other keys.", id="place", markup=False)
        yield self.table

    def on_mount(self) -> None:
        """Say how much is the person's own."""
        self.set_focus(self.table)
        self.title_bar.tell(f"{plural(self._remapped, 'action')} remapped" if self._remapped else "as they come")

    def action_copy(self) -> None:
        """Copy the id with its keys."""
        text = self.table.as_setting()
        self.copy(text, f"Copied {text}")

    def action_back(self) -> None:
        """Leave."""
        self.app.pop_screen()

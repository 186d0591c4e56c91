"""Every key, made from the table of commands; those of the screen below come first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from s3tui.tui.commands import Where, commands_of, key_words


class Help(ModalScreen[None]):
    """The help; any of Escape, `?` and `q` closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,f1", "dismiss", show=False),
        Binding("j,down", "scroll_text(1)", show=False),
        Binding("k,up", "scroll_text(-1)", show=False),
        Binding("pagedown,space", "scroll_text(10)", show=False),
        Binding("pageup", "scroll_text(-10)", show=False),
    ]

    def __init__(self, places: Sequence[Where], keymap: Mapping[str, str]) -> None:
        super().__init__()
        self._text = help_text(places, keymap)

    def compose(self) -> ComposeResult:
        """One text that scrolls."""
        with Vertical(classes="dialog", id="help"):
            yield Static("Keys", classes="dialog-title", markup=False)
            with VerticalScroll(can_focus=False):
                yield Static(self._text, markup=False)
            yield Static("Esc closes · ↑ ↓ scroll · ctrl+p finds any action by name", id="help-end", markup=False)

    def action_scroll_text(self, lines: int) -> None:
        """Scroll."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


def help_text(places: Sequence[Where], keymap: Mapping[str, str]) -> Content:
    """A heading for each place, and a line for each command of it."""
    parts: list[str | tuple[str, str]] = []
    for place in places:
        parts.append((f"{place.value}\n", "bold $accent"))
        for command in commands_of(place):
            keys = " ".join(key_words(command, keymap))
            parts += [(f"  {keys:<15}", "bold"), (f"{command.help}\n", "$quiet")]
        parts.append("\n")
    return Content.assemble(*parts).rstrip()

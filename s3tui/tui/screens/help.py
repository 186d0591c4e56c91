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
from s3tui.tui.messages import OpenKeys


class Help(ModalScreen[None]):
    """The help; any of Escape, `?` and `q` closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,f1", "dismiss", show=False),
        Binding("j,down", "scroll_text(1)", show=False),
        Binding("k,up", "scroll_text(-1)", show=False),
        Binding("pagedown,space", "scroll_text(10)", show=False),
        Binding("pageup", "scroll_text(-10)", show=False),
        Binding("f2", "keys", show=False, id="keys"),
    ]

    def __init__(self, places: Sequence[Where], keymap: Mapping[str, str]) -> None:
        super().__init__()
        self._text = help_text(places, keymap)
        self._keys = key_words(next(command for command in commands_of(Where.APP) if command.id == "keys"), keymap)[0]

    def compose(self) -> ComposeResult:
        """One text that scrolls."""
        with Vertical(classes="dialog", id="help"):
            yield Static("Keys", classes="dialog-title", markup=False)
            with VerticalScroll(can_focus=False):
                yield Static(self._text, markup=False)
            more = f"Esc closes · ↑ ↓ scroll · ctrl+p finds any action by name · {self._keys} ids"
            yield Static(more, id="help-end", markup=False)

    def action_keys(self) -> None:
        """The keys of all screens, instead of these."""
        self.dismiss()
        self.post_message(OpenKeys())

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

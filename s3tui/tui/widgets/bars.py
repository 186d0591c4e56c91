"""The lines above and below every screen: where we are, and the keys that matter."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.widget import Widget

from s3tui.text import display_text
from s3tui.tui.cells import tail
from s3tui.tui.commands import Command, key_words
from s3tui.tui.link import Link
from s3tui.tui.looks import Look
from s3tui.tui.messages import DoCommand

_LINE_EVERY = 3.0
"""Seconds that figures of the line stay, for to write them takes some of it."""
_WIDE = 105
"""Columns with room for all of them."""


class TitleBar(Widget):
    """One line: the program, the screen, what it is about, and at the right end a state."""

    def __init__(self, section: str) -> None:
        super().__init__()
        self._section = section
        self._about = ""
        self._look: Look | None = None
        self._line = ""
        self._line_from = 0.0

    def tell_line(self, link: Link) -> None:
        """Show what a slow line to the terminal is like, anew every few seconds; of one that is not slow, nothing."""
        if link.slow == bool(self._line) and time.monotonic() < self._line_from:
            return
        line = f"line: {link.figures} " if link.slow else ""
        self._line_from = time.monotonic() + _LINE_EVERY
        if line != self._line:
            self._line = line
            self.refresh()

    def tell(self, about: str = "", look: Look | None = None) -> None:
        """Change what the screen is about, and its state."""
        about = display_text(about)
        if (about, look) != (self._about, self._look):
            self._about, self._look = about, look
            self.refresh()

    def render(self) -> Content:
        """The line."""
        head = f" s3tui  {self._section}  "
        state = f" {self._look.glyph} {self._look.word} " if self._look else ""
        line = self._line if self.size.width >= _WIDE else f"{self._line.partition(',')[0]} " if self._line else ""
        room = max(0, self.size.width - len(head) - len(line) - cell_len(state))
        about = tail(self._about, room) if cell_len(self._about) > room else self._about + " " * (room - cell_len(self._about))
        return Content.assemble(
            (" s3tui", "bold $accent"),
            (f"  {self._section}  ", "bold"),
            (about, "$quiet"),
            (line, "$warning"),
            (state, f"bold $state-{self._look.style}" if self._look else ""),
        )


class KeyBar(Widget):
    """One line of keys and their words, as many as fit; a click does what the key does."""

    def __init__(self, commands: Sequence[Command]) -> None:
        super().__init__()
        self._commands = [command for command in commands if command.bar]
        self._spans: list[tuple[int, int, Command]] = []

    def render(self) -> Content:
        """The line."""
        parts: list[tuple[str, str] | str] = []
        self._spans.clear()
        at, width = 1, self.size.width
        for command in self._fitting(width):
            key = self._key(command)
            length = len(key) + 1 + len(command.bar)
            self._spans.append((at, at + length, command))
            parts += [" " if at == 1 else "  ", (key, "bold $accent"), " ", (command.bar, "$quiet")]
            at += length + 2
        return Content.assemble(*parts)

    def _fitting(self, width: int) -> list[Command]:
        """The commands that fit, the last ones (help, quit) before the middle ones."""
        kept = list(self._commands)
        while kept and 1 + sum(len(self._key(command)) + len(command.bar) + 3 for command in kept) - 2 > width:
            kept.pop(max(0, len(kept) - 3))
        return kept

    def _key(self, command: Command) -> str:
        words = key_words(command, getattr(self.app, "keys", {}))
        return words[0] if words else ""

    def on_click(self, event: events.Click) -> None:
        """Do what was clicked."""
        for start, end, command in self._spans:
            if start <= event.x < end:
                self.post_message(DoCommand(command))
                return

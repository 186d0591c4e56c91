"""The mouse over a slow line: what is clicked and dragged is told, what only moves is not."""

from __future__ import annotations

from textual.drivers.linux_driver import LinuxDriver

_EVERY_MOVE, _MOVES_OF_A_BUTTON = "\x1b[?1003", "\x1b[?1002"


class ClicksOnlyDriver(LinuxDriver):
    """Asks the terminal to tell moves of the mouse only while a button is held."""

    def write(self, data: str) -> None:
        """Write to the terminal."""
        super().write(data.replace(_EVERY_MOVE, _MOVES_OF_A_BUTTON))

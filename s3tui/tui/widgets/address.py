"""A field for a path or a target, whose text may hold what a terminal would obey."""

from __future__ import annotations

from textual.widgets import Input

from s3tui.text import display_text


class Address(Input):
    """Shows what it is given in safe text; whatever somebody types in it counts as it stands."""

    def __init__(self, text: str, *, shown: str = "", placeholder: str = "", id: str | None = None) -> None:
        self._given, self._shown = text, display_text(shown or text)
        super().__init__(self._shown, placeholder=placeholder, id=id, compact=True)

    def give(self, text: str, shown: str = "") -> None:
        """Put another text into it; `shown` is a shorter way to write the same."""
        self._given, self._shown = text, display_text(shown or text)
        self.value = self._shown

    @property
    def text(self) -> str:
        """What was given or typed."""
        return self._given if self.value == self._shown else self.value.strip()

"""The head of the Transfers and Plan screens: the bar, the figures, the views, and what went wrong with the job as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from s3tui.tui.cells import bar
from s3tui.tui.looks import looks_of

Part = tuple[str, str]
"""Text, and the name of a style: of a state, `quiet`, or empty."""


_SPARK = 16
"""Cells of a short sparkline."""
_SPARKS_FROM, _LONG_SPARKS_FROM = 60, 105
"""From so many cells on there is room for one."""


def style_variable(name: str) -> str:
    """The CSS variable of a style name."""
    return "" if not name else "$quiet" if name == "quiet" else f"$state-{name}"


class Summary(Widget):
    """A bar with a sparkline at its end, and the figures: a line, and a second one for what did not fit and what steps back."""

    def __init__(self) -> None:
        super().__init__()
        self._share: float | None = 0.0
        self._style = "active"
        self._figures: tuple[Part, ...] = ()
        self._below: tuple[Part, ...] = ()
        self._spark = ""

    def show(self, share: float | None, style: str, figures: Sequence[Part], below: Sequence[Part] = (), spark: str = "") -> None:
        """Change what it says; paints only if that is something new. Without a share there is a line instead of a bar."""
        news = (None if share is None else round(share, 4), style, tuple(figures), tuple(below), spark)
        if news != (self._share, self._style, self._figures, self._below, self._spark):
            self._share, self._style, self._figures, self._below, self._spark = news
            self._arrange()
            self.refresh()

    def on_resize(self) -> None:
        """More or less fits on a line."""
        self._arrange()

    @property
    def spark_cells(self) -> int:
        """How long a sparkline may be; 0: there is no room for one."""
        return 0 if self.size.width < _SPARKS_FROM else _SPARK if self.size.width < _LONG_SPARKS_FROM else 2 * _SPARK

    def _arrange(self) -> None:
        """The second line of figures takes the empty one below the first."""
        self.screen.set_class(bool(self._lines()[1]), "-busy")

    def _lines(self) -> tuple[list[Part], list[Part]]:
        first, rest = _fitting(self._figures, self.size.width - 1)
        second, _ = _fitting((*self._below, *rest), self.size.width - 1)
        return first, second

    def render(self) -> Content:
        """The lines."""
        percent = "" if self._share is None else f" {int(self._share * 100):>3}%"
        spark = f"  {self._spark:<{self.spark_cells}}" if self._spark and self.spark_cells else ""
        room = max(0, self.size.width - len(percent) - len(spark) - 2)
        full, rest = bar(self._share or 0.0, room, ascii_only=looks_of(self.app).ascii_bars)
        colour = style_variable(self._style)
        parts: list[Part | str] = [" ", (full, colour), (rest, "$rule"), (percent, colour), (spark, colour)]
        for line in self._lines():
            for at, (text, style) in enumerate(line):
                parts += ["\n " if at == 0 else "   ", (text, style_variable(style))]
        return Content.assemble(*parts)


def _fitting(parts: Sequence[Part], room: int) -> tuple[list[Part], list[Part]]:
    """The parts that fit into so many cells, and the others."""
    fitting, others = [], []
    for text, style in parts:
        length = cell_len(text)
        if length > room:
            others.append((text, style))
            continue
        fitting.append((text, style))
        room -= length + 3
    return fitting, others


@dataclass(frozen=True, slots=True)
class Choice:
    """A part of a list that a key shows alone."""

    key: str
    name: str
    word: str
    count: int | None = None
    """How much it holds, if that is counted."""
    alarms: bool = False
    """Whether it had better be empty."""


class ViewBar(Widget):
    """The views of a list with their keys and counts; the present one is underlined and bold. A click changes the view."""

    class Picked(Message):
        """A view was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self) -> None:
        super().__init__()
        self._chosen = ""
        self._choices: tuple[Choice, ...] = ()
        self._note = ""
        self._spans: list[tuple[int, int, str]] = []

    def show(self, chosen: str, choices: Sequence[Choice], note: str = "") -> None:
        """Change what it says."""
        news = (chosen, tuple(choices), note)
        if news != (self._chosen, self._choices, self._note):
            self._chosen, self._choices, self._note = news
            self.refresh()

    def render(self) -> Content:
        """The line."""
        width = self.size.width
        parts, at = self._parts(counts=True, gap="  ")
        if at > width:
            parts, at = self._parts(counts=False, gap="")
        if at > width:
            parts, at = self._parts(counts=False, gap="", words=False)
        if self._note and at + len(self._note) + 2 <= width:
            parts += [" " * (width - at - cell_len(self._note) - 1), (self._note, "$accent")]
        return Content.assemble(*parts)

    def _parts(self, *, counts: bool, gap: str, words: bool = True) -> tuple[list[Part | str], int]:
        """`words`: of all choices, not only of the present one."""
        parts: list[Part | str] = []
        self._spans.clear()
        at = 0
        for choice in self._choices:
            here = choice.name == self._chosen
            word = f" {choice.word}" if words or here else ""
            number_of = f" {choice.count:,}" if choice.count is not None and (counts or (here and not words)) else ""
            colour = "$state-failed" if choice.alarms and choice.count else "$quiet"
            parts += [
                " ",
                (choice.key, "bold $accent"),
                (word, "bold underline" if here else ""),
                (number_of, f"bold {colour if colour != '$quiet' else ''}" if here else colour),
                gap,
            ]
            length = 1 + len(choice.key) + len(word) + len(number_of) + len(gap)
            self._spans.append((at, at + length, choice.name))
            at += length
        return parts, at

    def on_click(self, event: events.Click) -> None:
        """Change the view."""
        for start, end, name in self._spans:
            if start <= event.x < end:
                self.post_message(self.Picked(name))


class Trouble(Static):
    """A sentence about what went wrong with the whole job or with reading it; hidden when all is well."""

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self.display = False
        self._said = ""

    def say(self, sentence: str, next_step: str = "") -> None:
        """Show a sentence and the next step; an empty one hides the pane."""
        if (said := f"{sentence}\n{next_step}") != self._said:
            self._said = said
            self.update(
                Content.assemble(("✗ ", "bold"), (sentence, "bold"), (f"\n{next_step}" if next_step else "", "$foreground"))
            )
            self.display = bool(sentence)

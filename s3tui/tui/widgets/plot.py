"""A figure over time, drawn with plotext. Import this late: plotext takes a fifth of a second."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from rich.text import Text
from textual_plotext import PlotextPlot

from s3tui.text import format_duration
from s3tui.tui.cells import left
from s3tui.tui.course import Scale
from s3tui.tui.looks import looks_of

_ASCII = str.maketrans("─│┌┐└┘┤├┬┴┼", "-|++++|+++|")
_DOTS, _STARS = "braille", "*"
_COLOURED = re.compile(r"\x1b\[38;5;(\d+)m([^\x1b]*)\x1b\[0m")
_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
_QUARTERS = 4


class Line(NamedTuple):
    """One line of a plot."""

    values: Sequence[float]
    style: str
    """Of a state."""
    marker: str = ""
    """What it is drawn with; empty: fine dots, or stars where the theme says so."""


class Drawing(NamedTuple):
    """All that a plot shows."""

    title: str
    lines: Sequence[Line]
    apart: float
    """Seconds between two values; the first stands for the end of the first stretch."""
    seconds: float
    """Where the time axis ends."""
    scale: Scale
    ticks: Sequence[str]
    """Words for the ticks of the scale."""
    margin: int
    """Cells that these words take, the same for plots that stand below each other."""


class Plot(PlotextPlot):
    """A plot in the colours of our theme; plotext only says where its dots are."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"plot--{name}" for name in ("active", "done", "failed", "skipped", "axis", "title")}

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.set_reactive(PlotextPlot.theme, "textual-clear")
        self._drawing: Drawing | None = None

    def draw(self, drawing: Drawing) -> None:
        """Show this; paints only if it is something new."""
        if drawing != self._drawing:
            self._drawing = drawing
            self.refresh()

    def render(self) -> Text:
        """The plot, and its title above it."""
        drawing, (width, height) = self._drawing, self.size
        if drawing is None or width < 20 or height < 4:
            return Text("")
        ascii_only = looks_of(self.app).ascii_bars
        styles = [line.style for line in drawing.lines]
        axis = self.get_component_rich_style("plot--axis", partial=True)
        text = Text(no_wrap=True)
        text.append(f" {left(drawing.title, width - 1).rstrip()}\n", self.get_component_rich_style("plot--title", partial=True))
        for row in self._rows(drawing, width - 1, height - 1, ascii_only=ascii_only):
            at = 0
            for found in _COLOURED.finditer(row):
                text.append(_ESCAPE.sub("", row[at : found.start()]), axis)
                style = styles[int(found[1]) - 1]
                text.append(found[2], self.get_component_rich_style(f"plot--{style}", partial=True))
                at = found.end()
            text.append(_ESCAPE.sub("", row[at:]).rstrip() + "\n", axis)
        text.rstrip()
        return text

    def _rows(self, drawing: Drawing, width: int, height: int, *, ascii_only: bool) -> list[str]:
        plot = self.plt
        plot.clear_figure()
        plot.theme("clear")
        plot.plotsize(width, height)
        plot._set_size(width, height)  # as its own widget does, without which a resize goes unnoticed
        plot.xaxes(True, False)
        plot.yaxes(True, False)
        for number, line in enumerate(drawing.lines, start=1):
            times = [min((at + 1) * drawing.apart, drawing.seconds) for at in range(len(line.values))]
            marker = line.marker or (_STARS if ascii_only else _DOTS)
            if line.values:
                plot.plot(times, list(line.values), marker=marker, color=number)
        plot.xlim(0, drawing.seconds)
        plot.ylim(0, drawing.scale.top)
        quarters = [drawing.seconds * part / _QUARTERS for part in range(_QUARTERS + 1)]
        plot.xticks(quarters, [format_duration(second) for second in quarters])
        plot.yticks(list(drawing.scale.ticks), [" " * (drawing.margin - cell_len(word)) + word for word in drawing.ticks])
        rows: list[str] = plot.build().splitlines()
        return [row.translate(_ASCII) for row in rows] if ascii_only else rows

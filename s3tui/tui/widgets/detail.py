"""One file in full: where it comes from and goes to, what happened to it, and why."""

from __future__ import annotations

import textwrap

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Static

from s3tui.model import ActiveTransfer, FileRow, FileState
from s3tui.text import display_text, format_size
from s3tui.tui.cells import wrap
from s3tui.tui.looks import Look

LABEL = 10
"""Cells of the names at the left."""
Shown = tuple[FileRow | None, Look | None, str, ActiveTransfer | None, bool]


class Detail(VerticalScroll, can_focus=False):
    """A pane below the table, hidden until it is asked for."""

    class RetryAsked(Message):
        """The Retry button was pressed."""

    def __init__(self) -> None:
        super().__init__()
        self.display = False
        self._shown: Shown | None = None

    def compose(self) -> ComposeResult:
        """The text, and a button for failed files."""
        yield Static("", markup=False)
        yield Button("Retry this file", id="retry-file", compact=True)

    def show(self, row: FileRow | None, look: Look | None, bucket: str, sample: ActiveTransfer | None, *, retry: bool) -> None:
        """Show a row; None while it has not been read."""
        news = (row, look, bucket, sample, retry)
        if news == self._shown:
            return
        self._shown = news
        self._draw(row, look, bucket, sample)
        self.query_one(Button).display = retry and row is not None and row.state is FileState.FAILED

    def on_resize(self) -> None:
        """Break the lines anew."""
        if self._shown:
            row, look, bucket, sample, _ = self._shown
            self._draw(row, look, bucket, sample)

    def _draw(self, row: FileRow | None, look: Look | None, bucket: str, sample: ActiveTransfer | None) -> None:
        text = self.query_one(Static)
        if row is None or look is None:
            text.update(Content.styled("No file is selected.", "$quiet"))
            return
        text.update(_in_full(row, look, bucket, sample, (self.size.width or self.app.size.width) - LABEL - 3))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Pass the wish on."""
        event.stop()
        self.post_message(self.RetryAsked())


def _in_full(row: FileRow, look: Look, bucket: str, sample: ActiveTransfer | None, width: int) -> Content:
    lines: list[tuple[str, str, str]] = [("Path", display_text(row.path), "bold")]
    lines.append(("Key", display_text(f"s3://{bucket}/{row.key}") if row.key is not None else "none: the name cannot be a key", ""))
    state = f"{look.glyph} {look.word}"
    if row.reason:
        state += f": {display_text(row.reason).replace('_', ' ')}"
    lines.append(("State", state, f"$state-{look.style}"))
    size = format_size(row.size) if row.size < 1000 else f"{format_size(row.size)} ({row.size:,} bytes)"
    if sample is not None:
        size = f"{format_size(sample.sent)} of {size}, {format_size(sample.rate)}/s, attempt {sample.attempt}"
    elif row.attempts:
        size += f", {row.attempts} {'attempt' if row.attempts == 1 else 'attempts'}"
    lines.append(("Size", size, ""))
    if row.error:
        lines.append(("Cause", display_text(row.error), "$state-failed"))
    if row.checksum:
        lines.append(("Checksum", display_text(row.checksum), "$quiet"))
    parts: list[str | tuple[str, str]] = []
    for name, value, style in lines:
        for number, piece in enumerate(_broken(value, width)):
            parts += ["\n" if parts else "", (f"{'' if number else name:<{LABEL}}", "$quiet"), (piece, style)]
    return Content.assemble(*parts)


def _broken(text: str, width: int) -> list[str]:
    """Lines of a text: between words where there are short ones, anywhere in a name."""
    lines: list[str] = []
    for line in textwrap.wrap(text, max(10, width), break_on_hyphens=False) or [""]:
        lines += wrap(line, max(10, width))
    return lines

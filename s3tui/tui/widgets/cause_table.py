"""Why files of a job failed: one line per cause, and one cause in full."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Static

from s3tui.text import display_text, format_size, plural
from s3tui.tui.cells import left, right
from s3tui.tui.columns import RETRY
from s3tui.tui.looks import looks_of
from s3tui.tui.widgets.detail import Pane, labelled
from s3tui.tui.widgets.line_table import LineTable, Piece

if TYPE_CHECKING:
    from s3tui.report import FailureGroup

_LEAD = 2
"""The cursor's bar, and a space."""
_ONLY_PLAN = "no: the plan refused them, and would again"


def cause_word(reason: str) -> str:
    """A reason as people read it, safe to show."""
    return display_text(reason.replace("_", " "))


def example_error(group: FailureGroup) -> str:
    """The error of the first file that failed for a cause; empty if it has none."""
    return (group.first[0].error or "") if group.first else ""


@dataclass(frozen=True, slots=True)
class _Columns:
    """Widths in cells; 0 leaves the column out. A space stands behind each."""

    cause: int
    files: int
    size: int
    example: int
    retry: int = len(RETRY)

    @property
    def retry_from(self) -> int:
        """The first cell of a line's Retry button."""
        return _LEAD + sum(width + 1 for width in (self.cause, self.files, self.size, self.example) if width)


@lru_cache(maxsize=8)
def _columns(width: int) -> _Columns:
    room = width - _LEAD - len(RETRY) - 1
    if width >= 68:
        files, size, cause = 10, 9, 30 if width >= 105 else 24
        return _Columns(cause, files, size, max(0, room - (cause + files + size + 4)))
    return _Columns(max(8, room - 9), 7, 0, 0)


class CauseTable(LineTable):
    """The causes, the most frequent first."""

    class RetryAsked(Message):
        """The Retry button of a line was clicked."""

    class OpenAsked(Message):
        """A line was clicked elsewhere."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._groups: Sequence[FailureGroup] = ()
        self.nothing = "Counting the failures…"

    @property
    def pointed(self) -> FailureGroup | None:
        """The group under the cursor."""
        return self._groups[self.cursor] if self.cursor < len(self._groups) else None

    def show(self, groups: Sequence[FailureGroup]) -> None:
        """Show these; the cursor stays on its cause."""
        old, pointed = self._groups, self.pointed
        self._groups = groups
        self.set_count(len(groups))
        at = next((index for index, group in enumerate(groups) if pointed is not None and group.reason == pointed.reason), None)
        if at is not None and at != self.cursor:
            self.move_to(at)
        if not groups:
            self.refresh()
        changed = [index for index, group in enumerate(groups) if index >= len(old) or old[index] != group]
        self.repaint(changed)
        if self.cursor in changed or not groups:
            self.post_message(self.Pointed(self))

    def on_line_table_chosen(self, event: LineTable.Chosen) -> None:
        """A click on the button retries, elsewhere it opens."""
        group, start = self.pointed, _columns(self.size.width).retry_from
        on_button = group is not None and group.mendable > 0 and start <= event.cell < start + len(RETRY)
        self.post_message(self.RetryAsked() if on_button else self.OpenAsked())

    def empty(self, width: int) -> Sequence[Piece]:
        """A sentence instead of lines."""
        return [(left("  " + self.nothing, width), "quiet")]

    def header(self, width: int) -> Sequence[Piece]:
        """Names of the columns."""
        columns = _columns(width)
        names = [left("  Cause", columns.cause), right("Files", columns.files)]
        names += [right("Size", columns.size)] if columns.size else []
        names += [left("For example", columns.example)] if columns.example else []
        return [(" " * _LEAD + " ".join(names), "heading")]

    def line(self, index: int, width: int) -> Sequence[Piece]:
        """One cause."""
        group, columns = self._groups[index], _columns(width)
        glyph = looks_of(self.app).named("failed").glyph
        pieces: list[Piece] = [("▌ " if index == self.cursor else "  ", "mark")]
        pieces.append((left(f"{glyph} {cause_word(group.reason)}", columns.cause) + " ", "failed"))
        pieces.append((right(f"{group.count:,}", columns.files) + " ", ""))
        if columns.size:
            pieces.append((right(format_size(group.size), columns.size) + " ", "quiet"))
        if columns.example:
            pieces.append((left(display_text(example_error(group)), columns.example) + " ", "quiet"))
        pieces.append((RETRY, "button") if group.mendable else (" " * len(RETRY), ""))
        return pieces


class CauseDetail(Pane):
    """One cause in full, and what can be done about it."""

    class Asked(Message):
        """A button was pressed; `action` is what it does."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self) -> None:
        super().__init__()
        self._shown: FailureGroup | None = None

    def compose(self) -> ComposeResult:
        """The text, and the buttons."""
        yield Static("", markup=False)
        with Horizontal(classes="pane-buttons"):
            yield Button("Retry these", id="retry-group", compact=True)
            yield Button("Retry all", id="retry-all", compact=True)
            yield Button("Show the files", id="open", compact=True)
            yield Button("Copy the error", id="copy-error", compact=True)

    def show(self, group: FailureGroup | None) -> None:
        """Show a cause; None: there is none."""
        if group != self._shown:
            self._shown = group
            self._draw()

    def on_resize(self) -> None:
        """Break the lines anew."""
        self._draw()

    def _draw(self) -> None:
        group, text = self._shown, self.query_one(Static)
        self.query_one(Horizontal).display = group is not None
        if group is None:
            text.update(Content.styled("No cause is selected.", "$quiet"))
            return
        self.query_one("#retry-group").display = group.mendable > 0
        hope = "" if group.mendable == group.count else f"{group.mendable:,} of them; the plan refused the others"
        lines = [
            ("Cause", f"{cause_word(group.reason)} ({display_text(group.reason)})", "$state-failed"),
            ("Files", f"{plural(group.count, 'file')}, {format_size(group.size)}", ""),
            ("Retry", hope if group.mendable else _ONLY_PLAN, ""),
            ("Example", display_text(group.first[0].path) if group.first else "", "bold"),
            ("Error", display_text(example_error(group)), "$state-failed"),
        ]
        text.update(Content.assemble(*labelled(lines, (self.size.width or self.app.size.width) - 3)))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Pass the wish on."""
        event.stop()
        self.post_message(self.Asked((event.button.id or "").replace("-", "_")))

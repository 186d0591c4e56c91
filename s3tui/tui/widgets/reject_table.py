"""Rejected records as a virtual list: it holds those around what is on the screen, and nothing of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from s3tui.model import RejectLine
from s3tui.text import display_text, format_size
from s3tui.tui.cells import left, right, tail, wrap
from s3tui.tui.csv_files import reason_word
from s3tui.tui.widgets.detail import LABEL, Pane, labelled
from s3tui.tui.widgets.line_table import LineTable, Piece

_LEAD = 2
"""The cursor's bar, and a space."""
_MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class _Columns:
    """Widths in cells; 0 leaves the column out. A space stands behind each."""

    file: int
    line: int
    reason: int
    detail: int
    text: int


@lru_cache(maxsize=8)
def _columns(width: int, *, files: bool) -> _Columns:
    if width >= 105:
        file, line, reason, detail = (18 if files else 0), 11, 16, 36
    elif width >= 68:
        file, line, reason, detail = (14 if files else 0), 9, 16, 0
    else:
        file, line, reason, detail = 0, 7, 16, 0
    used = sum(each + 1 for each in (file, line, reason, detail) if each)
    return _Columns(file, line, reason, detail, max(4, width - _LEAD - used - 1))


class RejectTable(LineTable):
    """Records that are no rows."""

    class Moved(Message):
        """Records are in sight that are not known yet."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: dict[int, RejectLine] = {}
        self._names: dict[int, str] = {}
        self.of_files = False
        """Whether records of several files are here."""
        self.nothing = "Opening the rejects…"

    def wanted(self) -> tuple[int, int]:
        """The first record to read, and how many: those in sight, and a page each side."""
        page = self.page_lines
        first = max(0, self.first_visible - page)
        return first, min(3 * page, _MOST_AT_ONCE)

    def begin_anew(self) -> None:
        """Forget all: the list is another one."""
        self._lines.clear()
        self.set_count(0)
        self.move_to(0)
        self.refresh()

    def show(self, first: int, lines: Sequence[RejectLine], count: int, names: Mapping[int, bytes]) -> None:
        """Take in the records from line `first` on, of `count` in all; paint what changed, forget what is far from sight."""
        self._names |= {no: display_text(path) for no, path in names.items()}
        self.set_count(count)
        fresh = dict(enumerate(lines, start=first))
        in_sight = self._in_sight()
        changed = [index for index in in_sight if index in fresh and fresh[index] != self._lines.get(index)]
        page = self.page_lines
        near = range(self.first_visible - 2 * page, self.first_visible + 3 * page)
        self._lines = {index: line for index, line in self._lines.items() if index in near and index < count} | fresh
        self.repaint(changed)
        if self.cursor in changed or not count:
            self.post_message(self.Pointed(self))

    def _in_sight(self) -> range:
        return range(self.first_visible, min(self.count, self.first_visible + self.page_lines))

    @property
    def missing(self) -> bool:
        """Whether a record in sight has not been read yet."""
        return any(index not in self._lines for index in self._in_sight())

    @property
    def pointed(self) -> RejectLine | None:
        """The record under the cursor, if it has been read."""
        return self._lines.get(self.cursor)

    def name_of(self, file_no: int) -> str:
        """The name of a file, safe to show."""
        return self._names.get(file_no, f"file {file_no + 1}")

    def moved(self) -> None:
        """Ask for the records in sight if some are missing."""
        if self.missing:
            self.post_message(self.Moved())

    # Drawing.

    def empty(self, width: int) -> Sequence[Piece]:
        """A sentence instead of lines."""
        return [(left("  " + self.nothing, width), "quiet")]

    def header(self, width: int) -> Sequence[Piece]:
        """Names of the columns."""
        columns = _columns(width, files=self.of_files)
        names = [left("File", columns.file)] if columns.file else []
        names += [right("Line", columns.line), left("Why", columns.reason)]
        names += [left("In detail", columns.detail)] if columns.detail else []
        return [(" " * _LEAD + " ".join([*names, left("Record", columns.text)]), "heading")]

    def line(self, index: int, width: int) -> Sequence[Piece]:
        """One record."""
        lead = ("▌ " if index == self.cursor else "  ", "mark")
        reject = self._lines.get(index)
        if reject is None:
            return [lead, (left(f"…  reject {index + 1:,}", width - _LEAD), "rule")]
        columns = _columns(width, files=self.of_files)
        pieces: list[Piece] = [lead]
        if columns.file:
            pieces.append((tail(self.name_of(reject.file_no), columns.file) + " ", "quiet"))
        pieces.append((right(f"{reject.line:,}", columns.line) + " ", ""))
        pieces.append((left(reason_word(reject.reason), columns.reason) + " ", "skipped"))
        if columns.detail:
            pieces.append((left(display_text(reject.detail), columns.detail) + " ", "quiet"))
        pieces.append((left(display_text(reject.text[: columns.text + 1]), columns.text), ""))
        return pieces


class RejectDetail(Pane):
    """A rejected record in full, as far as it was read."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[RejectLine | None, str] | None = None

    def compose(self) -> ComposeResult:
        """The text."""
        yield Static("", markup=False)

    def show(self, reject: RejectLine | None, name: str) -> None:
        """Show a record, None while it has not been read; `name` is its file's, safe to show."""
        if (reject, name) != self._shown:
            self._shown = (reject, name)
            self.scroll_home(animate=False)
            self._draw(reject, name)

    def on_resize(self) -> None:
        """Break the lines anew."""
        if self._shown:
            self._draw(*self._shown)

    def _draw(self, reject: RejectLine | None, name: str) -> None:
        text = self.query_one(Static)
        if reject is None:
            text.update(Content.styled("No record is selected.", "$quiet"))
            return
        width = (self.size.width or self.app.size.width) - 3
        size = format_size(reject.size) + ("" if reject.whole else ", of which this is the beginning")
        lines = [
            ("Place", f"{name}, line {reject.line:,} (record {reject.record:,})", "bold"),
            ("Why", f"{reason_word(reject.reason)}: {display_text(reject.detail)}", "$state-skipped"),
        ]
        parts = labelled(lines, width)
        pieces = [piece for line in reject.text.split("\n") for piece in wrap(display_text(line), width - LABEL)]
        for number, piece in enumerate(pieces):
            parts += ["\n", (f"{'' if number else 'Record':<{LABEL}}", "$quiet"), piece]
        text.update(Content.assemble(*parts, "\n", *labelled([("Size", size, "$quiet")], width)))

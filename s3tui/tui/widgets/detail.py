"""One file in full: where it comes from and goes to, what happened to it, and why."""

from __future__ import annotations

import textwrap

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Static

from s3tui.model import ActiveTransfer, FileRow, FileState, Proof
from s3tui.text import display_text, format_size
from s3tui.tui.cells import wrap
from s3tui.tui.csv_files import Lines, Sheet, sheet_lines
from s3tui.tui.figures import Subject
from s3tui.tui.looks import PROOFS, Look

LABEL = 10
"""Cells of the names at the left."""
Shown = tuple[FileRow | None, Look | None, Subject, ActiveTransfer | None, Lines, Sheet, bool]


class Pane(VerticalScroll, can_focus=False):
    """A pane below the table, hidden until it is asked for. It takes no focus: keys of its screen scroll it."""

    def __init__(self) -> None:
        super().__init__()
        self.display = False

    def scroll_by_key(self, direction: int) -> None:
        """Half a pane down (1), or up (-1)."""
        self.scroll_relative(y=direction * max(1, self.size.height // 2), animate=False)


class Detail(Pane):
    """What there is to say of one file."""

    class RetryAsked(Message):
        """The Retry button was pressed."""

    class RejectsAsked(Message):
        """The button that leads to the rejects was pressed."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: Shown | None = None

    def compose(self) -> ComposeResult:
        """The text, and buttons: for failed files, and for those of which records were rejected."""
        yield Static("", markup=False)
        yield Button("Retry this file", id="retry-file", compact=True)
        yield Button("Show the rejects", id="show-rejects", compact=True)

    def show(
        self,
        row: FileRow | None,
        look: Look | None,
        subject: Subject,
        sample: ActiveTransfer | None,
        more: Lines = (),
        sheet: Sheet = (),
        *,
        retry: bool,
        rejects: bool = False,
    ) -> None:
        """Show a row, None while it has not been read, with what only its kind of job has to say of it.

        `retry` and `rejects` say which buttons make sense.
        """
        self.query_one("#show-rejects").display = rejects
        news = (row, look, subject, sample, more, sheet, retry)
        if news == self._shown:
            return
        if self._shown and self._shown[0] and row and row.no != self._shown[0].no:
            self.scroll_home(animate=False)
        self._shown = news
        self._draw(row, look, subject, sample, more, sheet)
        self.query_one("#retry-file").display = retry and row is not None and row.state is FileState.FAILED

    def on_resize(self) -> None:
        """Break the lines anew."""
        if self._shown:
            self._draw(*self._shown[:-1])

    def _draw(
        self,
        row: FileRow | None,
        look: Look | None,
        subject: Subject,
        sample: ActiveTransfer | None,
        more: Lines,
        sheet: Sheet,
    ) -> None:
        text = self.query_one(Static)
        if row is None or look is None:
            text.update(Content.styled("No file is selected.", "$quiet"))
            return
        width = (self.size.width or self.app.size.width) - 3
        text.update(_in_full(row, look, subject, sample, more, sheet, width))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Pass the wish on."""
        event.stop()
        self.post_message(self.RejectsAsked() if event.button.id == "show-rejects" else self.RetryAsked())


def _in_full(
    row: FileRow, look: Look, subject: Subject, sample: ActiveTransfer | None, more: Lines, sheet: Sheet, width: int
) -> Content:
    """What matters most comes first: in a small window there is no room for the rest."""
    state = f"{look.glyph} {look.word}" + (f": {display_text(row.reason).replace('_', ' ')}" if row.reason else "")
    lines: list[tuple[str, str, str]] = [
        ("Path", display_text(row.path), "bold"),
        ("State", state, f"$state-{look.style}"),
        ("Cause", display_text(row.error or ""), "$state-failed" if row.state is FileState.FAILED else "$state-skipped"),
        ("Proof", PROOFS[Proof(row.proof)][1] if row.proof else "", ""),
        ("Source", fate(row, look) if subject.deletes else "", ""),
        *((name, value, "") for name, value in more),
    ]
    rest: list[tuple[str, str, str]] = [
        ("Size", _size(row, sample), ""),
        ("Key", "none: the name cannot be a key" if row.key is None else display_text(f"s3://{subject.bucket}/{row.key}"), ""),
        ("Checksum", display_text(row.checksum or ""), "$quiet"),
        ("ETag", display_text(row.etag or ""), "$quiet"),
    ]
    parts = labelled(lines, width)
    for number, line in enumerate(sheet_lines(sheet, width) if sheet else ()):
        parts += ["\n", (line, "" if number else "bold")]
    return Content.assemble(*parts, "\n", *labelled(rest, width))


def labelled(lines: list[tuple[str, str, str]], width: int) -> list[str | tuple[str, str]]:
    """The parts of (name, text, style), name below name, the texts broken to fit; nothing of those that are empty."""
    parts: list[str | tuple[str, str]] = []
    for name, value, style in lines:
        for number, piece in enumerate(_broken(value, width - LABEL) if value else ()):
            parts += ["\n" if parts else "", (f"{'' if number else name:<{LABEL}}", "$quiet"), (piece, style)]
    return parts


def _size(row: FileRow, sample: ActiveTransfer | None) -> str:
    size = format_size(row.size) if row.size < 1000 else f"{format_size(row.size)} ({row.size:,} bytes)"
    if sample is not None:
        return f"{format_size(sample.sent)} of {size}, {format_size(sample.rate)}/s, attempt {sample.attempt}"
    return size + (f", {row.attempts} {'attempt' if row.attempts == 1 else 'attempts'}" if row.attempts else "")


def fate(row: FileRow, look: Look) -> str:
    """What became, or is to become, of a source that its job deletes."""
    if row.state is FileState.DELETED:
        return "deleted, after this proof"
    if row.reason == "source_vanished":
        return "gone, and not by this job"
    if row.state is FileState.FAILED:
        return "kept"
    if row.state is FileState.SKIPPED:
        return "kept, as only what was sent is deleted"
    if look.name == "verified":
        return "kept, as far as was written down: the job ended before"
    return "is deleted now" if look.name == "proven" else "kept until its object is proven, and then deleted"


def _broken(text: str, width: int) -> list[str]:
    """Lines of a text: between words where there are short ones, anywhere in a name."""
    lines: list[str] = []
    for line in textwrap.wrap(text, max(10, width), break_on_hyphens=False) or [""]:
        lines += wrap(line, max(10, width))
    return lines

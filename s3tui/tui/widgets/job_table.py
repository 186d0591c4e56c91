"""The history of jobs, newest first."""

from __future__ import annotations

from collections.abc import Sequence

from textual.strip import Strip

from s3tui.model import Job
from s3tui.text import display_text, format_size
from s3tui.tui.cells import bar, left, right
from s3tui.tui.figures import clock_time, done_share, subject_of
from s3tui.tui.looks import looks_of
from s3tui.tui.widgets.line_table import LineTable, Piece

_STATE, _KIND, _FILES, _SIZE, _FAILED, _TIME, _BAR = 13, 7, 9, 10, 6, 13, 8

_FIRST_STEPS = (
    "",
    "To try it first, on this machine alone: leave with q, and type  s3tui demo",
    "Before a first upload of your own:  s3tui status s3://BUCKET  says what is missing.",
)
"""What somebody sees who has no jobs yet, below the sentence that says so."""


class JobTable(LineTable):
    """One line per job."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._jobs: list[Job] = []
        self._read = False
        self.nothing = "Reading the history…"

    @property
    def jobs(self) -> Sequence[Job]:
        """The jobs on show."""
        return self._jobs

    @property
    def pointed(self) -> Job | None:
        """The job under the cursor."""
        return self._jobs[self.cursor] if self.cursor < len(self._jobs) else None

    def show(self, jobs: list[Job]) -> None:
        """Show these; the cursor stays on its job."""
        if self._read and jobs == self._jobs:
            return
        old, pointed = self._jobs, self.pointed
        self._read, self._jobs = True, jobs
        self.set_count(len(jobs))
        if not jobs:
            self.nothing = "No jobs yet. Press n to upload something."
            self.refresh()
        at = next((index for index, job in enumerate(jobs) if pointed is not None and job.id == pointed.id), None)
        if at is not None and at != self.cursor and self.cursor:
            self.move_to(at)
        self.repaint(index for index, job in enumerate(jobs) if index >= len(old) or old[index] != job)

    def _room(self, width: int) -> int:
        """Cells of the column that says from where to where."""
        taken = 2 + _STATE + 1 + _SIZE + 1 + 1
        if width >= 60:
            taken += _FILES + 1 + _FAILED + 1
        if width >= 76:
            taken += _TIME + 1
        if width >= 100:
            taken += _BAR + 6
        if width >= 110:
            taken += _KIND + 1
        return max(6, width - taken)

    def empty(self, width: int) -> Sequence[Piece]:
        """A sentence instead of lines."""
        return [(left("  " + self.nothing, width), "quiet")]

    def render_line(self, y: int) -> Strip:
        """One line of the screen; without jobs, what to begin with."""
        below = y - self.HEADER - 1
        if self._read and not self._jobs and 0 <= below < len(_FIRST_STEPS):
            width = self.size.width
            return self._strip([(left("  " + _FIRST_STEPS[below], width), "quiet")], width)
        return super().render_line(y)

    def header(self, width: int) -> Sequence[Piece]:
        """Names of the columns."""
        kind = left("Kind", _KIND) + " " if width >= 110 else ""
        text = "  " + left("State", _STATE) + kind + left("From → to", self._room(width)) + " "
        if width >= 100:
            text += left("Progress", _BAR + 5) + " "
        if width >= 60:
            text += right("Files", _FILES) + " " + right("Failed", _FAILED) + " "
        text += right("Size", _SIZE)
        if width >= 76:
            text += " " + right("Started", _TIME)
        return [(text, "heading")]

    def line(self, index: int, width: int) -> Sequence[Piece]:
        """One job."""
        job, totals = self._jobs[index], self._jobs[index].totals
        look = looks_of(self.app).of_job(job)
        pieces: list[Piece] = [("▌ " if index == self.cursor else "  ", "mark")]
        pieces.append((left(f"{look.glyph} {look.word}", _STATE), look.style))
        if width >= 110:
            pieces.append((left(display_text(job.kind), _KIND) + " ", "quiet"))
        pieces.append((left(self._about(job, self._room(width)), self._room(width)) + " ", ""))
        live = not job.state.ended and job.state != "planned"
        if width >= 100:
            share = done_share(job)
            full, rest = bar(share, _BAR, ascii_only=looks_of(self.app).ascii_bars) if live else ("", " " * _BAR)
            pieces += [(full, look.style), (rest, "rule"), (right(f"{share:.0%}" if live else "", 5) + " ", look.style)]
        if width >= 60:
            pieces.append((right(f"{totals.found:,}", _FILES) + " ", ""))
            pieces.append((right(f"{totals.failed:,}" if totals.failed else "", _FAILED) + " ", "failed"))
        pieces.append((right(format_size(totals.bytes_found), _SIZE), "quiet"))
        if width >= 76:
            pieces.append((" " + right(clock_time(job.created_at), _TIME), "quiet"))
        return pieces

    def _about(self, job: Job, room: int) -> str:
        subject = subject_of(job)
        return subject.short(room) if subject.target else display_text(f"{job.kind} {job.id}")

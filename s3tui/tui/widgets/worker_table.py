"""Every worker: alive or lost, on which machine, on what."""

from __future__ import annotations

from collections.abc import Sequence

from s3tui.model import WorkerState
from s3tui.text import display_text, format_duration, format_size, plural
from s3tui.tui.cells import left, right
from s3tui.tui.crew import state_of
from s3tui.tui.looks import looks_of
from s3tui.tui.widgets.line_table import LineTable, Piece

_STATE, _PROCESS, _UP, _SEEN, _QUEUES = 8, 8, 8, 8, 20


class WorkerTable(LineTable):
    """One line per worker, oldest first."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.crew: Sequence[WorkerState] = ()
        self.nothing = "Looking for workers…"

    @property
    def pointed(self) -> WorkerState | None:
        """The worker under the cursor."""
        return self.crew[self.cursor] if self.cursor < len(self.crew) else None

    def show(self, workers: Sequence[WorkerState]) -> None:
        """Show these; the cursor stays on its worker."""
        pointed = self.pointed
        self.crew = workers
        self.nothing = "No worker runs; one is started when a job needs it."
        self.set_count(len(workers))
        at = next((index for index, worker in enumerate(workers) if pointed is not None and worker.id == pointed.id), None)
        if at is not None and at != self.cursor:
            self.move_to(at)
        self.refresh()

    # Drawing.

    def _widths(self, width: int) -> tuple[int, int, int]:
        """Cells of machine, queues and what it does."""
        queues = _QUEUES if width >= 105 else 0
        rest = width - 3 - _STATE - 1 - _SEEN - 1 - (queues + 1 if queues else 0)
        rest -= _PROCESS + 1 + _UP + 1 if width >= 68 else 0
        machine = max(6, min(20, rest // 3))
        return machine, queues, max(0, rest - machine - 1)

    def empty(self, width: int) -> Sequence[Piece]:
        """A sentence instead of lines."""
        return [(left("  " + self.nothing, width), "quiet")]

    def header(self, width: int) -> Sequence[Piece]:
        """Names of the columns."""
        machine, queues, doing = self._widths(width)
        words = [left("State", _STATE), left("Machine", machine)]
        words += [right("Process", _PROCESS), right("Up", _UP)] if width >= 68 else []
        words += [right("Heard", _SEEN)]
        words += [left("Queues", queues)] if queues else []
        return [("  " + " ".join([*words, left("Doing", doing)]), "heading")]

    def line(self, index: int, width: int) -> Sequence[Piece]:
        """One worker."""
        worker, (machine, queues, doing) = self.crew[index], self._widths(width)
        name, word = state_of(worker)
        look = looks_of(self.app).named(name)
        pieces: list[Piece] = [("▌ " if index == self.cursor else "  ", "mark")]
        pieces += [(left(f"{look.glyph} {word}", _STATE) + " ", look.style), (left(display_text(worker.host), machine) + " ", "")]
        if width >= 68:
            up = format_duration((worker.seen_at - worker.started_at) / 1000)
            pieces += [(right(str(worker.pid), _PROCESS) + " ", "quiet"), (right(up, _UP) + " ", "")]
        pieces.append((right(_heard(worker), _SEEN) + " ", look.style if worker.lost else "quiet"))
        if queues:
            pieces.append((left(display_text(", ".join(worker.queues)), queues) + " ", "quiet"))
        pieces.append((left(doing_words(worker), doing), "" if worker.holdings else "quiet"))
        return pieces


def _heard(worker: WorkerState) -> str:
    """Since when nothing was heard of it; a heart that beats is heard now."""
    return "now" if worker.silent < 3 else f"-{format_duration(worker.silent)}"


def doing_words(worker: WorkerState) -> str:
    """`12 in flight, 30.1 MiB/s, 2 jobs`, what matters first; `idle`."""
    if not worker.holdings:
        return "for one command" if worker.home_only else "idle"
    if worker.lost:
        return f"held {plural(sum(holding.units for holding in worker.holdings), 'unit')}"
    flights, rate = sum(holding.in_flight for holding in worker.holdings), sum(holding.rate for holding in worker.holdings)
    moving = [f"{flights:,} in flight", f"{format_size(rate)}/s"] if flights or rate else []
    jobs = [plural(len(worker.holdings), "job")] if len(worker.holdings) > 1 or not moving else []
    return ", ".join([*moving, *jobs, *(["for one command"] if worker.home_only else [])])

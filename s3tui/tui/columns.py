"""How the cells of a line of files are shared out, by the width of the table. Worked out once per width."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

LEAD = 2
"""The cursor's bar and the mark."""
STATE = 11
"""Glyph, word and the space after them."""
_PHASE = 14
"""The same, where the words are phases of a video."""
_INGESTING = 12
"""The same, where files are ingested."""
RETRY = "[Retry]"


@dataclass(frozen=True, slots=True)
class Columns:
    """Widths in cells; 0 leaves the column out. One space stands between columns, and one after the last."""

    path: int
    bar: int
    percent: int
    size: int
    rate: int
    tries: int
    note: int = 0
    state: int = STATE
    rejected: int = 0

    @property
    def right(self) -> int:
        """Cells of all columns right of the path, with the spaces between them."""
        widths = [width for width in (self.bar, self.percent, self.size, self.rate, self.tries, self.note, self.rejected) if width]
        return sum(widths) + len(widths) - 1

    @property
    def retry_from(self) -> int:
        """The first cell of a failed line's Retry button."""
        return LEAD + self.state + self.path + 1 + self.right - len(RETRY) - (self.tries + 1 if self.tries else 0)


@lru_cache(maxsize=8)
def transfer_columns(width: int) -> Columns:
    """Columns of files that are sent."""
    if width >= 105:
        parts = (22, 4, 9, 11, 5)
    elif width >= 68:
        parts = (8, 4, 9, 10, 2)
    elif width >= 50:
        parts = (0, 4, 9, 0, 2)
    else:
        parts = (0, 0, 9, 0, 0)
    return _with_path(width, Columns(0, *parts))


@lru_cache(maxsize=8)
def plan_columns(width: int) -> Columns:
    """Columns of files that would be sent: a note says why not."""
    note = 40 if width >= 105 else 20 if width >= 68 else 0
    return _with_path(width, Columns(0, 0, 0, 9, 0, 0, note))


@lru_cache(maxsize=8)
def video_columns(width: int) -> Columns:
    """Columns of videos: their phases are longer words, and their pace is more than one."""
    if width >= 105:
        parts = (20, 4, 9, 24, 5)
    elif width >= 68:
        parts = (8, 4, 9, 15, 2)
    elif width >= 50:
        parts = (0, 4, 9, 0, 2)
    else:
        parts = (0, 0, 9, 0, 0)
    return _with_path(width, Columns(0, *parts, state=_PHASE))


@lru_cache(maxsize=8)
def csv_columns(width: int) -> Columns:
    """Columns of CSV files: of their rows, how many came in and how many were rejected."""
    if width >= 105:
        parts, rejected = (20, 4, 9, 12, 5), 9
    elif width >= 68:
        parts, rejected = (0, 4, 9, 10, 0), 9
    elif width >= 50:
        parts, rejected = (0, 0, 9, 9, 0), 0
    else:
        parts, rejected = (0, 0, 9, 0, 0), 0
    return _with_path(width, Columns(0, *parts, rejected=rejected, state=_INGESTING))


@lru_cache(maxsize=8)
def error_columns(width: int) -> Columns:
    """Columns of failed files that tell their errors: half of the room is for these."""
    size, tries = (9, 5) if width >= 105 else (9, 2) if width >= 68 else (0, 0)
    note = 0 if width < 50 else (width - LEAD - STATE - size - len(RETRY) - tries) // 2
    return _with_path(width, Columns(0, 0, 0, size, len(RETRY), tries, note))


def _with_path(width: int, columns: Columns) -> Columns:
    return replace(columns, path=max(8, width - LEAD - columns.state - columns.right - 2))

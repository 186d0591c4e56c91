"""How the cells of a line of files are shared out, by the width of the table. Worked out once per width."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

LEAD = 2
"""The cursor's bar and the mark."""
STATE = 11
"""Glyph, word and the space after them."""
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

    @property
    def right(self) -> int:
        """Cells of all columns right of the path, with the spaces between them."""
        widths = [width for width in (self.bar, self.percent, self.size, self.rate, self.tries, self.note) if width]
        return sum(widths) + len(widths) - 1

    @property
    def retry_from(self) -> int:
        """The first cell of a failed line's Retry button."""
        return LEAD + STATE + self.path + 1 + self.right - len(RETRY) - (self.tries + 1 if self.tries else 0)


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


def _with_path(width: int, columns: Columns) -> Columns:
    path = max(8, width - LEAD - STATE - columns.right - 2)
    return Columns(path, columns.bar, columns.percent, columns.size, columns.rate, columns.tries, columns.note)

"""Types of columns, found out from rows: for each column the narrowest that all its values are of.

Values of different types make a column text. `float` is never inferred: `decimal` takes whatever it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from s3tui.tabular.rows import Rows
from s3tui.tabular.schema import READERS, Column, Kind, Schema
from s3tui.tabular.typed import cells_of, surely_fits

_INFERRED = tuple(kind for kind in READERS if kind is not Kind.FLOAT)
_WIDER = {Kind.INTEGER: (Kind.INTEGER, Kind.DECIMAL)}
"""Every value of the first is one of the second."""


@dataclass(slots=True)
class _Seen:
    """What is known of a column."""

    name: str
    kind: Kind | None = None
    """None: nothing but empty fields was seen."""
    nullable: bool = False

    def see(self, cells: Sequence[str]) -> None:
        held = [cell for cell in cells if cell]
        self.nullable |= len(held) < len(cells)
        if not held or self.kind is Kind.TEXT:
            return
        possible = _INFERRED if self.kind is None else _WIDER.get(self.kind, (self.kind,))
        self.kind = next((kind for kind in possible if _are(kind, held)), Kind.TEXT)

    def column(self, *, whole: bool) -> Column:
        if self.kind is None or self.kind is Kind.TEXT:
            return Column(self.name, Kind.TEXT, True)
        return Column(self.name, self.kind, self.nullable or not whole)


def _are(kind: Kind, cells: Sequence[str]) -> bool:
    try:
        for cell in cells:
            READERS[kind](cell)
    except ValueError:
        return False
    return True


class Inference:
    """Is shown all rows of a table, or some."""

    def __init__(self, names: Sequence[str]) -> None:
        self._seen = {name: _Seen(name) for name in names}

    def see(self, rows: Rows) -> None:
        """Look at more rows, which have these columns in any order."""
        if not len(rows):
            return
        seen = [self._seen[name] for name in rows.columns]
        delimiter, width = rows.delimiter.encode(), len(seen)
        if rows.plain is not None and surely_fits(self.schema().arranged(rows.columns), rows.plain, delimiter):
            unknown = [(place, column) for place, column in enumerate(seen) if column.kind is None]
            cells = cells_of(rows.plain, delimiter) if unknown else []
            for place, column in unknown:
                column.see([cell.decode() for cell in cells[place::width]])
            return
        texts = rows.cells()
        for place, column in enumerate(seen):
            column.see(texts[place::width])

    def schema(self, *, whole: bool = True) -> Schema:
        """The types so far. Unless these are all rows, every column may also be empty, as one of texts always may."""
        return Schema(tuple(one.column(whole=whole) for one in self._seen.values()))

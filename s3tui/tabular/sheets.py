"""The rows of a batch as databases take very many at once: as values, or as the CSV that COPY reads.

In front of the cells of each row is the line on which it begins in its file.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from s3tui.tabular.objects import named_row_texts
from s3tui.tabular.rows import Rows
from s3tui.tabular.schema import BOOLEANS, Kind


class NamedSheet:
    """One column, in which each row is a JSON object."""

    columns: Sequence[str] = ("data",)
    delimiter, quote = "\x02", "\x01"
    """JSON has no control characters, so nothing needs to be escaped."""
    never_null: Sequence[str] = ()

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def values(self) -> list[str | int | None]:
        """The lines and cells, one row after the other."""
        cells: list[str | int | None] = [None] * (2 * len(self._rows))
        if cells:
            cells[::2] = self._rows.lines
            cells[1::2] = named_row_texts(self._rows).decode().split("\n")
        return cells

    def copied(self, before: bytes) -> bytes:
        """The rows as lines of CSV, and in front of each line the columns `before`."""
        texts = named_row_texts(self._rows).split(b"\n") if len(self) else []
        return b"".join([b"%b%d\x02%b\r\n" % (before, line, text) for line, text in zip(self._rows.lines, texts, strict=True)])


class TypedSheet:
    """A column for each of the file's, of the types of a schema."""

    quote = '"'

    def __init__(self, rows: Rows) -> None:
        """Rows that have taken a schema."""
        assert rows.schema is not None
        self._rows, self._schema = rows, rows.schema
        self.columns: Sequence[str] = rows.columns
        self.delimiter = rows.delimiter
        self.never_null: Sequence[str] = [column.name for column in self._schema.columns if column.kind is Kind.TEXT]

    def __len__(self) -> int:
        return len(self._rows)

    def values(self) -> list[str | int | None]:
        """The lines and cells, one row after the other. Cells are texts, of which the columns make values; booleans are 0 and 1."""
        texts, width = self._rows.cells(), len(self._schema.columns)
        cells: list[str | int | None] = [None] * (len(self._rows) * (width + 1))
        cells[:: width + 1] = self._rows.lines
        for place, column in enumerate(self._schema.columns):
            held: Sequence[str | int | None] = texts[place::width]
            if column.kind is Kind.BOOLEAN:
                held = [int(BOOLEANS[cell]) if cell else None for cell in texts[place::width]]
            elif column.kind is not Kind.TEXT and "" in held:
                held = [cell or None for cell in texts[place::width]]
            cells[place + 1 :: width + 1] = held
        return cells

    def copied(self, before: bytes) -> bytes:
        """The rows as lines of CSV, and in front of each line the columns `before`."""
        if self._rows.plain is None:
            return self._written(before.decode())
        delimiter = self.delimiter.encode()
        lines = zip(self._rows.lines, self._rows.plain.split(b"\n"), strict=True)
        return b"".join([b"%b%d%b%b\r\n" % (before, line, delimiter, row) for line, row in lines])

    def _written(self, before: str) -> bytes:
        file = io.StringIO(newline="")
        first = before.split(self.delimiter)[:-1]
        rows = ([*first, line, *fields] for line, fields in zip(self._rows.lines, self._rows.fields(), strict=True))
        csv.writer(file, delimiter=self.delimiter, lineterminator="\r\n").writerows(rows)
        return file.getvalue().encode()

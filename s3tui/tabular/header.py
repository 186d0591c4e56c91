"""The names of the columns: what a header must be before a row below it can mean anything."""

from __future__ import annotations

from collections.abc import Sequence

from s3tui.text import display_text

LINE, REASON = "_line", "_reason"
"""Columns that a rejects file has behind those of its source (see rejects.py)."""
_MOST_COLUMNS = 16_384
_SHOWN = 5


def names_without_header(width: int) -> tuple[str, ...]:
    """`column_1`, `column_2`, ..."""
    return tuple(f"column_{number}" for number in range(1, width + 1))


def fault_of(names: Sequence[str], expected: Sequence[str] | None = None) -> tuple[str, str] | None:
    """Why these cannot be the columns, as a cause with a way out and a stable word; None if they can.

    `expected` are the columns of a schema: the same names, in any order.
    """
    if len(names) > _MOST_COLUMNS:
        return f"its header has {len(names)} columns, and {_MOST_COLUMNS} is the most", "too_many_columns"
    empty = [number for number, name in enumerate(names, 1) if not name.strip()]
    if empty:
        return f"its header has no name for {_numbered(empty)}; name every column", "empty_name"
    seen: dict[str, int] = {}
    for number, name in enumerate(names, 1):
        if name in seen:
            cause = (
                f"its header names {shown_name(name)} twice, in columns {seen[name]} and {number}; name every column differently"
            )
            return cause, "duplicate_name"
        seen[name] = number
    return None if expected is None else _difference(names, expected)


def _difference(names: Sequence[str], expected: Sequence[str]) -> tuple[str, str] | None:
    missing = [name for name in expected if name not in set(names)]
    surplus = [name for name in names if name not in set(expected)]
    if missing:
        hint = f" (it has {_listed(surplus)})" if surplus else ""
        return f"its header lacks {_listed(missing)}, which the schema has{hint}; mend the header or the schema", "missing_column"
    if surplus:
        return f"its header has {_listed(surplus)}, which the schema lacks; mend the header or the schema", "unexpected_column"
    return None


def shown_name(name: str) -> str:
    """A name in quotes, fit for a sentence."""
    return f"'{display_text(name if len(name) <= 60 else name[:59] + '…')}'"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(shown_name(name) for name in names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _numbered(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:_SHOWN])) + (" ..." if len(numbers) > _SHOWN else "")
    return f"column {shown}" if len(numbers) == 1 else f"columns {shown}"

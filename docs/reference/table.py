"""Markdown that text from the code cannot break."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; its cells are Markdown already."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def code(text: str) -> str:
    """The text as it is; nothing of nothing."""
    return f"`{text}`" if text else ""


def plain(text: str) -> str:
    """A sentence whose `code` stays code, and whose other signs are no Markdown."""
    quoted = text.split("`")
    if len(quoted) % 2 == 0:  # a lone one
        return _escaped(text.replace("`", "\\`"))
    return "`".join(part if number % 2 else _escaped(part) for number, part in enumerate(quoted))


def _escaped(text: str) -> str:
    for sign in "<*_[":
        text = text.replace(sign, f"\\{sign}" if sign != "<" else "&lt;")
    return text

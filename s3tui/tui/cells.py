"""Text cut and padded to terminal cells. All text that enters here has passed `display_text`."""

from __future__ import annotations

from rich.cells import cell_len, chop_cells, set_cell_size


def left(text: str, width: int) -> str:
    """Exactly `width` cells: the head of the text, an ellipsis where it was cut."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(set_cell_size(text, width - 1).rstrip() + "…", width)


def right(text: str, width: int) -> str:
    """Exactly `width` cells, the text at the right end; what does not fit shows as dots."""
    if width <= 0:
        return ""
    length = cell_len(text)
    return " " * (width - length) + text if length <= width else "…" * min(width, 1) + " " * (width - 1)


def tail(text: str, width: int) -> str:
    """Exactly `width` cells: the tail of the text is kept, for paths differ at their end."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size("…" + _last_cells(text, width - 1), width)


def shorten(text: str, width: int) -> str:
    """At most `width` cells: the whole text, or its tail."""
    return text if cell_len(text) <= width else tail(text, width)


def _last_cells(text: str, width: int) -> str:
    kept = text[-width:] if width else ""
    while cell_len(kept) > width:
        kept = kept[1:]
    return kept


def wrap(text: str, width: int) -> list[str]:
    """The whole text in lines of at most `width` cells, broken anywhere: names hold no good places to break."""
    return chop_cells(text, max(1, width)) if text else [""]


def bar(share: float, width: int, *, ascii_only: bool = False) -> tuple[str, str]:
    """The full and the empty part of a progress bar of `width` cells."""
    share = min(1.0, max(0.0, share))
    if ascii_only:
        full = int(share * width)
        return "#" * full, "-" * (width - full)
    halves = int(share * width * 2)
    full, half = divmod(halves, 2)
    return "━" * full + "╸" * half, "━" * (width - full - half)

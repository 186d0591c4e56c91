"""How a list of files is sorted, and what a key or a click makes of that."""

from __future__ import annotations

from collections.abc import Sequence

from s3tui.model import FileChoice, Order

_LARGEST_FIRST = (Order.SIZE, Order.STATE, Order.TRIES)
"""Of these one looks for what is large, what failed, and what took many tries."""


def sorted_by(choice: FileChoice, order: Order) -> FileChoice:
    """The same files by another order; by the same: the other way round."""
    if choice.order is order:
        return inverted(choice)
    return choice._replace(order=order, backwards=order in _LARGEST_FIRST)


def sorted_next(choice: FileChoice, orders: Sequence[Order]) -> FileChoice:
    """The same files by the next of these orders."""
    return sorted_by(choice, orders[(orders.index(choice.order) + 1) % len(orders)])


def inverted(choice: FileChoice) -> FileChoice:
    """The same files the other way round."""
    return choice._replace(backwards=not choice.backwards)


def arrow(choice: FileChoice, *, ascii_only: bool) -> str:
    """Which end of an order comes first."""
    return ("v" if choice.backwards else "^") if ascii_only else ("▼" if choice.backwards else "▲")


def order_words(choice: FileChoice, *, ascii_only: bool) -> str:
    """How a list is sorted, in a few words; empty if it is as the scan found the files."""
    if choice.order is Order.NUMBER:
        return "backwards" if choice.backwards else ""
    return f"by {choice.order} {arrow(choice, ascii_only=ascii_only)}"

"""What a line of the log is about: job, file, attempt of it, and the stable word of what went wrong. Standard library only.

A block of code says it once, and every line that its thread logs meanwhile carries it; `cli.logs` writes it down. `file` is the
path relative to its source, as reports have it, or the whole path where nothing else is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

FIELDS = ("job", "file", "attempt", "code")
"""In the order in which they are written."""

Value = str | bytes | int | None

_about: ContextVar[Mapping[str, Value]] = ContextVar("about", default=MappingProxyType({}))


@contextmanager
def about(
    *, job: str | None = None, file: bytes | None = None, attempt: int | None = None, code: str | None = None
) -> Iterator[None]:
    """What is logged within is about this; what is not named stays as it was around the block."""
    named = {"job": job, "file": file, "attempt": attempt, "code": code}
    token = _about.set({**_about.get(), **{name: value for name, value in named.items() if value is not None}})
    try:
        yield
    finally:
        _about.reset(token)


def subject() -> dict[str, Value]:
    """What is being logged is about this: those of `FIELDS` that apply, in their order."""
    present = _about.get()
    return {name: present[name] for name in FIELDS if name in present}

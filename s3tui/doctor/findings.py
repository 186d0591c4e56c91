"""What the doctor says of one thing, and looks that end in time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TypeVar

from s3tui.errors import S3tuiError

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about one thing."""

    name: str
    state: str
    """`ok`, `failed`, or `-` for what was not looked at or is not needed."""
    detail: str
    """For what failed: why, and the next step."""
    facts: Mapping[str, object] = field(default_factory=dict)
    """What the detail says in a form for programs."""


def found(name: str, look: Callable[[], str], *, seconds: float) -> Finding:
    """`ok` with what the look says, or `failed` with its error; a look that takes longer has failed."""
    try:
        return Finding(name, "ok", within(seconds, look))
    except S3tuiError as error:
        return Finding(name, "failed", str(error))
    except TimeoutError:
        return overdue(name, seconds)


def overdue(name: str, seconds: float) -> Finding:
    """What a look is that did not end in time."""
    return Finding(name, "failed", f"gave no answer within {seconds:.0f} seconds: see that it can be reached, and look again")


def within(seconds: float, look: Callable[[], _T]) -> _T:
    """What `look` returns or raises; TimeoutError if it takes longer: its thread is left behind, and ends with the process."""
    outcome: Future[_T] = Future()

    def run() -> None:
        try:
            outcome.set_result(look())
        except BaseException as error:
            outcome.set_exception(error)

    threading.Thread(target=run, name="look", daemon=True).start()
    return outcome.result(seconds)

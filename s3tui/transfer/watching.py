"""What the operating system tells about changes below the sources: the one home of watchfiles.

It is a hint and never proof: events come twice, late, or not at all (the queue of the system runs over, a name is not UTF-8, a file
system on the network tells nothing). So whoever listens also looks for himself, from time to time and whenever he is told to.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from s3tui.text import display_text

_log = logging.getLogger(__name__)

_WAIT_MS = 250
"""How long one question waits for news: so long does a job take at most to see that it is to stop."""
_STEP_MS = 50
_GATHER_MS = 500


class Watcher(Protocol):
    """Tells what has changed."""

    def changes(self) -> set[bytes] | None:
        """The absolute paths of what has changed since the last question, soon; None when news was lost: look everywhere.

        After None it tells nothing any more, and another one is to be opened.
        """

    def close(self) -> None:
        """Listen no more."""


OpenWatcher = Callable[[Sequence[bytes]], Watcher]
"""Begins to listen to these directories, with all below them, and files. Before it returns, nothing that happens is missed."""


class Deaf:
    """Hears nothing: where the system cannot watch, what changes is found by looking."""

    def changes(self) -> set[bytes]:
        """Nothing, after the usual wait."""
        time.sleep(_WAIT_MS / 1000)
        return set()

    def close(self) -> None:
        """Nothing is held."""


class Notified:
    """Hears what the operating system tells."""

    def __init__(self, paths: Sequence[bytes]) -> None:
        """Raises OSError, RuntimeError or ValueError when the system cannot watch them."""
        from watchfiles import watch  # brings asyncio along

        self._told: Iterator[set[tuple[object, str]]] = watch(  # type: ignore[assignment]
            *map(os.fsdecode, paths),
            watch_filter=None,
            debounce=_GATHER_MS,
            step=_STEP_MS,
            rust_timeout=_WAIT_MS,
            yield_on_timeout=True,
            ignore_permission_denied=True,
        )
        self._first: set[bytes] | None = self._next()  # it does not begin before it is asked

    def changes(self) -> set[bytes] | None:
        """See `Watcher`."""
        if self._first:
            first, self._first = self._first, None
            return first
        try:
            return self._next()
        except (OSError, RuntimeError) as error:  # as for a name that is not UTF-8; it would be repeated for ever
            _log.debug("Events were lost: %s", display_text(str(error)))
            return None

    def close(self) -> None:
        """See `Watcher`."""
        close = getattr(self._told, "close", None)
        if close is not None:
            close()

    def _next(self) -> set[bytes] | None:
        changes = next(self._told, None)
        return None if changes is None else {os.fsencode(path) for _kind, path in changes}


def open_watcher(paths: Sequence[bytes]) -> Watcher:
    """The watcher of these paths, or a deaf one, and a line in the log, where the system cannot watch them."""
    if not paths:
        return Deaf()
    try:
        return Notified(paths)
    except (OSError, RuntimeError, ValueError) as error:
        _log.warning(
            "The system cannot watch the sources (%s), so changes are found by looking from time to time. "
            "On Linux, raise fs.inotify.max_user_watches if they have very many directories.",
            display_text(str(error)),
        )
        return Deaf()

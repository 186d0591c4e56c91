"""How the files of a run fare one after the other, and when a failure is not the file's own but everybody's."""

from __future__ import annotations

import threading

from s3tui.errors import AccessDenied, EndpointUnreachable, S3tuiError, StorageError

_DENIED_IN_A_ROW = 50
_UNREACHABLE_IN_A_ROW = 10


class Streaks:
    """The successes and failures of one run, in the order they came. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._denied = 0
        self._unreachable = 0
        self.successes = 0

    def succeeded(self, count: int = 1) -> None:
        """Files were stored."""
        with self._lock:
            self.successes += count
            self._unreachable = 0

    def concerns_all(self, error: S3tuiError) -> bool:
        """A file failed: whether every other one would fail in the same way. Marks such an error as fatal.

        That is so for what is fatal by its nature, for refusals in a row when nothing was ever allowed, and for an endpoint that
        does not answer any more.
        """
        with self._lock:
            self._denied = self._denied + 1 if isinstance(error, AccessDenied) else 0
            self._unreachable = self._unreachable + 1 if isinstance(error, EndpointUnreachable) else 0
            hopeless = self.successes == 0 and self._denied >= _DENIED_IN_A_ROW
            if hopeless or self._unreachable >= _UNREACHABLE_IN_A_ROW:
                error.fatal = True
        return error.fatal and isinstance(error, StorageError)

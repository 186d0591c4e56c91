"""Where the files of a plan are, absolutely."""

from __future__ import annotations

import os


class Place:
    """Where the files of one source are: below it, or it is the file itself.

    A directory that vanished must not make us look beside it, so only the source's own name can mean the source.
    """

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._name = os.path.basename(source)  # noqa: PTH119 - bytes
        self._below = os.path.join(source, b"")  # noqa: PTH118 - bytes

    def of(self, path: bytes) -> bytes:
        """The absolute path of a file of the plan."""
        if path == self._name and not os.path.isdir(self._source):  # noqa: PTH112 - bytes
            return self._source
        return self._below + path

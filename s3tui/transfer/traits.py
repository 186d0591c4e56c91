"""What an engine's requests have taught it about its store."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from s3tui.errors import StorageError

_T = TypeVar("_T")

_UNKNOWN_HEADER = ("NotImplemented", "InvalidArgument")


class Traits:
    """What a store takes and what it does not. Shared by all transfers of an engine; only ever learns."""

    def __init__(self) -> None:
        self.takes_checksums = True
        """Whether it bears the headers of checksums."""

    def with_checksum(self, request: Callable[[str], _T], checksum: str) -> _T:
        """Send a request with its checksum, or with an empty one to a store that refuses such headers.

        Most stores that do not know them ignore them; a few answer 400 or 501. What they take without, we believe only then.
        """
        if not self.takes_checksums:
            return request("")
        try:
            return request(checksum)
        except StorageError as error:
            if error.code not in _UNKNOWN_HEADER or error.status not in (400, 501):
                raise
        answer = request("")
        self.takes_checksums = False
        return answer

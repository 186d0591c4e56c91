"""One bucket: found usable or not before the first file is sent, and listed."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from s3tui.errors import AccessDenied, EndpointUnreachable, SpecError, StorageError, Throttled
from s3tui.model import StoredObject
from s3tui.storage.api import Api
from s3tui.text import display_text

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}|arn:[A-Za-z0-9.:_-]+")
"""What some store takes: Amazon S3 itself takes no capitals and no `_` any more, and at least three characters."""

_ATTEMPTS = 5
_FIRST_DELAY = 0.2

_T = TypeVar("_T")


def check_bucket_name(name: str) -> None:
    """Refuse what no store has as a bucket. Raises SpecError."""
    if not _NAME.fullmatch(name):
        raise SpecError(
            f"{display_text(repr(name))} cannot be the name of a bucket, which has letters, digits, dots and hyphens only: "
            "write the target as s3://BUCKET or s3://BUCKET/PREFIX."
        )


class Bucket:
    """One bucket. Requests that may succeed when sent again are sent again, for a few seconds."""

    def __init__(self, api: Api, name: str) -> None:
        self._api = api
        self.name = name

    def check(self) -> None:
        """Find what would make every file fail, before the first is sent. Raises a StorageError with `fatal` true for that.

        HEAD answers without a reason, so a refused HEAD is asked again as a listing: wrong keys are fatal, but who may not list may
        still be allowed to put, and passes. So does a store that merely asks for fewer requests. A store that only answers with
        server errors raises a StorageError that is not fatal.
        """
        try:
            self._look()
        except EndpointUnreachable as unreachable:
            unreachable.fatal = True
            raise
        except (AccessDenied, Throttled):
            return

    def _look(self) -> None:
        try:
            _persist(lambda: self._api.head_bucket(self.name))
        except StorageError as refused:
            if refused.retryable:
                raise
            _persist(lambda: self._api.list_objects(self.name, "", limit=1))

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """The objects below a prefix, page by page, in the store's order: by the UTF-8 bytes of the key. Raises StorageError."""
        token = ""
        while True:
            page = _persist(lambda: self._api.list_objects(self.name, prefix, token=token), silences=1)  # noqa: B023
            yield from page.objects
            token = page.token
            if not token:
                return


def _persist(request: Callable[[], _T], *, silences: int = 0) -> _T:
    """Ask again with growing, jittered pauses, three seconds at most in all, while the error says that this may help.

    After so many `silences`, a minute each, an answer that never comes is an error: at once where a person waits to begin.
    """
    for attempt in range(1, _ATTEMPTS):
        try:
            return request()
        except EndpointUnreachable:
            raise
        except StorageError as error:
            silences -= error.reason == "timeout"
            if not error.retryable or silences < 0:
                raise
        time.sleep(random.uniform(0, _FIRST_DELAY * 2 ** (attempt - 1)))
    return request()

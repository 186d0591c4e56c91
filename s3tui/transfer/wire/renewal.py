"""Keeps the crew's keys good: takes newer ones in time, and others when the store says that the present ones have expired."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from s3tui.errors import S3tuiError
from s3tui.storage.keys import KeyRing, Keys

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 5.0
"""How often keys that renew themselves are asked whether they are still the same."""


class Renewal:
    """Asks a key ring, in threads of its own, as the ring may ask the network."""

    def __init__(self, ring: KeyRing, keys: Keys, on_new: Callable[[Keys], None], on_none: Callable[[S3tuiError], None]) -> None:
        """Begin with these keys. `on_new` is told of every other, `on_none` why there are none where there must be."""
        self._ring = ring
        self._keys = keys
        self._on_new = on_new
        self._on_none = on_none
        self._closed = threading.Event()
        self._one_at_a_time = threading.Lock()
        if ring.renews:
            threading.Thread(target=self._look, name="keys", daemon=True).start()

    def replace(self, worn: Keys) -> None:
        """The store says that these keys have expired: find others."""
        threading.Thread(target=self._replace, args=(worn,), name="new-keys", daemon=True).start()

    def close(self) -> None:
        """Look no more."""
        self._closed.set()

    def _look(self) -> None:
        while not self._closed.wait(_LOOK_SECONDS):
            try:
                keys = self._ring.current()
            except S3tuiError as error:
                _log.warning("%s", error)  # what is signed with the present keys may still be taken
                continue
            with self._one_at_a_time:
                self._take(keys)

    def _replace(self, worn: Keys) -> None:
        with self._one_at_a_time:
            if worn != self._keys:
                return  # somebody has seen to it
            try:
                self._take(self._ring.renewed(worn))
            except S3tuiError as error:
                self._on_none(error)

    def _take(self, keys: Keys) -> None:
        if keys != self._keys:
            self._keys = keys
            self._on_new(keys)

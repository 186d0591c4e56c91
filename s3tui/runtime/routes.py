"""The ways to S3 of this process, one for each connection that its jobs name, and for each kind of bucket."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from s3tui.errors import StateError
from s3tui.model import Connection, ObjectRef

if TYPE_CHECKING:
    from s3tui.config import Settings
    from s3tui.media.binary import Ffmpeg
    from s3tui.state.store import Store
    from s3tui.storage.api import Api
    from s3tui.storage.bucket import Bucket
    from s3tui.storage.profile import Profiles
    from s3tui.transfer.engine import Engine
    from s3tui.transfer.route import Route

_MAX_CONCURRENCY = 1000
_PROFILE_SECONDS = 30.0
"""How long the probe of a store may take before it counts as one of which nothing is known."""


class KeptProfiles:
    """Implements `Profiles` on the state store, opened when it is asked first. Without a database nothing is known: no harm."""

    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store

    def get(self, endpoint: str) -> str | None:
        """See `Profiles`."""
        try:
            return self._store().profiles.get(endpoint)
        except StateError:
            return None

    def put(self, endpoint: str, profile: str) -> None:
        """See `Profiles`."""
        with suppress(StateError):
            self._store().profiles.put(endpoint, profile)


class Routes:
    """Implements `Resources`. Ways are opened when they are asked for, and kept until `close`."""

    def __init__(self, settings: Settings, profiles: Profiles) -> None:
        self._settings = settings
        self._profiles = profiles
        self._lock = threading.Lock()
        self._routes: dict[tuple[Connection, str], Route] = {}

    def route(self, connection: Connection, bucket: str) -> Route:
        """The way to a bucket. Raises ConfigError, CredentialsError."""
        from s3tui.transfer.route import kind_of, open_route

        options = self._settings
        with self._lock:
            key = (connection, kind_of(bucket))
            if key not in self._routes:
                self._routes[key] = open_route(
                    connection,
                    options.aws,
                    bucket,
                    choice=options.transfer.engine,
                    concurrency=_MAX_CONCURRENCY,
                    profiles=self._profiles,
                )
            return self._routes[key]

    def bucket(self, connection: Connection, name: str) -> Bucket:
        """See `Resources`."""
        from s3tui.storage.bucket import Bucket

        return Bucket(self.route(connection, name).api, name)

    def api(self, connection: Connection, bucket: str) -> Api:
        """See `Resources`."""
        return self.route(connection, bucket).api

    def engine(self, connection: Connection, bucket: str) -> Engine:
        """See `Resources`."""
        return self.route(connection, bucket).engine

    def url(self, connection: Connection, target: ObjectRef) -> str:
        """See `Resources`."""
        from s3tui.storage.addresses import object_url

        return object_url(connection, self._settings.aws, target)

    def ffmpeg(self) -> Ffmpeg:
        """See `Resources`."""
        from s3tui.media.binary import find_ffmpeg

        return find_ffmpeg(self._settings.video.ffmpeg)

    def encoder_threads(self) -> int:
        """See `Resources`. Videos that are encoded at a time share the processors."""
        at_once = self._settings.video.concurrent
        return max(1, (os.cpu_count() or 1) // at_once) if at_once > 1 else 0

    def checks(self, connection: Connection, bucket: str, checksum: str) -> bool:
        """See `Resources`."""
        profile = self.route(connection, bucket).profile(_PROFILE_SECONDS)
        return profile is not None and profile.proves(checksum)

    def keeps_conditions(self, connection: Connection, bucket: str, *, ask: bool) -> bool | None:
        """See `Resources`."""
        route = self.route(connection, bucket)
        profile = route.profile(_PROFILE_SECONDS) if ask else route.known
        return None if profile is None else profile.keeps_conditions

    def close(self) -> None:
        """End the engines."""
        for route in self._routes.values():
            route.engine.close()

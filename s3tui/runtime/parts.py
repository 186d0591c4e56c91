"""All parts of one process, each made when it is first asked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from types import ModuleType
from typing import IO, TYPE_CHECKING, Any, Self

from s3tui import __version__
from s3tui.errors import ConfigError
from s3tui.runtime.routes import KeptProfiles, Routes
from s3tui.state.options import state_directory

if TYPE_CHECKING:
    from s3tui.config import Settings
    from s3tui.jobs.backup import BackupSpec
    from s3tui.jobs.ingest import IngestSpec
    from s3tui.jobs.sweep import Swept
    from s3tui.jobs.upload import UploadSpec
    from s3tui.jobs.video import VideoSpec
    from s3tui.live.line import Line
    from s3tui.metrics import MetricsServer
    from s3tui.model import Connection
    from s3tui.queues.bells import Bells
    from s3tui.service import Service
    from s3tui.state.sql import Wording
    from s3tui.state.store import Store
    from s3tui.storage.browsing import TargetLister
    from s3tui.transfer.route import Route
    from s3tui.webhooks.posting import Post
    from s3tui.worker import Worker

QUEUES = ("upload", "video", "ingest")
"""The queues that a worker takes units from when nothing else is said."""


class Runtime:
    """All parts of one process, made on first use. Use it as a context manager, or call `close`."""

    def __init__(self, settings: Settings, *, worker_arguments: Sequence[str] = ()) -> None:
        """`worker_arguments` lead a background worker to the same settings: `--config FILE`, `--env-file FILE`."""
        self.settings = settings
        self._worker_arguments = list(worker_arguments)
        self._routes = Routes(settings, KeptProfiles(lambda: self.store))
        self._locks: list[IO[str]] = []
        self._metrics: list[MetricsServer] = []
        self._listers: list[TargetLister] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def store(self) -> Store:
        """The state store. Raises ConfigError, StateError."""
        from s3tui.state.store import Store

        return Store(self.settings.state.url, state_directory(), wording=self._wording)

    @cached_property
    def service(self) -> Service:
        """The door. Raises ConfigError, StateError."""
        from s3tui.service import Service

        return Service(self.store, identity=self._identity)

    def upload_spec(self, sources: Sequence[str], target: str, **overrides: Any) -> UploadSpec:  # noqa: ANN401 - fields of five nouns
        """See `specs.upload_spec`. Raises SpecError."""
        from s3tui.runtime.specs import upload_spec

        return upload_spec(self.settings, sources, target, overrides)

    def backup_spec(self, sources: Sequence[str], target: str, **overrides: Any) -> BackupSpec:  # noqa: ANN401
        """See `specs.backup_spec`. Raises SpecError."""
        from s3tui.runtime.specs import backup_spec

        return backup_spec(self.settings, sources, target, overrides)

    def video_spec(self, sources: Sequence[str], target: str, **overrides: Any) -> VideoSpec:  # noqa: ANN401
        """See `specs.video_spec`. Raises SpecError."""
        from s3tui.runtime.specs import video_spec

        return video_spec(self.settings, sources, target, overrides)

    def ingest_spec(self, sources: Sequence[str], target: str, **overrides: Any) -> IngestSpec:  # noqa: ANN401
        """See `specs.ingest_spec`. Raises SpecError."""
        from s3tui.runtime.specs import ingest_spec

        return ingest_spec(self.settings, sources, target, overrides)

    def target_lister(self) -> TargetLister:
        """Who lists buckets and prefixes, in a process of its own that begins with the first question. Close it."""
        from s3tui.storage.browsing import TargetLister

        self._listers.append(TargetLister(self.settings.connection, self.settings.aws))
        return self._listers[-1]

    def worker(self, *, home_only: bool = False, queues: Sequence[str] = QUEUES, until_idle: float | None = None) -> Worker:
        """A worker for this process.

        `home_only`: it works on nothing but jobs that are bound to it. `until_idle`: seconds without work after which it stops;
        of such workers one runs per state directory and identity, a second raises Conflict.

        Raises ConfigError, StateError, QueueError.
        """
        from s3tui.worker import Worker

        if until_idle is not None:
            from s3tui.runtime.background import be_the_only_one

            self._locks.append(be_the_only_one(self._identity))
        return Worker(
            self.store,
            self._routes,
            version=__version__,
            identity=self._identity,
            queues=tuple(queues),
            bells=None if home_only else self._bells(),
            until_idle=until_idle,
            at_once={"video": self.settings.video.concurrent},
            post=self.post(),
            line=self.line(),
        )

    def post(self) -> Post | None:
        """The way to the webhook; None if there is none. Raises ConfigError."""
        if not self.settings.webhook.is_set:
            return None
        from s3tui.webhooks.posting import Post

        return Post(self.settings.webhook, version=__version__)

    def line(self) -> Line | None:
        """The way to the Redis that mirrors live status; None if there is none. Raises ConfigError."""
        if not self.settings.live.url:
            return None
        from s3tui.live.line import Line

        return Line(self.settings.live.url)

    def sweep(self) -> Swept:
        """Remove what cancelled jobs left on the store; what became of open uploads. Raises ConfigError, StateError."""
        from s3tui.jobs.sweep import sweep, sweep_videos
        from s3tui.state.units import Claimant

        claimant = Claimant(f"{os.getpid()}-sweep", self._identity, QUEUES, home_only=False)
        sweep_videos(self.store, self._routes, claimant)
        return sweep(self.store, self._routes, claimant)

    def route(self, connection: Connection, bucket: str) -> Route:
        """The way to a bucket. Raises ConfigError, CredentialsError."""
        return self._routes.route(connection, bucket)

    def serve_metrics(self, host: str, port: int) -> str:
        """Answer Prometheus's scrapes until everything is closed; returns where. Raises ConfigError, StateError."""
        self._metrics.append(_metrics().serve_metrics(self.store, version=__version__, host=host, port=port))
        return self._metrics[-1].url

    def metrics_text(self) -> tuple[bytes, str]:
        """What Prometheus would scrape now, and its media type. Raises ConfigError, StateError."""
        text: tuple[bytes, str] = _metrics().metrics_text(self.store, __version__)
        return text

    def ensure_worker(self) -> None:
        """Start a background worker unless one that may take our jobs is alive. Raises QueueError, ConfigError, StateError."""
        from s3tui.runtime.background import ensure_worker

        ensure_worker(self.store, self._identity, QUEUES, self._worker_arguments)

    def close(self) -> None:
        """Close what was opened."""
        self._routes.close()
        for server in self._metrics:
            server.close()
        for lister in self._listers:
            lister.close()
        if "store" in self.__dict__:
            self.store.close()
        for lock in self._locks:
            lock.close()

    @property
    def _identity(self) -> str:
        """Which credentials a job's workers must hold. With a shared database, each machine's workers have their own."""
        return self.settings.aws.identity if self.settings.state.url == "sqlite" else ""

    @property
    def _wording(self) -> Wording | None:
        """What the webhook is told of a job; None if there is none to tell. Raises ConfigError."""
        if not self.settings.webhook.is_set:
            return None
        from s3tui.webhooks.message import message

        return message

    def _bells(self) -> Bells:
        from s3tui.queues.bells import Bells

        return Bells(self.settings.queue.url, state_file=self.store.database.path, drain=self.store.outbox.drain)


def _metrics() -> ModuleType:
    try:
        from s3tui import metrics
    except ImportError as error:
        raise ConfigError("Metrics need a library that is not installed: pip install 's3tui[metrics]'.") from error
    return metrics

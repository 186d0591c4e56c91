"""The one place where parts meet: settings -> store, queue, engine, service, worker.

Heavy parts are imported when they are first asked for, so a face pays only for what it uses; the terminal UI asks for the service
alone, and never imports botocore.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from types import ModuleType
from typing import IO, TYPE_CHECKING, Any, Self, TypeVar

from s3tui import __version__
from s3tui.config import Settings
from s3tui.errors import ConfigError, Conflict, QueueError, SpecError, StateError
from s3tui.jobs.backup import BackupSpec
from s3tui.jobs.ingest import IngestSpec
from s3tui.jobs.upload import UploadSpec
from s3tui.jobs.video import VideoSpec
from s3tui.model import Connection, ObjectHeaders, ObjectRef, Policy
from s3tui.state.options import state_directory
from s3tui.state.settling import this_host
from s3tui.storage.bucket import check_bucket_name
from s3tui.transfer.choice import Choice

if TYPE_CHECKING:
    from s3tui.jobs.sweep import Swept
    from s3tui.live.line import Line
    from s3tui.media.binary import Ffmpeg
    from s3tui.metrics import MetricsServer
    from s3tui.queues.bells import Bells
    from s3tui.service import Service
    from s3tui.state.sql import Wording
    from s3tui.state.store import Store
    from s3tui.storage.api import Api
    from s3tui.storage.browsing import TargetLister
    from s3tui.storage.bucket import Bucket
    from s3tui.storage.profile import Profiles
    from s3tui.transfer.engine import Engine
    from s3tui.transfer.route import Route
    from s3tui.webhooks.posting import Post
    from s3tui.worker import Worker

_S = TypeVar("_S", UploadSpec, BackupSpec, VideoSpec, IngestSpec)

QUEUES = ("upload", "video", "ingest")
"""The queues that a worker takes units from when nothing else is said."""

_MAX_CONCURRENCY = 1000
_IDLE_SECONDS = 60.0
_START_SECONDS = 15.0
_PROFILE_SECONDS = 30.0
"""How long the probe of a store may take before it counts as one of which nothing is known."""


class Runtime:
    """All parts of one process, made on first use. Use it as a context manager, or call `close`."""

    def __init__(self, settings: Settings, *, worker_arguments: Sequence[str] = ()) -> None:
        """`worker_arguments` lead a background worker to the same settings: `--config FILE`, `--env-file FILE`."""
        self.settings = settings
        self._worker_arguments = list(worker_arguments)
        self._routes = _Routes(settings, _Profiles(self))
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
        """The spec of an upload: the settings' defaults, and over them any field of these nouns: UploadSpec, Choice, Policy,
        ObjectHeaders, Connection.

        Sources become absolute, the target's prefix ends in a slash. Raises SpecError.
        """
        return self._spec(UploadSpec, sources, target, overrides)

    def backup_spec(self, sources: Sequence[str], target: str, **overrides: Any) -> BackupSpec:  # noqa: ANN401
        """The spec of a backup, likewise; the settings have defaults for its own fields, too, for its sources and its target."""
        settings = self.settings
        sources = sources or self.backup_sources
        if not target and settings.s3.bucket_name:
            target = f"s3://{settings.s3.bucket_name}/{settings.s3.prefix}"
        if not sources:
            raise SpecError("Nothing to back up: give a SOURCE, or set backup.source_directory in the configuration.")
        if not target:
            raise SpecError("The target is missing: give s3://BUCKET/PREFIX, or set s3.bucket_name in the configuration.")
        options = settings.backup.model_dump(include={"delete_after_upload", "prune_empty_dirs", "follow_symlinks"})
        options["extensions"] = tuple(settings.backup.file_extensions)
        return self._spec(BackupSpec, sources, target, options | overrides)

    def video_spec(self, sources: Sequence[str], target: str, **overrides: Any) -> VideoSpec:  # noqa: ANN401
        """The spec of a video job: the settings' defaults, and over them fields of VideoSpec, Policy, Connection."""
        names = {"segment_type", "segment_seconds", "ladder", "preset", "hls_key", "hls_key_url"}
        fields = self.settings.video.model_dump(include=names) | overrides
        if fields["hls_key"]:
            fields["hls_key"] = os.path.abspath(os.path.expanduser(fields["hls_key"]))  # noqa: PTH100, PTH111 - as sources are
        return self._spec(VideoSpec, sources, target, fields)

    def ingest_spec(self, sources: Sequence[str], target: str, **overrides: Any) -> IngestSpec:  # noqa: ANN401
        """The spec of an ingest job: the settings' defaults, and over them fields of IngestSpec, Policy, Connection."""
        return self._spec(IngestSpec, sources, target, self.settings.ingest.model_dump() | overrides)

    @property
    def backup_sources(self) -> list[str]:
        """What a backup takes when nothing else is said: the configuration's directory, if it names one."""
        directory = self.settings.backup.source_directory
        return [os.path.expanduser(directory)] if directory else []  # noqa: PTH111

    def _spec(self, kind: type[_S], sources: Sequence[str], target: str, overrides: dict[str, Any]) -> _S:
        settings = self.settings
        headers = ObjectHeaders(settings.s3.storage_class, settings.s3.sse, settings.s3.sse_kms_key_id)
        policy = Policy(
            checksum=settings.transfer.checksum, max_attempts=settings.transfer.max_attempts, part_size=settings.transfer.part_bytes
        )
        chosen: dict[str, Any] = {"choice": Choice(**_taken(overrides, Choice))} if "choice" in kind.__dataclass_fields__ else {}
        spec = kind(
            sources=tuple(os.path.abspath(os.path.expanduser(source)) for source in sources),  # noqa: PTH100, PTH111 - keeps `..` of links
            target=_with_slash(target),
            connection=replace(self._connection, **_taken(overrides, Connection)),
            **chosen,
            policy=replace(policy, headers=replace(headers, **_taken(overrides, ObjectHeaders)), **_taken(overrides, Policy)),
            **_taken(overrides, kind),
        )
        if overrides:
            raise TypeError(f"no field of {kind.__name__} is named {', '.join(overrides)}")
        return spec

    @property
    def _connection(self) -> Connection:
        aws = self.settings.aws
        region = aws.region if "region" in aws.model_fields_set else ""
        return Connection(aws.endpoint_url, aws.profile, region, self.settings.s3.addressing_style)

    def target_lister(self) -> TargetLister:
        """Who lists buckets and prefixes, in a process of its own that begins with the first question. Close it."""
        from s3tui.storage.browsing import TargetLister

        self._listers.append(TargetLister(self._connection, self.settings.aws))
        return self._listers[-1]

    def worker(self, *, home_only: bool = False, queues: Sequence[str] = QUEUES, until_idle: float | None = None) -> Worker:
        """A worker for this process.

        `home_only`: it works on nothing but jobs that are bound to it. `until_idle`: seconds without work after which it stops;
        of such workers one runs per state directory and identity, a second raises Conflict.

        Raises ConfigError, StateError, QueueError.
        """
        from s3tui.worker import Worker

        if until_idle is not None:
            self._be_the_only_background_worker()
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
        """Start a background worker, in a session of its own, unless one that may take our jobs is alive. Raises QueueError."""
        if self._background_worker_lives():
            return
        directory = state_directory()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        command = [sys.executable, "-m", "s3tui", *self._worker_arguments, "worker", "--until-idle", str(_IDLE_SECONDS)]
        complaints = directory / "worker.err"
        with complaints.open("wb") as stderr:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr, start_new_session=True
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._background_worker_lives():
            if process.poll() is not None or time.monotonic() > deadline:
                if self._background_worker_lives():
                    return
                last = complaints.read_text(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
                raise QueueError(f"The background worker did not start: {last[0].removeprefix('s3tui: ')}")
            time.sleep(0.05)

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

    def _background_worker_lives(self) -> bool:
        rows = [row for row in self.service.workers() if not row.home_only and row.identity == self._identity]
        if self.store.database.is_shared and self.store.sightings.missed_from_here():
            rows = [row for row in rows if row.host == this_host()]
        return {name for row in rows for name in row.queues} >= set(QUEUES)

    def _be_the_only_background_worker(self) -> None:
        path = state_directory() / f"worker-{self._identity or 'default'}.lock"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = path.open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise Conflict("A background worker runs already.") from error
        self._locks.append(lock)

    def _bells(self) -> Bells:
        from s3tui.queues.bells import Bells

        return Bells(self.settings.queue.url, state_file=self.store.database.path, drain=self.store.outbox.drain)


class _Profiles:
    """Implements `Profiles` on the state store, opened when it is asked first. Without a database nothing is known: no harm."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def get(self, endpoint: str) -> str | None:
        try:
            return self._runtime.store.profiles.get(endpoint)
        except StateError:
            return None

    def put(self, endpoint: str, profile: str) -> None:
        with suppress(StateError):
            self._runtime.store.profiles.put(endpoint, profile)


class _Routes:
    """The ways to S3 of this process, one for each connection that its jobs name, and for each kind of bucket."""

    def __init__(self, settings: Settings, profiles: Profiles) -> None:
        self._settings = settings
        self._profiles = profiles
        self._lock = threading.Lock()
        self._routes: dict[tuple[Connection, str], Route] = {}

    def bucket(self, connection: Connection, name: str) -> Bucket:
        from s3tui.storage.bucket import Bucket

        return Bucket(self.route(connection, name).api, name)

    def api(self, connection: Connection, bucket: str) -> Api:
        return self.route(connection, bucket).api

    def engine(self, connection: Connection, bucket: str) -> Engine:
        return self.route(connection, bucket).engine

    def url(self, connection: Connection, target: ObjectRef) -> str:
        from s3tui.storage.addresses import object_url

        return object_url(connection, self._settings.aws, target)

    def ffmpeg(self) -> Ffmpeg:
        from s3tui.media.binary import find_ffmpeg

        return find_ffmpeg(self._settings.video.ffmpeg)

    def encoder_threads(self) -> int:
        """See `Resources`: videos that are encoded at a time share the processors."""
        at_once = self._settings.video.concurrent
        return max(1, (os.cpu_count() or 1) // at_once) if at_once > 1 else 0

    def checks(self, connection: Connection, bucket: str, checksum: str) -> bool:
        profile = self.route(connection, bucket).profile(_PROFILE_SECONDS)
        return profile is not None and profile.proves(checksum)

    def keeps_conditions(self, connection: Connection, bucket: str, *, ask: bool) -> bool | None:
        route = self.route(connection, bucket)
        profile = route.profile(_PROFILE_SECONDS) if ask else route.known
        return None if profile is None else profile.keeps_conditions

    def close(self) -> None:
        for route in self._routes.values():
            route.engine.close()

    def route(self, connection: Connection, bucket: str) -> Route:
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


def _metrics() -> ModuleType:
    try:
        from s3tui import metrics
    except ImportError as error:
        raise ConfigError("Metrics need a library that is not installed: pip install 's3tui[metrics]'.") from error
    return metrics


def _with_slash(target: str) -> str:
    """The target with a prefix that is empty or ends in a slash."""
    scheme, separator, rest = target.partition("://")
    if scheme != "s3" or not separator:
        raise SpecError(f"{target!r} is not a target: write it as s3://BUCKET or s3://BUCKET/PREFIX.")
    bucket, _, prefix = rest.partition("/")
    if bucket:
        check_bucket_name(bucket)
    prefix = prefix.strip("/")
    return f"s3://{bucket}/{prefix}/" if prefix else f"s3://{bucket}/"


def _taken(overrides: dict[str, Any], noun: type[Any]) -> dict[str, Any]:
    """The overrides that are fields of this noun, taken out of the others; what no noun takes is a mistake of the caller."""
    return {name: overrides.pop(name) for name in noun.__dataclass_fields__ if name in overrides}

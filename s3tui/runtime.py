"""The one place where parts meet: settings -> store, queue, engine, service, worker.

Heavy parts are imported when they are first asked for, so a face pays only for what it uses; the terminal UI asks for the service
alone, and never imports boto3.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, Self

from s3tui import __version__
from s3tui.config import Settings
from s3tui.errors import Conflict, QueueError, SpecError
from s3tui.jobs.upload import UploadSpec
from s3tui.model import Connection, ObjectHeaders, Policy
from s3tui.state.options import state_directory

if TYPE_CHECKING:
    from s3tui.queues.bells import Bells
    from s3tui.service import Service
    from s3tui.state.store import Store
    from s3tui.storage.s3 import Bucket
    from s3tui.transfer.engine import Engine
    from s3tui.worker import Worker

QUEUES = ("upload",)
"""The queues that a worker takes units from when nothing else is said."""

_MAX_CONCURRENCY = 1000
_IDLE_SECONDS = 60.0
_START_SECONDS = 15.0


class Runtime:
    """All parts of one process, made on first use. Use it as a context manager, or call `close`."""

    def __init__(self, settings: Settings, *, worker_arguments: Sequence[str] = ()) -> None:
        """`worker_arguments` lead a background worker to the same settings: `--config FILE`, `--env-file FILE`."""
        self.settings = settings
        self._worker_arguments = list(worker_arguments)
        self._connections = _Connections(settings)
        self._locks: list[IO[str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def store(self) -> Store:
        """The state store. Raises ConfigError, StateError."""
        from s3tui.state.store import Store

        return Store(self.settings.state.url, state_directory())

    @cached_property
    def service(self) -> Service:
        """The door. Raises ConfigError, StateError."""
        from s3tui.service import Service

        return Service(self.store, identity=self._identity)

    def upload_spec(self, sources: Sequence[str], target: str, **overrides: Any) -> UploadSpec:  # noqa: ANN401 - fields of four nouns
        """The spec of an upload: the settings' defaults, and over them any field of UploadSpec, Policy, ObjectHeaders, Connection.

        Sources become absolute, the target's prefix ends in a slash. Raises SpecError.
        """
        settings = self.settings
        headers = ObjectHeaders(settings.s3.storage_class, settings.s3.sse, settings.s3.sse_kms_key_id)
        policy = Policy(
            checksum=settings.transfer.checksum, max_attempts=settings.transfer.max_attempts, part_size=settings.transfer.part_bytes
        )
        aws = settings.aws
        region = aws.region if "region" in aws.model_fields_set else ""
        connection = Connection(aws.endpoint_url, aws.profile, region, settings.s3.addressing_style)
        spec = UploadSpec(
            sources=tuple(os.path.abspath(os.path.expanduser(source)) for source in sources),  # noqa: PTH100, PTH111 - keeps `..` of links
            target=_with_slash(target),
            connection=replace(connection, **_taken(overrides, Connection)),
            policy=replace(policy, headers=replace(headers, **_taken(overrides, ObjectHeaders)), **_taken(overrides, Policy)),
            **_taken(overrides, UploadSpec),
        )
        if overrides:
            raise TypeError(f"no field of an upload is named {', '.join(overrides)}")
        return spec

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
            self._connections,
            version=__version__,
            identity=self._identity,
            queues=tuple(queues),
            bells=None if home_only else self._bells(),
            until_idle=until_idle,
        )

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
        self._connections.close()
        if "store" in self.__dict__:
            self.store.close()
        for lock in self._locks:
            lock.close()

    @property
    def _identity(self) -> str:
        """Which credentials a job's workers must hold. With a shared database, each machine's workers have their own."""
        return self.settings.aws.identity if self.settings.state.url == "sqlite" else ""

    def _background_worker_lives(self) -> bool:
        return any(
            not row.home_only and row.identity == self._identity and "upload" in row.queues for row in self.service.workers()
        )

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


class _Connections:
    """S3 clients and engines of this process, one for each connection that its jobs name."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._engines: dict[Connection, Engine] = {}
        self._clients: dict[Connection, Any] = {}

    def bucket(self, connection: Connection, name: str) -> Bucket:
        from s3tui.storage.s3 import Bucket

        with self._lock:
            return Bucket(self._client(connection), name)

    def engine(self, connection: Connection) -> Engine:
        from s3tui.transfer.s3transfer import S3TransferEngine

        with self._lock:
            if connection not in self._engines:
                self._engines[connection] = S3TransferEngine(self._client(connection), _MAX_CONCURRENCY)
            return self._engines[connection]

    def close(self) -> None:
        for engine in self._engines.values():
            engine.close()

    def _client(self, connection: Connection) -> Any:  # noqa: ANN401 - a boto3 client, whose home is not here
        from s3tui.storage.s3 import open_client

        if connection not in self._clients:
            self._clients[connection] = open_client(connection, self._settings.aws, max_connections=_MAX_CONCURRENCY)
        return self._clients[connection]


def _with_slash(target: str) -> str:
    """The target with a prefix that is empty or ends in a slash."""
    scheme, separator, rest = target.partition("://")
    if scheme != "s3" or not separator:
        raise SpecError(f"{target!r} is not a target: write it as s3://BUCKET or s3://BUCKET/PREFIX.")
    bucket, _, prefix = rest.partition("/")
    prefix = prefix.strip("/")
    return f"s3://{bucket}/{prefix}/" if prefix else f"s3://{bucket}/"


def _taken(overrides: dict[str, Any], noun: type[Any]) -> dict[str, Any]:
    """The overrides that are fields of this noun, taken out of the others; what no noun takes is a mistake of the caller."""
    return {name: overrides.pop(name) for name in noun.__dataclass_fields__ if name in overrides}

"""What a story may use: its job, the store's writers for it, the engine, and the wishes of people. One context per unit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from s3tui.events import Fact
from s3tui.media.binary import Ffmpeg
from s3tui.model import Connection, Job, Lease, ObjectRef, StoredObject
from s3tui.state.journal import Journal
from s3tui.state.store import Store
from s3tui.storage.api import Api
from s3tui.transfer.engine import Control, Engine
from s3tui.transfer.progress import Progress


class TargetBucket(Protocol):
    """What a story asks of the bucket it writes to."""

    def check(self) -> None:
        """Find what would be fatal for every file. Raises StorageError."""

    def list(self, prefix: str) -> Iterable[StoredObject]:
        """The objects below a prefix, sorted by the bytes of their keys."""


class Resources(Protocol):
    """What the worker's process holds open for a job's connection to S3."""

    def bucket(self, connection: Connection, name: str) -> TargetBucket:
        """A bucket. Raises StorageError, ConfigError."""

    def api(self, connection: Connection, bucket: str) -> Api:
        """The requests about this bucket that carry no file. Raises StorageError, ConfigError."""

    def engine(self, connection: Connection, bucket: str) -> Engine:
        """The engine that carries to this bucket; one for all units that use the same. Raises StorageError, ConfigError."""

    def checks(self, connection: Connection, bucket: str, checksum: str) -> bool:
        """Whether the store refuses bytes that do not fit what we say of them with this algorithm. Raises as `api` does."""

    def url(self, connection: Connection, target: ObjectRef) -> str:
        """The address of an object for players and browsers."""

    def ffmpeg(self) -> Ffmpeg:
        """The program that makes videos. Raises ConfigError."""

    def encoder_threads(self) -> int:
        """How many threads one video may take for each rendition; 0: as many as its encoder likes."""

    def keeps_conditions(self, connection: Connection, bucket: str, *, ask: bool) -> bool | None:
        """Whether the store refuses a write whose condition does not hold; None if that is not known, even after `ask`ing it.

        Asking may write an object for a moment. Raises as `api` does.
        """


S = TypeVar("S", covariant=True)


@dataclass(frozen=True, slots=True)
class Context(Generic[S]):
    """A unit at work; `S` is the spec of its kind."""

    job: Job
    spec: S
    lease: Lease
    store: Store
    journal: Journal
    resources: Resources
    control: Control
    progress: Progress
    wake: Callable[[], None]
    """Have the worker look for units now: there are new ones."""

    def record(self, facts: Sequence[Fact]) -> None:
        """Take facts, in the order in which they became true; they are durable after the next `flush`. Raises StateError."""
        self.journal.record(self.lease, facts)

    def flush(self) -> None:
        """Return when every fact recorded before is durable. Raises StateError."""
        self.journal.flush()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of job: how it plans, and how it works on one unit.

    Both return when the unit is done, or early when `control.stopping`: what they leave is taken up by the unit's next owner.
    They raise a S3tuiError for what no file of the job could survive.
    """

    plan: Callable[[Context[Any]], None]
    work: Callable[[Context[Any]], None]

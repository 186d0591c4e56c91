"""The file that is ingested, what must become of it, and the scenes of its ingest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from tests.cli.command import Home
from tests.cluster_servers import PostgreSQL, RabbitMQ, cluster_servers
from tests.front import FaultFront
from tests.proof.flights import Expected, made_up_flights, real_flights, write_flights
from tests.proof.scale import FULL, SCALE
from tests.proof.scene import Scene, state_of, wholly_undisturbed
from tests.proof.verdict import Verdict, job_objects, judged
from tests.proof.workforce import Workforce
from tests.servers import Store

_WORKERS = 2


@dataclass(frozen=True)
class Flights:
    """A file, what must become of it, and what an undisturbed ingest of it makes."""

    file: Path
    expected: Expected
    objects: dict[str, bytes]
    verdict: Verdict
    """On that ingest."""


@pytest.fixture(scope="session")
def flights(tmp_path_factory: pytest.TempPathFactory, rclone: Store) -> Flights:
    """Read by Python's csv, and ingested in one go."""
    directory = tmp_path_factory.mktemp("flights")
    file = directory / "flights.csv"
    lines = real_flights() if FULL else made_up_flights(Random(1))
    write_flights(file, lines, rows=SCALE.rows, odd=SCALE.odd, seed=1)
    expected = Expected.of(file)
    bucket, home = rclone.with_bucket(), Home(directory / "home")
    home.at(bucket)
    job = wholly_undisturbed(home, file, bucket)
    objects = job_objects(bucket, job)
    with state_of(home) as state:
        return Flights(file, expected, objects, judged(state, job, bucket, expected, objects))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A user who has configured nothing."""
    return Home(tmp_path / "home")


@pytest.fixture
def embedded(home: Home, rclone_store: Store) -> Iterator[Scene]:
    """SQLite, and the queue in it."""
    with _scene(home, rclone_store) as scene:
        yield scene


@pytest.fixture(scope="session")
def servers() -> Iterator[tuple[PostgreSQL, RabbitMQ]]:
    """Both to kill."""
    with cluster_servers() as servers:
        yield servers


@pytest.fixture
def clustered(home: Home, rclone_store: Store, servers: tuple[PostgreSQL, RabbitMQ]) -> Iterator[Scene]:
    """PostgreSQL and RabbitMQ."""
    database, broker = servers
    home.environment |= {"DATABASE_URL": database.new_database(), "RABBITMQ_URL": broker.url}
    with _scene(home, rclone_store) as scene:
        scene.database, scene.broker = database, broker
        yield scene


@contextmanager
def _scene(home: Home, bucket: Store) -> Iterator[Scene]:
    with FaultFront(bucket.url) as front, state_of(home) as state:
        home.at(bucket.behind(front))
        front.put_seconds = SCALE.put_seconds
        workforce = Workforce(home, _WORKERS, home.directory / "workers.log")
        try:
            yield Scene(home, workforce, bucket, front, state)
        finally:
            workforce.end()

"""A home for commands, and trees for them to upload."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from s3tui.state.store import Store as StateStore
from tests.cli.command import Home
from tests.databases import empty
from tests.front import FaultFront
from tests.servers import Store


@pytest.fixture(autouse=True)
def same_log() -> Iterator[None]:
    """What a command that runs in this process does to the log ends with its test."""
    logger = logging.getLogger("s3tui")
    before = logger.propagate, logger.level, [*logger.handlers]
    yield
    logger.propagate, level, handlers = before
    logger.setLevel(level)
    for handler in set(logger.handlers) - set(handlers):
        logger.removeHandler(handler)
        handler.close()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A user who has configured nothing."""
    return Home(tmp_path / "home")


@pytest.fixture(params=["alone", "cluster"])
def any_home(request: pytest.FixtureRequest, home: Home) -> Home:
    """The same user, once with nothing installed around s3tui, once on PostgreSQL and RabbitMQ: only two URLs differ."""
    if request.param == "cluster":
        home.environment |= {
            "DATABASE_URL": request.getfixturevalue("postgresql_url"),
            "RABBITMQ_URL": request.getfixturevalue("rabbitmq_url"),
        }
        with closing(StateStore(home.environment["DATABASE_URL"], home.directory)) as store:
            empty(store)
    return home


@pytest.fixture
def front(rclone_store: Store) -> Iterator[FaultFront]:
    """A fault front before `rclone_store`."""
    with FaultFront(rclone_store.url) as running:
        yield running


@pytest.fixture
def tree(home: Home) -> Path:
    """300 small files in 10 directories."""
    root = home.work / "tree"
    for number in range(300):
        path = root / f"{number % 10}" / f"file-{number:03}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {number}\n" * (number % 7))
    return root

"""Fixtures: the engines under test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from s3tui.transfer.engine import Engine
from s3tui.transfer.s3transfer import open_engine
from tests.front import FaultFront
from tests.servers import Store
from tests.transfer.rides import OpenEngine


@pytest.fixture(params=["s3transfer"])
def engine_on(request: pytest.FixtureRequest) -> Iterator[OpenEngine]:
    """Opens the engine under test on a store."""
    opened: list[Engine] = []

    def open_on(store: Store) -> Engine:
        engine = {"s3transfer": open_engine}[request.param](store.connection, store.aws)
        opened.append(engine)
        return engine

    yield open_on
    for engine in opened:
        engine.close()


@pytest.fixture
def engine(engine_on: OpenEngine, store: Store, front: FaultFront) -> Engine:
    """The engine on each server in turn, through a front."""
    return engine_on(store.behind(front))

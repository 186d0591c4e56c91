"""Fixtures: the engines under test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from s3tui.storage.keys import FixedKeys, Keys
from s3tui.storage.site import plain_site
from s3tui.transfer import s3transfer
from s3tui.transfer.checksums import ALGORITHMS
from s3tui.transfer.engine import Engine
from s3tui.transfer.wire.engine import WireEngine
from s3tui.transfer.wire.office import Office
from s3tui.transfer.wire.orders import Conduct
from tests.front import FaultFront
from tests.servers import Store
from tests.transfer.rides import OpenEngine


def _open_s3transfer(store: Store) -> Engine:
    return s3transfer.open_engine(store.connection, store.aws)


def _open_wire(store: Store) -> Engine:
    site = plain_site(store.connection, store.aws)
    assert site is not None
    keys = FixedKeys(Keys(store.aws.access_key_id, store.aws.secret_access_key.get_secret_value()))
    return WireEngine(Office(site, keys, Conduct(signed=tuple(ALGORITHMS))))


_OPEN = {"s3transfer": _open_s3transfer, "wire": _open_wire}


@pytest.fixture(params=list(_OPEN))
def engine_on(request: pytest.FixtureRequest) -> Iterator[OpenEngine]:
    """Opens the engine under test on a store."""
    opened: list[Engine] = []

    def open_on(store: Store) -> Engine:
        engine = _OPEN[request.param](store)
        opened.append(engine)
        return engine

    yield open_on
    for engine in opened:
        engine.close()


@pytest.fixture
def engine(engine_on: OpenEngine, store: Store, front: FaultFront) -> Engine:
    """The engine on each server in turn, through a front."""
    return engine_on(store.behind(front))

"""Fixtures: the wire engine on servers that misbehave."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from s3tui.storage.keys import FixedKeys, KeyRing, Keys
from s3tui.storage.site import site_of
from s3tui.transfer.checksums import ALGORITHMS
from s3tui.transfer.wire.engine import WireEngine
from s3tui.transfer.wire.office import Office
from s3tui.transfer.wire.orders import Conduct

OpenWire = Callable[..., WireEngine]


@pytest.fixture
def open_wire() -> Iterator[OpenWire]:
    """Opens the engine on an endpoint; `patience` in seconds, other keys, a CA bundle."""
    opened: list[WireEngine] = []

    def open_on(
        url: str, *, keys: KeyRing | None = None, patience: float = 30.0, ca_bundle: str = "", virtual: bool = False
    ) -> WireEngine:
        site = site_of(url, "us-east-1", virtual=virtual, ca_bundle=ca_bundle)
        assert site is not None
        conduct = Conduct(signed=() if site.tls else tuple(ALGORITHMS))
        engine = WireEngine(Office(site, keys or FixedKeys(Keys("AK", "secret")), conduct, patience=patience))
        opened.append(engine)
        return engine

    yield open_on
    for engine in opened:
        engine.close()

"""Fixtures: yards, and the front of one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from s3tui.runtime import Runtime
from tests.front import FaultFront
from tests.jobs.yard import Yard, settings_for
from tests.servers import Store

OpenYard = Callable[[Store], Yard]


@pytest.fixture
def yard_at(state_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenYard]:
    """Opens a yard at a store, on each database in turn."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    with ExitStack() as stack:

        def open_at(store: Store) -> Yard:
            runtime = stack.enter_context(Runtime(settings_for(store, state_url)))
            yard = Yard.on(runtime, store)
            stack.callback(yard.worker.stop, 0.5)
            return yard

        yield open_at


@pytest.fixture
def front(rclone_store: Store) -> Iterator[FaultFront]:
    """A fault front before `rclone_store`."""
    with FaultFront(rclone_store.url) as running:
        yield running


@pytest.fixture
def yard(yard_at: OpenYard, rclone_store: Store, front: FaultFront) -> Yard:
    """A yard behind the front."""
    return yard_at(rclone_store.behind(front))

"""An office in this process, and a real server in one of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.api.offices import Office, office_of
from tests.api.servers import ApiServer
from tests.cli.command import Home
from tests.cli.conftest import any_home, home

__all__ = ["any_home", "home"]


@pytest.fixture
async def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    """On SQLite."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    async with office_of(tmp_path) as made:
        yield made


@pytest.fixture
async def any_office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state_url: str) -> AsyncIterator[Office]:
    """On each database."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    async with office_of(tmp_path, state_url=state_url) as made:
        yield made


@pytest.fixture(scope="module")
def lone_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A server whose jobs nobody carries, for all tests of a file."""
    place = Home(tmp_path_factory.mktemp("lone") / "home")
    (place.work / "config.yaml").write_text("s3: {bucket_name: bucket}\napi: {start_worker: false, max_body: 64MiB}\n")
    with ApiServer(place) as server:
        yield server

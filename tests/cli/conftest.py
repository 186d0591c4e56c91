"""A home for commands, and trees for them to upload."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import Home
from tests.front import FaultFront
from tests.servers import Store


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A user who has configured nothing."""
    return Home(tmp_path / "home")


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

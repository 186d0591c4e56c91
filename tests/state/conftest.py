"""Fixtures of the state store's suite: everything in it runs on every database."""

from __future__ import annotations

import pytest

from s3tui.state.store import Store


@pytest.fixture
def store(state_store: Store) -> Store:
    """An empty state store."""
    return state_store

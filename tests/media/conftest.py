"""The encodes of this session."""

from __future__ import annotations

import pytest

from tests.media.encodes import Encode, Encodes


@pytest.fixture(scope="session")
def encodes(ffmpeg: str, tmp_path_factory: pytest.TempPathFactory) -> Encodes:
    """Made on demand."""
    return Encodes(ffmpeg, tmp_path_factory.mktemp("encodes"))


@pytest.fixture
def fmp4(encodes: Encodes) -> Encode:
    """Two rungs and two sound tracks."""
    return encodes.of("fmp4", tracks=2)


@pytest.fixture
def ts(encodes: Encodes) -> Encode:
    """Two rungs, each with the sound in its segments."""
    return encodes.of("ts", tracks=1)

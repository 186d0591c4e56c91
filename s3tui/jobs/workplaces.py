"""The directories that encodes write to: one for each video, ours alone, and gone in the end."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from s3tui.state.options import state_directory


@contextmanager
def workplace(job_id: str, no: int) -> Iterator[Path]:
    """The directory of one video, new even if a worker that died left one."""
    directory = _place(job_id, no)
    abandon(job_id, no)
    directory.mkdir(mode=0o700, parents=True)
    try:
        yield directory
    finally:
        abandon(job_id, no)


def abandon(job_id: str, no: int) -> None:
    """Remove the directory, if there is one."""
    shutil.rmtree(_place(job_id, no), ignore_errors=True)


def _place(job_id: str, no: int) -> Path:
    return state_directory() / "video" / f"{job_id}-{no}"

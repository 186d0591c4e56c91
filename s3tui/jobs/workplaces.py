"""The directories for objects before they are stored: one for each video or unit, ours alone, and gone in the end."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from s3tui.model import Lease
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


@contextmanager
def unit_workplace(lease: Lease, job_id: str) -> Iterator[Path]:
    """The directory of one unit under one lease; those that earlier owners left are removed.

    An owner that only slept finds its files gone, and its lease.
    """
    ours = state_directory() / "ingest"
    for left in ours.glob(f"{job_id}-{lease.unit_no}-*"):
        shutil.rmtree(left, ignore_errors=True)
    directory = ours / f"{job_id}-{lease.unit_no}-{lease.token}"
    directory.mkdir(mode=0o700, parents=True)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def abandon(job_id: str, no: int) -> None:
    """Remove the directory, if there is one."""
    shutil.rmtree(_place(job_id, no), ignore_errors=True)


def _place(job_id: str, no: int) -> Path:
    return state_directory() / "video" / f"{job_id}-{no}"

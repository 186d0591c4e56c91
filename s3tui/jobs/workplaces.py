"""The directories for objects before they are stored: one for each video or unit, ours alone, and gone in the end.

    $XDG_STATE_HOME/s3tui/video/<job>-<file>-<token>     ingest/<job>-<unit>-<token>

Its owner holds a lock on each, which the system lets go of when the owner dies. So a directory that can be locked is nobody's,
whoever left it and whatever the database says, and a worker removes those when it starts and when it takes a unit. A name is never
used twice: what is nobody's stays so. Where directories cannot be locked (NFS) they stay until their unit is taken again.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from s3tui.model import Lease
from s3tui.state.options import state_directory

_VIDEO, _INGEST = "video", "ingest"


@contextmanager
def workplace(job_id: str, no: int) -> Iterator[Path]:
    """The directory of one video, new even if a worker that died left one. Raises OSError."""
    with _ours(_VIDEO, f"{job_id}-{no}-", secrets.token_hex(4)) as directory:
        yield directory


@contextmanager
def unit_workplace(lease: Lease, job_id: str) -> Iterator[Path]:
    """The directory of one unit under one lease; those that earlier owners left are removed. Raises OSError.

    An owner that only slept finds its files gone, and its lease.
    """
    with _ours(_INGEST, f"{job_id}-{lease.unit_no}-", f"{lease.token}-{secrets.token_hex(4)}") as directory:
        yield directory


def abandon(job_id: str, no: int) -> None:
    """Remove the directories of a video, if there are any."""
    _remove(state_directory() / _VIDEO, f"{job_id}-{no}-")


def sweep_workplaces() -> None:
    """Remove the directories on this machine whose owners are dead. Safe at any time, from any process."""
    for yard in (_VIDEO, _INGEST):
        _sweep(state_directory() / yard)


@contextmanager
def _ours(name: str, beginning: str, token: str) -> Iterator[Path]:
    yard = state_directory() / name
    with suppress(FileExistsError):
        yard.mkdir(mode=0o700, parents=True)
    _sweep(yard)
    _remove(yard, beginning)
    directory = yard / f"{beginning}{token}"
    with ExitStack() as held:
        with _locked(yard):
            directory.mkdir(mode=0o700)
            held.enter_context(_locked(directory))
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)


def _remove(yard: Path, beginning: str) -> None:
    for left in yard.glob(f"{beginning}*"):
        shutil.rmtree(left, ignore_errors=True)


def _sweep(yard: Path) -> None:
    with ExitStack() as held:
        dead: list[Path] = []
        with suppress(OSError), _locked(yard):  # nobody is about to lock what was just made
            for directory in yard.iterdir():
                with suppress(OSError):
                    held.enter_context(_locked(directory, wait=False))
                    dead.append(directory)
        for directory in dead:
            shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _locked(directory: Path, *, wait: bool = True) -> Iterator[None]:
    """A directory, locked if directories can be. Raises OSError; without `wait` also if somebody has it, or nobody can have it."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError:
            if not wait:
                raise
        yield
    finally:
        os.close(descriptor)

"""The worker in the background: one for each state directory and identity, whoever starts it."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import time
from collections.abc import Collection, Sequence
from typing import IO

from s3tui.errors import Conflict, QueueError
from s3tui.state.options import state_directory
from s3tui.state.settling import this_host
from s3tui.state.store import Store

_IDLE_SECONDS = 60.0
_START_SECONDS = 15.0


def ensure_worker(store: Store, identity: str, queues: Collection[str], arguments: Sequence[str]) -> None:
    """Start it, in a session of its own, unless a worker is alive that may take this identity's jobs from all these queues.

    `arguments` lead it to the same settings. Raises QueueError, StateError.
    """
    if _lives(store, identity, queues):
        return
    directory = state_directory()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = [sys.executable, "-m", "s3tui", *arguments, "worker", "--until-idle", str(_IDLE_SECONDS)]
    complaints = directory / "worker.err"
    with complaints.open("wb") as stderr:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr, start_new_session=True
        )
    deadline = time.monotonic() + _START_SECONDS
    while not _lives(store, identity, queues):
        if process.poll() is not None or time.monotonic() > deadline:
            if _lives(store, identity, queues):
                return
            last = complaints.read_text(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
            raise QueueError(f"The background worker did not start: {last[0].removeprefix('s3tui: ')}")
        time.sleep(0.05)


def be_the_only_one(identity: str) -> IO[str]:
    """The lock that the background worker holds for as long as it runs; close it in the end. Raises Conflict."""
    path = state_directory() / f"worker-{identity or 'default'}.lock"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = path.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise Conflict("A background worker runs already.") from error
    return lock


def _lives(store: Store, identity: str, queues: Collection[str]) -> bool:
    rows = [row for row in store.workers.alive() if not row.home_only and row.identity == identity]
    if store.database.is_shared and store.sightings.missed_from_here():
        rows = [row for row in rows if row.host == this_host()]
    return {name for row in rows for name in row.queues} >= set(queues)

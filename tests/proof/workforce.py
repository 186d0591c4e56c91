"""Worker processes that are started again when they end, as a service manager would."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.cli.command import Home
from tests.waiting import wait_until

_LEAVING_SECONDS = 60
_COMMAND = (sys.executable, "-m", "s3tui", "worker")
"""Of all queues; else `--detach` would start one of its own."""


@dataclass
class Workforce:
    """So many workers of one home, each in a process group of its own."""

    home: Home
    size: int
    log: Path
    """What they say."""
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    gave_up: int = 0
    """How many ended by themselves."""
    _groups: set[int] = field(default_factory=set)

    def start(self) -> None:
        """Begin, and return when all are registered."""
        self.tend()
        self.wait_for_all()

    def wait_for_all(self) -> None:
        """Until they are registered; before that, a signal would not be taken for what it says."""
        wait_until(lambda: {row.pid for row in self.home.workers()} >= {one.pid for one in self.processes}, 60, "the workers")

    def tend(self) -> None:
        """Replace those that have ended."""
        ended = [process for process in self.processes if process.poll() is not None]
        self.gave_up += sum(process.returncode != -signal.SIGKILL for process in ended)
        self.processes = [process for process in self.processes if process not in ended]
        while len(self.processes) < self.size:
            self.hire()

    def hire(self) -> subprocess.Popen[bytes]:
        """Start one more."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                _COMMAND,
                cwd=self.home.work,
                env=self.home.variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        self._groups.add(process.pid)
        return process

    def kill(self, pid: int, *, alone: bool = False) -> None:
        """Kill one with its whole group, or only itself."""
        [process] = [process for process in self.processes if process.pid == pid]
        with suppress(ProcessLookupError):
            (os.kill if alone else os.killpg)(pid, signal.SIGKILL)
        process.wait(_LEAVING_SECONDS)

    def dismiss(self) -> None:
        """Let all end in order, and see that nothing of any is left."""
        self.wait_for_all()
        for process in self.processes:
            process.terminate()
        codes = [process.wait(_LEAVING_SECONDS) for process in self.processes]
        assert not any(codes), codes
        self.processes.clear()
        wait_until(lambda: not self.remnants(), _LEAVING_SECONDS, "what workers had started to end")

    def remnants(self) -> list[int]:
        """The groups of which a process is left."""
        return [group for group in self._groups if _lives(group)]

    def end(self) -> None:
        """Kill whatever is left."""
        for group in self.remnants():
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        for process in self.processes:
            process.wait(_LEAVING_SECONDS)


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True

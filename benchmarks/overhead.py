"""What the journal and the UI cost: the same files by the engine alone, by the whole command, and by a command that the UI watches.

Compared is the rate while files are sent, which the store sees, so that nobody's start-up counts.
"""

from __future__ import annotations

import fcntl
import os
import pty
import statistics
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import contest, stores, tools
from benchmarks.contest import Measured
from benchmarks.meter import metered
from benchmarks.sources import Source
from benchmarks.tools import S3TUI, TARGET, Command, Task, Work, environment_of

ENGINE, COMMAND, WATCHED = "the engine alone", "`s3tui upload`", "`s3tui jobs apply` with the UI open on it"
_DRIVER = str(Path(__file__).with_name("engine_alone.py"))
_CONCURRENCY = 100
_FIRST_PAINT = 2000
"""Bytes that the UI has written when its first screen is there."""
_REST_SECONDS = 2.0
_START_SECONDS = 30.0


@dataclass(frozen=True)
class Overhead:
    """The rounds, each with the three ways."""

    rounds: list[dict[str, Measured]]

    def rate(self, way: str) -> float:
        """Files per second while they are sent: the median."""
        return statistics.median(_rate(measured[way]) for measured in self.rounds)

    def kept(self, way: str) -> float:
        """Which part of the engine's rate is left: the median of the rounds' ratios."""
        return statistics.median(_rate(measured[way]) / _rate(measured[ENGINE]) for measured in self.rounds)

    def cpu(self, way: str) -> float:
        """CPU seconds per file of all processes but the UI: the median."""
        return statistics.median(contest.cpu_per_file(measured[way]) for measured in self.rounds)


def measure(directory: Path, source: Source, rounds: int) -> Overhead:
    """Carry the source each way, in turn."""
    task = Task(Work.TREE, source)
    alone = Command("engine", "alone", task, (sys.executable, _DRIVER, task.path, str(_CONCURRENCY)))
    ways: dict[str, Callable[[], Measured]] = {
        ENGINE: lambda: contest.once(directory, stores.sink(), alone),
        COMMAND: lambda: contest.once(directory, stores.sink(), tools.s3tui(task)[0]),
        WATCHED: lambda: _watched(directory, source),
    }
    held = []
    for number in range(rounds):
        start = number % len(ways)
        measured = {}
        for way in [*ways][start:] + [*ways][:start]:
            measured[way] = ways[way]()
            print(f"  round {number + 1}: {way}: {_rate(measured[way]):,.0f} files/s while sending", file=sys.stderr)
        held.append(measured)
    return Overhead(held)


def _rate(measured: Measured) -> float:
    return measured.source.files / measured.arrived.seconds


def _watched(directory: Path, source: Source) -> Measured:
    """Plan first, so that the UI has come to rest before the files are sent."""
    with contest.place(directory) as here, stores.sink()(here, source) as store:
        environment = environment_of(here, store)
        _output(here, environment, "--quiet", "upload", "--dry-run", str(source.path), TARGET)
        job = _output(here, environment, "jobs", "list").split()[0]
        with _on_a_terminal([S3TUI, "tui", "--job", job], here, environment) as ui:
            apply = [S3TUI, "--quiet", "jobs", "apply", job]
            run = metered(apply, here, environment, beside=[store.pid, ui])
        return Measured(source, run, store.end())


def _output(here: Path, environment: Mapping[str, str], *arguments: str) -> str:
    command = [S3TUI, *arguments]
    return subprocess.run(command, cwd=here, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


@contextmanager
def _on_a_terminal(command: list[str], here: Path, environment: Mapping[str, str]) -> Iterator[int]:
    """A program on a terminal that shows nobody anything and so costs nothing; yields its process id when it has come to rest."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
    screen = {**environment, "TERM": "xterm-256color"}
    process = subprocess.Popen(command, cwd=here, env=screen, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    written = _Written(master)
    written.start()
    try:
        deadline = time.monotonic() + _START_SECONDS
        while written.bytes < _FIRST_PAINT:
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("The UI did not start.")
            time.sleep(0.05)
        time.sleep(_REST_SECONDS)
        yield process.pid
    finally:
        process.kill()
        process.wait()
        written.join()
        os.close(master)


class _Written(threading.Thread):
    """Reads what a terminal is told, and forgets it."""

    def __init__(self, master: int) -> None:
        super().__init__(daemon=True)
        self.bytes = 0
        self._master = master

    def run(self) -> None:
        while True:
            try:
                self.bytes += len(os.read(self._master, 1 << 16))
            except OSError:  # nobody has the other end any more
                return

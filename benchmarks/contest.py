"""Paired rounds: s3tui and its peers do the same work in turn, so that whatever else the machine does hits all alike.

Before the first round each tool that has several settings tries them all and keeps its fastest. Believe the ratios of a round
more than its seconds, and CPU time more than either.
"""

from __future__ import annotations

import shutil
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.meter import Run, metered
from benchmarks.sources import Source
from benchmarks.stores import Arrived, OpenStore
from benchmarks.tools import Command, Work, environment_of

OURS = "s3tui"
_NOISE = 0.1
_TELLING_SECONDS = 0.5
"""A shorter run is over before the kernel's clock tells what else the machine did."""


@dataclass(frozen=True)
class Measured:
    """One command, and what the store saw of it."""

    source: Source
    run: Run
    arrived: Arrived

    @property
    def noisy(self) -> bool:
        """Whether anything else had more than a tenth of a core meanwhile."""
        return self.run.foreign > _NOISE and self.run.seconds > _TELLING_SECONDS


Figure = Callable[[Measured], float]


def seconds(measured: Measured) -> float:
    """Of the whole command, from its start to its end."""
    return measured.run.seconds


def files_per_second(measured: Measured) -> float:
    """Files of the whole command over its seconds."""
    return measured.source.files / measured.run.seconds


def bytes_per_second(measured: Measured) -> float:
    """Bytes of files."""
    return measured.source.bytes / measured.run.seconds


def cpu_per_file(measured: Measured) -> float:
    """CPU seconds, of all processes."""
    return measured.run.cpu_seconds / measured.source.files


def peak_bytes(measured: Measured) -> float:
    """Memory of all processes."""
    return measured.run.peak_bytes


@dataclass(frozen=True)
class Contest:
    """What was measured of one piece of work."""

    chosen: dict[str, Command]
    """For each tool its best setting; ours comes first."""
    rounds: list[dict[str, Measured]]

    def median(self, tool: str, figure: Figure) -> float:
        """The median of a figure over the rounds."""
        return statistics.median(figure(measured[tool]) for measured in self.rounds)

    def ratios(self, peer: str, figure: Figure) -> list[float]:
        """In each round ours / the peer's, sorted."""
        return sorted(figure(measured[OURS]) / figure(measured[peer]) for measured in self.rounds)

    def ratio(self, peer: str, figure: Figure) -> float:
        """The median of `ratios`."""
        return statistics.median(self.ratios(peer, figure))


def hold(directory: Path, open_store: OpenStore, tools: Sequence[Sequence[Command]], rounds: int) -> Contest:
    """Find each tool's best setting, and run the rounds. Raises RunFailed."""
    chosen = {settings[0].tool: _best(directory, open_store, settings) for settings in tools}
    names = list(chosen)
    held = []
    for number in range(rounds):
        start = number % len(names)
        measured = {}
        for tool in names[start:] + names[:start]:
            measured[tool] = once(directory, open_store, chosen[tool])
            _say(f"round {number + 1}", chosen[tool], measured[tool])
        held.append(measured)
    return Contest(chosen, held)


def once(directory: Path, open_store: OpenStore, command: Command) -> Measured:
    """One command with a new store and a place of its own."""
    task = command.task
    with place(directory) as here:
        for name, text in command.files.items():
            (here / name).write_text(text)
        with open_store(here, task.source) as store:
            environment = {**environment_of(here, store), **command.environment}
            run = metered(command.arguments, here, environment, beside=[store.pid])
            arrived = store.end(stored=task.work is not Work.DRY_RUN)
        if command.check is not None:
            command.check(here, task.source)
    return Measured(task.source, run, arrived)


@contextmanager
def place(directory: Path) -> Iterator[Path]:
    """A directory for one run: state, report and whatever else it leaves."""
    here = directory / "run"
    here.mkdir()
    try:
        yield here
    finally:
        shutil.rmtree(here)


def _best(directory: Path, open_store: OpenStore, settings: Sequence[Command]) -> Command:
    if len(settings) == 1:
        return settings[0]
    tried = []
    for command in settings:
        measured = once(directory, open_store, command)
        _say("tries", command, measured)
        tried.append((files_per_second(measured), command))
    return max(tried, key=lambda pair: pair[0])[1]


def _say(when: str, command: Command, measured: Measured) -> None:
    run, noise = measured.run, f"   others had {measured.run.foreign:.1f} cores" if measured.noisy else ""
    print(f"  {when}: {command.tool}, {command.setting}: {run.seconds:.2f} s, CPU {run.cpu_seconds:.2f} s{noise}", file=sys.stderr)

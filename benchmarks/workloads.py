"""What is compared: sources, stores, and what s3tui is to reach against whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import sources, stores, tools
from benchmarks.contest import Contest, cpu_per_file, files_per_second, peak_bytes
from benchmarks.peers import Peers
from benchmarks.sources import Source
from benchmarks.stores import OpenStore
from benchmarks.tools import Command, Task, Work

MIB = 1 << 20


@dataclass(frozen=True)
class Sizes:
    """How large the sources are."""

    files: int
    """Small files over plain http. Where all tools are slower they get a part of them."""
    large: int
    """Bytes of the large file."""
    planned: int
    """Files that are only planned."""


FULL = Sizes(files=50_000, large=4 << 30, planned=1_000_000)
QUICK = Sizes(files=1_000, large=256 << 20, planned=20_000)


@dataclass(frozen=True)
class Goal:
    """Something to reach."""

    what: str
    value: float
    measure: Callable[[Contest], float]
    at_most: bool = False


@dataclass(frozen=True)
class Workload:
    """One piece of work for all tools."""

    title: str
    work: Work
    source: Callable[[Path, Sizes], Source]
    store: Callable[[Peers], OpenStore]
    slow_source: Callable[[Path, Sizes], Source] | None = None
    """What the AWS CLI gets, where the whole would take it minutes."""
    concurrency: int | None = None
    repeat: int = 1
    """How many times as many rounds as the others it has: what takes a moment needs more."""
    with_aws: bool = True
    goals: tuple[Goal, ...] = ()

    def commands(self, peers: Peers, directory: Path, sizes: Sizes) -> list[list[Command]]:
        """For each tool its settings, s3tui first."""
        task = Task(self.work, self.source(directory, sizes), self.concurrency)
        slow = Task(self.work, self.slow_source(directory, sizes), self.concurrency) if self.slow_source else task
        fast = [tools.s3tui(task), tools.s5cmd(peers.s5cmd, task), tools.rclone(peers.rclone, task)]
        return [*fast, tools.aws(peers.aws, slow)] if self.with_aws else fast


def _speed(peer: str, value: float) -> Goal:
    return Goal(f"speed against {peer}", value, lambda contest: contest.ratio(peer, files_per_second))


def _small(share: int) -> Callable[[Path, Sizes], Source]:
    return lambda directory, sizes: sources.small_files(directory, sizes.files // share)


def _library(directory: Path, _sizes: Sizes) -> Source:
    return sources.standard_library(directory)


def _sink(_peers: Peers) -> OpenStore:
    return stores.sink()


WORKLOADS = {
    "one": Workload(
        "One small file",
        Work.FILE,
        lambda directory, _: sources.one_small_file(directory),
        _sink,
        repeat=3,
        goals=(_speed("aws", 1.0),),
    ),
    "http": Workload(
        "4 KiB files over http",
        Work.TREE,
        _small(1),
        _sink,
        slow_source=_small(5),
        goals=(
            _speed("s5cmd", 3.0),
            Goal("CPU per file against s5cmd", 0.5, lambda contest: contest.ratio("s5cmd", cpu_per_file), at_most=True),
        ),
    ),
    "tls": Workload(
        "4 KiB files over TLS",
        Work.TREE,
        _small(5),
        lambda _: stores.sink(tls=True),
        slow_source=_small(25),
        goals=(_speed("s5cmd", 3.0),),
    ),
    "delay": Workload(
        "4 KiB files, each answer after 20 ms, 256 at a time",
        Work.TREE,
        _small(2),
        lambda _: stores.sink(delay=0.02),
        slow_source=_small(10),
        concurrency=256,
        goals=(_speed("s5cmd", 1.5),),
    ),
    "large": Workload(
        "One large file",
        Work.FILE,
        lambda directory, sizes: sources.one_large_file(directory, sizes.large),
        _sink,
        goals=(
            _speed("s5cmd", 2.5),
            Goal("peak memory, MiB", 200, lambda contest: contest.median("s3tui", peak_bytes) / MIB, at_most=True),
        ),
    ),
    "tree": Workload("A real tree", Work.TREE, _library, _sink, goals=(_speed("s5cmd", 1.2),)),
    "rclone": Workload(
        "A real tree to `rclone serve s3`",
        Work.TREE,
        _library,
        lambda peers: stores.rclone_server(peers.rclone),
        with_aws=False,  # it sometimes misreads this server's `100 Continue`, and waits a minute for the end of an answer
    ),
    "dry-run": Workload("A dry run", Work.DRY_RUN, lambda directory, sizes: sources.empty_files(directory, sizes.files), _sink),
}
"""By the name that `--only` takes, in the order of a run."""

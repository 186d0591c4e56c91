"""The words of a run: Markdown for the terminal and for docs/performance.md."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.contest import (
    OURS,
    Contest,
    Figure,
    bytes_per_second,
    cpu_per_file,
    files_per_second,
    peak_bytes,
    seconds,
)
from benchmarks.overhead import COMMAND, ENGINE, WATCHED, Overhead
from benchmarks.scan import Planned
from benchmarks.workloads import MIB, Workload

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
_BEGIN, _END = "<!-- measured: `make bench` writes what follows -->", "<!-- measured: to here -->"


@dataclass(frozen=True)
class Reached:
    """Something to reach, and what was measured of it."""

    work: str
    what: str
    value: float
    measured: float
    at_most: bool = False

    def row(self) -> str:
        """A row of the table of goals."""
        met = self.measured <= self.value if self.at_most else self.measured >= self.value
        sign = "<=" if self.at_most else ">="
        return f"| {self.work} | {self.what} | {sign} {self.value:,g} | {_short(self.measured)} | {'yes' if met else 'no'} |"


@dataclass(frozen=True)
class Section:
    """What one workload came to."""

    title: str
    text: str
    reached: list[Reached] = field(default_factory=list)


def of_contest(workload: Workload, contest: Contest) -> Section:
    """Figures of each tool, and the ratios of the rounds."""
    reached = [Reached(workload.title, goal.what, goal.value, goal.measure(contest), goal.at_most) for goal in workload.goals]
    return Section(workload.title, f"{_facts(contest)}\n\n{_figures(contest)}\n\n{_ratios(contest)}", reached)


def of_overhead(overhead: Overhead) -> Section:
    """How much of the engine's rate is left."""
    rows = [
        f"| {way} | {overhead.rate(way):,.0f} | {_short(overhead.kept(way))} | {_short(overhead.cpu(way) * 1000)} |"
        for way in (ENGINE, COMMAND, WATCHED)
    ]
    head = "| | files/s while sending | of the engine's | CPU s per 1,000 files |\n|---|---|---|---|\n"
    title = "Journal and UI"
    text = f"{_rounds(overhead.rounds).capitalize()}.\n\n{head}" + "\n".join(rows)
    return Section(title, text, [Reached(title, "part of the engine's rate that is left", 0.85, overhead.kept(WATCHED))])


def of_scan(planned: Sequence[Planned]) -> Section:
    """Rates, and how memory grew from the smallest tree to the largest."""
    rows = [
        f"| {size.files:,} | {size.files / size.scan.seconds:,.0f} | {size.scan.peak_bytes / MIB:.0f} "
        f"| {size.files / size.dry_run.seconds:,.0f} | {size.dry_run.peak_bytes / MIB:.0f} |"
        for size in planned
    ]
    head = "| files | scan: files/s | peak MiB | dry run: files/s | peak MiB |\n|---|---|---|---|---|\n"
    largest = planned[-1]
    title = f"Planning {largest.files:,} files"
    growth = (largest.dry_run.peak_bytes - planned[0].dry_run.peak_bytes) / MIB
    reached = [
        Reached(title, "files/s", 30_000, largest.files / largest.dry_run.seconds),
        Reached(title, f"MiB more than for {planned[0].files:,} files", 32, growth, at_most=True),
    ]
    return Section(title, head + "\n".join(rows), reached)


def whole(sections: Sequence[Section], versions: Sequence[str]) -> str:
    """All of a run."""
    goals = "\n".join(reached.row() for section in sections for reached in section.reached)
    parts = [f"Measured on {datetime.now(UTC):%Y-%m-%d}: {', '.join([*versions, *_machine()])}."]
    if goals:
        parts.append(f"| work | figure | to reach | measured | reached |\n|---|---|---|---|---|\n{goals}")
    return "\n\n".join([*parts, *(f"### {section.title}\n\n{section.text}" for section in sections)])


def write(text: str) -> None:
    """Put it into the page, in the place of an earlier run's."""
    page = PAGE.read_text()
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    PAGE.write_text(f"{before}{_BEGIN}\n\n{text}\n\n{_END}{after}")


def _facts(contest: Contest) -> str:
    """What was sent, how often, and whether the machine was quiet."""
    sources = {tool: measured.source for tool, measured in contest.rounds[0].items()}
    ours = sources[OURS]
    size = _size(ours.bytes) if ours.bytes else "empty"
    sent = f"{ours.files:,} files, {size}" if ours.files > 1 else size
    fewer = [f"{tool} sent {source.files:,} of them" for tool, source in sources.items() if source.files != ours.files]
    runs = [measured for held in contest.rounds for measured in held.values()]
    noisy = sum(measured.noisy for measured in runs)
    quiet = f"in {noisy} of {len(runs)} runs something else had more than a tenth of a core" if noisy else ""
    return "; ".join(part for part in (f"{sent}, {_rounds(contest.rounds)}", *fewer, quiet) if part) + "."


def _figures(contest: Contest) -> str:
    source = contest.rounds[0][OURS].source
    columns: dict[str, Figure] = {"s": seconds}
    if source.files > 1:
        columns["files/s"] = files_per_second
    if source.bytes > MIB:
        columns["MB/s"] = lambda measured: bytes_per_second(measured) / 1e6
    if source.files > 1:
        columns["CPU s per 1,000 files"] = lambda measured: cpu_per_file(measured) * 1000
    elif source.bytes > MIB:
        columns["CPU s per GB"] = lambda measured: cpu_per_file(measured) * 1e9 / source.bytes
    else:
        columns["CPU s"] = cpu_per_file
    columns["peak MiB"] = lambda measured: peak_bytes(measured) / MIB
    if contest.rounds[0][OURS].arrived.requests:  # somebody has counted
        columns["connections"] = lambda measured: measured.arrived.connections
        columns["in flight"] = lambda measured: measured.arrived.in_flight
        columns["requests"] = lambda measured: measured.arrived.requests
    rows = [
        f"| {tool}, {command.setting} | {' | '.join(_short(contest.median(tool, figure)) for figure in columns.values())} |"
        for tool, command in contest.chosen.items()
    ]
    return _table(["", *columns], rows)


def _ratios(contest: Contest) -> str:
    shown: tuple[tuple[str, Figure], ...] = (("speed", files_per_second), ("CPU", cpu_per_file), ("memory", peak_bytes))
    rows = []
    for peer in list(contest.chosen)[1:]:
        cells = []
        for _, figure in shown:
            ratios = contest.ratios(peer, figure)
            cells.append(f"{_short(statistics.median(ratios))} ({_short(ratios[0])} to {_short(ratios[-1])})")
        rows.append(f"| {peer} | {' | '.join(cells)} |")
    return _table(["s3tui / peer", *(name for name, _ in shown)], rows)


def _table(columns: Sequence[str], rows: Sequence[str]) -> str:
    return "\n".join([f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", *rows])


def _short(number: float) -> str:
    """Two or three digits that count; whole numbers whole."""
    if number == int(number) or abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:.3g}" if abs(number) >= 1 else f"{number:.2g}"


def _size(count: int) -> str:
    unit, name = next((unit, name) for unit, name in ((1 << 30, "GiB"), (MIB, "MiB"), (1024, "KiB"), (1, "bytes")) if count >= unit)
    return f"{count / unit:.3g} {name}"


def _rounds(rounds: Sequence[object]) -> str:
    return f"medians of {len(rounds)} rounds" if len(rounds) > 1 else "one round"


def _machine() -> list[str]:
    return [f"Python {platform.python_version()}", f"{os.cpu_count()} cores", f"{platform.system()} {platform.release()}"]

"""What `s3tui video` costs beside ffmpeg alone: `python -m benchmarks.video [--rounds N] [--seconds N] [--quick]`.

Both make the same segments of the same clip with the same command line, in turn, round by round; ours also looks at the clip first,
sends and proves all that it makes, and makes pictures and playlists. ffmpeg has the low priority in both. The store is a real one,
`rclone serve s3`, which has its share of the same cores. Believe the ratios more than the seconds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from benchmarks.contest import place
from benchmarks.meter import Run, RunFailed, metered
from benchmarks.page import Reached
from benchmarks.sources import Source
from benchmarks.stores import BUCKET, PREFIX, RunningRclone
from benchmarks.tools import S3TUI, TARGET, environment_of
from benchmarks.workloads import MIB
from s3tui.media import commands
from s3tui.media.binary import Ffmpeg, find_ffmpeg
from s3tui.media.ladder import Choices, plan_for
from s3tui.media.plan import Plan
from s3tui.media.probe import probe

_LOOK_SECONDS = 0.03
_RCLONE = str(Path(sys.executable).with_name("rclone"))
_STORE = "store"
"""The store's directory, in that of a run."""
_NICE = ["nice", "-n", "10"]
"""What ffmpeg runs with below `s3tui video`."""


@dataclass(frozen=True)
class Work:
    """A clip, and what is made of it."""

    name: str
    clip: Path
    ladder: str

    @property
    def choices(self) -> Choices:
        """As the command line has them."""
        return Choices(heights=tuple(map(int, self.ladder.split(","))) if self.ladder != "auto" else ())


@dataclass(frozen=True)
class Ours:
    """One run of the whole command."""

    run: Run
    first: float
    """Seconds from the start of the command until the store has its first segment."""
    written: int
    """Bytes that the store has in the end."""
    peak: int
    """Bytes of its work directory at the most, as far as anybody has looked."""


@dataclass(frozen=True)
class Round:
    """Both, one after the other."""

    bare: Run
    ours: Ours
    start_up: Run
    """A dry run of the same: what the program needs before there is anything to encode."""


class _Looks(threading.Thread):
    """Looks again and again how much lies in a work directory that comes and goes, and whether a first segment is in the store."""

    def __init__(self, work: Path, stored: Path) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self.first = 0.0
        """On the monotonic clock."""
        self._work, self._stored = str(work), stored
        self._over = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            self.peak = max(self.peak, _size(self._work))
            if not self.first and next(self._stored.glob("*/*/00001.m4s"), None) is not None:
                self.first = time.monotonic()


def main() -> int:
    """Measure, and print Markdown."""
    parser = argparse.ArgumentParser(description="Measure `s3tui video` beside ffmpeg alone.")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each work (default: 3)")
    parser.add_argument("--seconds", type=int, default=60, help="length of the clip (default: 60)")
    parser.add_argument("--quick", action="store_true", help="ten seconds and one round: whether it works, not how fast")
    options = parser.parse_args()
    rounds, seconds = (1, 10) if options.quick else (options.rounds, options.seconds)
    with tempfile.TemporaryDirectory(prefix="s3tui-bench-") as name:
        directory, ffmpeg = Path(name), find_ffmpeg(os.environ.get("S3TUI_FFMPEG", ""))
        clip = make_clip(directory, ffmpeg, seconds)
        encode, cut = Work("encode", clip, "auto"), Work("cut", clip, "720")
        held = {work.name: hold(directory, work, ffmpeg, count) for work, count in ((encode, rounds), (cut, 3 * rounds))}
        rungs = ", ".join(rung.name for rung in plan_for(probe(bytes(clip), ffmpeg), encode.choices).rungs)
    print(f"{seconds} s of 1280x720 at 25/s, {clip_facts(rungs, ffmpeg)}, {rounds} rounds.\n")
    print(told(held["encode"], held["cut"]))
    return 0


def make_clip(directory: Path, ffmpeg: Ffmpeg, seconds: int) -> Path:
    """720p25 with sound, moving and a little noisy; it fits as it is, with a key frame every two seconds."""
    clip = directory / "clip.mp4"
    pictures = f"testsrc2=size=1280x720:rate=25:duration={seconds},noise=alls=4:allf=t,format=yuv420p"
    encoder = ("-c:v", "libx264", "-preset", "superfast", "-crf", "26", "-g", "50", "-c:a", "aac", "-ac", "2", "-ar", "48000")
    inputs = ("-f", "lavfi", "-i", pictures, "-f", "lavfi", "-i", f"sine=sample_rate=48000:duration={seconds}")
    subprocess.run([ffmpeg.path, "-nostdin", "-v", "error", *inputs, *encoder, str(clip)], check=True)
    return clip


def hold(directory: Path, work: Work, ffmpeg: Ffmpeg, rounds: int) -> list[Round]:
    """Run both in turn. Raises RunFailed."""
    held = []
    for number in range(rounds):
        start_up = dry_run(directory, work)
        if number % 2:
            ours = whole_command(directory, work)
            bare = ffmpeg_alone(directory, work, ffmpeg)
        else:
            bare = ffmpeg_alone(directory, work, ffmpeg)
            ours = whole_command(directory, work)
        held.append(Round(bare, ours, start_up))
        noise = max(bare.foreign, ours.run.foreign)
        print(
            f"  {work.name}, round {number + 1}: ffmpeg {bare.seconds:.2f} s, s3tui {ours.run.seconds:.2f} s, "
            f"CPU {bare.cpu_seconds:.2f} and {ours.run.cpu_seconds:.2f} s; others had up to {noise:.1f} cores",
            file=sys.stderr,
        )
    return held


def ffmpeg_alone(directory: Path, work: Work, ffmpeg: Ffmpeg) -> Run:
    """The same command line, and nothing else."""
    source = probe(bytes(work.clip), ffmpeg)
    plan = plan_for(source, work.choices)
    _demand_cut_only_where_meant(work, plan)
    with place(directory) as here:
        for name in plan.renditions:
            (here / name).mkdir()
        return metered([*_NICE, *commands.hls(ffmpeg.path, source, plan)], here, os.environ)


def whole_command(directory: Path, work: Work) -> Ours:
    """`s3tui video` with a new store and a place of its own. Raises RunFailed."""
    with place(directory) as here, _store(here, work) as store:
        stored = here / _STORE / BUCKET / PREFIX
        with _Looks(here / "state" / "s3tui" / "video", stored) as looks:
            began = time.monotonic()
            run = metered(_command(work), here, environment_of(here, store), beside=[store.pid])
        return Ours(run, looks.first - began, _size(str(stored)), looks.peak)


def dry_run(directory: Path, work: Work) -> Run:
    """As far as the plan."""
    with place(directory) as here, _store(here, work) as store:
        return metered([*_command(work), "--dry-run"], here, environment_of(here, store), beside=[store.pid])


def _command(work: Work) -> list[str]:
    return [S3TUI, "--quiet", "video", str(work.clip), TARGET, "--ladder", work.ladder]


@contextmanager
def _store(here: Path, work: Work) -> Iterator[RunningRclone]:
    store = RunningRclone(_RCLONE, here / _STORE, Source(work.clip, 1, work.clip.stat().st_size))
    try:
        yield store
    finally:
        store.close()


def clip_facts(rungs: str, ffmpeg: Ffmpeg) -> str:
    """What it becomes, and on what."""
    return f"made into {rungs}; ffmpeg {ffmpeg.version}, {os.cpu_count()} cores"


def told(encodes: Sequence[Round], cuts: Sequence[Round]) -> str:
    """Goals, then figures."""
    goals = [
        Reached("An encode", "wall time / ffmpeg's", 1.1, _median(_slower(one) for one in encodes), at_most=True),
        Reached("An encode", "first segment stored / ffmpeg's time", 0.3, _median(_first(one) for one in encodes), at_most=True),
        Reached("An encode", "CPU time / ffmpeg's", 1.1, _median(_dearer(one) for one in encodes), at_most=True),
        Reached("A cut", "wall time / ffmpeg's", 2.0, _median(_slower(one) for one in cuts), at_most=True),
        Reached("A cut", "the same, without start-up", 2.0, _median(_slower_once_started(one) for one in cuts), at_most=True),
    ]
    head = "| work | figure | to reach | measured | reached |\n|---|---|---|---|---|\n"
    columns = "|  | ffmpeg: s | CPU s | s3tui: s | CPU s | start-up: s | wall / ffmpeg's | CPU / ffmpeg's |\n" + "|---" * 8 + "|\n"
    rows = [_row("encode", encodes), _row("cut", cuts)]
    peak, written = max(one.ours.peak for one in encodes), encodes[0].ours.written
    disk = f"Of {written / MIB:.1f} MiB that the encode sent, at most {peak / MIB:.1f} MiB ({peak / written:.0%}) lay on the disk."
    others = _median(run.foreign for one in encodes for run in (one.bare, one.ours.run))
    disk += f" Others had {others:.1f} cores meanwhile."
    return head + "\n".join(goal.row() for goal in goals) + f"\n\n{columns}" + "\n".join(rows) + f"\n\n{disk}"


def _row(name: str, rounds: Sequence[Round]) -> str:
    runs = [(one.bare, one.ours.run, one.start_up) for one in rounds]
    bare, ours, start_up = ([measured[at] for measured in runs] for at in range(3))
    figures = [
        *(f"{_median(run.seconds for run in bare):.2f}", f"{_median(run.cpu_seconds for run in bare):.2f}"),
        *(f"{_median(run.seconds for run in ours):.2f}", f"{_median(run.cpu_seconds for run in ours):.2f}"),
        *(f"{_median(run.seconds for run in start_up):.2f}", _spread([_slower(one) for one in rounds])),
        _spread([_dearer(one) for one in rounds]),
    ]
    return f"| {name} | {' | '.join(figures)} |"


def _slower(one: Round) -> float:
    return one.ours.run.seconds / one.bare.seconds


def _slower_once_started(one: Round) -> float:
    return (one.ours.run.seconds - one.start_up.seconds) / one.bare.seconds


def _dearer(one: Round) -> float:
    return one.ours.run.cpu_seconds / one.bare.cpu_seconds


def _first(one: Round) -> float:
    return one.ours.first / one.bare.seconds


def _spread(ratios: Sequence[float]) -> str:
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def _median(figures: Iterable[float]) -> float:
    return statistics.median(figures)


def _size(directory: str) -> int:
    """Bytes of all files below; of what goes meanwhile, nothing."""
    total = 0
    with suppress(FileNotFoundError), os.scandir(directory) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                total += _size(entry.path) if entry.is_dir() else entry.stat().st_size
    return total


def _demand_cut_only_where_meant(work: Work, plan: Plan) -> None:
    if plan.remuxes != (work.name == "cut"):
        raise RunFailed(f"The clip does not suit the work: {work.name}.")


if __name__ == "__main__":
    sys.exit(main())

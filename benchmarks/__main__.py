"""Measures s3tui beside s5cmd, rclone and the AWS CLI: `python -m benchmarks [--only WORK...] [--rounds N] [--files N] [--quick]`.

Everything happens on this machine, between a tool and a store of our own. A whole run also writes docs/performance.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import contest, overhead, page, peers, scan, sources
from benchmarks.meter import RunFailed
from benchmarks.page import Section
from benchmarks.peers import Peers
from benchmarks.workloads import FULL, QUICK, WORKLOADS, Sizes
from s3tui import __version__

OVERHEAD, SCAN = "overhead", "scan"
EVERYTHING = (*WORKLOADS, OVERHEAD, SCAN)
"""All that can be measured, in the order of a run; the last two have no peers."""


@dataclass(frozen=True)
class Bench:
    """One run."""

    peers: Peers
    directory: Path
    sizes: Sizes
    rounds: int

    def measure(self, name: str) -> Section:
        """One kind of work. Raises RunFailed."""
        print(f"{name} ...", file=sys.stderr)
        if name == OVERHEAD:
            source = sources.small_files(self.directory, self.sizes.files)
            return page.of_overhead(overhead.measure(self.directory, source, self.rounds))
        if name == SCAN:
            sizes = sorted({1_000, self.sizes.planned // 20, self.sizes.planned})
            return page.of_scan([scan.measure(self.directory, files) for files in sizes])
        workload = WORKLOADS[name]
        tools = workload.commands(self.peers, self.directory, self.sizes)
        held = contest.hold(self.directory, workload.store(self.peers), tools, self.rounds * workload.repeat)
        return page.of_contest(workload, held)


def main() -> int:
    """Measure, print, and write the page; 1 if any work could not be measured."""
    options = _options()
    if not sys.platform.startswith("linux"):
        raise SystemExit("The benchmarks need Linux: they read CPU time and memory of process trees from /proc.")
    began = time.monotonic()
    installed = peers.installed()
    sections, failed = [], False
    with tempfile.TemporaryDirectory(prefix="s3tui-bench-") as name:
        bench = Bench(installed, Path(name), _sizes(options), options.rounds or (1 if options.quick else 3))
        for work in options.only or EVERYTHING:
            try:
                sections.append(bench.measure(work))
                print(f"\n### {sections[-1].title}\n\n{sections[-1].text}\n", flush=True)
            except RunFailed as error:
                failed = True
                print(f"{work} could not be measured: {error}", file=sys.stderr)
    text = page.whole(sections, [f"s3tui {__version__}", *installed.versions()])
    print(text.partition("\n\n### ")[0])
    print(f"It took {(time.monotonic() - began) / 60:.0f} minutes.", file=sys.stderr)
    if not (options.only or options.quick or failed):
        page.write(text)
    return int(failed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure s3tui beside s5cmd, rclone and the AWS CLI.")
    parser.add_argument("--only", nargs="+", choices=EVERYTHING, metavar="WORK", help=f"some of {', '.join(EVERYTHING)}")
    parser.add_argument("--rounds", type=int, help="rounds of each work (default: 3)")
    parser.add_argument("--files", type=int, help="small files (default: 50,000); 20 times as many are only planned")
    parser.add_argument("--large", type=float, metavar="GIB", help="size of the large file (default: 4)")
    parser.add_argument("--quick", action="store_true", help="small sizes and one round: whether it works, not how fast")
    return parser.parse_args()


def _sizes(options: argparse.Namespace) -> Sizes:
    sizes = QUICK if options.quick else FULL
    if options.files:
        sizes = replace(sizes, files=options.files, planned=20 * options.files)
    if options.large:
        sizes = replace(sizes, large=int(options.large * (1 << 30)))
    return sizes


if __name__ == "__main__":
    sys.exit(main())

"""How fast a tree is planned, and that memory stays flat however large it is.

Two figures for each size: the scan alone, and a whole `s3tui upload --dry-run`, which also lists the bucket, writes every row to
the database and prints it. Files are empty, so that nothing but their number counts.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks import contest, sources, stores, tools
from benchmarks.meter import Run, metered
from benchmarks.tools import Task, Work

_SCAN = """
import sys
from s3tui.transfer.choice import Choice
from s3tui.transfer.plan import scan
for _ in scan([sys.argv[1].encode()], prefix="", choice=Choice(), created_at=0):
    pass
"""


@dataclass(frozen=True)
class Planned:
    """How a tree of so many files was planned."""

    files: int
    scan: Run
    dry_run: Run


def measure(directory: Path, files: int) -> Planned:
    """Plan a tree of so many empty files."""
    source = sources.empty_files(directory, files)
    print(f"  {files:,} files", file=sys.stderr)
    scanned = metered([sys.executable, "-c", _SCAN, str(source.path)], directory, os.environ)
    command = tools.s3tui(Task(Work.DRY_RUN, source))[0]
    return Planned(files, scanned, contest.once(directory, stores.sink(), command).run)

"""How fast a tree is planned, and that memory stays flat however large it is: `python benchmarks/scan.py [--files N...]`.

Two figures for each size: the scan alone, and a whole `s3tui upload --dry-run`, which also lists the bucket, writes every row to
the database and prints it. Files are empty, so that nothing but their number counts.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from s3tui.storage.local_endpoint import LocalEndpoint

BUCKET = "bench"
FILES_IN_A_DIRECTORY = 1000
SCAN = """
import sys
from s3tui.transfer.filters import Rules
from s3tui.transfer.plan import scan
for _ in scan([sys.argv[1].encode()], prefix="", rules=Rules(()), follow_symlinks=False, encode_names=""):
    pass
"""


@dataclass(frozen=True)
class Run:
    """One process from start to end."""

    seconds: float
    peak_mib: float


def main() -> int:
    """Measure, and print a Markdown table."""
    parser = argparse.ArgumentParser(description="Plan trees of empty files.")
    parser.add_argument("--files", type=int, nargs="+", default=[1_000, 30_000, 300_000])
    sizes = parser.parse_args().files
    with tempfile.TemporaryDirectory(prefix="s3tui-bench-") as name:
        directory = Path(name)
        with LocalEndpoint(log=directory / "endpoint.log") as endpoint:
            endpoint.create_bucket(BUCKET)
            environment = environment_of(directory, endpoint.url)
            rows = [(files, *measure(directory, environment, files)) for files in sizes]
    print_table(rows)
    return 0


def measure(directory: Path, environment: Mapping[str, str], files: int) -> tuple[Run, Run]:
    """The scan alone, and the whole dry run, of a tree of this many files."""
    print(f"{files} files ...", file=sys.stderr)
    tree = directory / f"tree-{files}"
    make_tree(tree, files)
    scanned = timed([sys.executable, "-c", SCAN, str(tree)], directory, environment)
    command = [sys.executable, "-m", "s3tui", "--quiet", "upload", "--dry-run", str(tree), f"s3://{BUCKET}/{files}"]
    return scanned, timed(command, directory, environment)


def print_table(rows: list[tuple[int, Run, Run]]) -> None:
    """One row for each size, and how memory grew from the smallest to the largest."""
    print("\n| files | scan: files/s | peak MiB | dry run: files/s | seconds | peak MiB |\n|---|---|---|---|---|---|")
    for files, scanned, planned in rows:
        scan = f"{files / scanned.seconds:,.0f} | {scanned.peak_mib:.0f}"
        print(f"| {files:,} | {scan} | {files / planned.seconds:,.0f} | {planned.seconds:.1f} | {planned.peak_mib:.0f} |")
    growth = [run.peak_mib - first.peak_mib for run, first in zip(rows[-1][1:], rows[0][1:], strict=True) if isinstance(run, Run)]
    print(
        f"\nFrom {rows[0][0]:,} to {rows[-1][0]:,} files the scan grew by {growth[0]:.0f} MiB, the dry run by {growth[1]:.0f} MiB."
    )


def timed(command: list[str], directory: Path, environment: Mapping[str, str]) -> Run:
    """Run a command to its end; it must succeed."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=directory, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} ended with exit code {process.returncode}.")
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Run(time.perf_counter() - started, usage.ru_maxrss / unit)


def make_tree(root: Path, files: int) -> None:
    """So many empty files."""
    for number in range(files):
        directory = root / f"{number // FILES_IN_A_DIRECTORY:05}"
        if number % FILES_IN_A_DIRECTORY == 0:
            directory.mkdir(parents=True)
        (directory / f"{number:07}.txt").touch()


def environment_of(directory: Path, url: str) -> dict[str, str]:
    """This environment, with a store, keys and a state directory that are only the benchmark's."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "S3TUI_"))},
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench-secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": url,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "XDG_STATE_HOME": str(directory / "state"),
        "XDG_CONFIG_HOME": str(directory / "config"),
    }


if __name__ == "__main__":
    sys.exit(main())

"""How fast many small files go to S3, beside the AWS CLI: `python benchmarks/upload.py [--files N] [--size BYTES] [--rounds N]`.

The store is `rclone serve s3` on loopback, a real server that is the same for both. Runs are paired and alternate in order, so that
whatever else the machine does hits both alike; each is a whole command from its start to its end. Believe the ratios, not the
absolute values. The AWS CLI gets an environment of its own under `build/`, as its dependencies need not agree with ours.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

ROOT = Path(__file__).parents[1]
BUCKET = "bench"
KEYS = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench-secret", "AWS_DEFAULT_REGION": "us-east-1"}


@dataclass(frozen=True)
class Run:
    """One command from start to end."""

    seconds: float
    cpu_seconds: float


def main() -> int:
    """Measure, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0] if __doc__ else None)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--size", type=int, default=8192, help="bytes of each file")
    parser.add_argument("--rounds", type=int, default=5, help="pairs of runs")
    options = parser.parse_args()
    aws = aws_command()
    with tempfile.TemporaryDirectory(prefix="s3tui-bench-") as name:
        directory = Path(name)
        make_tree(directory / "tree", options.files, options.size)
        with rclone_server(directory) as url:
            tools = tools_on(directory, url, aws)
            rounds = [one_round(directory, tools, number, options.files) for number in range(options.rounds + 1)]
    print_table(rounds[1:], options.files, options.size)
    return 0


def tools_on(directory: Path, url: str, aws: str) -> dict[str, Callable[[str], Run]]:
    """What is compared: each takes the run's name and uploads the tree under it."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "S3TUI_"))},
        **KEYS,
        "AWS_ENDPOINT_URL": url,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "XDG_STATE_HOME": str(directory / "state"),
        "XDG_CONFIG_HOME": str(directory / "config"),
    }

    def s3tui(run: str) -> Run:
        command = [sys.executable, "-m", "s3tui", "--quiet", "upload", "tree", f"s3://{BUCKET}/{run}"]
        return timed(command, directory, environment)

    def aws_cli(run: str) -> Run:
        return timed([aws, "s3", "cp", "--recursive", "--only-show-errors", "tree", f"s3://{BUCKET}/{run}"], directory, environment)

    return {"s3tui upload": s3tui, "aws s3 cp --recursive": aws_cli}


def one_round(directory: Path, tools: Mapping[str, Callable[[str], Run]], number: int, files: int) -> dict[str, Run]:
    """One run of each; the order turns with every round. Round 0 only warms caches."""
    order = list(tools) if number % 2 else list(tools)[::-1]
    measured = {}
    for tool in order:
        run = f"{tool.split()[0]}-{number}"
        measured[tool] = tools[tool](run)
        stored = sum(path.is_file() for path in (directory / "store" / BUCKET / run).rglob("*"))
        if stored != files:
            raise SystemExit(f"`{tool}` stored {stored} of {files} files: nothing to compare.")
        print(f"round {number}: {tool}: {measured[tool].seconds:.1f} s", file=sys.stderr)
        shutil.rmtree(directory / "store" / BUCKET / run)
    return measured


def print_table(rounds: list[dict[str, Run]], files: int, size: int) -> None:
    """Medians over the rounds; the ratio is the median of the rounds' own ratios."""
    ours, theirs = "s3tui upload", "aws s3 cp --recursive"
    print(f"\n{files} files of {size} bytes, {len(rounds)} pairs, {os.cpu_count()} cores\n")
    print("| | files/s | seconds | CPU seconds |\n|---|---|---|---|")
    for tool in (ours, theirs):
        seconds = statistics.median(measured[tool].seconds for measured in rounds)
        cpu = statistics.median(measured[tool].cpu_seconds for measured in rounds)
        print(f"| `{tool}` | {files / seconds:.0f} | {seconds:.2f} | {cpu:.2f} |")
    speed = sorted(measured[theirs].seconds / measured[ours].seconds for measured in rounds)
    cpu = statistics.median(measured[ours].cpu_seconds / measured[theirs].cpu_seconds for measured in rounds)
    print(f"\nIn files/s s3tui has {statistics.median(speed):.2f} of the AWS CLI ({speed[0]:.2f} to {speed[-1]:.2f}),", end=" ")
    print(f"in CPU time {cpu:.2f}.")


def timed(command: list[str], directory: Path, environment: Mapping[str, str]) -> Run:
    """Run a command to its end; it must succeed."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=directory, env=environment, check=True, stdout=subprocess.DEVNULL)
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Run(seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def make_tree(root: Path, files: int, size: int) -> None:
    """The same random files every time, a hundred to a directory."""
    random = Random(1)
    for number in range(files):
        path = root / f"{number // 100:04}" / f"{number:06}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(random.randbytes(size))


def aws_command() -> str:
    """The AWS CLI, installed by name on first use."""
    directory = ROOT / "build" / "bench-venv"
    command = directory / "bin" / "aws"
    if not command.exists():
        print(f"Installing the AWS CLI into {directory.relative_to(ROOT)} ...", file=sys.stderr)
        venv.create(directory, with_pip=True, clear=True)
        subprocess.run([directory / "bin" / "python", "-m", "pip", "install", "--quiet", "awscli"], check=True)
    return str(command)


@contextmanager
def rclone_server(directory: Path) -> Iterator[str]:
    """`rclone serve s3` over `directory/store`, with the bucket made; yields its URL."""
    (directory / "store" / BUCKET).mkdir(parents=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    rclone = shutil.which("rclone", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}") or "rclone"
    keys = f"{KEYS['AWS_ACCESS_KEY_ID']},{KEYS['AWS_SECRET_ACCESS_KEY']}"
    command = [
        rclone,
        "serve",
        "s3",
        "--config",
        os.devnull,
        "--addr",
        f"127.0.0.1:{port}",
        "--auth-key",
        keys,
        str(directory / "store"),
    ]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=(directory / "rclone.log").open("wb"))
    try:
        until_it_listens(server, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def until_it_listens(server: subprocess.Popen[bytes], port: int) -> None:
    """Return when the port takes connections."""
    while server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit(f"rclone ended with status {server.returncode} before it listened.")


if __name__ == "__main__":
    sys.exit(main())

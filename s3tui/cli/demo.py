"""`s3tui demo`: the whole path on this machine alone: a sample tree, an S3 endpoint, and this program between them.

The demo runs the commands that a person would type, as processes in an environment of their own. So neither settings, keys nor
jobs of the user reach the demo, nor does the demo leave anything behind: all it writes is in one temporary directory.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s3tui.cli.parser import Parser, add_global_options
from s3tui.cli.signals import signals_to
from s3tui.text import format_size

if TYPE_CHECKING:
    from types import FrameType

    from s3tui.cli.sample import Sample

DONE, PARTIAL = 0, 2

_BUCKET = "demo"
_TARGET = f"s3://{_BUCKET}/sample/"
_WORKER_SECONDS = 10.0

_FOREIGN = ("AWS_", "S3TUI_", "S3_BUCKET_NAME", "S3_PREFIX", "DATABASE_URL", "RABBITMQ_URL", "REDIS_URL", "BOTO_")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def add_options(parser: Parser) -> None:
    """What `demo` takes."""
    parser.description = (
        "Start an S3 endpoint on this machine, make a sample tree, and open the terminal UI on them. One file is "
        "refused at first: select it and press r. Nothing outside a temporary directory is read or written."
    )
    parser.add_argument("--headless", action="store_true", help="upload the sample, retry what failed, print the report, and end")
    add_global_options(parser, after=True)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the demo; returns the exit code. Raises ConfigError when the extra `demo` is missing."""
    from s3tui.cli.sample import REFUSED, make_sample
    from s3tui.storage.local_endpoint import LocalEndpoint

    signal.signal(signal.SIGHUP, _hang_up)
    headless = arguments.headless or not (sys.stdin.isatty() and sys.stdout.isatty())
    _say("Starting an S3 endpoint and writing a sample tree ...")
    with tempfile.TemporaryDirectory(prefix="s3tui-demo-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        refused = f"{_TARGET.removeprefix(f's3://{_BUCKET}/')}{REFUSED}"
        with LocalEndpoint(log=directory / "endpoint.log", refuse_once=[refused]) as endpoint:
            endpoint.create_bucket(_BUCKET)
            work = directory / "work"
            sample = make_sample(work / "sample")
            place = Place(work, _environment(os.environ, directory, endpoint.url))
            try:
                return _headless(place, sample, endpoint.url) if headless else place.run("tui", "sample", _TARGET)
            finally:
                place.stop_workers()


@dataclass(frozen=True, slots=True)
class Place:
    """Where the demo's commands run: their working directory and their whole environment."""

    directory: Path
    environment: Mapping[str, str]

    def run(self, *words: str) -> int:
        """Run one `s3tui` command to its end; returns its exit code."""
        noted: list[int] = []
        with signals_to(lambda number, _: noted.append(number)):  # else one might leave a process behind that nobody knows
            process = subprocess.Popen([sys.executable, "-m", "s3tui", *words], cwd=self.directory, env=self.environment)
        try:
            for number in noted:
                signal.raise_signal(number)
            return process.wait()
        except BaseException:
            # it puts the terminal in order before it leaves
            process.terminate()
            process.wait()
            raise

    def stop_workers(self) -> None:
        """End the background workers that the demo's commands started: their database and their endpoint are about to go."""
        from s3tui.state.store import Store

        directory = Path(self.environment["XDG_STATE_HOME"]) / "s3tui"
        if not directory.exists():
            return
        store = Store("sqlite", directory)
        try:
            pids = [row.pid for row in store.workers.alive()]
        finally:
            store.close()
        deadline = time.monotonic() + _WORKER_SECONDS
        for pid in pids:
            _end(pid, deadline)


def _headless(place: Place, sample: Sample, url: str) -> int:
    _say(
        f"An S3 endpoint listens on {url}; the sample holds {sample.files} files ({format_size(sample.bytes)}), a link and a FIFO."
    )
    results = ("--output-json", "report.json")
    code = _show(place, "upload", "sample", _TARGET, *results)
    if code == PARTIAL:
        _say("\nThe endpoint refused one file, on purpose. Send what failed again:")
        code = _show(place, "jobs", "retry", _report(place)["job"], *results)
    if code in (DONE, PARTIAL):
        _conclude(_report(place))
    return code


def _report(place: Place) -> Mapping[str, Any]:
    report: dict[str, Any] = json.loads((place.directory / "report.json").read_bytes())
    return report


def _conclude(report: Mapping[str, Any]) -> None:
    totals = report["totals"]
    counts = ", ".join(f"{totals[name]} {name}" for name in ("found", "uploaded", "skipped", "failed"))
    print(f"Report of job {report['job']}, {report['state']}: {counts}; {format_size(totals['bytes'])} on S3.")


def _show(place: Place, *words: str) -> int:
    _say(f"\n$ s3tui {shlex.join(words)}")
    return place.run(*words)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _environment(outer: Mapping[str, str], directory: Path, url: str) -> dict[str, str]:
    """The user's environment without anything that says which S3, whose keys, or which database."""
    kept = {name: value for name, value in outer.items() if not name.startswith(_FOREIGN) and name.upper() not in _PROXIES}
    return kept | {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "XDG_STATE_HOME": str(directory / "state"),
        "XDG_CONFIG_HOME": str(directory / "config"),
    }


def _end(pid: int, deadline: float) -> None:
    # not a child of ours: there is nothing to wait for but its absence
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        while time.monotonic() < deadline:
            os.kill(pid, 0)
            time.sleep(0.05)
        os.kill(pid, signal.SIGKILL)


def _hang_up(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt

"""The command lines that are compared: s3tui as people run it, each peer in every setting that may suit the work."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from benchmarks.meter import RunFailed
from benchmarks.sources import Source
from benchmarks.stores import BUCKET, KEYS, PREFIX, RunningStore

TARGET = f"s3://{BUCKET}/{PREFIX}/"
S3TUI = str(Path(sys.executable).parent / "s3tui")
_REPORT = "report.json"
_LARGE = 64 << 20
"""From here on the size of parts matters."""
_RCLONE_TUNED = (
    *("--checkers", "16", "--s3-no-head", "--s3-no-check-bucket", "--no-check-dest", "--no-traverse"),
    *("--ignore-checksum", "--s3-disable-checksum", "--s3-use-multipart-etag=false", "--multi-thread-streams", "0"),
    *("--retries", "1", "--log-level", "ERROR"),
)


class Work(Enum):
    """What a tool is asked to do."""

    TREE = "upload a directory"
    FILE = "upload one file"
    DRY_RUN = "say what an upload of a directory would do"


@dataclass(frozen=True)
class Task:
    """What a tool is asked."""

    work: Work
    source: Source
    concurrency: int | None = None
    """Transfers in flight that it is told; None: what suits it."""

    @property
    def path(self) -> str:
        """Of the source."""
        return str(self.source.path)

    @property
    def large(self) -> bool:
        """Whether it matters into which parts a file is cut."""
        return self.source.bytes / self.source.files > _LARGE


@dataclass(frozen=True)
class Command:
    """One tool in one setting. It runs in a directory of its own."""

    tool: str
    setting: str
    task: Task
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    """What this setting adds to `environment_of`."""
    files: Mapping[str, str] = field(default_factory=dict)
    """What must lie in its directory before it starts."""
    check: Callable[[Path, Source], None] | None = None
    """Looks at what the command has left in its directory; what has arrived is the store's to prove."""


def environment_of(directory: Path, store: RunningStore) -> dict[str, str]:
    """What all tools run in: the store, its keys and its certificate, and nothing of the person who measures."""
    key, secret = KEYS
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "S3_", "S3TUI_", "RCLONE_", "XDG_"))},
        "HOME": str(directory),
        "XDG_STATE_HOME": str(directory / "state"),
        "XDG_CONFIG_HOME": str(directory / "config"),
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": store.url,
        "S3_ENDPOINT_URL": store.url,
        "RCLONE_CONFIG": os.devnull,
        "RCLONE_S3_PROVIDER": "Other",
        "RCLONE_S3_ENV_AUTH": "true",
        "RCLONE_S3_ENDPOINT": store.url,
    }
    if store.certificate:
        environment |= {"AWS_CA_BUNDLE": str(store.certificate), "RCLONE_CA_CERT": str(store.certificate)}
    return environment


def s3tui(task: Task) -> list[Command]:
    """Journal and report included, as always."""
    upload = [S3TUI, "--quiet", "upload", task.path, TARGET]
    if task.work is Work.DRY_RUN:
        return [Command("s3tui", "as it comes", task, [*upload, "--dry-run"])]
    upload += ["--output-json", _REPORT]
    if task.concurrency is None:
        return [Command("s3tui", "as it comes", task, upload, check=_report_balances)]
    concurrency = str(task.concurrency)
    return [Command("s3tui", f"{concurrency} transfers", task, [*upload, "--concurrency", concurrency], check=_report_balances)]


def s5cmd(program: str, task: Task) -> list[Command]:
    """With different numbers of workers, or of parts at a time."""
    if task.work is Work.DRY_RUN:
        return [Command("s5cmd", "as it comes", task, [program, "--dry-run", "cp", f"{task.path}/", TARGET])]
    quiet = [program, "--log", "error"]
    if task.work is Work.TREE:
        return [
            Command("s5cmd", f"{workers} workers", task, [*quiet, "--numworkers", str(workers), "cp", f"{task.path}/", TARGET])
            for workers in ([task.concurrency] if task.concurrency else [16, 64, 256])
        ]
    if not task.large:
        return [Command("s5cmd", "as it comes", task, [*quiet, "cp", task.path, TARGET])]
    return [
        Command("s5cmd", f"{many} x {size} MiB", task, [*quiet, "cp", "-c", many, "-p", size, task.path, TARGET])
        for many, size in (("5", "50"), ("8", "16"), ("16", "16"))
    ]


def rclone(program: str, task: Task) -> list[Command]:
    """Tuned: as it comes it asks for every object before and after sending it."""
    copy = [program, "copy", task.path, f":s3:{BUCKET}/{PREFIX}"]
    if task.work is Work.DRY_RUN:
        return [Command("rclone", "as it comes", task, [*copy, "--dry-run", "--log-file", os.devnull])]
    copy += _RCLONE_TUNED
    if task.work is Work.TREE:
        transfers = str(task.concurrency or 32)
        return [Command("rclone", f"{transfers} transfers", task, [*copy, "--transfers", transfers])]
    if not task.large:
        return [Command("rclone", "tuned", task, copy)]
    return [
        Command("rclone", f"{many} x {size} MiB", task, [*copy, "--s3-upload-concurrency", many, "--s3-chunk-size", f"{size}Mi"])
        for many, size in (("4", "5"), ("8", "16"))
    ]


def aws(program: str, task: Task) -> list[Command]:
    """As it comes, but for the number of requests where that is given."""
    copy = [program, "s3", "cp", task.path, TARGET]
    if task.work is Work.DRY_RUN:
        return [Command("aws", "as it comes", task, [*copy, "--recursive", "--dryrun"])]
    copy += ["--only-show-errors"]
    if task.work is Work.TREE:
        copy += ["--recursive"]
    if task.concurrency is None:
        return [Command("aws", "as it comes", task, copy)]
    config = f"[default]\ns3 =\n  max_concurrent_requests = {task.concurrency}\n"  # there is no option for it
    files = {"aws.config": config}
    return [Command("aws", f"{task.concurrency} requests", task, copy, {"AWS_CONFIG_FILE": "aws.config"}, files)]


def _report_balances(directory: Path, source: Source) -> None:
    """The report must name every file, uploaded. Raises RunFailed."""
    report = json.loads((directory / _REPORT).read_text())
    totals = report["totals"]
    told = (report["state"], totals["found"], totals["uploaded"], totals["bytes"], len(report["files"]))
    if told != ("completed", source.files, source.files, source.bytes, source.files):
        raise RunFailed(f"The report says {told} of {source.files} files and {source.bytes} bytes.")

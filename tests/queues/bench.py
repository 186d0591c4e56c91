"""A queue to try a broker on, and workers that take units from it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dramatiq

from s3tui.queues.broker import declare_units, publish
from s3tui.queues.messages import queue_name, unit_envelope
from s3tui.queues.rabbitmq import open_rabbitmq
from s3tui.queues.retries import short_retries
from s3tui.queues.sqlite import SQLiteBroker

RABBITMQ = "amqp://guest:guest@127.0.0.1:5672"
JOB = "01JOB"
ROOT = Path(__file__).parents[2]

Take = Callable[[str, int], None]


def open_by_name(where: str, lease: float) -> dramatiq.Broker:
    """The broker at a RabbitMQ URL or in an SQLite file, with leases of `lease` seconds where there are any."""
    if where.startswith("amqp"):
        return open_rabbitmq(where)
    return SQLiteBroker(Path(where), lease=lease, middleware=[short_retries()])


@dataclass(frozen=True)
class Bench:
    """One queue of one broker, which nobody else uses."""

    where: str
    queue: str
    log: Path
    """Child processes write a line here for each unit: their pid and the unit's number."""

    @property
    def name(self) -> str:
        return queue_name(self.queue)

    def open(self, lease: float = 30.0) -> dramatiq.Broker:
        return open_by_name(self.where, lease)

    def send(self, *units: int, priority: int = 0) -> None:
        broker = self.open()
        for unit_no in units:
            publish(broker, unit_envelope(self.queue, JOB, unit_no, priority).body)
        broker.close()

    def rows(self, columns: str = "*") -> list[tuple[object, ...]]:
        """The rows of the queue, oldest first; only an SQLite broker has any."""
        connection = sqlite3.connect(self.where)
        try:
            return connection.execute(f"SELECT {columns} FROM message WHERE queue = ? ORDER BY id", (self.name,)).fetchall()
        finally:
            connection.close()

    def lines(self) -> list[tuple[int, int]]:
        """What child processes have taken: (pid, unit number)."""
        text = self.log.read_text() if self.log.exists() else ""
        return [(int(pid), int(unit_no)) for pid, unit_no in (line.split() for line in text.splitlines())]

    def child(self, mode: str, lease: float = 30.0) -> subprocess.Popen[bytes]:
        """A worker in a process of its own; see `taker.py`."""
        command = [sys.executable, "-m", "tests.queues.taker", mode, self.where, self.queue, str(lease), str(self.log)]
        return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE)


@contextmanager
def working(
    broker: dramatiq.Broker, queues: list[str], take: Take, *, threads: int = 1, worker_timeout: int = 100
) -> Iterator[dramatiq.Worker]:
    """A worker of this process, stopped and its broker closed at the end of the block."""
    names = declare_units(broker, queues, take)
    worker = dramatiq.Worker(broker, queues=names, worker_threads=threads, worker_timeout=worker_timeout)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()
        broker.close()


class Taker:
    """Remembers what it took. While `go` is clear, it does not get done with a unit."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.taken: list[int] = []
        self.go = threading.Event()
        self.go.set()

    def __call__(self, job_id: str, unit_no: int) -> None:
        assert job_id == JOB
        self.begun.append(unit_no)
        assert self.go.wait(30)
        self.taken.append(unit_no)

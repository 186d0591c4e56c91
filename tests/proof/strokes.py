"""What befalls an ingest, and when: drawn from a seed, and paced by what has landed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from s3tui.errors import StateLost
from s3tui.model import Job
from tests.proof.scale import FULL, SCALE
from tests.proof.scene import Scene, batch_of, forget, units_of
from tests.waiting import wait_until

_SECONDS = 120
"""What it may take until the next stroke is due."""
_JITTER_SECONDS = 0.25


class Point(StrEnum):
    """Where a worker is when it is killed."""

    SENDING = "while it sends a batch"
    STORED = "when a batch is stored, and not in the database"
    ENDING = "when all of a unit is in the database, and the unit is not finished"
    ANYWHERE = "anywhere"


class Restart(StrEnum):
    """Of a server."""

    DATABASE = "PostgreSQL is restarted"
    BROKER = "RabbitMQ is restarted"


def drawn(seed: int, *, kills: int, restarts: int) -> list[tuple[int, Point | Restart]]:
    """The strokes in order, each with how many batches land between the one before and it."""
    dice = Random(seed)
    points = [list(Point)[number % len(Point)] for number in range(kills)]
    strokes: list[Point | Restart] = [point for point in points if point is not Point.ENDING]
    strokes += [*Restart] * restarts
    dice.shuffle(strokes)
    for _ in range(points.count(Point.ENDING)):  # of the first units: later ones are long, and end late
        strokes.insert(dice.randrange(1 + len(strokes) // 6), Point.ENDING)
    step = SCALE.batches * 2 // 5 // len(strokes)
    return [(dice.randrange(step // 4, step), stroke) for stroke in strokes]


@dataclass
class Strokes:
    """A job that is disturbed, and what has befallen it."""

    scene: Scene
    job: Job
    dice: Random
    without_ledger: bool = False
    """Whether the marks of what a killed worker had in hand are forgotten: the negative control."""
    made: Counter[Point | Restart] = field(default_factory=Counter)
    forgotten: int = 0
    """Units whose marks were taken."""

    def strike(self, after: int, stroke: Point | Restart) -> None:
        """Let it happen once so many more batches have landed. The job must not be over by then."""
        due = self.scene.landed(self.job) + after
        self._until(lambda: self.scene.landed(self.job) >= due, f"batch {due}")
        if isinstance(stroke, Restart):
            self._restart(stroke)
        elif stroke in (Point.SENDING, Point.STORED):
            self._kill_at_the_store(stroke)
        elif stroke is Point.ENDING:
            self._kill_at_the_end_of_a_unit()
        else:
            time.sleep(self.dice.uniform(0, _JITTER_SECONDS))
            self._kill(self.dice.choice(self.scene.workforce.processes).pid)
        self.made[stroke] += 1

    def wait_for_the_end(self) -> Job:
        """Keep workers at work until the job is over; nothing more befalls it, so it need not be slow."""
        self.scene.front.put_seconds = 0
        self._until(lambda: self.scene.job(self.job).state.ended, "the job to end", seconds=SCALE.seconds, over=True)
        return self.scene.job(self.job)

    def _restart(self, restart: Restart) -> None:
        server = self.scene.database if restart is Restart.DATABASE else self.scene.broker
        assert server is not None
        # An ingest would be over before a broker is back; one that is small, before a database is.
        times = 9999 if restart is Restart.BROKER or not FULL else 0
        held = self.scene.front.hold("PutObject", "batch-", times=times, seconds=300)
        server.restart()
        held.times = 0
        held.open()

    def _kill_at_the_store(self, point: Point) -> None:
        front = self.scene.front
        fault = (
            front.hold("PutObject", "batch-", after=1000) if point is Point.SENDING else front.hold_answer("PutObject", "batch-")
        )
        try:
            self._until(fault.arrived.is_set, "a batch to be sent")
            holder = self.scene.holder(self.job, batch_of(fault.met[0]))
            self._kill(holder if holder in self._pids else self._pids[0])
        finally:
            fault.open()

    def _kill_at_the_end_of_a_unit(self) -> None:
        found: list[int] = []

        def seen() -> bool:
            found.extend(pid for pid in self.scene.at_the_end(self.job) if pid in self._pids)
            return bool(found)

        self._until(seen, "a unit at its end")
        self._kill(found[0])

    def _kill(self, pid: int) -> None:
        alone = self.dice.random() < 0.25
        if not self.without_ledger:
            self.scene.workforce.kill(pid, alone=alone)
            return
        wait_until(lambda: self._kill_and_forget(pid, alone=alone), _SECONDS, "the marks of the killed to be taken")

    def _kill_and_forget(self, pid: int, *, alone: bool) -> bool:
        """False: a worker was at the same rows, and PostgreSQL has broken the transaction off; as a worker would, ask again."""
        try:
            with self.scene.state.database.write() as connection:
                units = units_of(connection, self.job, pid)
                self.scene.workforce.kill(pid, alone=alone)
                for unit_no in units:
                    forget(connection, self.job, unit_no)
        except StateLost:
            return False
        self.forgotten += len(units)
        return True

    @property
    def _pids(self) -> list[int]:
        return [process.pid for process in self.scene.workforce.processes]

    def _until(self, due: Callable[[], object], what: str, *, seconds: float = _SECONDS, over: bool = False) -> None:
        def is_due() -> bool:
            self.scene.workforce.tend()
            if due():
                return True
            job = self.scene.job(self.job)
            assert over or not job.state.ended, f"The job is {job.state} ({job.error}) before {what}."
            return False

        wait_until(is_due, seconds, what)

"""A large file arrives complete and in order, each record once, whatever dies meanwhile; and without the ledger it would not."""

from __future__ import annotations

import time
from dataclasses import dataclass
from random import Random

import pytest

from s3tui.model import Job, JobState
from tests.proof.conftest import Flights
from tests.proof.flights import REASONS
from tests.proof.scale import FULL, SCALE, SEEDS
from tests.proof.scene import Scene
from tests.proof.strokes import Point, Restart, Strokes, drawn
from tests.proof.verdict import Verdict, judged, rejects_file, reported

pytestmark = pytest.mark.thorough(one_in=5)


@dataclass
class Ingest:
    """A disturbed ingest that is over."""

    job: Job
    verdict: Verdict
    strokes: Strokes
    seconds: float

    def tell(self, name: str, flights: Flights, seed: int) -> None:
        """Print its figures, which `make proof` shows."""
        made, rows = self.strokes.made, len(flights.expected.rows)
        kills, restarts = sum(made[point] for point in Point), [made[restart] for restart in Restart]
        points = ", ".join(f"{made[point]} {point}" for point in Point)
        rejects, gave_up = len(flights.expected.rejects), self.strokes.scene.workforce.gave_up
        print(
            f"\n{name}, seed {seed}: {rows:,} rows and {rejects:,} rejects in {self.seconds:.0f} s; {kills} kills ({points});",
            f"restarts of PostgreSQL and RabbitMQ: {restarts[0]}, {restarts[1]}; workers that ended by themselves: {gave_up};",
            self.verdict,
        )


def disturbed(scene: Scene, flights: Flights, seed: int, *, kills: int, restarts: int = 0, without_ledger: bool = False) -> Ingest:
    """Ingest the file, and let all that befall it."""
    scene.linger()
    scene.workforce.start()
    began = time.monotonic()
    strokes = Strokes(scene, scene.submit(flights.file), Random(seed), without_ledger=without_ledger)
    for after, stroke in drawn(seed, kills=kills, restarts=restarts):
        strokes.strike(after, stroke)
    job = strokes.wait_for_the_end()
    seconds = time.monotonic() - began
    scene.workforce.dismiss()
    return Ingest(job, judged(scene.state, job, scene.bucket, flights.expected, flights.objects), strokes, seconds)


def assert_whole(scene: Scene, flights: Flights, ingest: Ingest) -> None:
    """Everything is where it must be, and nothing is left over."""
    expected, job = flights.expected, ingest.job
    assert ingest.verdict.clean, ingest.verdict
    assert job.state is JobState.PARTIAL, job.error
    rows, rejects = len(expected.rows), len(expected.rejects)
    assert reported(scene.state, job) == {"read": rows + rejects, "inserted": rows, "rejected": rejects}
    assert rejects_file(scene.bucket, job) == expected.rejects
    assert scene.bucket.open_uploads() == []
    assert [*(scene.home.directory / "state" / "s3tui" / "ingest").glob("*")] == []
    assert scene.home.workers() == []


def test_the_file_has_what_makes_csv_hard(flights: Flights) -> None:
    assert flights.expected.reasons.keys() == REASONS
    assert len(flights.expected.rows) >= SCALE.rows - len(flights.expected.rejects)
    assert len(flights.objects) >= SCALE.batches


def test_an_undisturbed_ingest_brings_it_whole(flights: Flights) -> None:
    assert flights.verdict.clean, flights.verdict


@pytest.mark.parametrize("seed", SEEDS)
def test_on_sqlite_kills_lose_and_double_nothing(embedded: Scene, flights: Flights, seed: int) -> None:
    ingest = disturbed(embedded, flights, seed, kills=SCALE.kills)
    ingest.tell("SQLite", flights, seed)
    assert sum(ingest.strokes.made.values()) == SCALE.kills
    assert_whole(embedded, flights, ingest)


@pytest.mark.parametrize("seed", SEEDS)
def test_on_a_cluster_kills_and_restarts_lose_and_double_nothing(clustered: Scene, flights: Flights, seed: int) -> None:
    ingest = disturbed(clustered, flights, seed, kills=SCALE.kills, restarts=SCALE.restarts)
    ingest.tell("PostgreSQL and RabbitMQ", flights, seed)
    assert [ingest.strokes.made[restart] for restart in Restart] == [SCALE.restarts] * 2
    assert_whole(clustered, flights, ingest)


@pytest.mark.parametrize("place", ["embedded", "clustered"] if FULL else ["embedded"])
def test_without_the_ledger_the_same_kills_double_rows(request: pytest.FixtureRequest, flights: Flights, place: str) -> None:
    """The negative control: what sees no duplicates above can see them."""
    scene: Scene = request.getfixturevalue(place)
    ingest = disturbed(scene, flights, SEEDS[0], kills=SCALE.kills, without_ledger=True)
    ingest.tell(f"Without the ledger, {place}", flights, SEEDS[0])
    assert ingest.strokes.forgotten > 0
    assert ingest.verdict.duplicated > 0
    with pytest.raises(AssertionError):
        assert_whole(scene, flights, ingest)
    assert (ingest.verdict.lost, ingest.verdict.wrong, ingest.verdict.objects_differ) == (0, 0, 0)

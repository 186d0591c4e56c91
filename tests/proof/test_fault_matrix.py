"""Every fault of a store, at every operation: once, it is got over; for ever, the command ends with a sentence; nothing is lost.

A fault that lasts is taken away afterwards, and what the command left is asked for again: then all of it is there, nothing twice,
and nothing is left open. `make proof` tries every cell; other runs a few, drawn from the seed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from tests.certificates import self_signed
from tests.cli.command import Ended, Home
from tests.front import FaultFront
from tests.proof.errands import SMALL, Errand, tree_of
from tests.proof.mangling import oversized, slow, torn, wrong_checksum
from tests.proof.mutants import Mutant
from tests.proof.scale import FULL, SEEDS
from tests.proof.trial import Trial, tried
from tests.servers import Store, rclone_server
from tests.transfer.rides import MIB, filled

pytestmark = pytest.mark.thorough(one_in=5)

_EVER = 10**6
_BOUND_SECONDS = 240
"""What a command may take that gets no answer at all, twice, from each of its requests."""
_AT_A_TIME = 8
_SAMPLE = 6
"""Cells that are tried with every run of the tests."""

Arm = Callable[[FaultFront, str, int], object]


def _answers(status: int, code: str, **headers: str) -> Arm:
    return lambda front, operation, times: front.fail(operation, _OURS, status=status, code=code, times=times, **headers)


def _say_nothing(front: FaultFront, operation: str, times: int) -> object:
    """Until the client has long given up. Of a part, rclone would keep what it has got, and take it from nobody else meanwhile."""
    arm = front.silence if operation == "UploadPart" else front.hold
    return arm(operation, _OURS, times=times, seconds=_BOUND_SECONDS)


_OURS = r"^(?!.*\.s3tui-probe)"
"""The requests of probes are left alone: a job does not depend on them."""

_FAULTS: dict[str, Arm] = {
    "reset": lambda front, operation, times: front.reset(operation, _OURS, times=times),
    "hang": _say_nothing,
    "slow": lambda front, operation, times: front.mangle(operation, slow, _OURS, times=times),
    "500": _answers(500, "InternalError"),
    "503 with Retry-After": _answers(503, "SlowDown", retry_after="1"),
    "torn answer": lambda front, operation, times: front.mangle(operation, torn, _OURS, times=times),
    "oversized answer": lambda front, operation, times: front.mangle(operation, oversized, _OURS, times=times),
    "wrong checksum": lambda front, operation, times: front.mangle(operation, wrong_checksum, _OURS, times=times),
    "stored, not answered": lambda front, operation, times: front.lose_answer(operation, _OURS, times=times),
    "403": _answers(403, "AccessDenied"),
    "expired credentials": _answers(400, "ExpiredToken"),
    "clock skew": _answers(403, "RequestTimeTooSkewed"),
}
_FOR_GOOD = frozenset({"403", "expired credentials", "clock skew", "wrong checksum"})
"""What nobody gets over by asking again: even once, the command may end with it."""
_PLACES = {
    "small": ("PutObject", "HeadObject", "ListObjectsV2"),
    "multipart": ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "AbortMultipartUpload", "HeadObject"),
}


@dataclass(frozen=True)
class Cell:
    """One fault at one operation."""

    fault: str
    operation: str
    size: str
    times: int
    engine: str

    def __str__(self) -> str:
        often = "for ever" if self.times == _EVER else "once"
        return f"{self.fault}, {often}, at {self.operation}, {self.size}, {self.engine}"


def _cells() -> Iterator[Cell]:
    for engine in ("wire", "s3transfer"):
        for fault in _FAULTS:
            for size, operations in _PLACES.items():
                for operation in operations:
                    yield Cell(fault, operation, size, 1, engine)
                    yield Cell(fault, operation, size, _EVER, engine)


def _errand(size: str) -> Errand:
    contents = SMALL if size == "small" else {"large": filled(16 * MIB + 5)}
    words = ("backup", "tree", "--delete-after-upload", "--skip-unchanged", "--part-size", "5MiB", "--max-attempts", "2")
    return Errand(size, words, tree_of(contents), len(contents), deletes=True)


def faulty(cell: Cell, directory: Path, rclone: Store) -> list[str]:
    """What is wrong with how a command fares in a cell."""
    with tried(_errand(cell.size), directory, rclone, S3TUI_TRANSFER__ENGINE=cell.engine) as trial:
        if cell.operation == "AbortMultipartUpload":
            wrong, ended, seconds = _cancelled(trial, cell)
        else:
            _FAULTS[cell.fault](trial.front, cell.operation, cell.times)
            wrong, ended, seconds = [], *_timed(trial.run)
        wrong += _wrong_with(cell, ended, seconds) + [f"with the fault: {what}" for what in trial.wrong_now()]
        trial.front.heal()
        return wrong + [f"after it: {what}" for what in _healed(trial, cell)]


def _cancelled(trial: Trial, cell: Cell) -> tuple[list[str], Ended, float]:
    """A job whose upload stays open, and is dropped when it is cancelled: then the fault is there."""
    trial.front.fail("UploadPart", _OURS, status=500, code="InternalError", times=_EVER)
    begun = trial.run()
    wrong = [] if begun is not None and begun.code == 2 else [f"the job did not end in part: {begun}"]
    trial.front.heal()
    _FAULTS[cell.fault](trial.front, cell.operation, cell.times)
    ended, seconds = _timed(lambda: trial.say("jobs", "cancel", trial.jobs[0][0]))
    return wrong, ended, seconds


def _timed(run: Callable[[], Ended | None]) -> tuple[Ended, float]:
    began = time.monotonic()
    ended = run()
    assert ended is not None
    return ended, time.monotonic() - began


def _wrong_with(cell: Cell, ended: Ended, seconds: float) -> list[str]:
    """What is wrong with how a command that met a fault has ended."""
    got_over = cell.times == 1 and cell.fault not in _FOR_GOOD
    checks = {
        f"it took {seconds:.0f} s": seconds < _BOUND_SECONDS,
        "it printed a traceback": "Traceback" not in ended.stderr + ended.stdout,
        f"it ended with {ended.code}: {ended.stderr}": ended.code in ((0,) if got_over else (0, 1, 2)),
        "it said nothing": ended.code == 0 or bool((ended.stderr + ended.stdout).strip()),
    }
    return [wrong for wrong, holds in checks.items() if not holds]


def _healed(trial: Trial, cell: Cell) -> list[str]:
    """Ask once more for what a fault has left undone; what is wrong then."""
    [(job, state)] = trial.jobs
    if cell.operation == "AbortMultipartUpload":
        trial.say("jobs", "cancel", job)
        return ["an upload is open still"] if trial.store.open_uploads() or trial.known_uploads() else []
    if state in ("partial", "failed"):
        again = trial.say("jobs", "retry", job) if state == "partial" else trial.say("jobs", "resume", job)
        if again.code != 0:
            return [f"{state}, it did not go on: {again}"]
    return trial.wrong_at_the_end(trial.sources)


@pytest.mark.skipif(not FULL, reason="`make proof` tries every cell")
@pytest.mark.parametrize("engine", ["wire", "s3transfer"])
@pytest.mark.parametrize("fault", _FAULTS)
def test_no_fault_at_any_operation_loses_or_leaves_anything(rclone: Store, tmp_path: Path, fault: str, engine: str) -> None:
    cells = [cell for cell in _cells() if (cell.fault, cell.engine) == (fault, engine)]
    assert _wrong_in(cells, tmp_path, rclone) == {}


def test_a_sample_of_the_faults_loses_and_leaves_nothing(rclone: Store, tmp_path: Path) -> None:
    cells = [cell for cell in _cells() if cell.fault != "hang"]
    assert _wrong_in(Random(SEEDS[0]).sample(cells, _SAMPLE), tmp_path, rclone) == {}


def _wrong_in(cells: list[Cell], directory: Path, rclone: Store) -> dict[str, list[str]]:
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        homes = [directory / f"cell-{number}" for number in range(len(cells))]
        outcomes = list(pool.map(lambda cell, home: faulty(cell, home, rclone), cells, homes))
    print(f"\n{len(cells)} cells: {cells[0]} ... {cells[-1]}")
    return {str(cell): wrong for cell, wrong in zip(cells, outcomes, strict=True) if wrong}


@pytest.mark.parametrize("endpoint", ["http://no-such-store.invalid", "tls"])
def test_an_endpoint_that_cannot_be_found_or_trusted_costs_one_sentence(tmp_path: Path, rclone: Store, endpoint: str) -> None:
    home = Home(tmp_path / "home")
    home.at(rclone)
    tree_of(SMALL)(home.work)
    words = ("backup", "tree", "s3://bucket/p", "--delete-after-upload", "--max-attempts", "2")
    if endpoint == "tls":
        certificate, key = self_signed(tmp_path)
        (tmp_path / "buckets").mkdir()
        with rclone_server(tmp_path / "buckets", "--cert", str(certificate), "--key", str(key)) as store:
            ended = home.run(*words, "--endpoint-url", store.url)
    else:
        ended = home.run(*words, "--endpoint-url", endpoint)
    assert ended.code == 1
    assert "s3://bucket" in ended.sentence
    assert {str(path.relative_to(home.work / "tree")) for path in (home.work / "tree").rglob("*") if path.is_file()} == SMALL.keys()


def test_without_proof_a_store_that_spoils_bytes_loses_them(rclone: Store, tmp_path: Path) -> None:
    """The negative control: what is found not to be lost above is seen to be."""
    proving = "proof = self._prover.prove(source, target, stored.receipt)"
    proven = "proof = __import__('s3tui.model').model.Proof.SERVER_CHECKSUM"
    for mutant in (None, Mutant("proof", "jobs/backup.py", proving, proven)):
        environment = mutant.grown(tmp_path / "mutant") if mutant else {}
        with tried(_errand("small"), tmp_path / f"home-{mutant is None}", rclone, **environment) as trial:
            trial.front.spoil("PutObject", "p/z", times=_EVER)
            ended = trial.run()
            assert ended is not None
            lost = ["'z' is gone, and its object has not its bytes"] if mutant else []
            assert (ended.code, trial.wrong_now()) == (0 if mutant else 2, lost)

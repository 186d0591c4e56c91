"""Mixed jobs with faults for as long as it is asked for: nothing that a worker holds may grow.

    python -m tests.proof.soak --minutes 120

Two workers carry uploads, multipart uploads, backups that delete, and ingests, one after the other, while the store refuses,
throttles and breaks off. Memory, descriptors, threads, working files and the database are sampled; whatever is larger in the last
third than in the one before by more than a little has grown. A job that does not end, or not as it must, ends the soak, too.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from random import Random
from statistics import median

from tests.cli.command import Home
from tests.front import FaultFront
from tests.proof.scene import state_of
from tests.proof.workforce import Workforce
from tests.servers import Store, rclone_server
from tests.transfer.rides import MIB, filled

_WORKERS = 2
_SAMPLE_SECONDS = 2.0
_JOB_SECONDS = 120
_WARM_SHARE = 3
"""One in so many samples is of the beginning, when caches fill."""
_MAY_GROW = {
    "memory_mib": (1.15, 16),
    "descriptors": (1.1, 8),
    "threads": (1.1, 4),
    "files": (1.0, 4),
    "database_bytes_a_row": (1.2, 60),
}
"""By how much, as a factor and besides."""
_FAULTS = ("PutObject", "UploadPart", "CreateMultipartUpload", "CompleteMultipartUpload", "HeadObject")


@dataclass(frozen=True)
class Sample:
    """What the workers hold, all together."""

    memory_mib: float
    descriptors: float
    threads: float
    files: float
    """Working files beside the database."""
    database_bytes_a_row: float
    """Rows of files and of CSV, which stay: there are more with each job."""


def grown(samples: list[Sample]) -> list[str]:
    """What is larger in the last third than in the second, in words."""
    third = len(samples) // _WARM_SHARE
    before, after = samples[third : 2 * third], samples[2 * third :]
    found = []
    for name in (field.name for field in fields(Sample)):
        earlier, later = (median(getattr(sample, name) for sample in part) for part in (before, after))
        factor, besides = _MAY_GROW[name]
        if later > earlier * factor + besides:
            found.append(f"{name} grew from {earlier:.0f} to {later:.0f}")
    return found


class Soak:
    """A home with workers, a store behind a front, and the jobs that were done."""

    def __init__(self, home: Home, workforce: Workforce, store: Store, front: FaultFront, seed: int) -> None:
        self._home, self._workforce, self._store, self._front = home, workforce, store, front
        self._dice = Random(seed)
        self.samples: list[Sample] = []
        self.jobs = 0

    def run(self, seconds: float) -> None:
        """Carry jobs for so long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._one_job()
            self._workforce.tend()

    def _one_job(self) -> None:
        self.jobs += 1
        words = self._laid_out(self._dice.choice(["upload", "backup", "ingest"]))
        self._disturb()
        detached = self._home.run(*words, f"s3://{self._store.bucket}/{self.jobs}", "--detach", "--quiet")
        assert detached.code == 0, detached.stderr
        deadline = time.monotonic() + _JOB_SECONDS
        while not (job := self._home.jobs()[0]).state.ended:
            assert time.monotonic() < deadline, f"{words} does not end: {job.state} {job.error}"
            self.samples.append(self._sample())
            time.sleep(_SAMPLE_SECONDS)
        self.samples.append(self._sample())
        self._front.heal()
        totals = job.totals
        assert totals.found == totals.uploaded + totals.skipped + totals.failed, totals
        if totals.failed or job.error:
            retried = self._home.run("jobs", "retry" if totals.failed else "resume", job.id, "--quiet")
            assert retried.code == 0, retried.stderr
        shutil.rmtree(self._home.work)
        self._home.work.mkdir()

    def _laid_out(self, kind: str) -> list[str]:
        tree = self._home.work / "tree"
        tree.mkdir()
        if kind == "ingest":
            (tree / "rows.csv").write_text("id,name\n" + "".join(f"{row},name {row}\n" for row in range(20_000)))
            return ["ingest", "tree/rows.csv"]
        for number in range(self._dice.randrange(20, 400)):
            (tree / f"file-{number:03}").write_bytes(filled(self._dice.randrange(20_000)))
        if self._dice.random() < 0.3:
            (tree / "large").write_bytes(filled(24 * MIB))
        return [kind, "tree", *(["--delete-after-upload"] if kind == "backup" else [])]

    def _disturb(self) -> None:
        for operation in self._dice.sample(_FAULTS, 3):
            times = self._dice.randrange(1, 20)
            what = self._dice.choice(["slow down", "trouble", "reset", "lose answer"])
            if what == "slow down":
                self._front.fail(operation, times=times)
            elif what == "trouble":
                self._front.fail(operation, status=500, code="InternalError", times=times)
            elif what == "reset":
                self._front.reset(operation, times=times)
            else:
                self._front.lose_answer(operation)

    def _sample(self) -> Sample:
        processes = [pid for one in self._workforce.processes for pid in _with_children(one.pid)]
        state = self._home.directory / "state" / "s3tui"
        files = sum(1 for name in ("video", "ingest") for _ in (state / name).rglob("*"))
        database = sum(path.stat().st_size for path in state.glob("state.db"))
        return Sample(
            sum(_memory(pid) for pid in processes),
            sum(_entries(pid, "fd") for pid in processes),
            sum(_entries(pid, "task") for pid in processes),
            files,
            database / self._rows(),
        )

    def _rows(self) -> int:
        with state_of(self._home) as state, state.database.read() as connection:
            [(rows,)] = connection.rows("SELECT (SELECT count(*) FROM transfer) + (SELECT count(*) FROM ingest_rows)")
            return max(1, int(rows))


def _with_children(pid: int) -> list[int]:
    try:
        children = [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
    except OSError:
        return []
    return [pid, *(found for child in children for found in _with_children(child))]


def _memory(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MIB
    except OSError:
        return 0


def _entries(pid: int, name: str) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/{name}"))  # noqa: PTH208 - names alone
    except OSError:
        return 0


@contextmanager
def soaking(directory: Path, seed: int) -> Iterator[Soak]:
    """A soak in this directory."""
    (directory / "buckets").mkdir()
    with rclone_server(directory / "buckets") as rclone:
        store = rclone.with_bucket()
        with FaultFront(store.url) as front:
            home = Home(directory / "home")
            home.at(store.behind(front))
            workforce = Workforce(home, _WORKERS, directory / "workers.log")
            try:
                workforce.start()
                yield Soak(home, workforce, store, front, seed)
            finally:
                workforce.end()


def main() -> int:
    """Soak, and say what has grown."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.proof.soak", description="Carry mixed jobs with faults, and see that nothing grows."
    )
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, soaking(Path(directory), arguments.seed) as soak:
        soak.run(arguments.minutes * 60)
        what = grown(soak.samples)
        print(f"{soak.jobs} jobs, {len(soak.samples)} samples; first and last:")
        for sample in (soak.samples[0], soak.samples[-1]):
            print("  ", dict(zip((field.name for field in fields(Sample)), map(round, astuple(sample)), strict=True)))
        print("\n".join(what) or "nothing has grown")
    return 1 if what else 0


if __name__ == "__main__":
    sys.exit(main())

"""One errand that is killed at one step and run again, and what is then wrong, by the files, the store and the database alone."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.cli.command import Ended, Home
from tests.front import FaultFront, Passage
from tests.proof.errands import ROWS, Errand
from tests.servers import Store
from tests.waiting import wait_until

SEAMS = ("files", "database", "store")
_SECONDS = 300
"""What one command may take: some are never answered."""
_GONE_SECONDS = 15
"""What the processes that a killed one had started may take to notice it."""

_PROBING = "SELECT 1 FROM profile WHERE profile LIKE '%probing%'"


@dataclass
class Trial:
    """A home, a bucket of its own, and a command that is run there, perhaps with an s3tui that was spoiled."""

    errand: Errand
    home: Home
    store: Store
    front: FaultFront
    made: dict[str, list[str]] = field(default_factory=dict)
    """The steps of a run that was not killed, by seam."""
    _process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.home.at(self.store.behind(self.front))
        self.home.environment |= self.errand.environment
        self.errand.lay_out(self.home.work)
        self.sources = self.present()
        for name in self.sources:  # rclone never finds a file whose directory another request made at the same moment
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)

    def run(self, seam: str = "", step: int = 0) -> Ended | None:
        """Run the command, and kill it at a step; returns None if that step was made. What it has started must end by itself."""
        passed: list[str] = []
        log = self.home.directory / "steps.json"

        def on_passage(passage: Passage, operation: str, key: str) -> None:
            passed.append(f"{operation} {key} {passage}")
            if seam == "store" and len(passed) == step and self._process is not None:
                self._process.kill()
                raise ConnectionAbortedError

        self.front.on_passage = on_passage
        words = [*self.errand.words, f"s3://{self.store.bucket}/p", "--output-json", "report.json"]
        command = [sys.executable, "-m", "tests.proof.stepping", str(log), seam or "files", str(step), *words]
        self._process = subprocess.Popen(
            command,
            cwd=self.home.work,
            env=self.home.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            stdout, stderr = self._process.communicate(timeout=_SECONDS)
            wait_until(lambda: not _lives(self._process), _GONE_SECONDS, "what the command had started to end")
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        if self._process.returncode == -signal.SIGKILL:
            return None
        if log.exists():
            self.made = json.loads(log.read_text()) | {"store": passed}
        return Ended(self._process.returncode, stdout.decode(), stderr.decode())

    def say(self, *words: str) -> Ended:
        """Run another command at the same home."""
        process = self.home.start(*words)
        stdout, stderr = process.communicate(timeout=_SECONDS)
        return Ended(process.returncode, stdout.decode(), stderr.decode())

    def wrong_now(self) -> list[str]:
        """What must never be, whenever the process dies."""
        wrong = []
        if self.errand.makes_copies:
            objects = self.objects
            lost = [name for name in self.sources.keys() - self.present().keys() if objects.get(name) != self.sources[name]]
            wrong += [f"{name!r} is gone, and its object has not its bytes" for name in lost]
        unknown = len(self.store.open_uploads()) - self.known_uploads()
        return [*wrong, *([f"{unknown} open uploads are not in the ledger"] if unknown > 0 else [])]

    def wrong_at_the_end(self, expected: dict[str, bytes]) -> list[str]:
        """What must not be when the command has been run to its end, once more if it was killed; `expected` are its objects."""
        if not self.job_ended:
            ended = self.run()
            if ended is None or ended.code != 0:
                return [f"the second run failed: {ended}"]
        of_the_job = {
            "there is another number of jobs than one": len(self.jobs) == 1,
            "the job did not complete": [state for _, state in self.jobs] == ["completed"],
            "the report does not count what was found": self._report_is_whole(),
            "rows are missing, doubled or wrong": self.errand.name != "ingest" or self._rows() == _expected_rows(),
            "sources are not as they must be": self.present() == ({} if self.errand.deletes else self.sources),
            "working files are left over": self._working_files() == [],
        }
        self._ask_the_store_anew()
        of_the_store = {
            "objects are missing, left over or other ones": self._alike(self.objects, expected),
            "uploads are open": self.store.open_uploads() == [],
            "the ledger has uploads open": self.known_uploads() == 0,
        }
        return [wrong for wrong, holds in (of_the_job | of_the_store).items() if not holds] + self.wrong_now()

    def _alike(self, objects: dict[str, bytes], expected: dict[str, bytes]) -> bool:
        """Of videos the names alone, as threads do not encode to the same bytes each time. Their validator says the rest."""
        return objects.keys() == expected.keys() if self.errand.name == "video" else objects == expected

    def _ask_the_store_anew(self) -> None:
        """What a probe of the store left that was killed is removed by the next job that sends anything."""
        if self._query(_PROBING):
            (self.home.work / "other").write_bytes(b"other")
            self.home.run("upload", "other", f"s3://{self.store.bucket}/other")

    @cached_property
    def root(self) -> Path:
        """Where the store has what is below the prefix."""
        assert self.store.directory is not None
        return self.store.directory / self.store.bucket / "p"

    @property
    def objects(self) -> dict[str, bytes]:
        """What the store's disk has below the prefix, as if no job had an id."""
        ids = [job_id for job_id, _ in self.jobs] if self.errand.name == "ingest" else []
        found = {}
        for path in self.root.rglob("*"):
            if path.is_file():
                name, data = str(path.relative_to(self.root)), path.read_bytes()
                for job_id in ids:
                    name, data = name.replace(job_id, "ID"), data.replace(job_id.encode(), b"ID")
                found[name] = data
        return found

    @property
    def jobs(self) -> list[tuple[str, str]]:
        """Id and state of each job that the database has."""
        return [(str(job_id), str(state)) for job_id, state in self._query("SELECT id, state FROM job")]

    @property
    def job_ended(self) -> bool:
        """Whether the command was killed when its job was over: run again, it would begin another one."""
        return bool(self.jobs) and all(state == "completed" for _, state in self.jobs)

    def present(self) -> dict[str, bytes]:
        """The sources that are there."""
        tree = self.home.work / "tree"
        return {str(path.relative_to(tree)): path.read_bytes() for path in tree.rglob("*") if path.is_file()}

    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        """Read the database as any program would; nothing, if it has not got so far or is damaged."""
        path = self.home.directory / "state" / "s3tui" / "state.db"
        if not path.exists():
            return []
        with closing(sqlite3.connect(path)) as connection, suppress(sqlite3.DatabaseError):
            return connection.execute(sql).fetchall()
        return []

    def known_uploads(self) -> int:
        """How many open uploads the ledger has."""
        return len(self._query("SELECT 1 FROM multipart")) + len(self._query(_PROBING))

    def _rows(self) -> list[tuple[int, Any]]:
        return [(line, json.loads(data)) for line, data in self._query("SELECT line, data FROM ingest_rows ORDER BY line")]

    def _report_is_whole(self) -> bool:
        [(job_id, _), *_] = self.jobs
        report = self.home.run("jobs", "report", job_id).json
        totals, entries = report["totals"], report["files"]
        ends = totals["uploaded"] + totals["skipped"] + totals["failed"]
        deleted = self.errand.found if self.errand.deletes else 0
        return (totals["found"], ends, totals["uploaded"], len(entries), totals["deleted"]) == (*[self.errand.found] * 4, deleted)

    def _working_files(self) -> list[Path]:
        """What encodes and ingests have written beside the database."""
        state = self.home.directory / "state" / "s3tui"
        return [path for name in ("video", "ingest") for path in (state / name).rglob("*")]


def _expected_rows() -> list[tuple[int, Any]]:
    return [(number + 1, {"id": str(number), "name": f"name {number}"}) for number in range(1, ROWS + 1)]


def _lives(process: subprocess.Popen[bytes] | None) -> bool:
    """Whether anything that a command has started goes on."""
    try:
        os.killpg(process.pid if process else 0, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def tried(errand: Errand, directory: Path, rclone: Store, **environment: str) -> Iterator[Trial]:
    """A trial in a bucket of its own."""
    store = rclone.with_bucket()
    with FaultFront(store.url) as front:
        yield Trial(errand, Home(directory, dict(environment)), store, front)

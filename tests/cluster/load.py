"""A mixed load of small jobs whose end is known beforehand, and the processes that carry it, which may be killed."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from s3tui.errors import StateError
from s3tui.jobs.backup import BackupSpec
from s3tui.jobs.ingest import IngestSpec
from s3tui.jobs.upload import UploadSpec
from s3tui.jobs.video import VideoSpec
from s3tui.model import Job, JobState
from s3tui.service import Service
from s3tui.state.store import Store as StateStore
from tests.cli.command import Home
from tests.cluster.posting import Halfway, Poster
from tests.servers import Store

if TYPE_CHECKING:
    from s3tui.jobs.specs import Spec

FILES = 6
ROWS = 250
_KINDS = ("upload", "backup", "upload", "ingest", "backup", "upload", "backup", "ingest", "upload", "backup")


@dataclass
class SmallJob:
    """One job, and what it must come to."""

    spec: Spec
    contents: dict[str, bytes] = field(default_factory=dict)
    """What must be on S3 in the end, by key, as far as it can be said beforehand."""
    sources: dict[Path, str] = field(default_factory=dict)
    """The key of each source that the job deletes."""
    body: Path | None = None
    """The file that becomes the job if it is posted."""
    options: dict[str, str] = field(default_factory=dict)
    """What is asked of it then."""
    id: str = ""


class Load:
    """Makes jobs, submits them, and knows whether all is as it must be."""

    def __init__(self, directory: Path, bucket: Store, clip: Callable[[], Path]) -> None:
        self._directory = directory
        self._bucket = bucket
        self._clip = clip
        self.jobs: list[SmallJob] = []

    def make(self, number: int, *, videos_each: int = 20) -> SmallJob:
        """The job of this number; of so many, one makes a video."""
        kind = "video" if number % videos_each == videos_each - 1 else _KINDS[number % len(_KINDS)]
        directory = self._directory / f"{number:03}"
        directory.mkdir()
        made: SmallJob = getattr(self, f"_{kind}")(number, directory)
        self.jobs.append(made)
        return made

    def submit(self, service: Service, poster: Poster, job: SmallJob, halfway: Halfway | None = None) -> None:
        """Hand it over: through the API what is a body, through the door what is a directory."""
        if job.body is None:
            job.id = service.submit(job.spec, concurrency=4).job_id
        else:
            key = job.body.parent.name
            job.id = poster.post(job.spec.kind, job.body, job.spec.target, key, job.options, halfway)

    def lost(self) -> list[str]:
        """Sources that are gone though their object is not what they were: there must never be one."""
        return [
            str(path)
            for job in self.jobs
            for path, key in job.sources.items()
            if not path.exists() and self._object(key) != job.contents[key]
        ]

    def wrong(self, store: StateStore) -> list[str]:
        """What is not as it must be when all jobs have ended."""
        found = [text for job in self.jobs for text in self._wrong(store, store.jobs.find(job.id)[0], job)]
        ids = [row.id for row in store.jobs.newest(limit=10_000, before=None)]
        if sorted(ids) != sorted(job.id for job in self.jobs):
            found.append(f"{len(ids)} jobs in the database, and {len(self.jobs)} were submitted")
        return found + [f"{path} is gone, and its object is not there" for path in self.lost()]

    def _wrong(self, store: StateStore, row: Job, job: SmallJob) -> list[str]:
        found = []
        totals = row.totals
        if row.state is not JobState.COMPLETED or (totals.found, totals.failed) != (totals.uploaded, 0):
            found.append(f"job {row.id} ({row.kind}) is {row.state}: {totals}, {row.error}")
        if totals.deleted != len(job.sources) or any(path.exists() for path in job.sources):
            found.append(f"job {row.id} has deleted {totals.deleted} of {len(job.sources)} sources")
        found += [f"{key} of job {row.id} is not what it must be" for key in job.contents if self._object(key) != job.contents[key]]
        if row.kind == "ingest":
            with store.database.read() as connection:
                rows = connection.rows("SELECT count(*), count(DISTINCT line) FROM ingest_rows WHERE job_id = :id", id=row.id)
            if rows != [(ROWS, ROWS)]:
                found.append(f"job {row.id} has {rows} rows, not {ROWS}")
        return found

    def _object(self, key: str) -> bytes | None:
        """What is under a key, past the server: its buckets are directories."""
        assert self._bucket.directory is not None
        path = self._bucket.directory / self._bucket.bucket / key
        return path.read_bytes() if path.is_file() else None

    def _target(self, number: int) -> str:
        return f"s3://{self._bucket.bucket}/{number:03}/"

    def _files(self, number: int, directory: Path) -> dict[Path, str]:
        paths = {directory / f"{name}.bin": f"{number:03}/{name}.bin" for name in range(FILES)}
        for path in paths:
            path.write_bytes(f"{path}\n".encode() * 40)
        return paths

    def _upload(self, number: int, directory: Path) -> SmallJob:
        paths = self._files(number, directory)
        spec = UploadSpec((str(directory),), self._target(number), self._bucket.connection)
        return SmallJob(spec, {key: path.read_bytes() for path, key in paths.items()})

    def _backup(self, number: int, directory: Path) -> SmallJob:
        paths = self._files(number, directory)
        spec = BackupSpec((str(directory),), self._target(number), self._bucket.connection, delete_after_upload=True)
        return SmallJob(spec, {key: path.read_bytes() for path, key in paths.items()}, paths)

    def _ingest(self, number: int, directory: Path) -> SmallJob:
        path = directory / "rows.csv"
        path.write_text("id,name\n" + "".join(f"{row},name of {row}\n" for row in range(ROWS)))
        spec = IngestSpec((str(path),), self._target(number), self._bucket.connection, batch_rows=50)
        return SmallJob(spec, body=path, options={"batch_rows": "50"})

    def _video(self, number: int, directory: Path) -> SmallJob:
        path = directory / "clip.mp4"
        path.write_bytes(self._clip().read_bytes())
        spec = VideoSpec((str(path),), self._target(number), self._bucket.connection, ladder="120", preset="ultrafast")
        return SmallJob(spec, body=path, options={"ladder": "120", "preset": "ultrafast"})


class Supervisor:
    """Keeps so many workers running, as systemd would, and kills one when it is asked to."""

    def __init__(self, home: Home, count: int) -> None:
        self._home = home
        self._workers = [self._begin() for _ in range(count)]
        self.exits: list[str] = []
        """What workers said that ended by themselves."""

    def tend(self) -> bool:
        """Start those anew that have ended; true."""
        for place, worker in enumerate(self._workers):
            if worker.poll() is not None:
                self.exits.append(worker.communicate()[1].decode())
                self._workers[place] = self._begin()
        return True

    def kill(self, place: int) -> None:
        """SIGKILL for one of them; another takes its place."""
        worker = self._workers[place % len(self._workers)]
        worker.kill()
        worker.communicate()
        self._workers[place % len(self._workers)] = self._begin()

    def end(self) -> None:
        """No more of them."""
        for worker in self._workers:
            worker.kill()
            worker.communicate()

    def _begin(self) -> subprocess.Popen[bytes]:
        return self._home.start("worker")


def unended(store: StateStore) -> int | None:
    """How many jobs have not ended; None while the database is away."""
    try:
        with store.database.read() as connection:
            [(count,)] = connection.rows(
                "SELECT count(*) FROM job WHERE state NOT IN ('completed', 'partial', 'failed', 'cancelled')"
            )
    except StateError:
        return None
    return int(count)

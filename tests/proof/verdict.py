"""What has become of a file: every record of it in one place, once, and objects as if nothing had happened."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import orjson

from s3tui.model import Job
from s3tui.report import report_json
from s3tui.state.store import Store as StateStore
from tests.proof.flights import COLUMNS, Expected, digest
from tests.servers import Store


@dataclass
class Verdict:
    """How the records that are there differ from those that must be; all zero, and nothing does."""

    lost: int
    duplicated: int
    wrong: int
    """With other contents, or of no line of the file."""
    rejects_lost: int
    rejects_wrong: int
    objects_differ: int
    """Objects that an undisturbed ingest does not leave, or leaves otherwise, and those that it would."""
    sequence_differs: bool
    """Whether the rows of all objects, one after the other, are not those of the file."""

    @property
    def clean(self) -> bool:
        """Whether nothing differs."""
        return not any(asdict(self).values())


def judged(state: StateStore, job: Job, bucket: Store, expected: Expected, undisturbed: dict[str, bytes]) -> Verdict:
    """Read everything that a job has left."""
    lost, duplicated, wrong = _compared(_rows(state, job), expected.rows)
    rejects_lost, rejects_twice, rejects_wrong = _compared(_rejects(state, job), expected.rejects)
    objects = job_objects(bucket, job)
    differing = {name for name in objects.keys() | undisturbed.keys() if objects.get(name) != undisturbed.get(name)}
    sequence = list(_rows_of_objects(bucket, job))
    return Verdict(
        lost,
        duplicated,
        wrong,
        rejects_lost,
        rejects_twice + rejects_wrong,
        len(differing),
        sequence != list(expected.rows.values()),
    )


def _compared(found: Iterable[tuple[int, object]], expected: dict[int, bytes] | dict[int, str]) -> tuple[int, int, int]:
    """How many of (line, content) are missing, there again, and other than expected."""
    seen: set[int] = set()
    duplicated = wrong = 0
    for line, content in found:
        if expected.get(line) != content:
            wrong += 1
        elif line in seen:
            duplicated += 1
        else:
            seen.add(line)
    return len(expected) - len(seen), duplicated, wrong


def _rows(state: StateStore, job: Job) -> Iterator[tuple[int, object]]:
    query = "SELECT line, data FROM ingest_rows WHERE job_id = :id ORDER BY file, line"
    with state.database.read() as connection:
        for line, data in connection.stream(query, id=job.id):
            row = orjson.loads(data) if isinstance(data, str) else data
            yield line, digest([row.pop(name) for name in COLUMNS]) if row.keys() == set(COLUMNS) else None


def _rejects(state: StateStore, job: Job) -> Iterator[tuple[int, object]]:
    with state.database.read() as connection:
        yield from connection.rows("SELECT line, reason FROM reject WHERE job_no = :no ORDER BY record", no=job.no)


def job_objects(bucket: Store, job: Job) -> dict[str, bytes]:
    """The digest of each object of a job by its name, as if it had no id."""
    return {
        path.name: sha256(path.read_bytes().replace(job.id.encode(), b"")).digest() for path in _directory(bucket, job).iterdir()
    }


def _rows_of_objects(bucket: Store, job: Job) -> Iterator[bytes]:
    for path in sorted(_directory(bucket, job).glob("batch-*.json")):
        batch = orjson.loads(path.read_bytes())
        assert batch["columns"] == COLUMNS
        yield from map(digest, batch["rows"])


def rejects_file(bucket: Store, job: Job) -> dict[int, str]:
    """What `rejects.csv` says: reasons by line."""
    with (_directory(bucket, job) / "rejects.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
        assert header == [*COLUMNS, "_line", "_reason"]
        return {int(row[len(COLUMNS)]): row[len(COLUMNS) + 1] for row in rows}


def reported(state: StateStore, job: Job) -> dict[str, int]:
    """How the report counts the rows of a job of one file, which has ended well."""
    [file] = json.loads("".join(report_json(state, job)))["files"]
    assert file["state"] == "verified"
    rows: dict[str, int] = file["rows"]
    return rows


def _directory(bucket: Store, job: Job) -> Path:
    assert bucket.directory is not None
    return bucket.directory / bucket.bucket / "p" / "uploads" / job.id

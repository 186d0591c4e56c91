"""Rows of `multipart` and `part`: uploads that were begun and neither completed nor aborted.

They are written as facts (see `state.transfers`), under the lease of the file's unit, before the step on the store that depends on
them. So whoever takes the unit next finds what the store already holds, and nothing is left on the store that is not known here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Sequence
from dataclasses import asdict

from s3tui.events import PartStored, UploadDropped, UploadIntended, UploadOpened
from s3tui.model import Fingerprint, Job, JobState, Lease, LingeringUpload, ObjectRef, OpenUpload, StoredPart, now_ms
from s3tui.state.database import Database
from s3tui.state.job_row import JOB, job_of
from s3tui.state.settling import LEASED
from s3tui.state.sql import Connection, Row
from s3tui.state.units import MAY_TAKE, Claimant

LedgerFact = UploadIntended | UploadOpened | PartStored | UploadDropped
"""What is written here."""

SWEEP_MS = 60_000
"""For how long one worker has to itself what it removes from the store."""

_UPLOAD = """
    multipart.no, multipart.bucket, multipart.key, multipart.upload_id, multipart.part_size, multipart.size, multipart.mtime_ns,
    multipart.inode, multipart.checksum, multipart.intended_at"""

_LINGERING = """
SELECT job.id, job.state, multipart.bucket, multipart.key, multipart.upload_id, multipart.intended_at,
    (SELECT CAST(coalesce(sum(part.size), 0) AS BIGINT) FROM part
        WHERE part.job_no = multipart.job_no AND part.no = multipart.no)
FROM multipart JOIN job ON job.no = multipart.job_no
ORDER BY multipart.job_no, multipart.no"""

CANCELLED = "(job.state = 'cancelled' OR job.state IN ('completed', 'partial', 'failed') AND job.desired = 'cancel')"
"""The condition that nobody will go on with a job."""

ABANDONED = f"""
    {CANCELLED}
    AND NOT EXISTS (SELECT 1 FROM unit WHERE unit.job_no = job.no AND unit.state = {LEASED} AND unit.lease_until >= clock_ms())
    AND {MAY_TAKE}"""
"""The condition that a claimant may remove what such a job left on the store: no live worker may still be sending it."""

_TO_SWEEP = f"""
SELECT {_UPLOAD}, {JOB} FROM multipart JOIN job ON job.no = multipart.job_no
WHERE multipart.swept_until < clock_ms() AND {ABANDONED}
ORDER BY multipart.job_no, multipart.no LIMIT :limit
FOR UPDATE OF multipart SKIP LOCKED"""

_INTEND = """
INSERT INTO multipart (job_no, no, bucket, key, part_size, size, mtime_ns, inode, checksum, intended_at)
VALUES (:job_no, :no, :bucket, :key, :part_size, :size, :mtime_ns, :inode, :checksum, :now)
ON CONFLICT (job_no, no) DO NOTHING"""

# A part of an upload that is not open any more is left alone: it would be taken for one of the next upload.
_STORE_PART = """
INSERT INTO part (job_no, no, part, size, checksum, etag)
SELECT job_no, no, :part, :size, :checksum, :etag FROM multipart WHERE job_no = :job_no AND no = :no
ON CONFLICT (job_no, no, part) DO UPDATE SET size = excluded.size, checksum = excluded.checksum, etag = excluded.etag"""


class Multiparts:
    """The open uploads in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_job(self, job_no: int) -> list[OpenUpload]:
        """The open uploads of a job, by number."""
        with self._database.read() as connection:
            return open_uploads(connection, job_no)

    def lingering(self) -> list[LingeringUpload]:
        """The open uploads of all jobs, the oldest job's first."""
        with self._database.read() as connection:
            return [
                LingeringUpload(job_id, JobState(state), ObjectRef(bucket, key), upload_id or "", stored, intended_at)
                for job_id, state, bucket, key, upload_id, intended_at, stored in connection.rows(_LINGERING)
            ]

    def any_cancelled(self) -> bool:
        """Whether there is anything to sweep, perhaps for another worker, or a little later."""
        query = f"SELECT 1 FROM multipart JOIN job ON job.no = multipart.job_no WHERE {CANCELLED} LIMIT 1"
        with self._database.read() as connection:
            return connection.first(query) is not None

    def to_sweep(self, claimant: Claimant, limit: int) -> list[tuple[Job, OpenUpload]]:
        """Open uploads of cancelled jobs, at most `limit`, for this worker to abort; for a minute nobody else is given them.

        Jobs that ended otherwise count as cancelled if people have wished so since. The uploads come without their parts.
        """
        with self._database.write() as connection:
            found = [
                (job_of(row[10:]), _upload_of(row[:10], ())) for row in connection.rows(_TO_SWEEP, limit=limit, **claimant.values)
            ]
            connection.execute_each(
                f"UPDATE multipart SET swept_until = clock_ms() + {SWEEP_MS} WHERE job_no = ? AND no = ?",
                [(job.no, upload.no) for job, upload in found],
            )
            return found

    def dropped(self, job_no: int, no: int) -> None:
        """Forget an upload that was given to a sweeper, and that the store says is gone.

        If the job was asked to go on meanwhile, and has begun another upload of the file, that one is left alone.
        """
        given = "SELECT 1 FROM multipart WHERE job_no = :job_no AND no = :no AND swept_until > 0"
        with self._database.write() as connection:
            if connection.first(f"{given} FOR UPDATE OF multipart SKIP LOCKED", job_no=job_no, no=no) is not None:
                _close(connection, job_no, [no])


def open_uploads(connection: Connection, job_no: int, first: int = 0, last: int = (1 << 63) - 1) -> list[OpenUpload]:
    """The open uploads of the files numbered from `first` to `last`, with their parts."""
    place = {"job_no": job_no, "first": first, "last": last}
    among = "WHERE job_no = :job_no AND no BETWEEN :first AND :last"
    uploads = connection.rows(f"SELECT {_UPLOAD} FROM multipart {among} ORDER BY no", **place)
    if not uploads:
        return []
    parts: defaultdict[int, list[StoredPart]] = defaultdict(list)
    for no, *part in connection.rows(f"SELECT no, part, size, checksum, etag FROM part {among} ORDER BY no, part", **place):
        parts[no].append(StoredPart(*part))
    return [_upload_of(row, tuple(parts[row[0]])) for row in uploads]


def write_ledger(connection: Connection, job_no: int, facts: Sequence[LedgerFact]) -> None:
    """Write what became of multipart uploads, in the order in which it did, on the caller's transaction."""
    for fact in facts:
        if isinstance(fact, UploadIntended):
            _intend(connection, job_no, fact)
        elif isinstance(fact, UploadOpened):
            connection.execute(
                "UPDATE multipart SET upload_id = :upload_id WHERE job_no = :job_no AND no = :no", job_no=job_no, **asdict(fact)
            )
        elif isinstance(fact, PartStored):
            connection.execute(_STORE_PART, job_no=job_no, **asdict(fact))
        else:
            _close(connection, job_no, [fact.no])


def close_uploads(connection: Connection, lease: Lease, stored: Container[int]) -> None:
    """Forget the open uploads of files that are stored now, on the caller's transaction."""
    begun = connection.rows(
        "SELECT no FROM multipart WHERE job_no = :job_no AND no BETWEEN :first AND :last",
        job_no=lease.job_no,
        first=lease.first,
        last=lease.last,
    )
    _close(connection, lease.job_no, [no for (no,) in begun if no in stored])


def _intend(connection: Connection, job_no: int, fact: UploadIntended) -> None:
    connection.execute(
        _INTEND,
        job_no=job_no,
        no=fact.no,
        bucket=fact.target.bucket,
        key=fact.target.key,
        part_size=fact.part_size,
        size=fact.fingerprint.size,
        mtime_ns=fact.fingerprint.mtime_ns,
        inode=fact.fingerprint.inode,
        checksum=fact.checksum,
        now=now_ms(),
    )


def _close(connection: Connection, job_no: int, numbers: list[int]) -> None:
    if numbers:
        connection.execute("DELETE FROM part WHERE job_no = :job_no AND no = ANY(:numbers)", job_no=job_no, numbers=numbers)
        connection.execute("DELETE FROM multipart WHERE job_no = :job_no AND no = ANY(:numbers)", job_no=job_no, numbers=numbers)


def _upload_of(row: Row, parts: tuple[StoredPart, ...]) -> OpenUpload:
    no, bucket, key, upload_id, part_size, size, mtime_ns, inode, checksum, intended_at = row
    return OpenUpload(
        no=no,
        target=ObjectRef(bucket, key),
        upload_id=upload_id or "",
        part_size=part_size,
        fingerprint=Fingerprint(size, mtime_ns, inode),
        checksum=checksum,
        intended_at=intended_at,
        parts=parts,
    )

"""Rows of `sighting`: from where the sources of a job were looked for, and whether they were seen.

A vantage is a machine, or a space of mounts on it: all of its processes see the same files. Workers of one that does not see the
sources of a job leave it alone for a while, then one of them looks again: what is not mounted today may be tomorrow.

Rows are locked after those of the job, which are locked after those of its units.
"""

from __future__ import annotations

import logging
import socket
from functools import cache
from pathlib import Path
from typing import NamedTuple

from s3tui.log_context import about
from s3tui.model import FileState, Fingerprint, Lease
from s3tui.state.database import Database
from s3tui.state.settling import LEASED, READY, UNENDED, settle
from s3tui.state.sql import Connection
from s3tui.text import display_text

_log = logging.getLogger(__name__)

AGAIN_MS = 15_000
"""After which time a vantage that did not see the sources of a job looks again."""

REASON = "source_unseen"
"""Of a job that waits for a worker that sees its sources."""

BLIND = f"""
EXISTS (SELECT 1 FROM sighting WHERE sighting.job_no = job.no AND sighting.vantage = :vantage AND NOT sighting.sees
    AND sighting.looked_at > clock_ms() - {AGAIN_MS})"""
"""The condition that a job's sources were looked for from a vantage, in vain, a moment ago."""

_EXPECTED = f"""
SELECT source_no, path, size, mtime_ns, inode FROM transfer
WHERE job_no = :job_no AND no BETWEEN :first AND :last
    AND state IN ({FileState.PLANNED}, {FileState.UPLOADED}, {FileState.VERIFIED})
ORDER BY no LIMIT :most"""
_MOST_EXPECTED = 64

# Those that may work on the job, and of which none is known to be blind for it.
_HOPE = f"""
EXISTS (SELECT 1 FROM unit WHERE unit.job_no = job.no AND unit.state = {LEASED})
OR EXISTS (SELECT 1 FROM worker WHERE worker.alive_until >= clock_ms() AND NOT worker.home_only
    AND worker.identity IN ('', job.identity) AND ',' || worker.queues || ',' LIKE '%,' || job.queue || ',%'
    AND NOT EXISTS (SELECT 1 FROM sighting
        WHERE sighting.job_no = job.no AND sighting.vantage = worker.vantage AND NOT sighting.sees))"""


class Sighting(NamedTuple):
    """What is known of a job's sources, from one vantage."""

    home: str
    """The vantage of who made the job, and so has them before his eyes."""
    landmarks: str
    """See `transfer.landmarks`."""
    known: bool
    """Whether they were seen from here before."""


class Sightings:
    """The sightings of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, job_no: int) -> Sighting:
        """What is known of the sources of a job, from here."""
        with self._database.read() as connection:
            [(home, landmarks, known)] = connection.rows(
                """
                SELECT vantage, landmarks, EXISTS (SELECT 1 FROM sighting
                    WHERE sighting.job_no = job.no AND sighting.vantage = :vantage AND sees)
                FROM job WHERE no = :job_no""",
                job_no=job_no,
                vantage=this_vantage(),
            )
        return Sighting(home, landmarks, bool(known))

    def expected(self, lease: Lease) -> list[tuple[int, bytes, Fingerprint]]:
        """(source number, path, fingerprint) of some files of the unit, of a plan of any, that should still be where they were."""
        first, last = (0, 1 << 62) if lease.last < lease.first else (lease.first, lease.last)
        with self._database.read() as connection:
            rows = connection.rows(_EXPECTED, job_no=lease.job_no, first=first, last=last, most=_MOST_EXPECTED)
        return [(source_no, path, Fingerprint(*fingerprint)) for source_no, path, *fingerprint in rows]

    def seen(self, job_no: int) -> None:
        """The sources were seen from here: the job waits for nobody who would."""
        with self._database.write() as connection:
            clear = "UPDATE job SET reason = NULL, error = NULL WHERE no = :no AND reason = :reason"
            connection.execute(clear, no=job_no, reason=REASON)
            _write(connection, job_no, "", sees=True)

    def missed_from_here(self) -> bool:
        """Whether a job waits for a worker here, because all those that run are elsewhere and do not see its sources."""
        with self._database.read() as connection:
            query = f"SELECT 1 FROM job WHERE reason = :reason AND vantage = :vantage AND state IN {UNENDED} LIMIT 1"
            return connection.first(query, reason=REASON, vantage=this_vantage()) is not None

    def missed(self, lease: Lease, job_id: str, told: str) -> None:
        """The sources were not seen from here: give the unit back to workers elsewhere, and tell the job if there are none.

        `told`: what there is instead, as the middle of a sentence.
        """
        with self._database.write() as connection:
            connection.execute(
                f"""
                UPDATE unit SET state = {READY}, worker = NULL, lease_until = NULL
                WHERE job_no = :job_no AND no = :unit_no AND token = :token AND state = {LEASED}""",
                job_no=lease.job_no,
                unit_no=lease.unit_no,
                token=lease.token,
            )
            settle(connection, lease.job_no)
            known = _write(connection, lease.job_no, told, sees=False)
            waits = _tell_job(connection, lease.job_no)
        with about(job=job_id, code=REASON):
            level = logging.DEBUG if known else logging.WARNING
            _log.log(level, "Unit %d is given back for a worker that sees the sources: here, %s.", lease.unit_no, told)
            if waits:
                _log.warning("%s", waits)


def forget_blindness(connection: Connection, job_no: int) -> None:
    """A person asks for the job again: everybody shall look anew."""
    connection.execute("DELETE FROM sighting WHERE job_no = :no AND NOT sees", no=job_no)


def _write(connection: Connection, job_no: int, told: str, *, sees: bool) -> bool:
    """Write down what was seen from here; whether the same was written already."""
    values = {"no": job_no, "vantage": this_vantage()}
    before = connection.first("SELECT sees, told FROM sighting WHERE job_no = :no AND vantage = :vantage", **values)
    connection.execute(
        """
        INSERT INTO sighting (job_no, vantage, sees, told, looked_at) VALUES (:no, :vantage, :sees, :told, clock_ms())
        ON CONFLICT (job_no, vantage) DO UPDATE SET sees = excluded.sees, told = excluded.told, looked_at = excluded.looked_at""",
        **values,
        sees=sees,
        told=told,
    )
    return before is not None and (bool(before[0]), before[1]) == (sees, told)


def _tell_job(connection: Connection, number: int) -> str:
    """Write down on the job that no worker sees its sources, if that is so; returns the sentence if it is news."""
    looked = connection.rows("SELECT vantage, told FROM sighting WHERE job_no = :no AND NOT sees ORDER BY vantage", no=number)
    where = "; ".join(f"on {display_text(vantage.partition('/')[0])}, {told}" for vantage, told in looked[:3])
    more = f"; and so on {len(looked) - 3} more" if len(looked) > 3 else ""
    step = "Start `s3tui worker` where they are: the job goes on by itself."
    sentence = f"No worker that runs sees the sources of this job: {where}{more}. {step}"
    before = connection.first("SELECT error FROM job WHERE no = :no", no=number)
    waits = connection.execute(
        f"""
        UPDATE job SET state = 'pending', reason = :reason, error = :error
        WHERE no = :no AND state IN {UNENDED} AND desired = 'run' AND NOT ({_HOPE})""",
        no=number,
        reason=REASON,
        error=sentence,
    )
    return sentence if waits and before != (sentence,) else ""


@cache
def this_vantage() -> str:
    """From where this process sees files: the machine, within this boot, and its space of mounts."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        space = str(Path("/proc/self/ns/mnt").readlink())
    except OSError:
        boot = space = ""
    return f"{socket.gethostname()}/{boot}/{space}"[:160]

"""Rows of `job`: what was asked, what is wanted now, and how it stands.

What a change means for the state of the job is drawn by `state.settling`, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from s3tui.model import Action, Desired, FileState, Job, JobState, UnitKind
from s3tui.state.database import Database, ensure_head
from s3tui.state.job_row import JOB, job_of
from s3tui.state.outbox import post_units
from s3tui.state.settling import HELD, LEASED, READY, UNENDED, fail_job, free_dead, reopen_files, settle
from s3tui.state.sightings import forget_blindness
from s3tui.state.sql import Connection
from s3tui.state.transfers import REASON

_RETRY_UNIT = 1000
"""Files in one unit of a retry."""

# The newest job of the same spec that could go on: not ended, or stopped half-way by a fatal error.
_UNFINISHED = f"""
SELECT {JOB} FROM job
WHERE spec_hash = :spec_hash AND NOT dry_run AND desired <> 'cancel'
    AND (state IN {UNENDED} OR state = 'failed' AND found > 0 AND units_done < units)
ORDER BY no DESC LIMIT 1"""

_ENDING = f"(desired = 'cancel' AND state IN {UNENDED})"
"""The condition that a job is being cancelled, which nobody can take back."""

# By way of the units: of them few are ready, of jobs there are all that ever were.
_WAITING = f"""
SELECT {JOB} FROM job
WHERE no IN (SELECT job_no FROM unit WHERE state = {READY}) AND state = 'pending' AND no <> ALL(:numbers)
ORDER BY no LIMIT :waiting"""

_CREATE = """
INSERT INTO job (id, kind, queue, spec, spec_hash, place, dry_run, concurrency, bandwidth, home, identity, created_at,
    vantage, landmarks, state, desired, planned, units)
VALUES (:id, :kind, :queue, :spec, :spec_hash, :place, :dry_run, :concurrency, :bandwidth, :home, :identity, :created_at,
    :vantage, :landmarks, 'pending', 'run', FALSE, 1)
RETURNING no"""

# Stored and proven, but its source was not deleted, for a cause that may be gone: only the deletion is tried again.
_KEPT = "proof IS NOT NULL AND reason <> 'changed_after_upload'"

# To be sent, or only to be deleted; their attempts are kept. What has changed since it was stored and proven is sent over its own
# object.
_ANEW = f"""
UPDATE transfer SET unit_no = :unit_no, error = NULL, reason = NULL,
    state = CASE WHEN {_KEPT} THEN {FileState.VERIFIED} ELSE {FileState.PLANNED} END,
    proof = CASE WHEN {_KEPT} THEN proof END, verified_at = CASE WHEN {_KEPT} THEN verified_at END,
    deleting = {_KEPT} AND deleting,
    action = CASE WHEN reason = 'changed_after_upload' THEN {Action.OVERWRITE} ELSE action END
WHERE job_no = :job_no AND no BETWEEN :first AND :last"""

_KEPT_IN_UNIT = f"""
SELECT count(*) FROM transfer
WHERE job_no = :job_no AND no BETWEEN :first AND :last AND unit_no = :unit_no AND state = {FileState.VERIFIED}"""

ADD_UNIT = """
INSERT INTO unit (job_no, no, kind, first, last, state) VALUES (:job_no, :unit_no, :kind, :first, :last, :state)"""


@dataclass(frozen=True, slots=True)
class NewJob:
    """What a face gives to make a job."""

    id: str
    kind: str
    queue: str
    spec: str
    spec_hash: str
    dry_run: bool
    concurrency: int
    home: str | None
    identity: str
    created_at: int
    bandwidth: int = 0
    place: str = ""
    """Same sources, same target: what one such job stored, the next may find unchanged. Empty: there is no such job."""
    vantage: str = ""
    """From where its sources are seen: see `state.sightings`."""
    landmarks: str = ""
    """What they are recognized by from elsewhere."""


class Jobs:
    """The jobs of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, new: NewJob, *, unless_unfinished: bool = False) -> Job | None:
        """Write the job, the unit that plans it, and the message for that unit.

        `unless_unfinished`: return the unfinished job of the same spec instead, if there is one; of two processes that ask at the
        same time, one creates it and the other gets it.
        """
        with self._database.write() as connection:
            if unless_unfinished:
                self._database.lock(connection, new.spec_hash)
                unfinished = connection.first(_UNFINISHED, spec_hash=new.spec_hash)
                if unfinished is not None:
                    return job_of(unfinished)
            [(number,)] = connection.rows(_CREATE, **asdict(new))
            connection.execute(ADD_UNIT, job_no=number, unit_no=0, kind=UnitKind.PLAN, first=0, last=-1, state=READY)
            if new.home is None:
                post_units(connection, new.queue, new.id, [0])
            return None

    def find(self, beginning: str) -> list[Job]:
        """The jobs whose id is, or begins with, this text: at most two.

        Raises StateError when a newer version has migrated the database.
        """
        first = beginning.upper()
        with self._database.read() as connection:
            ensure_head(connection)
            query = f"SELECT {JOB} FROM job WHERE id >= :first AND id < :behind ORDER BY id LIMIT 2"
            return [job_of(row) for row in connection.rows(query, first=first, behind=first + "~")]

    def by_no(self, number: int) -> Job:
        """The job with this number, which must exist."""
        with self._database.read() as connection:
            [row] = connection.rows(f"SELECT {JOB} FROM job WHERE no = :no", no=number)
            return job_of(row)

    def live(self, numbers: Sequence[int], *, waiting: int) -> list[Job]:
        """The jobs with these numbers, and besides the oldest `waiting` of those that no worker has taken yet."""
        with self._database.read() as connection:
            named = connection.rows(f"SELECT {JOB} FROM job WHERE no = ANY(:numbers)", numbers=numbers)
            others = connection.rows(_WAITING, numbers=numbers, waiting=waiting)
            return [job_of(row) for row in (*named, *others)]

    def newest(self, *, limit: int, before: int | None, kind: str | None = None, state: JobState | None = None) -> list[Job]:
        """Jobs, newest first, older than the one with the number `before`; all, or those of one kind or state.

        Raises StateError when a newer version has migrated the database.
        """
        wanted = {"no < :before": before, "kind = :kind": kind, "state = :state": state}
        where = " AND ".join(condition for condition, value in wanted.items() if value is not None) or "TRUE"
        with self._database.read() as connection:
            ensure_head(connection)
            query = f"SELECT {JOB} FROM job WHERE {where} ORDER BY no DESC LIMIT :limit"
            rows = connection.rows(query, limit=limit, before=before, kind=kind, state=state)
            return [job_of(row) for row in rows]

    def another_to_plan(self, number: int, part: str) -> bool:
        """Whether a job other than this one has still to be planned, by a spec that has this part in its text (no wildcard)."""
        with self._database.read() as connection:
            query = f"SELECT no FROM job WHERE NOT planned AND state IN {UNENDED} AND no <> :no AND spec LIKE :part LIMIT 1"
            return connection.first(query, no=number, part=f"%{part}%") is not None

    def desire(self, number: int, desired: Desired) -> None:
        """Write down what a person wants; it is true at once if no worker has to be waited for.

        A job that has ended stays as it is. One of which CANCEL is desired then has its open uploads swept; see `state.multiparts`.
        One that is being cancelled stays so.
        """
        with self._database.write() as connection:
            free_dead(connection)
            connection.execute(f"UPDATE job SET desired = :desired WHERE no = :no AND NOT {_ENDING}", no=number, desired=desired)
            if desired is Desired.CANCEL:  # who asks again for what the store refused need not wait for another sweep
                connection.execute("UPDATE multipart SET swept_until = 0 WHERE job_no = :no", no=number)
                connection.execute("UPDATE video SET swept_until = 0 WHERE job_no = :no", no=number)
            settle(connection, number)

    def pause_for(self, number: int, reason: str, error: str) -> None:
        """Pause the whole job for a cause that a person must remove; its files stay planned, and `reopen` lets it go on.

        A job that has ended, or is being cancelled, stays so.
        """
        with self._database.write() as connection:
            connection.execute(
                f"""
                UPDATE job SET desired = 'pause', reason = :reason, error = :error
                WHERE no = :no AND state IN {UNENDED} AND desired <> 'cancel'""",
                no=number,
                reason=reason,
                error=error,
            )
            settle(connection, number)

    def look_anew(self, number: int, vantage: str, landmarks: str) -> None:
        """Whoever asked for an unfinished job again sees its sources, as they are now."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE job SET vantage = :vantage, landmarks = :landmarks WHERE no = :no",
                no=number,
                vantage=vantage,
                landmarks=landmarks,
            )

    def reopen(self, number: int, *, home: str | None, identity: str) -> None:
        """Let a job go on: paused, stopped half-way, or left behind by a dead worker. One that has ended, or is to, stays so.

        That a person asks for it, however many workers have died over it, is a new beginning: no crash is counted but the last.
        """
        with self._database.write() as connection:
            free_dead(connection)
            reopened = (
                f"UPDATE job SET desired = 'run' WHERE no = :no AND (state IN {UNENDED} OR state = 'failed') AND NOT {_ENDING}"
            )
            if not connection.execute(reopened, no=number):
                return
            reopen_files(connection, number)
            crashed = f"UPDATE unit SET attempts = 1 WHERE job_no = :no AND attempts > 1 AND state <> {LEASED}"
            connection.execute(crashed, no=number)
            _go(connection, number, home, identity)
            settle(connection, number)

    def apply(self, number: int, *, home: str | None, identity: str) -> None:
        """Let a planned job carry what it planned."""
        with self._database.write() as connection:
            connection.execute(f"UPDATE unit SET state = {READY} WHERE job_no = :no AND state = {HELD}", no=number)
            connection.execute("UPDATE job SET dry_run = FALSE, applied = TRUE, started_at = NULL WHERE no = :no", no=number)
            _go(connection, number, home, identity)
            settle(connection, number)

    def retry(
        self, number: int, files: Sequence[int] | None = None, *, reason: str | None = None, home: str | None, identity: str
    ) -> int:
        """Plan failed files again, in units of their own; returns how many. All, or those that are named, or failed for a reason.

        Files that the plan itself refused (a name that cannot be a key, two files for one key) are left as they are.
        """
        with self._database.write() as connection:
            self._database.lock(connection, f"retry {number}")  # of two who ask for the same, one finds nothing left
            count = sum(_plan_again(connection, number, named, reason) for named in _pages(files, _RETRY_UNIT))
            if count:
                _go(connection, number, home, identity)
            return count

    def tune(self, number: int, *, concurrency: int | None = None, bandwidth: int | None = None) -> None:
        """Change the number of transfers in flight, the bytes per second (0: no limit), or both, of each worker."""
        with self._database.write() as connection:
            connection.execute(
                """
                UPDATE job SET concurrency = coalesce(:concurrency, concurrency), bandwidth = coalesce(:bandwidth, bandwidth)
                WHERE no = :no""",
                no=number,
                concurrency=None if concurrency is None else max(1, concurrency),
                bandwidth=None if bandwidth is None else max(0, bandwidth),
            )

    def fail(self, number: int, reason: str, error: str) -> None:
        """End the job for a cause that all its files share."""
        with self._database.write() as connection:
            fail_job(connection, number, reason, error)


def _plan_again(connection: Connection, number: int, files: list[int] | None, reason: str | None) -> int:
    """Put failed files into units of their own; returns how many. What is in memory does not grow with them.

    A unit is found by its first and last file: between these lie no others that are to be retried.
    """
    named = "" if files is None else "AND no = ANY(:files)"
    chosen = f"state = {FileState.FAILED} AND action <> {Action.FAIL} {named}"
    chosen += "" if reason is None else f" AND {REASON} = :reason"
    page = f"""
        SELECT min(no), max(no) FROM (SELECT no FROM transfer
        WHERE job_no = :job_no AND no > :last AND {chosen} ORDER BY no LIMIT {_RETRY_UNIT}) AS page"""
    wish = {"job_no": number, "files": files, "reason": reason}
    [(unit_no,)] = connection.rows("SELECT max(no) FROM unit WHERE job_no = :job_no", job_no=number)
    units = count = kept = 0
    first, last = connection.rows(page, last=-1, **wish)[0]
    while first is not None:
        units += 1
        place = {"unit_no": unit_no + units, "first": first, "last": last}
        connection.execute(ADD_UNIT, job_no=number, kind=UnitKind.CARRY, state=READY, **place)
        count += connection.execute(f"{_ANEW} AND {chosen}", **wish, **place)
        kept += connection.rows(f"{_KEPT_IN_UNIT} {named}", **wish, **place)[0][0]
        first, last = connection.rows(page, last=last, **wish)[0]
    connection.execute(
        "UPDATE job SET units = units + :units, failed = failed - :files, uploaded = uploaded + :kept WHERE no = :no",
        no=number,
        units=units,
        files=count,
        kept=kept,
    )
    return count


def _go(connection: Connection, number: int, home: str | None, identity: str) -> None:
    """Let it run, bound to this worker if one is named, with the credentials of whoever asks: the earlier ones may have ended."""
    [(queue, job_id)] = connection.rows(
        """
        UPDATE job SET desired = 'run', state = 'pending', home = :home, identity = :identity, reason = NULL, error = NULL,
            finished_at = NULL, announced = FALSE
        WHERE no = :no
        RETURNING queue, id""",
        no=number,
        home=home,
        identity=identity,
    )
    forget_blindness(connection, number)
    if home is None:
        ready = connection.rows(f"SELECT no FROM unit WHERE job_no = :no AND state = {READY}", no=number)
        post_units(connection, queue, job_id, [no for (no,) in ready])


def _pages(numbers: Sequence[int] | None, size: int) -> Iterator[list[int] | None]:
    if numbers is None:
        yield None
        return
    for start in range(0, len(numbers), size):
        yield list(numbers[start : start + size])

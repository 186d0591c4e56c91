"""What follows from a change: the state of a job, and the fate of units whose worker died.

A job's state follows from three things: what people desire, which units are leased, and how many are done. `settle` draws that
conclusion in the transaction of whatever changed one of the three. Counting and deciding in one UPDATE takes the lock of the job's
row, so that of two workers which finish the last two units one sees both.
"""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path

from s3tui.model import Action, FileState, JobState, now_ms
from s3tui.state.chronicle import tell_ended
from s3tui.state.sql import Connection
from s3tui.state.webhooks import post_end

HELD, READY, LEASED, DONE = range(4)
"""States of a unit: held back until the plan is whole, ready, in work, finished."""

UNENDED = f"('{JobState.PENDING}', '{JobState.RUNNING}', '{JobState.PAUSED}')"
"""Jobs that have something to do, as SQL has it."""

_MAX_CRASHES = 5
"""A unit whose workers died this often, one after the other, is not given to another one. See `units.forgive_crashes`."""

_LEASED = f"EXISTS (SELECT 1 FROM unit WHERE unit.job_no = job.no AND unit.state = {LEASED})"

_REJECTS = "EXISTS (SELECT 1 FROM csv_file WHERE csv_file.job_no = job.no AND csv_file.rejected > 0)"

_SETTLE = f"""
UPDATE job SET state = CASE
    WHEN desired = 'cancel' THEN 'cancelled'
    WHEN planned AND dry_run THEN 'planned'
    WHEN planned AND units_done = units THEN CASE WHEN failed > 0 OR {_REJECTS} THEN 'partial' ELSE 'completed' END
    WHEN desired = 'pause' THEN 'paused'
    ELSE state END
WHERE no = :no AND (state IN {UNENDED} OR state = 'planned') AND NOT {_LEASED}"""

# Nobody is told that a job is completed which does not know the end of each file, whatever has happened to its rows.
_ENDLESS = f"""
SELECT found - uploaded - skipped - failed FROM job
WHERE no = :no AND state IN {UNENDED} AND desired <> 'cancel' AND planned AND NOT dry_run AND units_done = units
    AND found > uploaded + skipped + failed AND NOT {_LEASED}"""

_REST = """
UPDATE job SET finished_at = :now, reason = NULL, error = NULL
WHERE no = :no AND state IN ('cancelled', 'partial', 'completed', 'planned') AND finished_at IS NULL"""

# What has failed may still have units at work, and files whose end they write.
_ANNOUNCE = f"""
UPDATE job SET announced = TRUE
WHERE no = :no AND NOT announced AND state IN ('cancelled', 'partial', 'completed', 'failed') AND NOT {_LEASED}"""


def settle(connection: Connection, number: int) -> None:
    """Draw the job's state from what is desired, leased and done. Idempotent; call it after each change of the three.

    An end is told to the log, and, once nothing of the job is at work any more, to the webhook. The job's row is locked first:
    of two transactions that give units back at the same moment, the later one sees what the other has done. Units are locked before
    jobs, and jobs by number.
    """
    connection.execute("UPDATE job SET units = units WHERE no = :no", no=number)
    if endless := connection.first(_ENDLESS, no=number):
        why = f"The work of this job is done, and what became of {endless[0]:,} of its files is not known"
        step = "Run the same command again; it begins anew."
        fail_job(connection, number, "inconsistent_state", f"{why}: something else has changed its state. {step}")
        return
    connection.execute(_SETTLE, no=number)
    _close_files(connection, number)
    if connection.execute(_REST, no=number, now=now_ms()):
        tell_ended(connection, number)
    if connection.execute(_ANNOUNCE, no=number):
        post_end(connection, number)


def fail_job(connection: Connection, number: int, reason: str, error: str) -> None:
    """Write the failure of a whole job, unless it has ended."""
    failed = connection.execute(
        f"""
        UPDATE job SET state = 'failed', reason = :reason, error = :error, finished_at = :now
        WHERE no = :no AND state IN {UNENDED}""",
        no=number,
        reason=reason,
        error=error,
        now=now_ms(),
    )
    settle(connection, number)
    if failed:
        tell_ended(connection, number)


def reopen_files(connection: Connection, number: int) -> None:
    """Plan again what the failure of the whole job, not its own, kept from being sent."""
    reopened = connection.execute(
        f"""
        UPDATE transfer SET state = {FileState.PLANNED}, reason = NULL, error = NULL
        WHERE job_no = :no AND state = {FileState.FAILED}
            AND reason = (SELECT reason FROM job WHERE no = :no AND state = 'failed')
            AND (unit_no IN (SELECT no FROM unit WHERE job_no = :no AND state <> {DONE})
                OR unit_no IS NULL AND action = {Action.UPLOAD})""",
        no=number,
    )
    connection.execute("UPDATE job SET failed = failed - :reopened WHERE no = :no", no=number, reopened=reopened)


def _close_files(connection: Connection, number: int) -> None:
    """What a cancelled job left planned is skipped, what a failed one left planned has failed with it: every file has an end."""
    ended = connection.first(
        f"SELECT state, reason, error FROM job WHERE no = :no AND state IN ('cancelled', 'failed') AND NOT {_LEASED}", no=number
    )
    if ended is None:
        return
    state, reason, error = ended
    close = f"""
        UPDATE transfer SET state = :end, reason = :reason, error = :error
        WHERE job_no = :no AND state = {FileState.PLANNED}"""
    if state == JobState.CANCELLED:
        skipped = connection.execute(close, no=number, end=FileState.SKIPPED, reason="cancelled", error=None)
        connection.execute("UPDATE job SET skipped = skipped + :skipped WHERE no = :no", no=number, skipped=skipped)
        connection.execute("UPDATE batch SET payload = NULL WHERE job_no = :no AND payload IS NOT NULL", no=number)
    else:
        failed = connection.execute(close, no=number, end=FileState.FAILED, reason=reason, error=error)
        connection.execute("UPDATE job SET failed = failed + :failed WHERE no = :no", no=number, failed=failed)


def anything_dead(connection: Connection) -> bool:
    """Whether a worker died that nobody has buried yet."""
    expired = connection.first(f"SELECT 1 FROM unit WHERE state = {LEASED} AND lease_until < clock_ms() LIMIT 1")
    return expired is not None or bool(_gone_from_this_host(connection))


def free_dead(connection: Connection) -> None:
    """Make ready again what dead workers hold: those whose lease ran out, and those whose process on this machine is gone.

    What a transaction has locked is left for later: a worker that froze in one must not hold up what others have left.
    """
    gone = _gone_from_this_host(connection)
    if gone:
        connection.execute("DELETE FROM worker WHERE id = ANY(:gone)", gone=gone)
    freed = connection.rows(
        f"""
        UPDATE unit SET state = {READY}, worker = NULL, lease_until = NULL, attempts = attempts + 1
        WHERE (job_no, no) IN (
            SELECT job_no, no FROM unit
            WHERE state = {LEASED} AND (lease_until < clock_ms() OR worker = ANY(:gone))
            ORDER BY job_no, no FOR UPDATE SKIP LOCKED)
        RETURNING job_no, attempts""",
        gone=gone,
    )
    for number in sorted({job_no for job_no, attempts in freed if attempts >= _MAX_CRASHES}):
        fail_job(connection, number, "worker_crashed", f"The job was given up: {_MAX_CRASHES} workers died on the same unit of it.")
    for number in sorted({job_no for job_no, _attempts in freed}):
        settle(connection, number)


def _gone_from_this_host(connection: Connection) -> list[str]:
    here = connection.rows("SELECT id, pid FROM worker WHERE host = :host", host=this_host())
    return [worker_id for worker_id, pid in here if not process_exists(pid)]


@cache
def this_host() -> str:
    """Name of this machine within this boot and this space of process ids, for a pid means something only there."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        space = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        boot = space = ""
    return f"{socket.gethostname()}/{boot}/{space}"


def process_exists(pid: int) -> bool:
    """Whether a process with this id runs on this machine (a zombie counts as gone)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return True

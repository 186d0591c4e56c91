"""What follows an upload, written to its row: proof, the deletion of its source, or the doubt that stands in the way.

The counters of the job say the same as its rows: what is withdrawn was counted as uploaded, and is counted as failed from then on.
"""

from __future__ import annotations

from collections.abc import Sequence

from s3tui.errors import NotIdentical, Unproven
from s3tui.events import DeletionIntended, SourceDeleted, Step, Unverified, Verified, Withdrawn
from s3tui.model import FileState, now_ms
from s3tui.state.sql import Connection

_ROW = "WHERE job_no = ? AND no = ?"

_VERIFY = f"""
UPDATE transfer SET state = {FileState.VERIFIED}, proof = ?, verified_at = ?, reason = NULL, error = NULL
{_ROW} AND state = {FileState.UPLOADED}"""

_DOUBT = f"UPDATE transfer SET reason = 'unproven', error = ? {_ROW} AND state = {FileState.UPLOADED}"

_INTEND = f"UPDATE transfer SET deleting = TRUE {_ROW} AND state = {FileState.VERIFIED}"

_DELETE = f"""
UPDATE transfer SET state = {FileState.DELETED}
WHERE job_no = :job_no AND no = ANY(:numbers) AND state = {FileState.VERIFIED} AND deleting"""

# What is withdrawn for want of proof has none any more, so a retry sends it again.
_WITHDRAW = f"""
UPDATE transfer SET state = {FileState.FAILED}, reason = :reason, error = :error,
    proof = CASE WHEN :doubted THEN NULL ELSE proof END
WHERE job_no = :job_no AND no = :no AND state IN ({FileState.UPLOADED}, {FileState.VERIFIED})"""


def write_steps(connection: Connection, job_no: int, facts: Sequence[Step]) -> None:
    """Write what followed the uploads of some files, on the caller's transaction. What is written already changes nothing."""
    if not facts:
        return
    now = now_ms()
    connection.execute_each(_VERIFY, [(fact.proof, now, job_no, fact.no) for fact in facts if isinstance(fact, Verified)])
    connection.execute_each(_DOUBT, [(fact.error, job_no, fact.no) for fact in facts if isinstance(fact, Unverified)])
    connection.execute_each(_INTEND, [(job_no, fact.no) for fact in facts if isinstance(fact, DeletionIntended)])
    deleted = [fact.no for fact in facts if isinstance(fact, SourceDeleted)]
    if deleted:
        count = connection.execute(_DELETE, job_no=job_no, numbers=deleted)
        connection.execute("UPDATE job SET deleted = deleted + :count WHERE no = :job_no", job_no=job_no, count=count)
    for fact in facts:
        if isinstance(fact, Withdrawn):
            _withdraw(connection, job_no, fact)


def _withdraw(connection: Connection, job_no: int, fact: Withdrawn) -> None:
    doubted = fact.reason in (NotIdentical.reason, Unproven.reason)
    withdrawn = connection.execute(_WITHDRAW, job_no=job_no, no=fact.no, reason=fact.reason, error=fact.error, doubted=doubted)
    connection.execute(
        "UPDATE job SET uploaded = uploaded - :count, failed = failed + :count WHERE no = :job_no", job_no=job_no, count=withdrawn
    )

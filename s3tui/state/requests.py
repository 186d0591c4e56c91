"""Rows of `api_request`: requests with an Idempotency-Key, so that the same one, sent again, is answered with the first job.

An attempt claims its key for a while and renews that while it runs; what a process that died has claimed is free after it. The id
of the job is chosen with the first claim: whether a dead process had made the job already is seen by looking for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from s3tui.model import new_id, now_ms
from s3tui.state.database import Database

HOLD_MS = 30_000
"""How long a claim lasts without being renewed."""

_KEPT_MS = 7 * 24 * 3600 * 1000
"""How long a key is remembered."""

_FIND = """
SELECT request, body_hash, job_id, done, held_until >= clock_ms(),
    EXISTS (SELECT 1 FROM job WHERE job.id = api_request.job_id)
FROM api_request WHERE token_id = :token_id AND key = :key"""

_CLAIM = f"""
INSERT INTO api_request (token_id, key, request, job_id, owner, held_until, created_at)
VALUES (:token_id, :key, :request, :job_id, :owner, clock_ms() + {HOLD_MS}, :now)"""

_TAKE_OVER = f"""
UPDATE api_request SET owner = :owner, held_until = clock_ms() + {HOLD_MS} WHERE token_id = :token_id AND key = :key"""

_HELD = "token_id = :token_id AND key = :key AND owner = :owner"


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to answer a request."""

    token_id: str
    key: str
    owner: str
    job_id: str
    """The job that it makes, or steers."""
    makes: bool


@dataclass(frozen=True, slots=True)
class Known:
    """A request that came before."""

    request: str
    body_hash: str | None
    job_id: str
    busy: bool
    """Somebody is at work on it; else it was answered."""


class Requests:
    """The keys of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, token_id: str, key: str, request: str, job_id: str | None = None) -> Claim | Known:
        """Take a key, or say what it stands for already. `job_id`: the job that the request steers; None: it makes one."""
        owner = new_id()
        names = {"token_id": token_id, "key": key}
        with self._database.write() as connection:
            self._database.lock(connection, f"{token_id} {key}")
            row = connection.first(_FIND, **names)
            if row is None:
                chosen = job_id or new_id()
                connection.execute(_CLAIM, **names, request=request, job_id=chosen, owner=owner, now=now_ms())
                return Claim(token_id, key, owner, chosen, makes=job_id is None)
            was, body_hash, chosen, done, held, exists = row
            made = done or (job_id is None and exists and body_hash is not None)
            if made or held or was != request:
                return Known(was, body_hash, chosen, busy=bool(held and not made))
            connection.execute(_TAKE_OVER, **names, owner=owner)
            return Claim(token_id, key, owner, chosen, makes=job_id is None)

    def renew(self, claim: Claim) -> bool:
        """Keep it; False if another one has taken it over."""
        with self._database.write() as connection:
            renewed = f"UPDATE api_request SET held_until = clock_ms() + {HOLD_MS} WHERE {_HELD}"
            return bool(connection.execute(renewed, **_names(claim)))

    def seal(self, claim: Claim, body_hash: str) -> bool:
        """Write down what the body was, before the job is made; False if another one has taken the key over."""
        with self._database.write() as connection:
            return bool(
                connection.execute(f"UPDATE api_request SET body_hash = :hash WHERE {_HELD}", **_names(claim), hash=body_hash)
            )

    def finish(self, claim: Claim, job_id: str) -> None:
        """It is answered, with this job."""
        with self._database.write() as connection:
            connection.execute(
                f"UPDATE api_request SET done = TRUE, job_id = :job_id, held_until = 0 WHERE {_HELD}",
                **_names(claim),
                job_id=job_id,
            )

    def release(self, claim: Claim) -> None:
        """It came to nothing: the key may be used again. Not if its job is there all the same."""
        made = "EXISTS (SELECT 1 FROM job WHERE job.id = api_request.job_id)" if claim.makes else "FALSE"
        with self._database.write() as connection:
            connection.execute(f"DELETE FROM api_request WHERE {_HELD} AND NOT done AND NOT {made}", **_names(claim))

    def forget(self) -> int:
        """Drop the keys that are a week old; returns how many."""
        with self._database.write() as connection:
            return connection.execute("DELETE FROM api_request WHERE created_at < :since", since=now_ms() - _KEPT_MS)


def _names(claim: Claim) -> dict[str, object]:
    return {"token_id": claim.token_id, "key": claim.key, "owner": claim.owner}

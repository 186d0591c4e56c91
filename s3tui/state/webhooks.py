"""Rows of `webhook`: the ends of jobs that are still to be told to the webhook.

A row is written in the transaction that ends its job, so it is there exactly if the job has ended, and leaves when it was taken or
given up. Who sends it claims it for a while; a crash in between repeats it, and never loses it.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

from s3tui.model import new_id
from s3tui.state.database import Database
from s3tui.state.job_row import JOB, job_of
from s3tui.state.sql import Connection

_log = logging.getLogger(__name__)

CLAIM_MS = 30_000
"""How long whoever has claimed a notice may take to send it, before another one may."""

_MOST = 10_000
"""Notices that wait; beyond them the oldest are dropped."""

_URL = "SELECT url FROM video WHERE job_no = :no AND url IS NOT NULL ORDER BY no LIMIT 1"

_POST = "INSERT INTO webhook (id, job_no, body, created_at, due) VALUES (:id, :no, :body, clock_ms(), clock_ms())"

_OLDEST = 'SELECT id FROM webhook ORDER BY id COLLATE "C" LIMIT :excess'

_DUE = """
SELECT id FROM webhook WHERE due <= clock_ms() AND {wanted}
ORDER BY due, id COLLATE "C" LIMIT 1 FOR UPDATE OF webhook SKIP LOCKED"""

_CLAIM = f"""
UPDATE webhook SET attempts = attempts + 1, due = clock_ms() + {CLAIM_MS} WHERE id = :id
RETURNING id, body, attempts, clock_ms() - created_at, (SELECT job.id FROM job WHERE job.no = webhook.job_no)"""

_HELD = "id = :id AND attempts = :attempts"


class Notice(NamedTuple):
    """The end of a job, claimed to be sent."""

    id: str
    body: str
    """JSON, ASCII: exactly what is signed."""
    attempts: int
    """Which attempt this is, from 1."""
    age_ms: int
    """Since the job ended."""
    job_id: str


class Webhooks:
    """The notices of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self) -> int:
        """How many have been neither taken nor given up."""
        with self._database.read() as connection:
            [(count,)] = connection.rows("SELECT count(*) FROM webhook")
            return int(count)

    def pause(self) -> int | None:
        """Milliseconds until the next one is due, 0 or less if it is now; None if there is none."""
        with self._database.read() as connection:
            [(pause,)] = connection.rows("SELECT min(due) - clock_ms() FROM webhook")
            return None if pause is None else int(pause)

    def claim(self, *, home: str | None = None) -> Notice | None:
        """Take the next that is due; with `home`, of jobs that are bound to this worker. None if there is none."""
        wanted = "TRUE" if home is None else "job_no IN (SELECT no FROM job WHERE home = :home)"
        with self._database.write() as connection:
            found = connection.first(_DUE.format(wanted=wanted), **({} if home is None else {"home": home}))
            return None if found is None else Notice._make(connection.rows(_CLAIM, id=found[0])[0])

    def drop(self, notice: Notice) -> None:
        """It was taken, or is given up. Nothing happens if another one has claimed it since."""
        with self._database.write() as connection:
            connection.execute(f"DELETE FROM webhook WHERE {_HELD}", id=notice.id, attempts=notice.attempts)

    def put_off(self, notice: Notice, milliseconds: int) -> None:
        """Try it again after a pause, likewise."""
        with self._database.write() as connection:
            connection.execute(
                f"UPDATE webhook SET due = clock_ms() + :pause WHERE {_HELD}",
                id=notice.id,
                attempts=notice.attempts,
                pause=milliseconds,
            )


def post_end(connection: Connection, number: int) -> None:
    """Write down that the webhook is to be told of this job, which has ended, on the transaction that says so."""
    if connection.wording is None:
        return
    [row] = connection.rows(f"SELECT {JOB} FROM job WHERE no = :no", no=number)
    published = connection.first(_URL, no=number)
    body = connection.wording(job_of(row), published[0] if published else None)
    connection.execute(_POST, id=f"msg_{new_id()}", no=number, body=body)
    _keep_few(connection)


def _keep_few(connection: Connection) -> None:
    [(count,)] = connection.rows("SELECT count(*) FROM webhook")
    if count > _MOST:
        connection.execute(f"DELETE FROM webhook WHERE id IN ({_OLDEST})", excess=count - _MOST)
        _log.warning("The webhook takes nothing, and %d ends of jobs wait for it: the oldest was given up.", _MOST)

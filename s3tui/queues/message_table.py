"""Every statement over the `message` table of an SQLite state file. Times are milliseconds since 1970.

SQLite lets one connection write at a time. Each write transaction here begins IMMEDIATE, because one that reads first and writes
later fails at once when somebody else wrote in between, whatever the busy timeout says. Looking for work is a plain SELECT, which
takes no lock that anybody waits for.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from dramatiq import BrokerConnectionError

from s3tui.errors import QueueError

_BUSY_SECONDS = 30


class QueueUnavailable(QueueError, BrokerConnectionError):
    """The table cannot be used now. Dramatiq restarts its consumer on this error; everybody else sees a QueueError."""


class Claim(NamedTuple):
    """The right to one message, until its lease ends. A later claim of the same row has another token."""

    row: int
    token: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message as it was claimed."""

    claim: Claim
    tries: int
    """How many claims it has seen, this one included; claims that were handed back do not count."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a claim: done and to be deleted, or, with an `error`, dead and to be kept."""

    claim: Claim
    error: str | None = None


# `state` is written out as a number in every WHERE: SQLite uses a partial index only for a literal.

_LOOK = """
SELECT EXISTS (SELECT 1 FROM message WHERE state = 0 AND queue = :queue)
    OR EXISTS (SELECT 1 FROM message WHERE state = 2 AND not_before <= :now)
    OR EXISTS (SELECT 1 FROM message WHERE state = 1 AND lease_until < :now)"""

_DELETE = "DELETE FROM message WHERE id = ? AND owner = ?"

_BURY = "UPDATE message SET state = 3, owner = NULL, lease_until = NULL, error = ? WHERE id = ? AND owner = ?"

_WAKE = "UPDATE message SET state = 0 WHERE state = 2 AND not_before <= :now"

# Only a claim whose lease ran out has cost a try, so this is the only place where a message can die of too many.
_EXPIRE = """
UPDATE message SET owner = NULL, lease_until = NULL,
    state = CASE WHEN tries >= :max_tries THEN 3 ELSE 0 END,
    error = CASE WHEN tries >= :max_tries THEN 'Given up: its worker died, or lost its lease, ' || tries || ' times.' END
WHERE state = 1 AND lease_until < :now"""

_CLAIM = """
UPDATE message SET state = 1, owner = :token, lease_until = :until, tries = tries + 1
WHERE id IN (SELECT id FROM message WHERE state = 0 AND queue = :queue ORDER BY priority, id LIMIT :room)
RETURNING priority, id, tries, body"""

_RENEW = "UPDATE message SET lease_until = ? WHERE id = ? AND owner = ? AND state = 1"

_RELEASE = """
UPDATE message SET state = 0, owner = NULL, lease_until = NULL, tries = max(tries - 1, 0)
WHERE id = ? AND owner = ? AND state = 1"""

_INSERT = "INSERT INTO message (queue, priority, state, not_before, body) VALUES (?, ?, ?, ?, ?)"


class MessageTable:
    """The table, usable from any thread. Every method raises QueueUnavailable when SQLite cannot do it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._lock = threading.Lock()
        self._connections: list[sqlite3.Connection] = []

    def insert(self, queue: str, priority: int, body: bytes, *, not_before: int = 0) -> None:
        """Add a message, which nobody gets before the moment `not_before`."""
        with self._writing() as connection:
            connection.execute(_INSERT, (queue, priority, 2 if not_before else 0, not_before, body))

    def has_work(self, queue: str, now: int) -> bool:
        """Whether `exchange` may find a message, or a lease that ran out. Takes no write lock."""
        with self._translated():
            (found,) = self._connection().execute(_LOOK, {"queue": queue, "now": now}).fetchone()
        return bool(found)

    def settle(self, settled: Iterable[Settled]) -> None:
        """Write what became of claims; those that were lost meanwhile are left alone."""
        with self._writing() as connection:
            _settle(connection, settled)

    def exchange(
        self, queue: str, settled: Iterable[Settled], room: int, *, token: str, now: int, lease: int, max_tries: int
    ) -> list[Claimed]:
        """In one transaction: settle, let delayed and abandoned messages of any queue go free, claim up to `room` of `queue`.

        Returns the claimed ones in the order of their priority, then of their age.
        """
        with self._writing() as connection:
            _settle(connection, settled)
            connection.execute(_WAKE, {"now": now})
            connection.execute(_EXPIRE, {"now": now, "max_tries": max_tries})
            values = {"queue": queue, "token": token, "until": now + lease, "room": max(room, 0)}
            rows = connection.execute(_CLAIM, values).fetchall()
        rows.sort(key=lambda row: row[:2])  # RETURNING follows the table, not the subquery's ORDER BY
        return [Claimed(Claim(row_id, token), tries, body) for _priority, row_id, tries, body in rows]

    def renew(self, claims: Iterable[Claim], until: int) -> list[Claim]:
        """Prolong leases; returns the claims that were lost."""
        with self._writing() as connection:
            return [claim for claim in claims if not connection.execute(_RENEW, (until, *claim)).rowcount]

    def release(self, claims: Iterable[Claim]) -> None:
        """Hand back messages that nobody began to work on; their claims cost no try."""
        with self._writing() as connection:
            connection.executemany(_RELEASE, claims)

    def unfinished(self, queue: str) -> int:
        """How many messages are ready, claimed or delayed."""
        with self._translated():
            (count,) = (
                self._connection()
                .execute("SELECT count(*) FROM message WHERE state IN (0, 1, 2) AND queue = ?", (queue,))
                .fetchone()
            )
        return int(count)

    def clear(self, queue: str) -> None:
        """Delete every message, dead ones too, except those that somebody works on."""
        with self._writing() as connection:
            connection.execute("DELETE FROM message WHERE state <> 1 AND queue = ?", (queue,))

    def close(self) -> None:
        """Close the connections of all threads. A thread that comes back afterwards gets a new one."""
        with self._lock:
            connections, self._connections = self._connections, []
            self._local = threading.local()
        for connection in connections:
            connection.close()

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = _connect(self._path)
            with self._lock:
                self._connections.append(connection)
        return connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._translated():
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                connection.rollback()
                raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise QueueUnavailable(f"The queue in {self._path} cannot be used: {error}.") from error  # type: ignore[no-untyped-call]


def _connect(path: Path) -> sqlite3.Connection:
    """Open an existing file: mode=rw, because an empty database in its place would only hide that it is gone."""
    uri = f"file:{quote(str(path))}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    for pragma in (f"busy_timeout={_BUSY_SECONDS * 1000}", "journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _settle(connection: sqlite3.Connection, settled: Iterable[Settled]) -> None:
    done: list[Claim] = []
    dead: list[Sequence[object]] = []
    for item in settled:
        if item.error is None:
            done.append(item.claim)
        else:
            dead.append((item.error, *item.claim))
    connection.executemany(_DELETE, done)
    connection.executemany(_BURY, dead)

"""PostgreSQL, through psycopg's pool.

Concurrency: a transaction has a connection of its own, at READ COMMITTED. A connection that has rested, or on which the server has
hung up, is tried before it is lent, so a server that was restarted is found again; while it is away, a transaction waits for it, up
to 30 s.
"""

from __future__ import annotations

import re
import select
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import islice
from weakref import WeakKeyDictionary

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import ConnectionPool, PoolTimeout

from s3tui.errors import ConfigError
from s3tui.state.sql import Connection, Cursor, Row

_CONNECTIONS = 16
_PATIENCE_SECONDS = 30.0
_TRUSTED_SECONDS = 1.0
"""For which a connection that has worked is lent again without being tried."""
_STREAMED_ROWS = 1000
_COPIED_ROWS = 1000

_LOST = re.compile(r"08...|40...|57P0[1-3]")

_WORDING = tuple(
    (re.compile(ours), theirs)
    for ours, theirs in (
        (r"%", "%%"),
        (r"\?", "%s"),
        (r":(\w+)", r"%(\1)s"),
        (r"clock_ms\(\)", "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"),
        (r"\bWITHOUT ROWID\b", ""),
    )
)


class PostgreSQLServer:
    """The connections of this process to one database."""

    error = psycopg.Error

    @staticmethod
    def is_lost(error: Exception) -> bool:
        """Whether the server went away, shuts down, begins, or broke a transaction off for the sake of another one."""
        state = getattr(error, "sqlstate", None)
        if state is None:  # words of the client, not of the server
            return isinstance(error, psycopg.OperationalError)
        return bool(_LOST.fullmatch(state))

    def __init__(self, url: str) -> None:
        """Connect. Raises ConfigError for a malformed URL, `error`."""
        self._url = url
        try:
            host = conninfo_to_dict(url).get("host", "")
        except psycopg.ProgrammingError:
            raise ConfigError("state.url cannot be read: write it as postgresql://USER@HOST/DATABASE.") from None
        if "@" in str(host):  # the end of a password, which the server's words would repeat
            raise ConfigError("state.url cannot be read: write an @ in its password as %40.")
        self._connect_alone()
        self._returned: WeakKeyDictionary[psycopg.Connection[Row], float] = WeakKeyDictionary()
        self._pool: ConnectionPool[psycopg.Connection[Row]] = ConnectionPool(
            url,
            min_size=1,
            max_size=_CONNECTIONS,
            timeout=_PATIENCE_SECONDS,
            check=self._check,
            reset=self._note_return,
            open=True,
        )

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that commits at the end of the block, or rolls back."""
        try:
            with self._pool.connection() as lent:
                yield _PostgreSQLConnection(lent)
        except PoolTimeout:
            self._connect_alone()
            raise

    read = write

    def lock(self, connection: Connection, name: str) -> None:
        """Let the other transactions that lock this name wait for this one."""
        connection.rows("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))", name=name)

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()

    def _check(self, connection: psycopg.Connection[Row]) -> None:
        """Try a connection before it is lent, unless it has just worked, and the server has not hung up since.

        To try each would double what a server is asked.
        """
        rested = time.monotonic() - self._returned.get(connection, 0.0) > _TRUSTED_SECONDS
        if rested or _has_news(connection.fileno()):
            ConnectionPool.check_connection(connection)

    def _note_return(self, connection: psycopg.Connection[Row]) -> None:
        self._returned[connection] = time.monotonic()

    def _connect_alone(self) -> None:
        """Fail with the server's own words, if it is the server: a pool tries for long, and does not say why in the end."""
        psycopg.connect(self._url).close()


def _has_news(descriptor: int) -> bool:
    """Whether something has come that nobody asked for: an end, mostly."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


class _PostgreSQLConnection(Connection):
    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self._connection = connection

    def execute_each(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        self._connection.cursor().executemany(_worded(sql), rows)

    def insert(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        self.execute_each(sql, rows)

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[str | int]]) -> None:
        """By COPY; its delimiter and its quote are control characters, so that no value needs to be escaped."""
        options = r"(FORMAT csv, DELIMITER E'\x02', QUOTE E'\x01', ENCODING 'UTF8')"
        left = iter(rows)
        with self._connection.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN {options}") as copy:
            while page := list(islice(left, _COPIED_ROWS)):
                copy.write("".join(["\x02".join(map(str, row)) + "\n" for row in page]).encode())

    def stream(self, sql: str, /, **values: object) -> Iterator[Row]:
        with self._connection.cursor(name="stream") as cursor:
            cursor.itersize = _STREAMED_ROWS
            yield from cursor.execute(_worded(sql), values)

    def _run(self, sql: str, values: Mapping[str, object]) -> Cursor:
        return self._connection.execute(_worded(sql), values)


@cache
def _worded(sql: str) -> str:
    for ours, theirs in _WORDING:
        sql = ours.sub(theirs, sql)
    return sql

"""PostgreSQL, through psycopg's pool.

Concurrency: a transaction has a connection of its own, at READ COMMITTED. A connection that has rested, or on which the server has
hung up, is tried before it is lent, so a server that was restarted is found again; while it is away, a transaction waits for it, up
to 30 s. If a process freezes in a transaction, or its machine goes away, the server ends that after a minute, and frees its locks;
what is configured there or in the URL comes first.
"""

from __future__ import annotations

import logging
import re
import select
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from itertools import groupby
from weakref import WeakKeyDictionary

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import ConnectionPool, PoolTimeout

from s3tui.errors import ConfigError
from s3tui.state.sql import Connection, Cursor, Load, Row, RowTable, Sheet, quoted

_CONNECTIONS = 16
_TRUSTED_SECONDS = 1.0
"""For which a connection that has worked is lent again without being tried."""
_ASKED_AGAIN_SECONDS = 0.5
"""After which the pool gives an attempt to connect up, and is asked for a connection anew; left alone, it tries ever less often."""
_STREAMED_ROWS = 1000
_TYPES = {
    "TIMESTAMP WITHOUT TIME ZONE": "TIMESTAMP",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ",
    "CHARACTER VARYING": "TEXT",
}
"""Other words for what we know."""

_PATIENCE_OF_THE_SERVER = """
SELECT set_config(name, wanted, FALSE) FROM pg_settings JOIN (VALUES
    ('idle_in_transaction_session_timeout', '60s'),
    ('tcp_keepalives_idle', '30'), ('tcp_keepalives_interval', '10'), ('tcp_keepalives_count', '3')
) AS ours (name, wanted) USING (name)
WHERE source = 'default'"""

_LOST = re.compile(r"08...|25P03|40...|57P0[1-3]")

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

    def __init__(self, url: str, *, patience: float = 30.0) -> None:
        """Connect. `patience`: seconds that a transaction waits for one of the connections.

        Raises ConfigError for a malformed URL, `error`.
        """
        self._url, self._patience = url, patience
        try:
            host = conninfo_to_dict(url).get("host", "")
        except psycopg.ProgrammingError:
            raise ConfigError("state.url cannot be read: write it as postgresql://USER@HOST/DATABASE.") from None
        if "@" in str(host):  # the end of a password, which the server's words would repeat
            raise ConfigError("state.url cannot be read: write an @ in its password as %40.")
        psycopg.connect(url).close()  # fails at once; a pool tries for long
        pool_log = logging.getLogger("psycopg.pool")
        if pool_log.level == logging.NOTSET:
            pool_log.setLevel(logging.ERROR)  # it warns at each attempt; who waits for a connection in vain says so once
        self._returned: WeakKeyDictionary[psycopg.Connection[Row], float] = WeakKeyDictionary()
        self._pool: ConnectionPool[psycopg.Connection[Row]] = ConnectionPool(
            url,
            min_size=1,
            max_size=_CONNECTIONS,
            reconnect_timeout=_ASKED_AGAIN_SECONDS,
            configure=_configure,
            check=self._check,
            reset=self._note_return,
            open=True,
        )

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that commits at the end of the block, or rolls back."""
        with ExitStack() as stack:
            yield _PostgreSQLConnection(self._lent(stack))

    read = write

    def _lent(self, stack: ExitStack) -> psycopg.Connection[Row]:
        """A connection of the pool, until the stack is left. Raises `error` when patience is over."""
        until = time.monotonic() + self._patience
        while time.monotonic() < until:
            with suppress(PoolTimeout):
                return stack.enter_context(self._pool.connection(_ASKED_AGAIN_SECONDS))
        psycopg.connect(self._url).close()  # says why, if the server is away
        return stack.enter_context(self._pool.connection(_ASKED_AGAIN_SECONDS))

    def lock(self, connection: Connection, name: str) -> None:
        """Let the other transactions that lock this name wait for this one."""
        connection.rows("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))", name=name)

    @staticmethod
    def loads(table: RowTable, job_id: str, file: int, sheet: Sheet) -> list[Load]:
        """A COPY."""
        names = ", ".join(map(quoted, (table.job, table.file, table.line, *sheet.columns)))
        never_null = f", FORCE_NOT_NULL ({', '.join(map(quoted, sheet.never_null))})" if sheet.never_null else ""
        written = f"FORMAT csv, DELIMITER {_text(sheet.delimiter)}, QUOTE {_text(sheet.quote)}, ENCODING 'UTF8'{never_null}"
        data = sheet.copied(f"{job_id}{sheet.delimiter}{file}{sheet.delimiter}".encode())
        return [Load(f"COPY {quoted(table.name)} ({names}) FROM STDIN ({written})", data)]

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


def _has_news(descriptor: int) -> bool:
    """Whether something has come that nobody asked for: an end, mostly."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def _configure(connection: psycopg.Connection[Row]) -> None:
    connection.execute(_PATIENCE_OF_THE_SERVER)
    connection.commit()


class _PostgreSQLConnection(Connection):
    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self._connection = connection

    def execute_each(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        self._connection.cursor().executemany(_worded(sql), rows)

    def insert(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        self.execute_each(sql, rows)

    def load(self, loads: Sequence[Load]) -> None:
        """Neighbours of one statement are one COPY."""
        for statement, neighbours in groupby(loads, key=lambda load: load.statement):
            with self._connection.cursor().copy(statement.encode()) as copy:
                for load in neighbours:
                    copy.write(load.data)

    def columns(self, table: str) -> list[tuple[str, str, bool]]:
        found = self._connection.execute(
            """
            SELECT attname, upper(format_type(atttypid, atttypmod)), NOT attnotnull FROM pg_attribute
            WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum""",
            [quoted(table)],
        )
        return [(name, _TYPES.get(str(kind), str(kind)), nullable) for name, kind, nullable in found]

    def is_refusal(self, error: Exception) -> bool:
        return isinstance(error, (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError))

    def define(self, sql: str) -> None:
        self._connection.execute(sql.encode())

    def stream(self, sql: str, /, **values: object) -> Iterator[Row]:
        self._connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")  # who reads may take their time
        with self._connection.cursor(name="stream") as cursor:
            cursor.itersize = _STREAMED_ROWS
            yield from cursor.execute(_worded(sql), values)

    def _run(self, sql: str, values: Mapping[str, object]) -> Cursor:
        return self._connection.execute(_worded(sql), values)


def _text(character: str) -> str:
    """A character as SQL has it, whichever it is."""
    return f"E'\\x{ord(character):02x}'"


@cache
def _worded(sql: str) -> str:
    for ours, theirs in _WORDING:
        sql = ours.sub(theirs, sql)
    return sql

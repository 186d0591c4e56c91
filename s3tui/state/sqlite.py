"""SQLite, in a file of our own.

Concurrency: SQLite has one writer at a time. The writers of this process take turns on one connection, in the order in which they
asked. A write transaction begins IMMEDIATE: it waits for the writers of other processes (up to 30 s) before it begins, instead of
failing in its middle. Readers see a snapshot and wait for nobody; each has a connection of its own while it reads. Every commit is
synchronous (FULL): a fact that was reported as written survives a power cut.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path

from s3tui.errors import StateError
from s3tui.state.sql import Connection, Cursor, Load, Row, RowTable, Sheet, quoted

_BUSY_SECONDS = 30
_IDLE_READERS = 4
_ROWS_AT_ONCE = 100
_VALUES_AT_ONCE = 30_000
"""SQLite takes 32,766."""

_WORDING = tuple(
    (re.compile(theirs), ours)
    for theirs, ours in (
        (r"= ANY\((:\w+)\)", r"IN (SELECT value FROM json_each(\1))"),
        (r"<> ALL\((:\w+)\)", r"NOT IN (SELECT value FROM json_each(\1))"),
        (r"clock_ms\(\)", "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"),
        (r"FOR UPDATE[\w ]* SKIP LOCKED", ""),
        (r'COLLATE "C"', ""),
        (r"\bBIGSERIAL\b", "INTEGER"),
        (r"\bBYTEA\b", "BLOB"),
        (r"\bJSONB\b", "TEXT"),
    )
)

_TYPES = {"INTEGER": "BIGINT", "INT": "BIGINT", "REAL": "DOUBLE PRECISION"}
"""Other words for what we know."""

_VALUES = re.compile(r"VALUES (\([^)]*\))")


class SQLiteFile:
    """The connections of this process to one file."""

    error = sqlite3.Error

    @staticmethod
    def is_lost(error: Exception) -> bool:  # noqa: ARG004 - as for servers
        """A file does not come back by itself."""
        return False

    def __init__(self, path: Path) -> None:
        """Open the file; it is made, private to its owner, if there is none. Raises StateError, `error`."""
        _create_private(path)
        self._path = path
        self._identity = _identity(path)
        self._turn = Turn()
        self._writer = _connect(path)
        self._readers: deque[sqlite3.Connection] = deque()
        self._closed = False

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that commits at the end of the block, or rolls back."""
        with self._turn:
            self._stay_with_the_file()
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield _SQLiteConnection(self._writer)
                self._writer.execute("COMMIT")
            except BaseException:
                self._writer.rollback()
                raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A snapshot of the database."""
        self._stay_with_the_file()
        try:
            reader = self._readers.pop()
        except IndexError:
            reader = _connect(self._path)
        try:
            reader.execute("BEGIN")
            yield _SQLiteConnection(reader)
        finally:
            reader.rollback()
            if self._closed or len(self._readers) >= _IDLE_READERS:
                reader.close()
            else:
                self._readers.append(reader)

    def _stay_with_the_file(self) -> None:
        """SQLite goes on with a file that has no name any more, and nobody else would ever see what it writes there."""
        if _identity(self._path) != self._identity:
            raise sqlite3.OperationalError("its file was removed or replaced while it was in use")

    def lock(self, connection: Connection, name: str) -> None:
        """Nothing is to be done: the writers wait for each other."""

    @staticmethod
    def loads(table: RowTable, job_id: str, file: int, sheet: Sheet) -> list[Load]:
        """A hundred rows are one statement, as in `insert`."""
        values, width = sheet.values(), 1 + len(sheet.columns)
        page = max(1, min(_ROWS_AT_ONCE, _VALUES_AT_ONCE // width)) * width
        pages = (values[start : start + page] for start in range(0, len(values), page))
        return [Load(_loading(table, tuple(sheet.columns), len(page) // width), [job_id, file, *page]) for page in pages]

    def close(self) -> None:
        """Close every connection; one that is in use is closed by its reader."""
        self._closed = True
        with self._turn:
            self._writer.close()
        while self._readers:
            self._readers.pop().close()


class Turn:
    """A lock that is given in the order in which it was asked for.

    A plain lock may be taken again by the thread that just gave it back: one that writes in a loop would starve the others.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()

    def __enter__(self) -> None:
        with self._guard:
            if not self._taken:
                self._taken = True
                return
            call = threading.Lock()
            call.acquire()
            self._waiting.append(call)
        try:
            call.acquire()
        except BaseException:  # a signal's exception, in the main thread
            self._leave(call)
            raise

    def __exit__(self, *_: object) -> None:
        with self._guard:
            self._call_next()

    def _leave(self, call: threading.Lock) -> None:
        with self._guard:
            if call in self._waiting:
                self._waiting.remove(call)
            else:
                self._call_next()

    def _call_next(self) -> None:
        if self._waiting:
            self._waiting.popleft().release()
        else:
            self._taken = False


class _SQLiteConnection(Connection):
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute_each(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        self._connection.executemany(_worded(sql), rows)

    def insert(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """A hundred rows are one statement: they cost less, and a thread with much to write hands on the interpreter less often."""
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            page = rows[start : start + _ROWS_AT_ONCE]
            self._connection.execute(_for_rows(_worded(sql), len(page)), list(chain.from_iterable(page)))

    def load(self, loads: Sequence[Load]) -> None:
        """While a statement runs, other threads do."""
        for load in loads:
            self._connection.execute(load.statement, load.data)

    def columns(self, table: str) -> list[tuple[str, str, bool]]:
        found = self._connection.execute('SELECT name, upper(type), NOT "notnull" FROM pragma_table_info(?)', [table])
        return [(name, _TYPES.get(kind, kind), bool(nullable)) for name, kind, nullable in found]

    def is_refusal(self, error: Exception) -> bool:
        return isinstance(error, sqlite3.Error) and (
            isinstance(error, sqlite3.IntegrityError) or error.sqlite_errorcode == sqlite3.SQLITE_ERROR
        )

    def define(self, sql: str) -> None:
        self._connection.execute(sql)

    def stream(self, sql: str, /, **values: object) -> Iterator[Row]:
        return iter(self._run(sql, values))

    def _run(self, sql: str, values: Mapping[str, object]) -> Cursor:
        bound = {name: json.dumps(value) if isinstance(value, list) else value for name, value in values.items()}
        return self._connection.execute(_worded(sql), bound)


@cache
def _worded(sql: str) -> str:
    for theirs, ours in _WORDING:
        sql = theirs.sub(ours, sql)
    return sql


@cache
def _for_rows(insert: str, count: int) -> str:
    return _VALUES.sub(lambda values: f"VALUES {', '.join([values[1]] * count)}", insert)


@lru_cache(64)
def _loading(table: RowTable, columns: tuple[str, ...], rows: int) -> str:
    names = ", ".join(map(quoted, (table.job, table.file, table.line, *columns)))
    row = f"({', '.join('?' * (1 + len(columns)))})"
    return f"INSERT INTO {quoted(table.name)} ({names}) SELECT ?, ?, * FROM (VALUES {', '.join([row] * rows)})"


def _create_private(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StateError(
            f"The state database {path} cannot be created: {error.strerror}. Set XDG_STATE_HOME to a directory you may write to."
        ) from error


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file it is; None if there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "journal_size_limit=67108864", "temp_store=FILE"):
        connection.execute(f"PRAGMA {pragma}")
    return connection

"""One database behind a URL: SQLite in a file of our own, or PostgreSQL. Transactions, and the version of the schema.

This is the one place that knows which of the two it is; `state.sql` says how statements are worded for both.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from s3tui.errors import ConfigError, StateError, StateLost
from s3tui.masking import shown_url
from s3tui.state.migrations import newer_than
from s3tui.state.schema import SCHEMA
from s3tui.state.sql import Connection, Load, RowTable, Sheet, Wording, statements
from s3tui.state.sqlite import SQLiteFile
from s3tui.text import display_text

if TYPE_CHECKING:
    from s3tui.state.postgresql import PostgreSQLServer

_log = logging.getLogger(__name__)

HEAD = "0010"
"""The newest migration: the schema that this version reads and writes."""

# One row. The table has the name that the first version gave it, so that this version, too, refuses what a newer one has migrated.
_VERSION_TABLE = "CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"


class Connections(Protocol):
    """The connections of this process to one database. What goes wrong is an error of its driver."""

    @staticmethod
    def is_lost(error: Exception) -> bool:
        """Whether an error of the driver says that the server went away, or broke a transaction off that may be tried again."""

    def write(self) -> AbstractContextManager[Connection]:
        """A transaction that commits at the end of the block, or rolls back."""

    def read(self) -> AbstractContextManager[Connection]:
        """A view that blocks nobody."""

    def lock(self, connection: Connection, name: str) -> None:
        """Let the other transactions that lock this name wait for this one."""

    def loads(self, table: RowTable, job_id: str, file: int, sheet: Sheet) -> list[Load]:
        """Rows of one file of a job, as `Connection.load` adds them to a table."""

    def close(self) -> None:
        """Close every connection."""


class Database:
    """A database with the schema of this version. Its methods may be called from any thread."""

    def __init__(self, url: str, directory: Path, *, wording: Wording | None = None) -> None:
        """Open the database of `state.url`, and create or migrate its schema.

        `sqlite` is a file in `directory`, made with mode 0700 and 0600. `wording` is for the webhook; without one, jobs that end
        through this process are told to none. Raises ConfigError, StateError.
        """
        self._wording = wording
        self.path = directory / "state.db" if url == "sqlite" else None
        self._name = str(self.path) if self.path else shown_url(url)
        self._connections: Connections
        if self.path is not None:
            self._error: type[Exception] = SQLiteFile.error
            self._is_lost = SQLiteFile.is_lost
            with self._translated():
                self._connections = SQLiteFile(self.path)
        else:
            server = postgresql_server(url)
            self._error, self._is_lost = server.error, server.is_lost
            with self._translated():
                self._connections = server(f"postgresql://{url.partition('://')[2]}")
        try:
            self._bring_to_head()
        except BaseException:
            self.close()
            raise

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that commits at the end of the block, or rolls back. Raises StateError."""
        with self._translated(), self._connections.write() as connection:
            connection.wording = self._wording
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view of the database; blocks nobody. Raises StateError."""
        with self._translated(), self._connections.read() as connection:
            yield connection

    def prove_writable(self) -> None:
        """Write something and change nothing by it. Raises StateError."""
        with self.write() as connection:
            connection.execute("UPDATE alembic_version SET version_num = version_num")

    @property
    def is_shared(self) -> bool:
        """Whether other machines may use it, too."""
        return self.path is None

    def lock(self, connection: Connection, name: str) -> None:
        """Let the other transactions that lock this name wait for this one."""
        self._connections.lock(connection, name)

    def loads(self, table: RowTable, job_id: str, file: int, sheet: Sheet) -> list[Load]:
        """Rows of one file of a job, as `Connection.load` adds them to a table."""
        return self._connections.loads(table, job_id, file, sheet)

    def close(self) -> None:
        """Close every connection."""
        self._connections.close()

    def _bring_to_head(self) -> None:
        with suppress(StateError), self.read() as connection:
            if _stored_version(connection) == HEAD:
                return
        with self.write() as connection:
            self.lock(connection, "schema")
            connection.execute(_VERSION_TABLE)
            version = _stored_version(connection)
            if version is None:
                _create(connection)
            elif version != HEAD:
                _migrate(connection, version)
                _tell_migrated(connection, version)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except self._error as error:
            cause = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
            kind = StateLost if self._is_lost(error) else StateError
            raise kind(f"The state database {self._name} cannot be used: {cause}. {_next_step(cause)}") from error


def _stored_version(connection: Connection) -> str | None:
    row = connection.first("SELECT version_num FROM alembic_version")
    return None if row is None else row[0]


def _create(connection: Connection) -> None:
    for statement in statements(SCHEMA):
        connection.execute(statement)
    connection.execute("INSERT INTO alembic_version VALUES (:head)", head=HEAD)


def ensure_head(connection: Connection) -> None:
    """See that the schema is still the one of this version. Raises StateError when a newer one has migrated it meanwhile."""
    version = _stored_version(connection)
    if version != HEAD:
        raise _newer(version)


def _newer(version: str | None) -> StateError:
    return StateError(
        f"The state database was written by a newer s3tui (schema {version}); this one knows up to {HEAD}. Upgrade s3tui."
    )


def _migrate(connection: Connection, version: str) -> None:
    if version > HEAD:
        raise _newer(version)
    for script in newer_than(version):
        for statement in statements(script):
            connection.execute(statement)
    connection.execute("UPDATE alembic_version SET version_num = :head", head=HEAD)


def _tell_migrated(connection: Connection, version: str) -> None:
    """Who runs an older version finds out by itself within a second, and stops; here it is told who that is."""
    older = connection.rows("SELECT host, pid, version FROM worker WHERE alive_until >= clock_ms() ORDER BY started_at")
    _log.info("The state database is migrated from schema %s to %s.", version, HEAD)
    for host, pid, runs in older:
        where = display_text(host.partition("/")[0])
        _log.warning("The worker of version %s on %s (process %d) stops now: upgrade it, and start it again.", runs, where, pid)


def _next_step(cause: str) -> str:
    if "full" in cause:
        return "Free some disk space and run the same command again; it resumes."
    if "replaced" in cause:
        return "Start s3tui again, and its worker: they go on with the file that is there now."
    if "locked" in cause:
        return "Another process holds it; try again in a moment."
    if "readonly" in cause or "unable to open" in cause:
        return "Check the permissions of its directory, or set XDG_STATE_HOME to one you may write to."
    return "`s3tui status` shows which database is used."


def postgresql_server(url: str) -> type[PostgreSQLServer]:
    """The way to PostgreSQL, if the URL leads there; its client is imported for it alone. Raises ConfigError."""
    scheme, separator, _ = url.partition("://")
    if scheme not in ("postgresql", "postgres", "postgresql+psycopg") or not separator:
        known = url.partition(":")[0]
        raise ConfigError(f"state.url {known!r} is not known: use sqlite, or postgresql://USER@HOST/DATABASE.")
    try:
        from s3tui.state.postgresql import PostgreSQLServer
    except ImportError as error:
        raise ConfigError("PostgreSQL needs its client: pip install 's3tui[cluster]'.") from error
    return PostgreSQLServer

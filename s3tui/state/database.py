"""One database behind a URL: SQLite in a file of our own, or PostgreSQL. Connections, transactions, schema version.

Concurrency: SQLite has one writer at a time. Write transactions begin IMMEDIATE, so they wait for each other (up to 30 s) instead
of failing in their middle; readers see a snapshot and wait for nobody. Every commit is synchronous (FULL): a fact that was
reported as written survives a power cut.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    cast,
    create_engine,
    event,
    extract,
    func,
    inspect,
    literal,
    text,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from s3tui.errors import ConfigError, StateError
from s3tui.model import now_ms
from s3tui.state.schema import metadata

HEAD = "0001"
"""The newest migration: the schema that this version reads and writes."""

_BUSY_SECONDS = 30
_SCHEMA_LOCK = 0x53335455  # any constant: one advisory lock guards creation and migration on PostgreSQL


class Database:
    """A database with the schema of this version."""

    def __init__(self, url: str, directory: Path) -> None:
        """Open the database of `state.url`, and create or migrate its schema.

        `sqlite` is a file in `directory`, made with mode 0700 and 0600. Raises ConfigError, StateError.
        """
        self.path = directory / "state.db" if url == "sqlite" else None
        self._name = str(self.path) if self.path else _without_password(url)
        if self.path is not None:
            _create_private(self.path)
            self._writer = _open_sqlite(self.path, "BEGIN IMMEDIATE")
            self._reader = _open_sqlite(self.path, "BEGIN")
        else:
            self._writer = self._reader = _open_postgresql(url)
        with self._translated():
            _bring_to_head(self._writer)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that commits at the end of the block, or rolls back. Raises StateError."""
        with self._translated(), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view of the database; blocks nobody. Raises StateError."""
        with self._translated(), self._reader.connect() as connection:
            yield connection

    def now(self) -> ColumnElement[int]:
        """The database's clock in milliseconds: the one clock that leases are compared by."""
        if self.path is not None:
            return literal(now_ms(), BigInteger)
        return cast(extract("epoch", func.clock_timestamp()) * 1000, BigInteger)

    def lock(self, connection: Connection, name: str) -> None:
        """Let the other transactions that lock this name wait for this one; SQLite's writers wait for each other anyway."""
        if self.path is None:
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})

    def close(self) -> None:
        """Close every connection."""
        self._writer.dispose()
        self._reader.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise StateError(f"The state database {self._name} cannot be used: {cause}. {_next_step(cause)}") from error


def _next_step(cause: str) -> str:
    if "full" in cause:
        return "Free some disk space and run the same command again; it resumes."
    if "locked" in cause:
        return "Another process holds it; try again in a moment."
    if "readonly" in cause or "unable to open" in cause:
        return "Check the permissions of its directory, or set XDG_STATE_HOME to one you may write to."
    return "`s3tui status` shows which database is used."


def _without_password(url: str) -> str:
    from sqlalchemy import make_url

    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "of state.url"


def _create_private(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StateError(
            f"The state database {path} cannot be created: {error.strerror}. Set XDG_STATE_HOME to a directory you may write to."
        ) from error


def _open_sqlite(path: Path, begin: str) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:  # noqa: ANN401 - a DBAPI connection
        connection.isolation_level = None  # transactions are ours: see `begin`
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "journal_size_limit=67108864", "temp_store=FILE"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _open_postgresql(url: str) -> Engine:
    scheme, separator, rest = url.partition("://")
    if scheme not in ("postgresql", "postgres", "postgresql+psycopg") or not separator:
        raise ConfigError(f"state.url {_without_password(url)!r} is not known: use sqlite, or postgresql://USER@HOST/DATABASE.")
    try:
        return create_engine(f"postgresql+psycopg://{rest}", pool_pre_ping=True, pool_size=8)
    except (ImportError, NoSuchModuleError) as error:
        raise ConfigError("PostgreSQL needs its client: pip install 's3tui[cluster]'.") from error
    except ArgumentError as error:
        raise ConfigError("state.url cannot be read: write it as postgresql://USER@HOST/DATABASE.") from error


def _bring_to_head(engine: Engine) -> None:
    if _version(engine) == HEAD:
        return
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SCHEMA_LOCK})
        version = _stored_version(connection)
        if version is None:
            _create(connection)
        elif version != HEAD:
            _migrate(connection, version)


def _version(engine: Engine) -> str | None:
    with engine.connect() as connection, suppress(DBAPIError):
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None


def _stored_version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _create(connection: Connection) -> None:
    """Make the newest schema at once; importing Alembic for it would cost every first start a third of a second."""
    metadata.create_all(connection)
    connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})


def _migrate(connection: Connection, version: str) -> None:
    from s3tui.state.migrations import upgrade

    if not upgrade(connection, version):
        raise StateError(
            f"The state database was written by a newer s3tui (schema {version}); this one knows up to {HEAD}. Upgrade s3tui."
        )

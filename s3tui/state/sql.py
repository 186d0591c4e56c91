"""SQL, worded once for two databases, and what a transaction can be asked.

A statement is written as PostgreSQL takes it. `state.sqlite` and `state.postgresql` word it for their driver, once for each text:

    :name                        a value by its name; a list in `= ANY(:name)` and `<> ALL(:name)`
    ?                            a value by its place, in a statement that runs over many rows
    clock_ms()                   the database's clock, in milliseconds since 1970: the one clock that leases are compared by
    FOR UPDATE ... SKIP LOCKED   pass over rows that another transaction has locked; SQLite has one writer anyway
    COLLATE "C"                  by bytes
    BIGSERIAL, BYTEA, JSONB      in the schema; and WITHOUT ROWID, which only SQLite knows
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from s3tui.model import Job

Row = tuple[Any, ...]

Wording = Callable[[Job, str | None], str]
"""What a webhook is told of a job that has ended, as ASCII: from the job, and the address of its first published video."""

_COMMENT = re.compile(r"--.*")


class Cursor(Protocol):
    """What both drivers give back of a statement."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""

    def fetchall(self) -> list[Row]:
        """Every row that is left."""

    def __iter__(self) -> Iterator[Row]: ...


class RowTable(NamedTuple):
    """A table for the rows of CSV files, and its columns that say where a row is from."""

    name: str
    job: str
    file: str
    line: str


class Sheet(Protocol):
    """Rows of one CSV file for one table. All sheets of a file have the same columns and are written alike."""

    delimiter: str
    """Of `copied`, as is the next."""
    quote: str
    columns: Sequence[str]
    """Those of the file."""
    never_null: Sequence[str]
    """Those of the columns in which an empty text is one; in others it is null."""

    def __len__(self) -> int:
        """How many rows."""

    def values(self) -> list[str | int | None]:
        """The cells, one row after the other; in front of each row's the line on which it begins."""

    def copied(self, before: bytes) -> bytes:
        """The same as COPY reads CSV: lines that end with CRLF, and begin with the columns `before`."""


class Load(NamedTuple):
    """Rows on their way into a table, in the words of a driver. To make it takes time, and no transaction."""

    statement: str
    data: Any
    """The values of the statement, or the bytes that it reads."""


class Connection(ABC):
    """One transaction. It belongs to one thread."""

    wording: Wording | None = None
    """Set: a job that ends within is told to the webhook, in these words."""

    def execute(self, sql: str, /, **values: object) -> int:
        """Run a statement; returns how many rows it changed."""
        return self._run(sql, values).rowcount

    def rows(self, sql: str, /, **values: object) -> list[Row]:
        """Every row that a statement gives."""
        return self._run(sql, values).fetchall()

    def first(self, sql: str, /, **values: object) -> Row | None:
        """The first row that a statement gives."""
        rows = self._run(sql, values).fetchall()
        return rows[0] if rows else None

    @abstractmethod
    def execute_each(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run a statement once for each row of values."""

    @abstractmethod
    def insert(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Run an `INSERT ... VALUES (...)` for each row, in whatever way is the driver's fastest."""

    @abstractmethod
    def load(self, loads: Sequence[Load]) -> None:
        """Add very many rows to tables."""

    @abstractmethod
    def columns(self, table: str) -> list[tuple[str, str, bool]]:
        """The name of each column of a table, its type in capitals, and whether it may be null. Empty: there is no such table."""

    @abstractmethod
    def define(self, sql: str) -> None:
        """Run a statement exactly as it is written: the names in it may hold anything."""

    @abstractmethod
    def is_refusal(self, error: Exception) -> bool:
        """Whether an error of the driver says that the database is well, and does not want what it was asked to do."""

    @abstractmethod
    def stream(self, sql: str, /, **values: object) -> Iterator[Row]:
        """The rows that a statement gives, in memory that does not grow with them."""

    @abstractmethod
    def _run(self, sql: str, values: Mapping[str, object]) -> Cursor: ...


def quoted(name: str) -> str:
    """A name as SQL takes it, whatever it holds."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def statements(script: str) -> list[str]:
    """The statements of a script, without its comments. A semicolon ends each, and stands nowhere else."""
    return [statement for part in _COMMENT.sub("", script).split(";") if (statement := part.strip())]

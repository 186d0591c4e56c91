"""Rows of `api_body`: what came through the REST API, by the id of the job that it becomes, and resumable uploads on their way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from s3tui.state.database import Database
from s3tui.state.sql import Row

_COLUMNS = "id, kind, name, options, token_id, size, sha256, tus, expires_at, created_at"


@dataclass(frozen=True, slots=True)
class Body:
    """A body, or one that is still to come. Times are milliseconds since 1970."""

    id: str
    """Also of the job."""
    kind: str
    name: str
    options: str
    """JSON: what was asked of the job."""
    token_id: str
    size: int
    """Bytes; of a resumable upload as it will be."""
    sha256: str | None
    tus: str | None
    """The Upload-Metadata of a resumable upload."""
    expires_at: int | None
    """When a resumable upload that is not whole is given up."""
    created_at: int


class Bodies:
    """The bodies of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, body: Body) -> None:
        """Write it down."""
        with self._database.write() as connection:
            connection.execute_each(f"INSERT INTO api_body ({_COLUMNS}) VALUES ({', '.join('?' * 10)})", [astuple(body)])

    def get(self, body_id: str) -> Body | None:
        """The body with this id."""
        return self.of([body_id]).get(body_id)

    def of(self, ids: Sequence[str]) -> dict[str, Body]:
        """Those of these that are known, by id."""
        with self._database.read() as connection:
            rows = connection.rows(f"SELECT {_COLUMNS} FROM api_body WHERE id = ANY(:ids)", ids=list(ids))
            return {body.id: body for body in map(_body_of, rows)}

    def put_off(self, body_id: str, expires_at: int) -> None:
        """Wait longer for the rest of a resumable upload."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE api_body SET expires_at = :at WHERE id = :id AND expires_at IS NOT NULL", id=body_id, at=expires_at
            )

    def complete(self, body_id: str, sha256: str | None) -> None:
        """A resumable upload is whole: it does not expire any more. `sha256`: if it came at one go."""
        with self._database.write() as connection:
            connection.execute("UPDATE api_body SET expires_at = NULL, sha256 = :sha256 WHERE id = :id", id=body_id, sha256=sha256)

    def drop(self, body_id: str) -> None:
        """Forget it."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM api_body WHERE id = :id", id=body_id)

    def unfinished(self) -> list[Body]:
        """The resumable uploads that are not whole."""
        with self._database.read() as connection:
            return [_body_of(row) for row in connection.rows(f"SELECT {_COLUMNS} FROM api_body WHERE expires_at IS NOT NULL")]


def _body_of(row: Row) -> Body:
    return Body(*row)

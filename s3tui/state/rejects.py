"""Rows of `reject` for people: a page of them from any place of the list, and how many there are for each reason.

A page costs what it holds and what is skipped between it and a record that is known, whose key leads there at once. Only the
beginning of a record is read: it may be as large as a batch.
"""

from __future__ import annotations

from typing import NamedTuple

from s3tui.model import RejectChoice, RejectWay
from s3tui.state.database import Database

HEAD = 4096
"""Bytes of a record that a page has."""


class RejectHead(NamedTuple):
    """A record that is no row: see `reject` in the schema."""

    file_no: int
    record: int
    line: int
    reason: str
    detail: str
    head: bytes
    size: int
    """Bytes of all of it."""


class Rejects:
    """The rejected records of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, job_no: int, chosen: RejectChoice, way: RejectWay) -> list[RejectHead]:
        """Rejects in the order of files and records, whichever way was gone."""
        order, beyond = ("DESC", "<=") if way.backwards else ("ASC", ">=")
        file_no, record = way.beside or (0, 0)
        query = f"""
            SELECT file_no, record, line, reason, detail, substr(raw, 1, {HEAD}), length(raw) FROM reject
            WHERE job_no = :job_no {_conditions(chosen)}
                {f"AND (file_no, record) {beyond} (:file_no, :record)" if way.beside else ""}
            ORDER BY file_no {order}, record {order} LIMIT :most OFFSET :skip"""
        beside = {"file_no": file_no, "record": record} if way.beside else {}
        with self._database.read() as connection:
            rows = connection.rows(query, job_no=job_no, **_values(chosen), **beside, most=way.most, skip=way.skip)
        found = [RejectHead._make((*place, bytes(head), size)) for *place, head, size in rows]
        return found[::-1] if way.backwards else found

    def reasons(self, job_no: int, file_no: int | None = None) -> list[tuple[str, int]]:
        """(reason, count), the most frequent first. O(n): there may be a million."""
        chosen = RejectChoice(file_no)
        query = (
            f"SELECT reason, count(*) FROM reject WHERE job_no = :job_no {_conditions(chosen)} GROUP BY reason ORDER BY 2 DESC, 1"
        )
        with self._database.read() as connection:
            return [(reason, count) for reason, count in connection.rows(query, job_no=job_no, **_values(chosen))]

    def raw(self, job_no: int, file_no: int, record: int) -> bytes | None:
        """All bytes of a record; None if it is not there any more."""
        query = "SELECT raw FROM reject WHERE job_no = :job_no AND file_no = :file_no AND record = :record"
        with self._database.read() as connection:
            row = connection.first(query, job_no=job_no, file_no=file_no, record=record)
            return None if row is None else bytes(row[0])


def _conditions(chosen: RejectChoice) -> str:
    return f"{'' if chosen.file_no is None else 'AND file_no = :chosen_file'} {'AND reason = :reason' if chosen.reason else ''}"


def _values(chosen: RejectChoice) -> dict[str, object]:
    values: dict[str, object] = {"chosen_file": chosen.file_no, "reason": chosen.reason}
    return {name: value for name, value in values.items() if value is not None}

"""Batches of CSV files that land: their marks in `batch`, and with these their rows and rejects.

The ledger is the rule: the mark of a batch, its rows and its rejects are one transaction, which first takes the lock of the unit
and leaves out what is marked already. So whoever does a batch again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from s3tui.model import Lease, Proof
from s3tui.state.database import Database
from s3tui.state.ingests import CUT, FILE, Cut, RejectRow, ensure_going
from s3tui.state.row_tables import refusals
from s3tui.state.sql import RowTable, Sheet, quoted
from s3tui.state.units import assert_held, forgive_crashes

_PAGE = 100

_MARK = "UPDATE batch SET done = TRUE, payload = NULL, inserted = ?, rejected = ?, etag = ?, proof = ? WHERE job_no = ? AND no = ?"

_INSERT_REJECT = """
INSERT INTO reject (job_no, file_no, record, line, start, reason, detail, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""


class Landing(NamedTuple):
    """A batch whose object is proven."""

    cut: Cut
    rows: Sheet
    rejects: Sequence[RejectRow]
    etag: str
    proof: Proof


class Landings:
    """What of ingest jobs is in the database for everybody to read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self, lease: Lease) -> Iterator[Cut]:
        """The batches of a unit that are not done, by number; read in pages."""
        after = 0
        while True:
            with self._database.read() as connection:
                page = connection.rows(
                    f"""
                    SELECT {CUT} FROM batch WHERE job_no = :job_no AND unit_no = :unit_no AND no > :after AND NOT done
                    ORDER BY no LIMIT {_PAGE}""",
                    job_no=lease.job_no,
                    unit_no=lease.unit_no,
                    after=after,
                )
            yield from map(Cut._make, page)
            if len(page) < _PAGE:
                return
            after = page[-1][0]

    def payload(self, lease: Lease, cut: Cut) -> bytes | None:
        """The bytes of a batch that is not done, if they travel with it."""
        query = "SELECT payload FROM batch WHERE job_no = :job_no AND no = :no"
        with self._database.read() as connection:
            row = connection.first(query, job_no=lease.job_no, no=cut.no)
            return None if row is None or row[0] is None else bytes(row[0])

    def carries_payloads(self, lease: Lease) -> bool:
        """Whether all that is left of a unit can be landed without the file."""
        query = "SELECT 1 FROM batch WHERE job_no = :job_no AND unit_no = :unit_no AND NOT done AND payload IS NULL LIMIT 1"
        with self._database.read() as connection:
            return connection.first(query, job_no=lease.job_no, unit_no=lease.unit_no) is None

    def waiting_bytes(self, lease: Lease) -> int:
        """Bytes of all batches of a job that are cut and not done."""
        query = "SELECT coalesce(sum(cut - landed), 0) FROM csv_file WHERE job_no = :job_no AND reason IS NULL"
        with self._database.read() as connection:
            [(waiting,)] = connection.rows(query, job_no=lease.job_no)
            return int(waiting)

    def land(self, lease: Lease, job_id: str, no: int, landings: Sequence[Landing], table: RowTable) -> None:
        """Mark batches of a file as done, and bring their rows and rejects, in one transaction; those that are marked are left out.

        Raises LeaseLost, Cancelled if the file fails, and TableError if the table refuses the rows.
        """
        loads = {landing.cut.no: self._database.loads(table, job_id, no + 1, landing.rows) for landing in landings}
        first, last = landings[0].cut.no, landings[-1].cut.no
        with self._database.write() as connection:
            assert_held(connection, lease)
            query = "SELECT no FROM batch WHERE job_no = :job_no AND no BETWEEN :first AND :last AND NOT done"
            waiting = {number for (number,) in connection.rows(query, job_no=lease.job_no, first=first, last=last)}
            new = [landing for landing in landings if landing.cut.no in waiting]
            if new:
                forgive_crashes(connection, lease)
            with refusals(connection, table):
                connection.load([load for landing in new for load in loads[landing.cut.no]])
            connection.insert(_INSERT_REJECT, [(lease.job_no, no, *reject) for landing in new for reject in landing.rejects])
            connection.execute_each(
                _MARK, [(len(one.rows), len(one.rejects), one.etag, one.proof, lease.job_no, one.cut.no) for one in new]
            )
            ensure_going(
                connection.execute(
                    f"""
                    UPDATE csv_file SET batches_done = batches_done + :batches, landed = landed + :landed,
                        inserted = inserted + :inserted, rejected = rejected + :rejected
                    WHERE {FILE} AND reason IS NULL""",
                    job_no=lease.job_no,
                    no=no,
                    batches=len(new),
                    landed=sum(one.cut.length for one in new),
                    inserted=sum(len(one.rows) for one in new),
                    rejected=sum(len(one.rejects) for one in new),
                )
            )

    def take_back(self, lease: Lease, no: int, table: RowTable, *, after: int = 0) -> int | None:
        """Remove some of what has landed of a doomed file, behind this batch; the last batch of that, or None.

        Raises LeaseLost, and TableError if the table cannot be used any more.
        """
        place = {"job_no": lease.job_no, "no": no}
        with self._database.write() as connection:
            assert_held(connection, lease)
            page = connection.rows(
                f"""
                SELECT batch.no, job.id, batch.line, batch.lines, batch.first, batch.records FROM batch
                JOIN job ON job.no = batch.job_no
                WHERE batch.job_no = :job_no AND batch.file_no = :no AND batch.no > :after AND batch.done
                ORDER BY batch.no LIMIT {_PAGE}""",
                **place,
                after=after,
            )
            with refusals(connection, table):
                connection.execute_each(
                    f"DELETE FROM {quoted(table.name)} WHERE {table.job} = ? AND {table.file} = ? AND {table.line} BETWEEN ? AND ?",
                    [(job_id, no + 1, line, line + lines - 1) for _, job_id, line, lines, _, _ in page],
                )
            connection.execute_each(
                "DELETE FROM reject WHERE job_no = ? AND file_no = ? AND record BETWEEN ? AND ?",
                [(lease.job_no, no, first, first + records - 1) for *_, first, records in page],
            )
            connection.execute_each(
                "UPDATE batch SET done = FALSE, inserted = 0, rejected = 0 WHERE job_no = ? AND no = ?",
                [(lease.job_no, row[0]) for row in page],
            )
            nothing = f"UPDATE csv_file SET landed = 0, batches_done = 0, inserted = 0, rejected = 0 WHERE {FILE}"
            connection.execute(nothing, **place)
            return page[-1][0] if page else None

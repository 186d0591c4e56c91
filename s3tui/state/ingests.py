"""Rows of `csv_file`, `batch` and `reject`: the files of ingest jobs, from their first batch that is cut to their end.

A file that fails is marked first, and from then on nothing of it lands; then what has landed is taken back, page by page; then it
has failed. Each step can be gone on with by another worker. How batches land is in `state.landings`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from s3tui.errors import Cancelled
from s3tui.events import Fact, Failed, Planned
from s3tui.model import Action, ActiveTransfer, FileState, Fingerprint, Lease, RowCounts, UnitKind
from s3tui.state.chronicle import tell_files
from s3tui.state.database import Database
from s3tui.state.jobs import ADD_UNIT
from s3tui.state.outbox import post_units
from s3tui.state.settling import HELD, READY
from s3tui.state.transfers import write_facts
from s3tui.state.units import assert_held, forgive_crashes

_FEW_REJECTS, _REJECTS_PAGE, _REJECTS_BYTES = 10, 1000, 8 << 20
"""A record may be as large as a batch, and is small nearly always: a page is as long as those before it let it be."""

FILE = "job_no = :job_no AND no = :no"

_INSERT_FILE = f"""
INSERT INTO transfer (job_no, no, source_no, path, key, size, mtime_ns, inode, state, action, attempts)
VALUES (:job_no, :no, :source_no, :path, :key, :size, :mtime_ns, :inode, {FileState.PLANNED}, {Action.UPLOAD}, 0)"""

_SELECT_FILE = f"""
SELECT facts, whole, csv_file.reason, csv_file.error, batches, batches_done, csv_file.rejected, size, mtime_ns, inode
FROM csv_file JOIN transfer ON transfer.job_no = csv_file.job_no AND transfer.no = csv_file.no
WHERE csv_file.job_no = :job_no AND csv_file.no = :no AND transfer.state = {FileState.PLANNED}"""

_INSERT_BATCH = """
INSERT INTO batch (job_no, no, file_no, unit_no, first, line, start, length, records, lines, payload)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""

CUT = "no, first, line, start, length, records, lines"

# How far in the file itself its landed batches reach, in bytes; that of a compressed one is only about right.
_LANDED_SIZE = "CASE WHEN cut > 0 THEN CAST(landed * 1.0 * consumed / cut AS BIGINT) ELSE 0 END"

_COUNTS = f"""
SELECT csv_file.no, inserted, rejected, rejects_url,
    CASE WHEN transfer.state = {FileState.PLANNED} THEN {_LANDED_SIZE} ELSE 0 END
FROM csv_file JOIN transfer ON transfer.job_no = csv_file.job_no AND transfer.no = csv_file.no
WHERE csv_file.job_no = :job_no ORDER BY csv_file.no"""

SUM = f"""
SELECT coalesce(sum(inserted), 0), coalesce(sum(rejected), 0),
    coalesce(sum(CASE WHEN transfer.state = {FileState.PLANNED} THEN {_LANDED_SIZE} ELSE 0 END), 0)
FROM csv_file JOIN transfer ON transfer.job_no = csv_file.job_no AND transfer.no = csv_file.no
WHERE csv_file.job_no = :job_no"""
"""Rows inserted and rejected, and bytes landed of files that are not at their end: over all files of a job."""

_AT_WORK = f"""
SELECT csv_file.no, {_LANDED_SIZE}, transfer.size, transfer.attempts + 1
FROM csv_file JOIN transfer ON transfer.job_no = csv_file.job_no AND transfer.no = csv_file.no
WHERE csv_file.job_no = :job_no AND batches_done > 0 AND transfer.state = {FileState.PLANNED} ORDER BY csv_file.no"""

# Of two units that end one file at the same moment, the second sees what the first has written, and counts nothing again.
_LOCK = f"UPDATE transfer SET state = state WHERE {FILE}"

_FIRST_BATCH = "FROM batch WHERE batch.job_no = :job_no AND batch.file_no = :no ORDER BY batch.no LIMIT 1"

# A file is many objects: what the row tells of one is that of the first.
_AS_ITS_FIRST_BATCH = f"""
UPDATE transfer SET checksum = NULL, etag = (SELECT etag {_FIRST_BATCH}), proof = (SELECT proof {_FIRST_BATCH})
WHERE {FILE} AND state = {FileState.VERIFIED}"""


class Cut(NamedTuple):
    """A batch as it was cut: see `batch` in the schema."""

    no: int
    first: int
    line: int
    start: int
    length: int
    records: int
    lines: int


class RejectRow(NamedTuple):
    """A record that is no row: see `reject` in the schema."""

    record: int
    line: int
    start: int
    reason: str
    detail: str
    raw: bytes


class CsvFile(NamedTuple):
    """A file that is neither ingested nor failed."""

    facts: dict[str, Any]
    whole: bool
    reason: str | None
    error: str | None
    batches: int
    batches_done: int
    rejected: int
    fingerprint: Fingerprint
    """As it was planned."""

    @property
    def has_landed(self) -> bool:
        """Whether all its batches are known, and done."""
        return self.whole and self.batches_done == self.batches


class FileCounts(NamedTuple):
    """What has become of the rows of a file."""

    inserted: int
    rejected: int
    rejects_url: str | None
    landed: int
    """Bytes of a file that is not at its end, as far as it has landed."""


class Ingests:
    """The CSV files of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Planning.

    def begin(self, lease: Lease, file: Planned, facts: Mapping[str, Any]) -> None:
        """Write down a file whose header has been read; its number is that of its source. Raises LeaseLost."""
        size, mtime_ns, inode = file.fingerprint
        with self._database.write() as connection:
            assert_held(connection, lease)
            place = {"job_no": lease.job_no, "no": file.source_no}
            connection.execute(
                _INSERT_FILE,
                **place,
                source_no=file.source_no,
                path=file.path,
                key=file.key,
                size=size,
                mtime_ns=mtime_ns,
                inode=inode,
            )
            connection.execute(
                "INSERT INTO csv_file (job_no, no, facts) VALUES (:job_no, :no, :facts)", **place, facts=_json(facts)
            )
            connection.execute(
                "UPDATE job SET found = found + 1, bytes_found = bytes_found + :size WHERE no = :job_no",
                job_no=lease.job_no,
                size=size,
            )

    def next_batch(self, lease: Lease) -> int:
        """The number of the job's next batch."""
        with self._database.read() as connection:
            [(newest,)] = connection.rows("SELECT max(no) FROM batch WHERE job_no = :job_no", job_no=lease.job_no)
            return 1 + (newest or 0)

    def last_cut(self, lease: Lease, no: int) -> Cut | None:
        """The last batch of a file that was written down: cutting goes on behind it."""
        query = f"SELECT {CUT} FROM batch WHERE job_no = :job_no AND file_no = :no ORDER BY no DESC LIMIT 1"
        with self._database.read() as connection:
            row = connection.first(query, job_no=lease.job_no, no=no)
            return None if row is None else Cut._make(row)

    def add(
        self, lease: Lease, no: int, cuts: Sequence[Cut], payloads: Sequence[bytes | None], *, consumed: int, hold: bool
    ) -> None:
        """Write batches of a file, with their bytes if these are to travel with them, and the unit that will land them.

        `consumed`: bytes of the file that were read for all so far. Raises LeaseLost, and Cancelled if the file fails already.
        """
        with self._database.write() as connection:
            assert_held(connection, lease)
            forgive_crashes(connection, lease)
            [(unit_no, queue, job_id, home)] = connection.rows(
                "UPDATE job SET units = units + 1 WHERE no = :job_no RETURNING units - 1, queue, id, home", job_no=lease.job_no
            )
            place = {"job_no": lease.job_no, "unit_no": unit_no}
            connection.execute(ADD_UNIT, **place, kind=UnitKind.CARRY, first=no, last=no, state=HELD if hold else READY)
            rows = [(lease.job_no, cut.no, no, unit_no, *cut[1:], raw) for cut, raw in zip(cuts, payloads, strict=True)]
            connection.insert(_INSERT_BATCH, rows)
            ensure_going(
                connection.execute(
                    f"""
                    UPDATE csv_file SET batches = batches + :batches, cut = cut + :cut, consumed = :consumed
                    WHERE {FILE} AND reason IS NULL""",
                    job_no=lease.job_no,
                    no=no,
                    batches=len(cuts),
                    cut=sum(cut.length for cut in cuts),
                    consumed=consumed,
                )
            )
            if not hold and home is None:
                post_units(connection, queue, job_id, [unit_no])

    def cut_whole(self, lease: Lease, no: int, facts: Mapping[str, Any], *, size: int) -> None:
        """A file is cut to its end. Raises LeaseLost, and Cancelled if the file fails already."""
        with self._database.write() as connection:
            assert_held(connection, lease)
            place = {"job_no": lease.job_no, "no": no}
            whole = f"UPDATE csv_file SET whole = TRUE, facts = :facts, consumed = :size WHERE {FILE} AND reason IS NULL"
            ensure_going(connection.execute(whole, **place, facts=_json(facts), size=size))
            connection.execute(f"UPDATE transfer SET key = NULL WHERE {FILE} AND {_HAS_NO_BATCH}", **place)

    def file(self, job_no: int, no: int) -> CsvFile | None:
        """A file, unless it is at its end."""
        with self._database.read() as connection:
            row = connection.first(_SELECT_FILE, job_no=job_no, no=no)
        if row is None:
            return None
        facts, whole, reason, error, batches, batches_done, rejected, *fingerprint = row
        return CsvFile(
            json.loads(facts), bool(whole), reason, error, batches, batches_done, rejected, Fingerprint._make(fingerprint)
        )

    def rejects(self, job_no: int, no: int) -> Iterator[list[RejectRow]]:
        """What of a file is no row, in its order; in pages."""
        after, count = 0, _FEW_REJECTS
        while True:
            with self._database.read() as connection:
                page = connection.rows(
                    """
                    SELECT record, line, start, reason, detail, raw FROM reject
                    WHERE job_no = :job_no AND file_no = :no AND record > :after ORDER BY record LIMIT :count""",
                    job_no=job_no,
                    no=no,
                    after=after,
                    count=count,
                )
            if page:
                yield [RejectRow._make(row) for row in page]
            if len(page) < count:
                return
            size = 1 + sum(len(row[-1]) for row in page) // len(page)
            after, count = page[-1][0], min(_REJECTS_PAGE, max(_FEW_REJECTS, _REJECTS_BYTES // size))

    # The end of a file.

    def finish(self, lease: Lease, no: int, facts: Sequence[Fact], rejects_url: str | None) -> None:
        """A file has landed: the facts that say so, and where its rejects are. Raises LeaseLost."""
        with self._database.write() as connection:
            assert_held(connection, lease)
            connection.execute(_LOCK, job_no=lease.job_no, no=no)
            write_facts(connection, lease, facts)
            written = f"UPDATE csv_file SET rejects_url = :url WHERE {FILE}"
            connection.execute(written, job_no=lease.job_no, no=no, url=rejects_url)
            connection.execute(_AS_ITS_FIRST_BATCH, job_no=lease.job_no, no=no)

    def doom(self, lease: Lease, no: int, reason: str, error: str) -> None:
        """From now on nothing more of a file lands. The first reason stands. Raises LeaseLost."""
        with self._database.write() as connection:
            assert_held(connection, lease)
            doomed = f"UPDATE csv_file SET reason = :reason, error = :error WHERE {FILE} AND reason IS NULL"
            connection.execute(doomed, job_no=lease.job_no, no=no, reason=reason, error=error)
            unwanted = "UPDATE batch SET payload = NULL WHERE job_no = :job_no AND file_no = :no AND payload IS NOT NULL"
            connection.execute(unwanted, job_no=lease.job_no, no=no)

    def fail(self, lease: Lease, no: int, fact: Failed) -> None:
        """Nothing of a doomed file is left. Another attempt is another job. Raises LeaseLost."""
        with self._database.write() as connection:
            assert_held(connection, lease)
            connection.execute(_LOCK, job_no=lease.job_no, no=no)
            write_facts(connection, lease, [fact])
            failed = f"UPDATE transfer SET action = {Action.FAIL} WHERE {FILE} AND state = {FileState.FAILED}"
            connection.execute(failed, job_no=lease.job_no, no=no)
        tell_files(self._database, lease.job_no, [no])

    # For people.

    def counts(self, job_no: int) -> dict[int, FileCounts]:
        """What has become of the rows of each file whose header was read, by number."""
        with self._database.read() as connection:
            return {no: FileCounts(*rest) for no, *rest in connection.rows(_COUNTS, job_no=job_no)}

    def sum(self, job_no: int) -> RowCounts:
        """The same, over all files."""
        with self._database.read() as connection:
            [(inserted, rejected, landed)] = connection.rows(SUM, job_no=job_no)
            return RowCounts(int(inserted), int(rejected), int(landed))

    def batches(self, job_no: int) -> int:
        """How many batches there are of all files."""
        query = "SELECT coalesce(sum(batches), 0) FROM csv_file WHERE job_no = :job_no"
        with self._database.read() as connection:
            [(batches,)] = connection.rows(query, job_no=job_no)
            return int(batches)

    def facts(self, job_no: int, numbers: Sequence[int] | None = None) -> dict[int, dict[str, Any]]:
        """What the plan knows of these files, or of each, by number."""
        chosen = {} if numbers is None else {"numbers": list(numbers)}
        query = f"SELECT no, facts FROM csv_file WHERE job_no = :job_no {'AND no = ANY(:numbers)' if chosen else ''} ORDER BY no"
        with self._database.read() as connection:
            return {no: json.loads(facts) for no, facts in connection.rows(query, job_no=job_no, **chosen)}

    def at_work(self, job_no: int) -> list[ActiveTransfer]:
        """The files of which something has landed, and which are not at their end."""
        with self._database.read() as connection:
            rows = connection.rows(_AT_WORK, job_no=job_no)
            return [ActiveTransfer(no, int(landed), size, attempt, 0.0) for no, landed, size, attempt in rows]


_HAS_NO_BATCH = "NOT EXISTS (SELECT 1 FROM batch WHERE batch.job_no = :job_no AND batch.file_no = :no)"


def ensure_going(updated: int) -> None:
    """Of a file that has changed by this much, unless it fails. Raises Cancelled."""
    if not updated:
        raise Cancelled("The file has failed meanwhile.")


def _json(facts: Mapping[str, Any]) -> str:
    return json.dumps(facts, separators=(",", ":"))

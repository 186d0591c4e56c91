"""CSV files in the state database: batches are marked with their rows, once, and what fails is taken back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from s3tui.errors import Cancelled, LeaseLost
from s3tui.events import Fact, Failed, Planned, Uploaded, Verified
from s3tui.model import FileState, Fingerprint, Job, JobState, Lease, Proof, Receipt, RowCounts, UnitKind
from s3tui.state.ingests import Cut, FileCounts, RejectRow
from s3tui.state.landings import Landing
from s3tui.state.row_tables import INGEST_ROWS
from s3tui.state.store import Store
from s3tui.tabular.encoding import Encoding
from s3tui.tabular.grammar import Dialect
from s3tui.tabular.rows import Rows
from s3tui.tabular.sheets import NamedSheet
from s3tui.tabular.table import Table
from tests.state.scenes import ANN, BOB, claim, new_job, register

FACTS = {"columns": ["a"]}
TABLE = Table(Encoding("utf-8"), Dialect(), ("a",), 2, 2)


def cut(no: int) -> Cut:
    """A batch of ten lines of ten bytes; the header is line 1."""
    return Cut(no, first=no * 10 - 9, line=no * 10 - 8, start=no * 100 - 98, length=100, records=10, lines=10)


def landing(no: int, *, rejects: int = 0) -> Landing:
    """The same with ten records, the last of which are no rows."""
    batch = cut(no)
    lines = range(batch.line, batch.line + 10 - rejects)
    lost = [
        RejectRow(batch.first + 9 - at, batch.line + 9 - at, batch.start + 90 - 10 * at, "nul", "it holds a NUL", b"\0\xff")
        for at in range(rejects)
    ]
    return Landing(batch, sheet(lines), lost, '"e"', Proof.ETAG_MD5)


def sheet(lines: Sequence[int]) -> NamedSheet:
    """A row for each of these lines."""
    return NamedSheet(Rows(TABLE, lines, [[f"ü{line}"] for line in lines]))


def planned(store: Store, batches: Sequence[int] = (1, 2), *, whole: bool = True) -> tuple[Job, Lease]:
    """A job of one file in so many batches of one unit, whose plan is over if it is whole; and its lease."""
    job = new_job(store)
    register(store, ANN, BOB)
    lease = claim(store)
    store.ingests.begin(lease, Planned(0, b"a.csv", "p/1", Fingerprint(1000, 1, 2)), FACTS)
    store.ingests.add(lease, 0, [cut(no) for no in batches], [None] * len(batches), consumed=500, hold=False)
    if whole:
        store.ingests.cut_whole(lease, 0, FACTS, size=1000)
        store.planning.finish(lease)
    return job, claim(store)


def rows(store: Store, job: Job) -> list[int]:
    """The lines of all rows that are there."""
    with store.database.read() as connection:
        found = connection.rows("SELECT line FROM ingest_rows WHERE job_id = :id ORDER BY line", id=job.id)
        return [line for (line,) in found]


def test_a_batch_lands_once_however_often_it_is_brought(store: Store) -> None:
    job, lease = planned(store)
    assert list(store.landings.waiting(lease)) == [cut(1), cut(2)]
    store.landings.land(lease, job.id, 0, [landing(1)], INGEST_ROWS)
    assert list(store.landings.waiting(lease)) == [cut(2)]
    store.landings.land(lease, job.id, 0, [landing(1), landing(2, rejects=3)], INGEST_ROWS)
    store.landings.land(lease, job.id, 0, [landing(1), landing(2, rejects=3)], INGEST_ROWS)
    assert rows(store, job) == list(range(2, 19))
    assert store.ingests.counts(job.no) == {0: FileCounts(17, 3, None, 1000)}
    file = store.ingests.file(job.no, 0)
    assert file is not None
    assert (file.has_landed, file.rejected, file.fingerprint) == (True, 3, Fingerprint(1000, 1, 2))


def test_workers_that_die_on_a_unit_count_no_more_once_it_gets_on(store: Store) -> None:
    job, lease = planned(store, range(1, 21))
    for death in range(8):  # of which five would be too many, had nothing landed between
        store.landings.land(lease, job.id, 0, [landing(1 + death)], INGEST_ROWS)
        die(store)
        lease = claim(store)
    assert lease.after_crash
    for _death in range(3):
        store.landings.land(lease, job.id, 0, [landing(1)], INGEST_ROWS)  # which has landed before
        die(store)
        lease = claim(store)
    die(store)
    assert store.units.claim(ANN) is None
    assert store.jobs.by_no(job.no).reason == "worker_crashed"


def test_a_plan_gets_on_by_what_it_has_cut(store: Store) -> None:
    new_job(store)
    register(store, ANN)
    lease = claim(store)
    store.ingests.begin(lease, Planned(0, b"a.csv", "p/1", Fingerprint(1000, 1, 2)), FACTS)
    for no in range(1, 9):
        store.ingests.add(lease, 0, [cut(no)], [None], consumed=500, hold=True)
        die(store)
        lease = claim(store)
    assert lease.kind is UnitKind.PLAN


def die(store: Store) -> None:
    """Let whoever has a unit be dead, and what it had be free."""
    with store.database.write() as connection:
        connection.execute("UPDATE unit SET lease_until = 1 WHERE worker IS NOT NULL")
    store.units.reap()


def test_rows_and_rejects_are_what_was_brought(store: Store) -> None:
    job, lease = planned(store)
    store.landings.land(lease, job.id, 0, [landing(1, rejects=8)], INGEST_ROWS)
    with store.database.read() as connection:
        [row, _] = connection.rows("SELECT job_id, file, line, data FROM ingest_rows ORDER BY line")
    assert row[:3] == (job.id, 1, 2)
    assert (json.loads(row[3]) if isinstance(row[3], str) else row[3]) == {"a": "ü2"}
    [page] = store.ingests.rejects(job.no, 0)
    assert [(reject.record, reject.line) for reject in page] == [(record, record + 1) for record in range(3, 11)]
    assert (page[0].reason, bytes(page[0].raw)) == ("nul", b"\0\xff")
    assert store.rejects.reasons(job.no) == [("nul", 8)]


def test_who_has_lost_the_lease_brings_nothing(store: Store) -> None:
    job, lease = planned(store)
    late = replace(lease, token=lease.token - 1)
    with pytest.raises(LeaseLost):
        store.landings.land(late, job.id, 0, [landing(1)], INGEST_ROWS)
    with pytest.raises(LeaseLost):
        store.ingests.doom(late, 0, "nul", "It fails.")
    with pytest.raises(LeaseLost):
        store.ingests.add(late, 0, [cut(3)], [None], consumed=1, hold=False)
    assert rows(store, job) == []
    assert store.ingests.sum(job.no) == RowCounts(0, 0, 0)


def test_a_file_has_landed_only_when_it_is_cut_whole(store: Store) -> None:
    job, lease = planned(store, whole=False)
    store.landings.land(lease, job.id, 0, [landing(1), landing(2)], INGEST_ROWS)
    file = store.ingests.file(job.no, 0)
    assert file is not None
    assert (file.batches, file.batches_done, file.has_landed) == (2, 2, False)
    assert store.ingests.sum(job.no).landed == 500


def test_nothing_more_of_a_doomed_file_lands_and_all_of_it_is_taken_back(store: Store) -> None:
    job, lease = planned(store)
    store.landings.land(lease, job.id, 0, [landing(1, rejects=2)], INGEST_ROWS)
    store.ingests.doom(lease, 0, "first", "It fails.")
    store.ingests.doom(lease, 0, "second", "It fails again.")
    with pytest.raises(Cancelled):
        store.landings.land(lease, job.id, 0, [landing(2)], INGEST_ROWS)
    assert rows(store, job) == list(range(2, 10))
    assert store.landings.take_back(lease, 0, INGEST_ROWS) == 1
    assert store.landings.take_back(lease, 0, INGEST_ROWS, after=1) is None
    assert (rows(store, job), list(store.ingests.rejects(job.no, 0))) == ([], [])
    store.ingests.fail(lease, 0, Failed(0, 1, "first", "It fails."))
    store.units.finish(lease)
    [row] = store.transfers.window(job.no, 0, 9)
    assert (row.state, row.reason, store.ingests.file(job.no, 0)) == (FileState.FAILED, "first", None)
    assert store.jobs.by_no(job.no).state is JobState.PARTIAL
    assert store.jobs.retry(job.no, None, home=None, identity="") == 0, "another attempt is another job"


def test_a_file_of_another_job_and_another_file_keep_their_rows(store: Store) -> None:
    job, lease = planned(store)
    with store.database.write() as connection:
        connection.load(store.database.loads(INGEST_ROWS, job.id, 2, sheet([2])))
        connection.load(store.database.loads(INGEST_ROWS, "another", 1, sheet([2])))
    store.landings.land(lease, job.id, 0, [landing(1)], INGEST_ROWS)
    store.ingests.doom(lease, 0, "r", "It fails.")
    store.landings.take_back(lease, 0, INGEST_ROWS)
    with store.database.read() as connection:
        left = connection.rows("SELECT job_id, file FROM ingest_rows ORDER BY file DESC")
    assert left == [(job.id, 2), ("another", 1)]


@pytest.mark.parametrize(("rejects", "state"), [(0, JobState.COMPLETED), (1, JobState.PARTIAL)])
def test_a_rejected_record_makes_the_job_partial(store: Store, rejects: int, state: JobState) -> None:
    job, lease = planned(store, (1,))
    store.landings.land(lease, job.id, 0, [landing(1, rejects=rejects)], INGEST_ROWS)
    facts: list[Fact] = [Uploaded(0, 1, Receipt(1000, "", "")), Verified(0, Proof.SERVER_CHECKSUM)]
    store.ingests.finish(lease, 0, facts, "http://s3/rejects.csv" if rejects else None)
    store.units.finish(lease)
    assert store.jobs.by_no(job.no).state is state
    [row] = store.transfers.window(job.no, 0, 9)
    assert (row.state, row.etag, row.proof, row.checksum) == (FileState.VERIFIED, '"e"', "etag_md5", None)
    counts = store.ingests.counts(job.no)[0]
    assert (counts.rejected, counts.rejects_url, counts.landed) == (rejects, "http://s3/rejects.csv" if rejects else None, 0)


def test_cutting_goes_on_behind_the_last_batch_and_numbers_run_through_all_files(store: Store) -> None:
    new_job(store)
    register(store, ANN)
    lease = claim(store)
    for no in (0, 1):
        store.ingests.begin(lease, Planned(no, b"a.csv", f"p/{no}", Fingerprint(1000, 1, 2)), FACTS)
    assert (store.ingests.next_batch(lease), store.ingests.last_cut(lease, 0)) == (1, None)
    store.ingests.add(lease, 0, [cut(1), cut(2)], [None, None], consumed=500, hold=True)
    store.ingests.add(lease, 1, [cut(3)], [None], consumed=500, hold=True)
    assert (store.ingests.next_batch(lease), store.ingests.last_cut(lease, 0), store.ingests.last_cut(lease, 1)) == (
        4,
        cut(2),
        cut(3),
    )
    assert store.units.claim(BOB) is None, "units are held back"


def test_what_the_failure_of_the_job_kept_from_landing_is_planned_again(store: Store) -> None:
    job, lease = planned(store)
    store.landings.land(lease, job.id, 0, [landing(1)], INGEST_ROWS)
    store.jobs.fail(job.no, "access_denied", "No.")
    store.units.release(lease)
    assert [row.state for row in store.transfers.window(job.no, 0, 9)] == [FileState.FAILED]
    store.jobs.reopen(job.no, home=None, identity="")
    assert [row.state for row in store.transfers.window(job.no, 0, 9)] == [FileState.PLANNED]
    assert list(store.landings.waiting(claim(store))) == [cut(2)]


def test_a_file_may_be_larger_than_numbers_can_be_multiplied(store: Store) -> None:
    job, lease = planned(store, (), whole=False)
    huge = cut(1)._replace(length=1 << 42)
    store.units.finish(lease)
    plan = replace(lease, unit_no=0)
    store.ingests.add(plan, 0, [huge], [None], consumed=1 << 41, hold=False)
    store.landings.land(claim(store), job.id, 0, [landing(1)._replace(cut=huge)], INGEST_ROWS)
    assert store.ingests.sum(job.no).landed == store.ingests.counts(job.no)[0].landed == 1 << 41

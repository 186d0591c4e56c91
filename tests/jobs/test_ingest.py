"""Ingest jobs in this process, on both databases: every record in one place, once."""

from __future__ import annotations

import gzip
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from s3tui.errors import SpecError
from s3tui.model import FileChoice, FileState, Job, JobState, View
from tests.front import FaultFront
from tests.jobs.ingesting import begin, ingest, objects, rows, table
from tests.jobs.yard import Yard
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=8)


def test_rows_come_into_the_database_and_batches_onto_the_store(yard: Yard, tmp_path: Path) -> None:
    job = ingest(yard, table(tmp_path / "a.csv", 25), batch_rows=10)
    assert job.state is JobState.COMPLETED, job.error
    assert rows(yard, job) == [(1, 1 + number, {"id": str(number), "name": f"name {number}"}) for number in range(1, 26)]
    found = objects(yard.store, job)
    assert sorted(found) == [f"batch-{number:06}.json" for number in (1, 2, 3)]
    third = {"upload": job.id, "batch": 3, "first": 21, "columns": ["id", "name"]}
    assert json.loads(found["batch-000003.json"]) == third | {"rows": [[str(n), f"name {n}"] for n in range(21, 26)]}


def test_files_are_numbered_batches_run_through_all_of_them_and_each_has_rejects_of_its_own(yard: Yard, tmp_path: Path) -> None:
    broken = tmp_path / "b.csv"
    broken.write_text("x\n1\n2,3\n")
    job = ingest(yard, table(tmp_path / "a.csv", 15), broken, table(tmp_path / "c.csv", 1), batch_rows=10)
    assert job.state is JobState.PARTIAL
    assert [(file, line) for file, line, _ in rows(yard, job) if file > 1] == [(2, 2), (3, 2)]
    found = objects(yard.store, job)
    assert sorted(found) == [*(f"batch-{number:06}.json" for number in (1, 2, 3, 4)), "rejects-2.csv"]
    assert [json.loads(found[f"batch-{number:06}.json"])["first"] for number in (1, 2, 3, 4)] == [1, 11, 1, 1]
    assert found["rejects-2.csv"] == b"x,_line,_reason\r\n2,3,too_many_fields,3\r\n"
    keys = [row.key for row in yard.runtime.service.window(job, 0, 9)]
    assert keys == [f"p/uploads/{job.id}/batch-{number:06}.json" for number in (1, 3, 4)]


def test_every_rejected_record_is_told_with_its_line_and_reason(yard: Yard, tmp_path: Path) -> None:
    odd = tmp_path / "odd.csv"
    odd.write_bytes(b'a,b\n1,2\n3\n"x\ny",5\n6,\xff\n7,8,9\n\n10,a\0b\n11,"open\n12,13\n')
    job = ingest(yard, odd, batch_rows=3, encoding="utf-8")
    assert [(line, row["a"]) for _, line, row in rows(yard, job)] == [(2, "1"), (4, "x\ny"), (11, "12")]
    service = yard.runtime.service
    assert dict(service.rejects(job)) == dict.fromkeys(
        ["too_few_fields", "undecodable", "too_many_fields", "nul", "unclosed_quote"], 1
    )
    expected = [
        b"a,b,_line,_reason",
        b"3,,3,too_few_fields",
        b"6,\\xff,6,undecodable",
        b"7,8,7,too_many_fields,9",
        b"10,a\\x00b,9,nul",
        b'"11,""open",,10,unclosed_quote',
    ]
    assert objects(yard.store, job)["rejects.csv"].split(b"\r\n")[:-1] == expected
    report = json.loads("".join(service.report(job)))
    [file] = report["files"]
    assert (report["state"], file["state"], file["rows"]) == ("partial", "verified", {"read": 8, "inserted": 3, "rejected": 5})
    assert report["rows"] == file["rows"]
    assert file["rejects_url"].endswith(f"/{yard.store.bucket}/p/uploads/{job.id}/rejects.csv")


ODD: dict[str, tuple[bytes, dict[str, Any], list[dict[str, Any]]]] = {
    "bom": (b"\xef\xbb\xbfa,b\r\n1,2\r\n", {}, [{"a": "1", "b": "2"}]),
    "utf-16": ("a;b\n1;ü\n".encode("utf-16"), {}, [{"a": "1", "b": "ü"}]),
    "old line ends": (b"a\tb\r1\t2\r3\t4\r", {}, [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]),
    "latin-1": ("a,b\n1,ü\n".encode("latin-1"), {"encoding": "latin-1"}, [{"a": "1", "b": "ü"}]),
    "quoted": (b'a,b\n"1, ""x""\ny",2\n', {}, [{"a": '1, "x"\ny', "b": "2"}]),
    "blank lines": (b"a,b\n\n1,2\n\n\n3,4", {}, [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]),
    "gzip": (gzip.compress(b"a,b\n1,2\n"), {}, [{"a": "1", "b": "2"}]),
    "no header": (b"1,2\n3,4\n", {"header": False}, [{"column_1": "1", "column_2": "2"}, {"column_1": "3", "column_2": "4"}]),
    "delimiter": (b"a:b\n1:2\n", {"delimiter": ":"}, [{"a": "1", "b": "2"}]),
    "schema": (
        b"a,b,c\n7,,007\n8,1.50,x\n",
        {"schema": "c:text,a:integer,b:decimal?"},
        [{"a": 7, "b": None, "c": "007"}, {"a": 8, "b": 1.5, "c": "x"}],
    ),
    "control characters": (b"a,b\n\x01,\x02\x1f\n", {}, [{"a": "\x01", "b": "\x02\x1f"}]),
    "names like formats": (b"50%,%s\n1,2\n", {}, [{"50%": "1", "%s": "2"}]),
    "marks of COPY": (
        b'a,b\n\\.,"say ""\\N"""\n\\,\t\n\\.,\n',
        {},
        [{"a": "\\.", "b": 'say "\\N"'}, {"a": "\\", "b": "\t"}, {"a": "\\.", "b": ""}],
    ),
    "only a header": (b"a,b\n", {}, []),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_file_arrives_as_it_is_meant(yard: Yard, tmp_path: Path, name: str) -> None:
    content, options, expected = ODD[name]
    odd = tmp_path / "odd.csv"
    odd.write_bytes(content)
    job = ingest(yard, odd, **options)
    assert job.state is JobState.COMPLETED, job.error
    assert [row for _, _, row in rows(yard, job)] == expected
    assert len(objects(yard.store, job)) == bool(expected)


BAD = {
    "empty": (b"", "empty"),
    "same name twice": (b"a,a\n1,2\n", "duplicate_name"),
    "workbook": (b"PK\x03\x04rest", "not_csv"),
    "gzip that ends": (
        gzip.compress("".join(["a,b\n", *(f"{n},{n * 7919}\n" for n in range(200_000))]).encode())[:-5000],
        "truncated_gzip",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_no_table_fails_alone_and_leaves_no_row(yard: Yard, tmp_path: Path, name: str) -> None:
    content, reason = BAD[name]
    bad = tmp_path / "bad.csv"
    bad.write_bytes(content)
    job = ingest(yard, bad, table(tmp_path / "good.csv", 3))
    failed, good = yard.runtime.service.window(job, 0, 9)
    assert (job.state, failed.state, failed.reason, good.state) == (JobState.PARTIAL, FileState.FAILED, reason, FileState.VERIFIED)
    assert "bad.csv" in (failed.error or "")
    assert {file for file, _, _ in rows(yard, job)} == {2}
    assert job.totals.failed == job.totals.uploaded == 1


def test_a_plan_tells_what_fails_at_its_end(yard: Yard, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_bytes(BAD["gzip that ends"][0])
    job = yard.end_of(begin(yard, bad, dry_run=True))
    [row] = yard.runtime.service.window(job, 0, 9)
    assert (job.state, job.totals.failed, row.state, row.reason) == (JobState.PLANNED, 1, FileState.FAILED, "truncated_gzip")


def test_strict_takes_whole_files_only(yard: Yard, tmp_path: Path) -> None:
    broken = table(tmp_path / "b.csv", 500)
    with broken.open("a") as file:
        file.write("501\n")
    job = ingest(yard, broken, table(tmp_path / "a.csv", 20), strict=True, batch_rows=10)
    failed, good = yard.runtime.service.window(job, 0, 9)
    assert (job.state, failed.reason, good.state) == (JobState.PARTIAL, "rejected_row", FileState.VERIFIED)
    assert "line 502" in (failed.error or "")
    assert {file for file, _, _ in rows(yard, job)} == {2}
    assert yard.runtime.service.rejects(job) == []


def test_a_file_that_changes_meanwhile_fails_and_its_rows_are_taken_back(yard: Yard, front: FaultFront, tmp_path: Path) -> None:
    source = table(tmp_path / "a.csv", 2000)
    held = front.hold("PutObject", r"batch-000(02|03|04|05|1)", times=999)
    job_id = begin(yard, source, batch_rows=10)
    assert held.arrived.wait(30)
    wait_until(lambda: rows(yard, job_id), 30, "the first rows")
    with source.open("a") as file:
        file.write("2001,more\n")
    held.open()
    job = yard.end_of(job_id)
    [row] = yard.runtime.service.window(job, 0, 9)
    assert (job.state, row.state, row.reason) == (JobState.PARTIAL, FileState.FAILED, "changed_while_reading")
    assert "has changed" in (row.error or "")
    assert rows(yard, job) == []


def test_a_change_is_seen_by_a_unit_that_had_opened_the_file_before(yard: Yard, front: FaultFront, tmp_path: Path) -> None:
    source = table(tmp_path / "a.csv", 700)
    held = front.hold("PutObject", r"batch-0000(1[1-9]|[2-9])", times=999)
    job_id = begin(yard, source, batch_rows=10)
    third = f"p/uploads/{job_id}/batch-000031.json"
    wait_until(
        lambda: front.requests["PutObject", third] and yard.runtime.service.job(job_id).planned, 30, "the last unit to begin"
    )
    with source.open("a") as file:
        file.write("701,more\n")
    held.open()
    [row] = yard.runtime.service.window(yard.end_of(job_id), 0, 9)
    assert (row.state, row.reason, rows(yard, job_id)) == (FileState.FAILED, "changed_while_reading", [])


def test_a_store_that_refuses_a_batch_stops_the_job_and_resuming_brings_every_row_once(
    yard: Yard, front: FaultFront, tmp_path: Path
) -> None:
    front.fail("PutObject", r"batch-000015", status=403, code="AccessDenied")
    job = ingest(yard, table(tmp_path / "a.csv", 500), batch_rows=10)
    assert (job.state, job.reason) == (JobState.FAILED, "access_denied")
    assert 0 < len(rows(yard, job)) < 500
    yard.runtime.service.resume(job.id, home=yard.worker.id)
    job = yard.end_of(job.id)
    assert job.state is JobState.COMPLETED, job.error
    assert [line for _, line, _ in rows(yard, job)] == list(range(2, 502))


def test_a_worker_that_has_lost_its_lease_brings_no_row_and_the_next_one_brings_each_once(
    yard: Yard, front: FaultFront, tmp_path: Path
) -> None:
    held = front.hold("PutObject", r"batch-000001")
    job_id = begin(yard, table(tmp_path / "a.csv", 40), batch_rows=10)
    assert held.arrived.wait(30)
    with yard.runtime.store.database.write() as connection:
        connection.execute(
            "UPDATE unit SET token = token + 1, worker = 'another', lease_until = clock_ms() + 600000 WHERE kind = 'carry'"
        )
    wait_until(lambda: not [one for one in threading.enumerate() if one.name == "unit-1"], 15, "the unit to break off")
    held.open()
    assert rows(yard, job_id) == []
    with yard.runtime.store.database.write() as connection:
        connection.execute("UPDATE unit SET lease_until = 0 WHERE kind = 'carry'")
    job = yard.end_of(job_id)
    assert job.state is JobState.COMPLETED, job.error
    assert [line for _, line, _ in rows(yard, job)] == list(range(2, 42))


def again(yard: Yard, job: Job, *, forget_marks: bool) -> None:
    """Have every unit of a job that has ended done once more."""
    with yard.runtime.store.database.write() as connection:
        connection.execute("UPDATE unit SET state = 1 WHERE kind = 'carry'")
        connection.execute(
            "UPDATE job SET state = 'pending', home = :home, finished_at = NULL, units_done = 1", home=yard.worker.id
        )
        connection.execute("UPDATE transfer SET state = 0")
        if forget_marks:
            connection.execute("UPDATE batch SET done = FALSE")
            connection.execute("UPDATE csv_file SET batches_done = 0, inserted = 0, rejected = 0")
            connection.execute("DELETE FROM reject")


def test_what_is_done_again_changes_nothing_but_for_the_marks_it_would(yard: Yard, tmp_path: Path) -> None:
    source = table(tmp_path / "a.csv", 30)
    with source.open("a") as file:
        file.write("31\n")
    job = ingest(yard, source, batch_rows=10)
    once, stored = rows(yard, job), objects(yard.store, job)
    assert len(once) == 30
    again(yard, job, forget_marks=False)
    assert yard.end_of(job.id).state is JobState.PARTIAL
    assert (rows(yard, job), objects(yard.store, job)) == (once, stored)
    again(yard, job, forget_marks=True)
    assert yard.end_of(job.id).state is JobState.PARTIAL
    assert len(rows(yard, job)) == 60, "the negative control: without the ledger the same rows come twice"
    assert objects(yard.store, job) == stored


def test_a_plan_tells_what_would_be_and_applying_it_does_exactly_that(yard: Yard, tmp_path: Path) -> None:
    odd, header = tmp_path / "odd.csv", tmp_path / "header.csv"
    odd.write_text("id,price,at\n1,1.5,2026-11-21\n2\n3,2,2026-11-22\n")
    header.write_text("a,b\n")
    job = yard.end_of(begin(yard, odd, header, dry_run=True))
    service = yard.runtime.service
    assert (job.state, rows(yard, job), yard.store.contents()) == (JobState.PLANNED, [], {})
    assert [row.state for row in service.window(job, 0, 9)] == [FileState.PLANNED] * 2
    facts = service.csv_facts(job)
    assert (facts[0]["encoding"], facts[0]["delimiter"], facts[0]["types"]) == ("UTF-8", ",", ["integer", "decimal", "date"])
    assert facts[0]["sample"] == [["1", "1.5", "2026-11-21"], ["3", "2", "2026-11-22"]]
    assert facts[0]["counted"] == {"rows": 2, "rejected": 1, "too_few_fields": 1}
    assert service.foretells_rejects(job)
    service.apply(job.id, home=yard.worker.id)
    job = yard.end_of(job.id)
    assert (job.state, job.totals.uploaded) == (JobState.PARTIAL, 2)
    assert [line for _, line, _ in rows(yard, job)] == [2, 4]


def test_a_file_that_changes_after_the_plan_is_not_ingested(yard: Yard, tmp_path: Path) -> None:
    source = table(tmp_path / "a.csv", 5)
    job = yard.end_of(begin(yard, source, dry_run=True))
    table(source, 6)
    yard.runtime.service.apply(job.id, home=yard.worker.id)
    job = yard.end_of(job.id)
    [row] = yard.runtime.service.window(job, 0, 9)
    assert (row.state, row.reason, rows(yard, job)) == (FileState.FAILED, "changed_while_reading", [])


def test_a_cancelled_job_keeps_the_rows_of_finished_batches_and_says_cancelled(
    yard: Yard, front: FaultFront, tmp_path: Path
) -> None:
    held = front.hold("PutObject", r"batch-000025")
    job_id = begin(yard, table(tmp_path / "a.csv", 500), batch_rows=10)
    assert held.arrived.wait(30)
    wait_until(lambda: rows(yard, job_id), 30, "the first rows")
    yard.runtime.service.cancel(job_id)
    job = yard.end_of(job_id)
    held.open()
    [row] = yard.runtime.service.window(job, 0, 9)
    assert (job.state, row.state, row.reason) == (JobState.CANCELLED, FileState.SKIPPED, "cancelled")
    found = rows(yard, job)
    assert len(found) == len({line for _, line, _ in found}) == yard.runtime.store.ingests.sum(job.no).inserted > 0


def test_a_file_of_which_something_has_landed_is_in_flight_and_counts_once(yard: Yard, front: FaultFront, tmp_path: Path) -> None:
    held, service = front.hold("PutObject", r"batch-000025"), yard.runtime.service
    source = table(tmp_path / "a.csv", 500)
    job_id = begin(yard, source, batch_rows=10)
    assert held.arrived.wait(30)
    wait_until(lambda: service.watch(job_id).active, 30, "the file to be in flight")
    sight = service.watch(job_id)
    [sample] = sight.active
    assert (sample.no, sample.size) == (0, source.stat().st_size)
    assert 0 < sight.sent < source.stat().st_size
    assert list(service.numbers(sight.job, FileChoice(View.ACTIVE))) == [0]
    assert (list(service.csv_facts(sight.job, [0])), service.csv_facts(sight.job, [1])) == ([0], {})
    held.open()
    job = yard.end_of(job_id)
    assert (service.watch(job.id).active, service.watch(job.id).sent) == ((), source.stat().st_size)


def test_work_begins_before_a_file_is_cut_to_its_end(yard: Yard, front: FaultFront, tmp_path: Path) -> None:
    held = front.hold("PutObject", r"batch-000001")
    job_id = begin(yard, table(tmp_path / "a.csv", 300), batch_rows=10)
    assert held.arrived.wait(30)
    with yard.runtime.store.database.read() as connection:
        units = connection.rows("SELECT count(*) FROM batch GROUP BY unit_no ORDER BY unit_no")
    assert units[0] == (10,)
    held.open()
    job = yard.end_of(job_id)
    with yard.runtime.store.database.read() as connection:
        assert connection.rows("SELECT count(*) FROM batch GROUP BY unit_no ORDER BY unit_no") == [(10,), (20,)]
    assert [line for _, line, _ in rows(yard, job)] == list(range(2, 302))


def test_a_plan_that_was_killed_goes_on_behind_its_last_batch(yard: Yard, tmp_path: Path) -> None:
    job = ingest(yard, table(tmp_path / "a.csv", 300), batch_rows=10)
    cuts = "SELECT no, first, line, start, length, records, lines FROM batch WHERE done ORDER BY no"
    database = yard.runtime.store.database
    with database.read() as connection:
        planned = connection.rows(cuts)
    once, stored = rows(yard, job), objects(yard.store, job)
    with database.write() as connection:
        connection.execute("DELETE FROM ingest_rows WHERE line > 101")
        connection.execute("DELETE FROM batch WHERE unit_no = 2")
        connection.execute("DELETE FROM unit WHERE no = 2")
        connection.execute("UPDATE csv_file SET whole = FALSE, batches = 10, batches_done = 10, inserted = 100")
        connection.execute("UPDATE transfer SET state = 0")
        connection.execute("UPDATE unit SET state = 1 WHERE no = 0")
        connection.execute(
            """
            UPDATE job SET state = 'pending', home = :home, finished_at = NULL, planned = FALSE, units = 2, units_done = 1,
                uploaded = 0""",
            home=yard.worker.id,
        )
    job = yard.end_of(job.id)
    assert (job.state, job.totals.found, job.totals.uploaded) == (JobState.COMPLETED, 1, 1)
    assert (rows(yard, job), objects(yard.store, job)) == (once, stored)
    with database.read() as connection:
        assert connection.rows(cuts) == planned


def test_a_compressed_file_is_landed_by_few_units_and_comes_whole(yard: Yard, tmp_path: Path) -> None:
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress(table(tmp_path / "a.csv", 1000).read_bytes()))
    job = ingest(yard, packed, batch_rows=1)
    assert [line for _, line, _ in rows(yard, job)] == list(range(2, 1002))
    with yard.runtime.store.database.read() as connection:
        units = connection.rows("SELECT count(*) FROM batch GROUP BY unit_no ORDER BY unit_no")
    assert [count for (count,) in units] == [10, 20, 40, 80, 160, 320, 370]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"batch_rows": 0}, "at least 1"),
        ({"table": "batch"}, "batch is a table of s3tui's own"),
        ({"table": "a b"}, "letters, digits and underscores"),
        ({"delimiter": "ab"}, "delimiter"),
        ({"encoding": "klingon"}, "klingon"),
        ({"schema": "a:colour"}, "colour"),
        ({"quote": "x"}, "quote"),
    ],
)
def test_options_that_cannot_be_used_are_refused(yard: Yard, tmp_path: Path, options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(SpecError, match=complaint):
        begin(yard, table(tmp_path / "a.csv", 1), **options)

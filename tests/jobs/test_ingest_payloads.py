"""Ingest jobs whose batches carry their own bytes: who lands them needs no file."""

from __future__ import annotations

from pathlib import Path

import pytest

from s3tui.errors import SpecError
from s3tui.model import FileState, JobState
from tests.front import FaultFront
from tests.jobs.ingesting import begin, ingest, objects, rows, table
from tests.jobs.yard import Yard
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=8)


def payloads(yard: Yard) -> tuple[int, int]:
    """How many batches carry bytes, and how many bytes these are."""
    with yard.runtime.store.database.read() as connection:
        [(count, size)] = connection.rows("SELECT count(payload), coalesce(sum(length(payload)), 0) FROM batch")
        return int(count), int(size)


@pytest.mark.parametrize(("payload", "state"), [("inline", FileState.VERIFIED), ("range", FileState.FAILED)])
def test_the_file_may_go_once_it_is_cut(yard: Yard, front: FaultFront, tmp_path: Path, payload: str, state: FileState) -> None:
    source = table(tmp_path / "a.csv", 600)
    held = front.hold("PutObject", r"batch-0000", times=999)
    job_id = begin(yard, source, batch_rows=10, payload=payload)
    wait_until(lambda: yard.runtime.service.job(job_id).planned, 30, "the plan to be whole")
    source.unlink()
    held.open()
    job = yard.end_of(job_id)
    [row] = yard.runtime.service.window(job, 0, 9)
    assert row.state is state, row.error
    assert [line for _, line, _ in rows(yard, job)] == (list(range(2, 602)) if payload == "inline" else [])
    assert payloads(yard) == (0, 0)


def test_what_becomes_of_a_file_does_not_depend_on_the_way_of_its_bytes(yard: Yard, tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    source.write_bytes(b'a,b\n1,"x\ny"\n2\n3,\xff\n\n' + b"4," + b"z" * (9 << 20) + b"\n5,6\n")
    jobs = [ingest(yard, source, payload=payload, encoding="utf-8", batch_rows=2) for payload in ("range", "inline")]
    assert [job.state for job in jobs] == [JobState.PARTIAL] * 2
    one, other = ([(key, body.replace(job.id.encode(), b"")) for key, body in objects(yard.store, job).items()] for job in jobs)
    assert sorted(one) == sorted(other)
    assert rows(yard, jobs[0]) == rows(yard, jobs[1])
    assert [yard.runtime.service.rejects(job) for job in jobs] == [
        [("too_few_fields", 1), ("too_large", 1), ("undecodable", 1)],
    ] * 2


def test_few_bytes_wait_in_the_database_whatever_the_size_of_the_file(yard: Yard, front: FaultFront, tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    line = b"1," + b"x" * (1 << 20) + b"\n"
    source.write_bytes(b"a,b\n" + line * 120)
    held = front.hold("PutObject", r"batch-0000", times=999)
    job_id = begin(yard, source, payload="inline")
    wait_until(lambda: payloads(yard)[1] > 64 << 20, 60, "what may wait to wait")
    yard.wait_for_a_whole_beat()
    count, size = payloads(yard)
    assert (count, size < 80 << 20) == (size // (7 * len(line)), True)
    assert not yard.runtime.service.job(job_id).planned
    held.open()
    assert yard.end_of(job_id).state is JobState.COMPLETED
    assert (len(rows(yard, job_id)), payloads(yard)) == (120, (0, 0))


def test_nothing_waits_any_more_for_a_job_that_is_cancelled_or_a_file_that_fails(
    yard: Yard, front: FaultFront, tmp_path: Path
) -> None:
    held = front.hold("PutObject", r"batch-0000", times=999)
    job_id = begin(yard, table(tmp_path / "a.csv", 600), batch_rows=10, payload="inline")
    wait_until(lambda: yard.runtime.service.job(job_id).planned, 30, "the plan to be whole")
    assert payloads(yard)[0] > 30
    yard.runtime.service.cancel(job_id)
    held.open()
    assert yard.end_of(job_id).state is JobState.CANCELLED
    assert payloads(yard) == (0, 0)
    bad = tmp_path / "b.csv"
    bad.write_text("id\n1,2\n" + "1\n" * 500)
    ingest(yard, bad, batch_rows=10, payload="inline", strict=True)
    assert payloads(yard) == (0, 0)


def test_a_plan_keeps_no_bytes_and_reads_the_file_when_it_is_applied(yard: Yard, tmp_path: Path) -> None:
    job_id = begin(yard, table(tmp_path / "a.csv", 30), batch_rows=10, payload="inline", dry_run=True)
    yard.end_of(job_id)
    assert payloads(yard) == (0, 0)
    yard.runtime.service.apply(job_id, home=yard.worker.id)
    assert yard.end_of(job_id).state is JobState.COMPLETED
    assert len(rows(yard, job_id)) == 30


def test_there_are_two_ways(yard: Yard, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="--payload is range or inline"):
        begin(yard, table(tmp_path / "a.csv", 1), payload="pigeon")

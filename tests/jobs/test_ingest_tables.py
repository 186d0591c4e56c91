"""Ingest jobs whose rows come into a table with typed columns, on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from s3tui.model import FileState, Job, JobState
from s3tui.state.sql import quoted
from tests.front import FaultFront
from tests.jobs.ingesting import begin, ingest, objects, rows
from tests.jobs.yard import Yard
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=5)


@pytest.fixture
def name(yard: Yard) -> Iterator[str]:
    """Of a table that is not there, and is removed."""
    chosen = f"t_{uuid4().hex}"
    yield chosen
    with yard.runtime.store.database.write() as connection:
        connection.define(f"DROP TABLE IF EXISTS {quoted(chosen)}")


def typed(yard: Yard, name: str, *columns: str, job: Job | None = None) -> list[tuple[Any, ...]]:
    """The file, the line and these columns of all rows of a table, in order."""
    chosen = ", ".join(("_file", "_line", *map(quoted, columns)))
    of_job = f"WHERE _job = '{job.id}'" if job else ""
    with yard.runtime.store.database.read() as connection:
        return connection.rows(f"SELECT {chosen} FROM {quoted(name)} {of_job} ORDER BY _job, _file, _line")


def types(yard: Yard, name: str) -> dict[str, str]:
    """The columns of a table, with their types."""
    with yard.runtime.store.database.read() as connection:
        return {column: kind for column, kind, _ in connection.columns(name) if not column.startswith("_")}


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_types_are_those_that_every_row_of_every_file_has(yard: Yard, tmp_path: Path, name: str) -> None:
    early = "".join(f"{number},{number},{number}.50\n" for number in range(30))
    one = write(tmp_path / "a.csv", f"id,code,price\n{early}30,x,\n")
    other = write(tmp_path / "b.csv", "price,id,code\n1e3,31,7\n")
    job = ingest(yard, one, other, batch_rows=10, table=name)
    assert job.state is JobState.COMPLETED, job.error
    assert types(yard, name) == {"id": "BIGINT", "code": "TEXT", "price": "NUMERIC"}
    found = typed(yard, name, "id", "code", "price")
    assert [(file, line, id, code) for file, line, id, code, _ in found] == [
        *((1, number + 2, number, str(number)) for number in range(30)),
        (1, 32, 30, "x"),
        (2, 2, 31, "7"),
    ]
    assert [None if price is None else float(price) for *_, price in found] == [*(n + 0.5 for n in range(30)), None, 1000.0]
    assert rows(yard, job) == []
    batch = json.loads(objects(yard.store, job)["batch-000004.json"])
    assert batch["rows"] == [[30, "x", None]]


def test_a_table_that_is_there_says_what_rows_must_be(yard: Yard, tmp_path: Path, name: str) -> None:
    first = ingest(yard, write(tmp_path / "a.csv", "id,born\n1,2026-11-21\n"), table=name)
    second = ingest(yard, write(tmp_path / "b.csv", "born,id\n2026-11-22,2\nsoon,3\n"), table=name)
    assert (first.state, second.state) == (JobState.COMPLETED, JobState.PARTIAL)
    assert [(line, id) for _, line, id in typed(yard, name, "id")] == [(2, 1), (2, 2)]
    assert objects(yard.store, second)["rejects.csv"] == b"born,id,_line,_reason\r\nsoon,3,3,type_mismatch\r\n"


def test_types_that_are_given_are_those_of_the_table(yard: Yard, tmp_path: Path, name: str) -> None:
    source = write(tmp_path / "a.csv", "a,b,c\n1,2,true\n")
    job = ingest(yard, source, table=name, schema="c:boolean?,a:text,b:float")
    assert job.state is JobState.COMPLETED, job.error
    assert types(yard, name) == {"a": "TEXT", "b": "DOUBLE PRECISION", "c": "BOOLEAN"}
    [(*_, a, b, c)] = typed(yard, name, "a", "b", "c")
    assert (a, b, bool(c)) == ("1", 2.0, True)


@pytest.mark.parametrize(
    ("text", "schema", "complaint"),
    [
        ("id,born\n1,x\n", "id:integer,born:text", "its column born is date, and the rows have text"),
        ("id\n1\n", "id:integer", "the rows have no born"),
        ("id,born,x\n1,,\n", "id:integer,born:date?,x:text", "its column x is not there"),
    ],
)
def test_a_schema_that_is_not_the_tables_is_refused(
    yard: Yard, tmp_path: Path, name: str, text: str, schema: str, complaint: str
) -> None:
    ingest(yard, write(tmp_path / "a.csv", "id,born\n1,2026-11-21\n"), table=name)
    job = ingest(yard, write(tmp_path / "b.csv", text), table=name, schema=schema)
    assert job.state is JobState.FAILED
    assert f"The table {name} cannot take the rows: {complaint}" in str(job.error)


def test_a_table_of_somebody_else_is_not_touched(yard: Yard, tmp_path: Path, name: str) -> None:
    with yard.runtime.store.database.write() as connection:
        connection.define(f"CREATE TABLE {name} (id BIGINT)")
    job = ingest(yard, write(tmp_path / "a.csv", "id,born\n1,2026-11-21\n"), table=name)
    assert (job.state, f"The table {name} was not made by s3tui" in str(job.error)) == (JobState.FAILED, True)


def test_columns_that_no_table_can_have_fail_their_file(yard: Yard, tmp_path: Path, name: str) -> None:
    good, bad = write(tmp_path / "a.csv", "id,b\n1,2\n"), write(tmp_path / "b.csv", "id,ID\n1,2\n")
    job = ingest(yard, bad, good, table=name, schema="")
    states = [(row.state, row.reason) for row in yard.runtime.service.window(job, 0, 9)]
    assert states[0] == (FileState.FAILED, "column_name")


def test_what_has_landed_of_a_file_that_fails_is_taken_back_from_its_table(yard: Yard, tmp_path: Path, name: str) -> None:
    kept = ingest(yard, write(tmp_path / "a.csv", "id\n1\n2\n"), table=name)
    ragged = "".join(f"{number}\n" for number in range(500)) + "1,2\n"
    job = ingest(yard, write(tmp_path / "b.csv", f"id\n{ragged}"), table=name, batch_rows=10, strict=True)
    [row] = yard.runtime.service.window(job, 0, 9)
    assert (row.state, row.reason) == (FileState.FAILED, "rejected_row")
    assert typed(yard, name, "id", job=job) == []
    assert [id for *_, id in typed(yard, name, "id", job=kept)] == [1, 2]


def test_a_record_that_is_too_large_is_rejected_and_the_others_come(yard: Yard, tmp_path: Path, name: str) -> None:
    large = "x" * (9 << 20)
    job = ingest(yard, write(tmp_path / "a.csv", f"id,note\n1,a\n2,{large}\n3,c\n"), table=name)
    assert (job.state, yard.runtime.service.rejects(job)) == (JobState.PARTIAL, [("too_large", 1)]), job.error
    assert [(line, id) for _, line, id in typed(yard, name, "id")] == [(2, 1), (4, 3)]


def test_a_table_that_goes_meanwhile_fails_the_job_with_a_sentence(
    yard: Yard, front: FaultFront, tmp_path: Path, name: str
) -> None:
    held = front.hold("PutObject", r"batch-00001[1-9]", times=99)
    job_id = begin(yard, write(tmp_path / "a.csv", "id\n" + "1\n" * 250), batch_rows=10, table=name)
    wait_until(lambda: types(yard, name) and typed(yard, name), 30, "the first rows")
    with yard.runtime.store.database.write() as connection:
        connection.define(f"DROP TABLE {quoted(name)}")
    held.open()
    job = yard.end_of(job_id)
    assert (job.state, f"The table {name} does not take the rows" in str(job.error)) == (JobState.FAILED, True), job.error


def test_a_plan_tells_the_types_and_makes_no_table_until_it_is_applied(yard: Yard, tmp_path: Path, name: str) -> None:
    source = write(tmp_path / "a.csv", "id,born\n1,2026-11-21\n2,\n")
    job_id = begin(yard, source, dry_run=True, table=name)
    job = yard.end_of(job_id)
    [facts] = yard.runtime.service.csv_facts(job).values()
    assert facts["types"] == ["integer", "date"]
    assert types(yard, name) == {}
    yard.runtime.service.apply(job_id, home=yard.worker.id)
    assert yard.end_of(job_id).state is JobState.COMPLETED
    assert [(line, id) for _, line, id in typed(yard, name, "id")] == [(2, 1), (3, 2)]

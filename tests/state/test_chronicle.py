"""What the log is told of jobs and files: each thing once, when it is durable, and nothing of what went well at once."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing

import pytest

from s3tui.events import Fact, Failed, Skipped, Unverified, Withdrawn
from s3tui.log_context import Value, subject
from s3tui.model import Desired, FileState
from s3tui.state.journal import Journal
from s3tui.state.store import Store
from tests.state.scenes import ANN, BOB, carry_all, claim, new_job, plan, planned, register, uploaded

Line = tuple[str, dict[str, Value], str]


class Ear(logging.Handler):
    """Hears lines with what they are about."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Line] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append((record.levelname, subject(), record.getMessage()))


@pytest.fixture
def heard() -> Iterator[list[Line]]:
    """What the log has been told so far."""
    logger, ear = logging.getLogger("s3tui.state.chronicle"), Ear()
    before = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(ear)
    yield ear.heard
    logger.removeHandler(ear)
    logger.setLevel(before)


def test_a_job_is_told_when_it_begins_and_when_it_ends_whoever_works_on_it(state_store: Store, heard: list[Line]) -> None:
    register(state_store, ANN, BOB)
    job = new_job(state_store)
    plan(state_store, [[planned("a")], [planned("b")]])
    first, second = claim(state_store, ANN), claim(state_store, BOB)
    carry_all(state_store, first)
    carry_all(state_store, second)
    assert [(level, about) for level, about, _ in heard] == [("INFO", {"job": job.id})] * 2
    assert heard[0][2].startswith("The upload begins: ")
    assert heard[1][2] == "The upload is completed: found 2, uploaded 2, skipped 0, failed 0, deleted 0, retries 0, bytes 20."


def test_a_job_that_goes_on_and_one_that_is_cancelled_are_told(state_store: Store, heard: list[Line]) -> None:
    register(state_store, ANN)
    job = new_job(state_store)
    plan(state_store, [[planned("a")], [planned("b")]])
    state_store.jobs.desire(job.no, Desired.PAUSE)
    state_store.jobs.reopen(job.no, home=None, identity="")
    state_store.units.release(claim(state_store))
    state_store.jobs.desire(job.no, Desired.CANCEL)
    assert [message.partition(":")[0] for _, _, message in heard] == [
        "The upload begins",
        "The upload goes on, 0 of 2 files done",
        "The upload is cancelled",
    ]


def test_a_job_that_failed_as_a_whole_is_told_once_with_its_cause(state_store: Store, heard: list[Line]) -> None:
    job = new_job(state_store)
    for _ in range(2):
        state_store.jobs.fail(job.no, "no_such_bucket", "There is no such bucket.")
    [(level, about, message)] = heard
    assert (level, about) == ("ERROR", {"job": job.id, "code": "no_such_bucket"})
    assert message.startswith("The upload is failed: found 0, ")
    assert message.endswith(" There is no such bucket.")


def test_of_files_only_those_are_told_that_an_operator_must_know(state_store: Store, heard: list[Line]) -> None:
    register(state_store, ANN)
    job = new_job(state_store)
    plan(state_store, [[planned(name) for name in ("at once", "mended", "failed", "skipped", "withdrawn", "unproven")]])
    lease = claim(state_store)
    del heard[:]
    facts: list[Fact] = [
        *(uploaded(0), uploaded(1, attempts=3), Failed(2, 5, "access_denied", "It was refused."), Skipped(3, 1, "exists")),
        *(uploaded(4), Withdrawn(4, "not_identical", "It differs."), uploaded(5), Unverified(5, "HEAD is forbidden.")),
    ]
    with closing(Journal(state_store.database, on_lost=lambda _: None)) as journal:
        journal.record(lease, facts)
        journal.flush()
    assert heard == [
        ("INFO", {"job": job.id, "file": b"mended", "attempt": 3}, "It was stored at attempt 3."),
        ("WARNING", {"job": job.id, "file": b"failed", "attempt": 5, "code": "access_denied"}, "It was refused."),
        ("WARNING", {"job": job.id, "file": b"withdrawn", "attempt": 1, "code": "not_identical"}, "It differs."),
        ("INFO", {"job": job.id, "file": b"unproven", "attempt": 1, "code": "unproven"}, "It was not proven: HEAD is forbidden."),
    ]


def test_what_the_plan_refuses_is_told_as_soon_as_it_is_written(state_store: Store, heard: list[Line]) -> None:
    register(state_store, ANN)
    job = new_job(state_store)
    bad = planned("caf\udce9", state=FileState.FAILED, reason="name_not_utf8")
    plan(state_store, [[planned("a"), bad, planned("link", state=FileState.SKIPPED, reason="not_a_file")]])
    assert heard[1:] == [("WARNING", {"job": job.id, "file": b"caf\xe9", "code": "name_not_utf8"}, "It cannot be sent.")]

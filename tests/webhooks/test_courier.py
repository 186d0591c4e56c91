"""The thread that tells what is due: again and again until it is taken, by one worker at a time."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pydantic import SecretStr

from s3tui.errors import StateError
from s3tui.model import Desired
from s3tui.state.store import Store
from s3tui.state.webhooks import CLAIM_MS
from s3tui.webhooks.courier import Courier, pause_after
from s3tui.webhooks.message import message
from s3tui.webhooks.options import WebhookOptions
from s3tui.webhooks.posting import Post
from tests.databases import empty
from tests.scripted import Call, Script, ScriptedServer
from tests.state.scenes import new_job
from tests.waiting import wait_until

DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def store(state_url: str, tmp_path: Path) -> Iterator[Store]:
    """An empty state store of a process that has a webhook."""
    opened = Store(state_url, tmp_path / "state", wording=message)
    empty(opened)
    yield opened
    opened.close()


@pytest.fixture
def couriers(store: Store) -> Iterator[Callable[[str], Courier]]:
    """Makes couriers for a URL, and starts them; they leave with the test."""
    broken: list[StateError] = []
    with ExitStack() as stack:

        def make(url: str, home: str = "me") -> Courier:
            post = Post(WebhookOptions(url=url, secret=SecretStr("correct horse"), allow_private=True), version="0")
            courier = Courier(store.webhooks, post, home=home, on_broken=broken.append)
            courier.start()
            stack.callback(courier.part, 0)
            return courier

        yield make
    assert broken == []


def ended_job(store: Store, *, home: str | None = None) -> str:
    """A job that is over, and the id by which it is told."""
    job = new_job(store, home=home)
    store.jobs.desire(job.no, Desired.CANCEL)
    return job.id


def pass_time(store: Store, milliseconds: int) -> None:
    """Let what waits be so much older."""
    with store.database.write() as connection:
        connection.execute("UPDATE webhook SET due = due - :by, created_at = created_at - :by", by=milliseconds)


def is_put_off(store: Store) -> bool:
    """Whether an attempt at what waits has come to nothing: it is due again before its claim would have ended."""
    return 0 < (store.webhooks.pause() or 0) < CLAIM_MS - 5_000


def answers(*statuses: int, headers: str = "") -> Script:
    """Answers with these, one after the other, and then with the last."""
    waiting = [*statuses]

    def script(call: Call) -> None:
        call.read_body()
        call.answer(waiting.pop(0) if len(waiting) > 1 else waiting[0], headers=headers)

    return script


def test_what_is_refused_is_told_again_until_it_is_taken(store: Store, couriers: Callable[[str], Courier]) -> None:
    job_id = ended_job(store)
    with ScriptedServer(answers(500, 503, 200)) as receiver:
        couriers(receiver.url)
        for attempt in (1, 2):
            wait_until(lambda: len(receiver.calls) == attempt and is_put_off(store), 30, "a refusal")  # noqa: B023
            pass_time(store, 30_000)
        wait_until(lambda: store.webhooks.waiting() == 0, 30, "it to be taken")
    assert {json.loads(call.body)["data"]["job"] for call in receiver.calls} == {job_id}
    assert len({(call.header("webhook-id"), call.body) for call in receiver.calls}) == 1
    assert len(receiver.calls) == 3


def test_who_says_gone_is_told_no_more_of_it(
    store: Store, couriers: Callable[[str], Courier], caplog: pytest.LogCaptureFixture
) -> None:
    ended_job(store)
    with ScriptedServer(answers(410)) as receiver:
        couriers(receiver.url)
        wait_until(lambda: store.webhooks.waiting() == 0, 30, "it to be given up")
    assert len(receiver.calls) == 1
    assert [record.levelname for record in caplog.records if "it asks for no more" in record.getMessage()] == ["WARNING"]


def test_after_a_day_it_is_given_up_with_a_warning(
    store: Store, couriers: Callable[[str], Courier], caplog: pytest.LogCaptureFixture
) -> None:
    ended_job(store)
    pass_time(store, DAY_MS)
    with ScriptedServer(answers(500)) as receiver:
        couriers(receiver.url)
        wait_until(lambda: store.webhooks.waiting() == 0, 30, "it to be given up")
    assert len(receiver.calls) == 1
    [record] = [record for record in caplog.records if "attempts in a day were in vain" in record.getMessage()]
    assert record.levelno == logging.WARNING


@pytest.mark.parametrize(("asked", "least", "most"), [("120", 100_000, 120_000), ("999999999999", DAY_MS - 60_000, DAY_MS)])
def test_the_pause_that_is_asked_for_is_kept_for_a_day_at_most(
    store: Store, couriers: Callable[[str], Courier], asked: str, least: int, most: int
) -> None:
    ended_job(store)
    with ScriptedServer(answers(503, headers=f"Retry-After: {asked}\r\n")) as receiver:
        couriers(receiver.url)
        wait_until(lambda: (store.webhooks.pause() or 0) > 31_000, 30, "the pause")
    assert least < (store.webhooks.pause() or 0) <= most


def test_two_couriers_tell_each_notice_once(store: Store, couriers: Callable[[str], Courier]) -> None:
    jobs = {ended_job(store) for _ in range(40)}
    with ScriptedServer(answers(200)) as receiver:
        couriers(receiver.url)
        couriers(receiver.url)
        wait_until(lambda: store.webhooks.waiting() == 0, 60, "all to be taken")
    assert len(receiver.calls) == 40
    assert {json.loads(call.body)["data"]["job"] for call in receiver.calls} == jobs


def test_a_defect_of_one_notice_keeps_no_other_from_being_told(
    store: Store, couriers: Callable[[str], Courier], caplog: pytest.LogCaptureFixture
) -> None:
    ended_job(store)
    with store.database.write() as connection:
        connection.execute("UPDATE webhook SET body = 'ä'")
    ended_job(store)
    with ScriptedServer(answers(200)) as receiver:
        couriers(receiver.url)
        wait_until(lambda: receiver.calls and store.webhooks.waiting() == 1, 30, "the other to be taken")
        wait_until(lambda: is_put_off(store), 30, "the defect")
    assert "met a defect of s3tui" in caplog.text


def test_who_parts_tells_its_own_first_and_leaves_the_rest(store: Store, couriers: Callable[[str], Courier]) -> None:
    def script(call: Call) -> None:
        call.read_body()
        if len(receiver.calls) == 1:
            first_came.append(True)
            wait_until(lambda: courier.parts, 30, "the parting")
        call.answer(200)

    first_came: list[bool] = []
    theirs = ended_job(store)
    with ScriptedServer(script) as receiver:
        courier = couriers(receiver.url)
        wait_until(lambda: first_came, 30, "the first notice")
        others, mine = ended_job(store), ended_job(store, home="me")
        courier.part(30)
    told = [json.loads(call.body)["data"]["job"] for call in receiver.calls]
    assert told == [theirs, mine]
    assert store.webhooks.waiting() == 1
    notice = store.webhooks.claim()
    assert notice is not None
    assert notice.job_id == others


def test_who_parts_does_not_wait_for_a_receiver_that_hangs(
    store: Store, couriers: Callable[[str], Courier], caplog: pytest.LogCaptureFixture
) -> None:
    ended_job(store, home="me")
    with ScriptedServer(lambda call: call.hang_up() if call.connection.recv(1) == b"" else None) as receiver:
        courier = couriers(receiver.url)
        wait_until(lambda: receiver.calls, 30, "the request")
        courier.part(0.1)
        assert store.webhooks.waiting() == 1
        assert len(receiver.calls) == 1
        assert is_put_off(store)  # for the next worker
    assert "was not told: this process ends" in caplog.text


def test_the_pauses_grow_up_to_an_hour_and_are_never_quite_the_same() -> None:
    least, most = ([edge(pause_after(n) for _ in range(200)) for n in (1, 2, 3, 9, 10_000)] for edge in (min, max))
    for low, high, middle in zip(least, most, (5, 15, 45, 3600, 3600), strict=True):
        assert middle * 0.75 <= low < high <= middle * 1.25

"""A request that is sent twice with one Idempotency-Key is answered once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from s3tui.state.requests import Claim, Known
from tests.api.offices import ROWS, Office
from tests.api.test_refusals import problem

KEY = {"Idempotency-Key": "4f1c"}


@pytest.mark.parametrize("form", [False, True])
async def test_the_same_request_is_answered_with_the_first_job(any_office: Office, form: bool) -> None:
    async def post() -> str:
        if form:
            files = {"f": ("rows.csv", ROWS, "text/csv")}  # with another boundary each time
            answer = await any_office.client.post("/v1/ingests", files=files, headers=KEY)
        else:
            answer = await any_office.post_rows(headers=KEY)
        assert answer.status_code == 202, answer.text
        assert answer.headers["location"] == f"/v1/jobs/{answer.json()['id']}"
        return str(answer.json()["id"])

    assert await post() == await post()
    assert len(any_office.desk.service.browse()) == 1
    assert len(any_office.staged) == 1


async def test_without_a_key_every_request_is_a_new_one(office: Office) -> None:
    first, second = [(await office.post_rows()).json()["id"] for _ in range(2)]
    assert first != second


async def test_another_body_or_request_with_the_key_is_refused(any_office: Office) -> None:
    assert (await any_office.post_rows(headers=KEY)).status_code == 202
    problem(await any_office.post_rows(content=ROWS + b"3,carl\n", headers=KEY), 422, "key_reused")
    problem(await any_office.post_rows("name=other.csv", headers=KEY), 422, "key_reused")
    other = await any_office.client.post("/v1/videos", content=ROWS, headers=KEY)
    problem(other, 422, "key_reused")
    assert len(any_office.desk.service.browse()) == 1
    assert len(any_office.staged) == 1


async def test_keys_belong_to_a_token(office: Office) -> None:
    first = (await office.post_rows(headers=KEY)).json()["id"]
    second = (await office.post_rows(headers=KEY | office.bearer())).json()["id"]
    assert first != second


async def test_a_request_that_is_still_at_work_is_a_conflict(any_office: Office) -> None:
    opened = asyncio.Event()
    begun = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield ROWS[:5]
        begun.set()
        await opened.wait()
        yield ROWS[5:]

    path = "/v1/ingests?name=rows.csv"
    headers = {"Content-Type": "text/csv", "Idempotency-Key": "4f1c"}
    first = asyncio.create_task(any_office.client.post(path, content=slow(), headers=headers))
    await begun.wait()
    second = await any_office.post_rows(headers=KEY)
    problem(second, 409, "in_flight")
    assert second.headers["retry-after"] == "1"
    opened.set()
    answer = await first
    assert answer.status_code == 202
    assert (await any_office.post_rows(headers=KEY)).json()["id"] == answer.json()["id"]


async def test_a_refused_request_leaves_its_key_free(any_office: Office) -> None:
    problem(await any_office.post_rows(content=b"", headers=KEY), 422, "empty")
    assert (await any_office.post_rows(headers=KEY)).status_code == 202


async def test_what_a_killed_server_had_begun_is_taken_over(any_office: Office) -> None:
    """Before the job was made: it is made now. After that: it is the answer."""
    requests, request = any_office.store.requests, "POST /v1/ingests?name=rows.csv"
    [token] = any_office.store.tokens.all()
    claim = requests.claim(token.id, "4f1c", request)
    assert isinstance(claim, Claim)
    problem(await any_office.post_rows(headers=KEY), 409, "in_flight")
    _let_claims_run_out(any_office)
    job = (await any_office.post_rows(headers=KEY)).json()["id"]
    assert job == claim.job_id
    _undo_the_answer(any_office)
    again = requests.claim(token.id, "4f1c", request)
    assert isinstance(again, Known)
    assert (again.job_id, again.busy) == (job, False)
    assert (await any_office.post_rows(headers=KEY)).json()["id"] == job


async def test_a_claim_that_was_taken_over_can_write_nothing_more(any_office: Office) -> None:
    requests = any_office.store.requests
    slow = requests.claim("t", "k", "r")
    assert isinstance(slow, Claim)
    assert requests.renew(slow)
    _let_claims_run_out(any_office)
    fast = requests.claim("t", "k", "r")
    assert isinstance(fast, Claim)
    assert fast.job_id == slow.job_id
    assert not requests.renew(slow)
    assert not requests.seal(slow, "x")
    requests.finish(slow, "other")
    requests.release(slow)
    assert requests.seal(fast, "y")
    requests.finish(fast, fast.job_id)
    known = requests.claim("t", "k", "r")
    assert isinstance(known, Known)
    assert (known.body_hash, known.job_id, known.busy) == ("y", fast.job_id, False)


async def test_a_slow_attempt_that_was_taken_over_takes_nothing_from_the_new_one(any_office: Office) -> None:
    """Its server was frozen in the middle of the body, and goes on after another one has answered."""
    begun, opened = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield ROWS[:5]
        begun.set()
        await opened.wait()
        yield ROWS[5:]

    path, headers = "/v1/ingests?name=rows.csv", {"Content-Type": "text/csv", **KEY}
    first = asyncio.create_task(any_office.client.post(path, content=slow(), headers=headers))
    await begun.wait()
    _let_claims_run_out(any_office)
    second = await any_office.post_rows(headers=KEY)
    assert second.status_code == 202
    opened.set()
    problem(await first, 409, "in_flight")
    assert any_office.staged == [f"{second.json()['id']}/rows.csv"]
    assert any_office.store.bodies.get(second.json()["id"]) is not None
    assert (await any_office.post_rows(headers=KEY)).json()["id"] == second.json()["id"]


async def test_a_key_whose_job_was_made_is_not_free_again(any_office: Office) -> None:
    requests = any_office.store.requests
    job = (await any_office.post_rows(headers=KEY)).json()["id"]
    _undo_the_answer(any_office)
    with any_office.store.database.read() as connection:
        [(token_id, key, owner, job_id)] = connection.rows("SELECT token_id, key, owner, job_id FROM api_request")
    requests.release(Claim(token_id, key, owner, job_id, makes=True))
    assert (await any_office.post_rows(headers=KEY)).json()["id"] == job


async def test_keys_are_forgotten_after_a_week(any_office: Office) -> None:
    requests = any_office.store.requests
    requests.claim("t", "k", "r")
    assert requests.forget() == 0
    with any_office.store.database.write() as connection:
        connection.execute("UPDATE api_request SET created_at = created_at - :week", week=7 * 24 * 3600 * 1000 + 1)
    assert requests.forget() == 1


@pytest.mark.parametrize("verb", ["pause", "cancel"])
async def test_a_job_is_steered_once(any_office: Office, verb: str) -> None:
    job = (await any_office.post_rows()).json()["id"]
    headers = {"Idempotency-Key": "once"}
    answers = [await any_office.client.post(f"/v1/jobs/{job}/{verb}", headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["state"] == answers[1].json()["state"] == {"pause": "paused", "cancel": "cancelled"}[verb]


async def test_an_upload_is_begun_once(any_office: Office) -> None:
    source = any_office.desk.staging.directory.parent / "tree"
    source.mkdir()
    (source / "a").write_text("a")
    any_office.desk.settings.api.allowed_sources.append(str(source.parent))
    asked = {"sources": [str(source)], "target": "s3://bucket/x"}
    headers = {"Idempotency-Key": "u"}
    first = await any_office.client.post("/v1/uploads", json=asked, headers=headers)
    assert first.status_code == 202, first.text
    await any_office.client.post(f"/v1/jobs/{first.json()['id']}/cancel")
    again = await any_office.client.post("/v1/uploads", json=asked, headers=headers)
    assert again.json()["id"] == first.json()["id"]
    problem(await any_office.client.post("/v1/uploads", json={**asked, "if_exists": "skip"}, headers=headers), 422, "key_reused")
    assert (await any_office.client.post("/v1/uploads", json=asked)).json()["id"] != first.json()["id"]


def _let_claims_run_out(office: Office) -> None:
    with office.store.database.write() as connection:
        connection.execute("UPDATE api_request SET held_until = 0")


def _undo_the_answer(office: Office) -> None:
    """As if the server had been killed between making the job and writing down that it has answered."""
    with office.store.database.write() as connection:
        connection.execute("UPDATE api_request SET done = FALSE, held_until = 0")

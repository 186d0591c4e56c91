"""The changes of a job as Server-Sent Events, read from a real server."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import httpx
import pytest

from s3tui.api.events import Sights, stream
from tests.api.offices import ROWS, Office
from tests.api.servers import ApiServer

pytestmark = pytest.mark.thorough(one_in=5)


@dataclass(frozen=True)
class Event:
    """One of a stream."""

    kind: str
    id: str
    data: dict[str, object]


def events_of(answer: httpx.Response) -> Iterator[Event]:
    """The events as they come; what else is in the stream must be a comment or `retry`."""
    fields: dict[str, str] = {}
    for line in answer.iter_lines():
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            if fields.keys() != {"retry"}:
                yield Event(fields["event"], fields["id"], json.loads(fields["data"]))
            fields = {}


def post(client: httpx.Client) -> str:
    """A job that nobody carries."""
    answer = client.post("/v1/ingests?name=a.csv", content=ROWS, headers={"Content-Type": "text/csv"})
    return str(answer.raise_for_status().json()["id"])


def test_a_stream_tells_every_change_and_ends_with_the_job(lone_server: ApiServer) -> None:
    with lone_server.client() as client, lone_server.client() as other:
        job = post(client)
        with client.stream("GET", f"/v1/jobs/{job}/events") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            events = events_of(answer)
            assert next(events).data["state"] == "pending"
            other.post(f"/v1/jobs/{job}/pause")
            paused = next(events)
            assert paused.data == other.get(f"/v1/jobs/{job}").json()
            assert f'W/"{paused.id}"' == other.get(f"/v1/jobs/{job}").headers["etag"]
            other.post(f"/v1/jobs/{job}/cancel")
            last, end = list(events)
            assert (last.kind, last.data["state"]) == ("job", "cancelled")
            assert (end.kind, end.id, end.data) == ("end", last.id, {"state": "cancelled"})


def test_who_comes_back_is_told_what_he_does_not_know(lone_server: ApiServer) -> None:
    with lone_server.client() as client, lone_server.client() as other:
        job = post(client)
        path = f"/v1/jobs/{job}/events"
        with client.stream("GET", path) as answer:
            known = next(events_of(answer))
        with client.stream("GET", path, headers={"Last-Event-ID": known.id}) as answer:
            events = events_of(answer)
            other.post(f"/v1/jobs/{job}/pause")
            paused = next(events)
            assert paused.data["state"] == "paused"  # and not the version that was known
        other.post(f"/v1/jobs/{job}/cancel")
        with client.stream("GET", path, headers={"Last-Event-ID": paused.id}) as answer:
            told = list(events_of(answer))
        assert [event.kind for event in told] == ["job", "end"]
        assert client.get(path, headers={"Last-Event-ID": told[-1].id}).status_code == 204
        with client.stream("GET", path, headers={"Last-Event-ID": "unknown"}) as answer:
            assert [event.id for event in events_of(answer)] == [told[-1].id] * 2


def test_ids_are_the_same_after_a_restart(tmp_path_factory: pytest.TempPathFactory) -> None:
    from tests.cli.command import Home

    home = Home(tmp_path_factory.mktemp("restart") / "home")
    (home.work / "config.yaml").write_text("s3: {bucket_name: bucket}\napi: {start_worker: false}\n")
    with ApiServer(home) as server:
        with server.client() as client:
            job = post(client)
            client.post(f"/v1/jobs/{job}/cancel")
            with client.stream("GET", f"/v1/jobs/{job}/events") as answer:
                last = list(events_of(answer))[-1]
        server.kill()
        server.start()
        with server.client() as client:
            answer = client.get(f"/v1/jobs/{job}/events", headers={"Last-Event-ID": last.id})
        assert answer.status_code == 204


def test_a_stream_does_not_keep_the_server_from_ending(tmp_path_factory: pytest.TempPathFactory) -> None:
    from tests.cli.command import Home

    home = Home(tmp_path_factory.mktemp("ending") / "home")
    (home.work / "config.yaml").write_text("s3: {bucket_name: bucket}\napi: {start_worker: false}\n")
    with ApiServer(home) as server, server.client() as client:
        job = post(client)
        with client.stream("GET", f"/v1/jobs/{job}/events") as answer:
            events = events_of(answer)
            next(events)
            began = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - began < 8  # and not only when the grace of ten seconds is over
            assert list(events) == []


def test_so_many_streams_and_no_more(lone_server: ApiServer) -> None:
    with lone_server.client(limits=httpx.Limits(max_connections=40)) as client:
        job = post(client)
        path = f"/v1/jobs/{job}/events"
        answers = [client.send(client.build_request("GET", path), stream=True) for _ in range(33)]
        told = [next(events_of(answer)) for answer in answers[:32]]
        assert len({event.id for event in told}) == 1
        assert [answer.status_code for answer in answers] == [200] * 32 + [429]
        for answer in answers:
            with closing(answer):
                pass


class _Staying:
    """A caller who never leaves."""

    async def is_disconnected(self) -> bool:
        return False


async def test_a_quiet_stream_says_that_it_is_there_and_ends_when_its_token_does(office: Office) -> None:
    job = (await office.post_rows()).json()["id"]
    [token] = office.store.tokens.all()
    events = stream(_Staying(), office.desk, Sights(office.desk), token, job, None, quiet=0.1)  # type: ignore[arg-type]
    assert [await anext(events) for _ in range(3)][2] == ": still here\n\n"
    office.store.tokens.revoke(token.id)
    assert [event async for event in events] in ([], [": still here\n\n"])

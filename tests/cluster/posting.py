"""A client of a REST API that may be killed at any moment."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.api.servers import ApiServer
from tests.waiting import wait_until

_PATHS = {"ingest": "/v1/ingests", "video": "/v1/videos"}
_COME_AGAIN = (409, 429, 503)


@dataclass
class Halfway:
    """A request that stops in the middle of its body until it may go on."""

    begun: threading.Event = field(default_factory=threading.Event)
    may_go_on: threading.Event = field(default_factory=threading.Event)

    def body(self, data: bytes) -> Iterator[bytes]:
        """The body, with the stop."""
        yield data[: len(data) // 2]
        self.begun.set()
        assert self.may_go_on.wait(60)
        yield data[len(data) // 2 :]


class Poster:
    """Sends a body with a key of its own, again and again until it is taken, as a good client does."""

    def __init__(self, server: ApiServer) -> None:
        self.server = server

    def post(self, kind: str, path: Path, target: str, key: str, options: dict[str, str], halfway: Halfway | None = None) -> str:
        """The id of the job that a file has become. `halfway` is for the first attempt."""
        data = path.read_bytes()
        asked = {"name": path.name, "target": target, **options}
        headers = {"Content-Type": "application/octet-stream", "Idempotency-Key": key}
        taken: list[str] = []

        def is_taken() -> bool:
            nonlocal halfway
            body: bytes | Iterator[bytes] = halfway.body(data) if halfway else data
            halfway = None
            try:
                with self.server.client() as client:
                    answer = client.post(_PATHS[kind], params=asked, content=body, headers=headers)
            except (httpx.TransportError, httpx.InvalidURL):  # it is dead, or not yet there again
                return False
            assert answer.status_code in (202, *_COME_AGAIN), answer.text
            taken.extend([answer.json()["id"]] if answer.status_code == 202 else [])
            return bool(taken)

        wait_until(is_taken, 120, "the API to take a body")
        return taken[0]

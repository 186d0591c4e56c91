"""Redis in tests: the one on its standard port, in a database that nothing else uses, and ones that a test may stop and starve."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import redis

from s3tui.live.layout import EVENTS
from tests.missing import missing
from tests.ports import answers, free_port
from tests.waiting import wait_until

REDIS = os.environ.get("S3TUI_TEST_REDIS", "redis://127.0.0.1:6379/9")


@pytest.fixture(scope="session")
def redis_url() -> str:
    """The Redis of this machine. Tests share its database: they find what is theirs by ids."""
    try:
        with redis.Redis.from_url(REDIS, socket_timeout=5) as client:
            client.ping()
    except redis.RedisError as error:
        missing(f"Redis at {REDIS} ({error})")
    return REDIS


@dataclass
class RedisServer:
    """A redis-server of one test, without a disk."""

    directory: Path
    options: tuple[str, ...] = ()
    password: str = ""
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is, for who may know the password."""
        return f"redis://{f':{self.password}@' if self.password else ''}127.0.0.1:{self.port}/0"

    @property
    def client(self) -> redis.Redis:
        """A client of the test's own."""
        return redis.Redis.from_url(self.url, decode_responses=True, socket_timeout=20)

    def start(self) -> None:
        """Begin, with nothing in it."""
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.directory)]
        if self.password:
            command += ["--requirepass", self.password]
        self.process = subprocess.Popen([*command, *self.options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: answers(self.port), 20, "redis-server")

    def stop(self) -> None:
        """End at once, and lose everything."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def freeze(self) -> None:
        """Take connections, and answer nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on."""
        self._signal(signal.SIGCONT)

    def job(self, job_id: str) -> dict[str, str]:
        """What is told of a job; nothing while the server is away."""
        return fields_of(self.client, f"s3tui:job:{job_id}")

    def _signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that runs, and that the test may treat badly."""
    if shutil.which("redis-server") is None:
        missing("redis-server")
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


def listening(url: str) -> Any:
    """A listener that has subscribed to what is told of jobs."""
    client: Any = redis.Redis.from_url(url, decode_responses=True)
    listener = client.pubsub()
    listener.client = client  # which would take the connection with it
    listener.subscribe(EVENTS)
    wait_until(lambda: (listener.get_message() or {}).get("type") == "subscribe", 20, "the subscription")
    return listener


def fields_of(client: redis.Redis, key: str) -> dict[str, str]:
    """The hash under a key, as text; nothing if there is none, or nobody answers."""
    found: Any = {}
    with suppress(redis.RedisError):
        found = client.hgetall(key)
    return dict(found)

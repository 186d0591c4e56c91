"""`s3tui api` in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.cli.command import SECONDS, Home
from tests.waiting import wait_until

_ADDRESS = re.compile(r"answers at (https?://\S+);")


@dataclass
class ApiServer:
    """A server; enter it to start, leave it to stop."""

    home: Home
    words: tuple[str, ...] = ()
    token: str = ""
    url: str = ""
    said: list[str] = field(default_factory=list)
    """Lines of its standard error."""
    process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
        self.home.stop_workers()

    def start(self) -> None:
        """Start it, and keep its first token."""
        self.url = ""
        self.process = self.home.start("api", "--port", "0", *self.words)
        threading.Thread(target=self._listen, args=(self.process,), daemon=True).start()
        wait_until(lambda: self.url or (self.process and self.process.poll() is not None), 30, "the server to listen")
        assert self.url, self.said
        if not self.token:
            assert self.process.stdout is not None
            self.token = self.process.stdout.readline().decode().strip()

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            self.said.append(line.decode())
            if found := _ADDRESS.search(line.decode()):
                self.url = found[1]

    def stop(self) -> int:
        """Ask it to end; returns its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(SECONDS)

    def kill(self) -> None:
        """End it without a word."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(SECONDS)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rpartition(":")[2])

    @property
    def bearer(self) -> dict[str, str]:
        """The header of the first token."""
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def staging(self) -> Path:
        """Where bodies wait."""
        return self.home.directory / "state" / "s3tui" / "staging"

    @property
    def staged(self) -> list[str]:
        """What is there, by paths; what goes while it is listed is left out."""
        found = ((Path(above), name) for above, below, files in os.walk(self.staging) for name in (*below, *files))
        return sorted((above / name).relative_to(self.staging).as_posix() for above, name in found)

    @property
    def log(self) -> str:
        """What it has written down."""
        return (self.home.directory / "state" / "s3tui" / "s3tui.log").read_text()

    def client(self, **options: Any) -> httpx.Client:
        """A client with the first token."""
        return httpx.Client(base_url=self.url, headers=self.bearer, timeout=30, **options)

    def get(self, path: str) -> Any:
        """What a path tells, as JSON."""
        with self.client() as client:
            return client.get(path).raise_for_status().json()

    def connect(self) -> socket.socket:
        """A bare connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def begin_body(self, path: str, *, length: int, sent: bytes, **headers: str) -> socket.socket:
        """A request whose body has begun; the caller goes on with it, or breaks it off."""
        lines = [f"POST {path} HTTP/1.1", "Host: api", f"Content-Length: {length}", f"Authorization: Bearer {self.token}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        connection = self.connect()
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + sent)
        return connection


def answer_on(connection: socket.socket) -> bytes:
    """Everything that comes until the other side closes, or says nothing for long."""
    with closing(connection):
        connection.settimeout(10)
        answer = b""
        while block := connection.recv(65536):
            answer += block
        return answer


@contextmanager
def untiring_server(directory: Path) -> Iterator[ApiServer]:
    """A server that does not mind how often it is asked, may read no source, and whose jobs nobody carries."""
    home = Home(directory / "home")
    api = "{start_worker: false, requests_per_second: 100000, max_body: 1MiB, allowed_sources: [/nowhere]}"
    (home.work / "config.yaml").write_text(f"s3: {{bucket_name: bucket}}\napi: {api}\n")
    with ApiServer(home) as running:
        yield running

"""`s3tui web` in a process of its own, and what a page would say to it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

import httpx
import pyte
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from tests.cli.command import SECONDS, Home
from tests.terminal import PRIVATE
from tests.waiting import wait_until


class WebServer:
    """A server; enter it to start, leave it to stop."""

    def __init__(self, home: Home, *words: str) -> None:
        self.home = home
        self.said: list[str] = []
        """Lines of its standard error."""
        self.address = ""
        """With the token, as it was printed."""
        self._words = words

    def __enter__(self) -> Self:
        self.process = self.home.start("web", "--port", "0", *self._words)
        threading.Thread(target=self._listen, args=(self.process,), daemon=True).start()
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().decode().strip()
        assert self.address, self.said
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.stop()
        self.home.stop_workers()

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            self.said.append(line.decode())

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send it a signal; returns its exit code."""
        self.process.send_signal(number)
        return self.process.wait(SECONDS)

    @property
    def url(self) -> str:
        """Without the token."""
        return self.address.partition("/?")[0]

    @property
    def host(self) -> str:
        """Host and port."""
        return urlsplit(self.url).netloc

    @property
    def token(self) -> str:
        """The secret of its address."""
        return parse_qs(urlsplit(self.address).query)["token"][0]

    def cookie(self) -> dict[str, str]:
        """The header of whoever has shown the token."""
        set_cookie = httpx.get(self.address).headers["Set-Cookie"]
        return {"Cookie": set_cookie.partition(";")[0]}

    def user_interfaces(self) -> list[int]:
        """Its UI processes."""
        return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal() and _parent(path) == self.process.pid]

    @asynccontextmanager
    async def page(self) -> AsyncIterator[Page]:
        """What a page does once it is shown."""
        headers = self.cookie() | {"Origin": self.url}
        async with ClientSession() as client, client.ws_connect(f"{self.url}/ws?width=100&height=30", headers=headers) as socket:
            yield Page(socket)


class Page:
    """A socket of the UI, and what it shows."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket
        self.shown = Shown(100, 30)

    async def until_seen(self, text: str) -> None:
        """Wait until a text is shown."""
        async with asyncio.timeout(SECONDS):
            while text not in self.shown.text():
                message = await self.socket.receive()
                assert message.type is WSMsgType.BINARY, f"{message!r} came; there was\n{self.shown.text()}"
                self.shown.feed(message.data)

    async def press(self, keys: str) -> None:
        """Type."""
        await self.socket.send_json(["stdin", keys])

    async def until_closed(self) -> None:
        """Wait until the server hangs up."""
        async with asyncio.timeout(SECONDS):
            async for message in self.socket:
                self.shown.feed(message.data)


class Shown:
    """What a terminal makes of what it is sent."""

    def __init__(self, columns: int, lines: int) -> None:
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)

    def feed(self, data: bytes) -> None:
        """Take what a frame of the socket holds: sequences come whole."""
        self._stream.feed(PRIVATE.sub(b"", data))

    def resize(self, columns: int, lines: int) -> None:
        """Have another size."""
        self._screen.resize(lines, columns)

    def text(self) -> str:
        """What there is to read."""
        return "\n".join(self._screen.display)


def until_gone(pids: list[int]) -> None:
    """Wait until none of these processes is there, nor waits to be buried."""
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), 20, f"the processes {pids} to be gone")


def environment_of(pid: int) -> dict[str, str]:
    """The variables that a process was started with."""
    pairs = os.fsdecode(Path(f"/proc/{pid}/environ").read_bytes()).split("\0")
    return {name: value for name, equals, value in (pair.partition("=") for pair in pairs) if equals}


def words_of(pid: int) -> list[str]:
    """Its command line, which everybody on the machine may read."""
    return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes()).split("\0")[:-1]


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0

"""One UI process, and how it talks: the frames of Textual's driver for the web.

Both ways a frame is a letter, four bytes of length and so many bytes: `D` is what a terminal would read or write, `M` is JSON
beside it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress

_DRIVER = "textual.drivers.web_driver:WebDriver"
_PRELUDE = b"__GANGLION__\n"
"""What the driver writes before the first frame."""
_GRACE_SECONDS = 5.0
_MOST_COMPLAINT = 4096
"""Bytes of its last words."""
_MOST_CELLS = 1000
"""Columns or lines."""


class Session:
    """A UI process. Whoever opens one must `end` it."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._stdin, self._stdout = process.stdin, process.stdout
        self._complaint = asyncio.create_task(_last_words(process))

    @classmethod
    async def open(cls, command: Sequence[str], size: tuple[int, int]) -> Session:
        """Start the UI on a screen of (columns, lines)."""
        # Ctrl-C on the server's terminal is the server's: the process has a session of its own
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=_environment(os.environ, size), start_new_session=True
        )
        return cls(process)

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    async def painted(self) -> AsyncIterator[bytes]:
        """What it writes to its terminal, until it ends."""
        with suppress(asyncio.IncompleteReadError, ConnectionResetError, asyncio.LimitOverrunError):
            await self._stdout.readuntil(_PRELUDE)
            while True:
                head = await self._stdout.readexactly(5)
                payload = await self._stdout.readexactly(int.from_bytes(head[1:], "big"))
                if head[:1] == b"D":
                    yield payload

    async def type(self, text: str) -> None:
        """Send what a terminal would: keys, clicks, answers."""
        await self._send(b"D", text.encode("utf-8", "replace"))

    async def resize(self, size: tuple[int, int]) -> None:
        """Tell it the size of its screen."""
        await self._tell({"type": "resize", "width": size[0], "height": size[1]})

    async def focus(self, *, has_it: bool) -> None:
        """Tell it whether keys come here."""
        await self._tell({"type": "focus" if has_it else "blur"})

    async def failure(self) -> str:
        """Wait for its end: what it said if that was no good one, else nothing."""
        if await self._process.wait() == 0:
            return ""
        return (await self._complaint).decode("utf-8", "replace").strip()

    async def end(self) -> None:
        """See that the process is gone. It is asked to leave, and is killed when it does not. `painted` must not be in use."""
        draining = asyncio.create_task(_drain(self._process))  # it may wait for somebody to take what it writes
        try:
            self._signal(signal.SIGTERM)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), _GRACE_SECONDS)
        finally:
            self._signal(signal.SIGKILL)
            draining.cancel()
            self._complaint.cancel()
            self._stdin.close()
        await self._process.wait()

    def _signal(self, number: int) -> None:
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _tell(self, facts: Mapping[str, str | int]) -> None:
        await self._send(b"M", json.dumps(facts).encode())

    async def _send(self, kind: bytes, payload: bytes) -> None:
        with suppress(ConnectionError):  # it has ended: `painted` ends, too
            self._stdin.write(kind + len(payload).to_bytes(4, "big") + payload)
            await self._stdin.drain()


def cells(width: object, height: object, otherwise: tuple[int, int] = (80, 24)) -> tuple[int, int]:
    """(columns, lines) from what a page says, which may be anything."""
    try:
        size = int(str(width)), int(str(height))
    except ValueError:
        return otherwise
    return size if all(0 < length <= _MOST_CELLS for length in size) else otherwise


def _environment(outer: Mapping[str, str], size: tuple[int, int]) -> dict[str, str]:
    terminal = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "TEXTUAL_COLOR_SYSTEM": "truecolor"}
    return {**outer, **terminal, "TEXTUAL_DRIVER": _DRIVER, "COLUMNS": str(size[0]), "ROWS": str(size[1])}


async def _drain(process: Process) -> None:
    assert process.stdout is not None
    while await process.stdout.read(1 << 16):
        pass


async def _last_words(process: Process) -> bytes:
    assert process.stderr is not None
    said = b""
    while data := await process.stderr.read(_MOST_COMPLAINT):
        said = (said + data)[-_MOST_COMPLAINT:]
    return said

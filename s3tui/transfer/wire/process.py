"""The handle of the crew's process: started, spoken to, listened to, and ended.

It takes a quarter of a second to start, which is why `start_ahead` exists: a command that will need one has it started first of
all, and imports the rest of the program meanwhile.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from s3tui.transfer.wire.messages import FrameReader, Message, framed

_IMPORT_ROOT = Path(__file__).parents[3]
_RECEIVE = 256 << 10

_Started = tuple["subprocess.Popen[bytes]", socket.socket]

_ahead: list[_Started] = []


def start_ahead() -> None:
    """Start a process now, for the first `CrewProcess` that is opened."""
    if not _ahead:
        _ahead.append(_start())


class CrewProcess:
    """One running crew. `on_messages` is called from a thread of its own, `on_end` from the same when the process is gone."""

    def __init__(self, on_messages: Callable[[list[Message]], None], on_end: Callable[[], None]) -> None:
        self._process, self._socket = _ahead.pop() if _ahead else _start()
        self._sending = threading.Lock()
        self._on_messages = on_messages
        self._on_end = on_end
        self._closing = False
        self._thread = threading.Thread(target=self._listen, name="crew", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def tell(self, *messages: Message) -> None:
        """Send messages. What cannot be sent because the process is gone is lost: `on_end` follows, or has been called."""
        data = framed(list(messages))
        with self._sending, suppress(OSError):
            self._socket.sendall(data)

    def close(self) -> None:
        """End it, and wait until it is gone. Idempotent."""
        self._closing = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._thread is not threading.current_thread():
            self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        frames = FrameReader()
        while True:
            try:
                data = self._socket.recv(_RECEIVE)
            except OSError:
                data = b""
            if not data:
                break
            if messages := list(frames.feed(data)):
                self._on_messages(messages)
        if not self._closing:
            self._process.kill()
            self._process.wait()
            self._on_end()


def _start() -> _Started:
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "s3tui.transfer.wire.child", str(theirs.fileno())]
    with theirs:
        # `-m` looks into the working directory first: let that be where this package lies, not where the user happens to be.
        nowhere = subprocess.DEVNULL
        process = subprocess.Popen(
            command, stdin=nowhere, stdout=nowhere, stderr=nowhere, cwd=_IMPORT_ROOT, pass_fds=[theirs.fileno()], env=_environment()
        )
    return process, ours


def _environment() -> dict[str, str]:
    """Ours, without what the crew's process must not know or need: keys come through the socket."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_SECRET") and name != "AWS_SESSION_TOKEN"}

"""A real terminal for a program under test: a pty, with what it shows kept by pyte."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pyte


class Terminal:
    """A program on a terminal of its own, from entering the context to leaving it; leaving kills what still runs."""

    def __init__(
        self, command: Sequence[str], *, cwd: Path, environment: Mapping[str, str], columns: int = 80, lines: int = 24
    ) -> None:
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self._process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**environment, "TERM": "xterm-256color"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._master)

    @property
    def text(self) -> str:
        """What the screen shows, line by line."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._master, keys.encode())

    def until(self, text: str, timeout: float = 60) -> None:
        """Return as soon as the screen shows the text; fail with the screen when it does not."""
        deadline = time.monotonic() + timeout
        while text not in self.text:
            if not self._take(deadline):
                raise AssertionError(f"The screen never showed {text!r}; it shows:\n{self.text}")

    def end(self, timeout: float = 60) -> int:
        """The exit code of the program, which must end by itself."""
        deadline = time.monotonic() + timeout
        while self._take(deadline):
            pass
        return self._process.wait(max(0.1, deadline - time.monotonic()))

    def _take(self, deadline: float) -> bool:
        """Show what comes next; False at the deadline, or when nothing more can come."""
        if not select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return False
        try:
            output = os.read(self._master, 65536)
        except OSError:  # Linux's word for: the last program has left this terminal
            return False
        self._stream.feed(output)
        return bool(output)

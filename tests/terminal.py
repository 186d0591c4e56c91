"""A real terminal: a pty, a program in it, and pyte to see what the person would see."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import pyte

from tests.waiting import wait_until

PRIVATE = re.compile(rb"\x1b\[[<=>?][0-9;:$]*[a-zA-Z]")
"""What pyte does not know and would print."""
_NOTICE = re.compile(rb"\x1b\]9;([^\a]*)\a")
_OSC = re.compile(rb"\x1b\][^\a\x1b]*(\a|\x1b\\)")
_MODES = re.compile(rb"\x1b\[\?([0-9;]+)([hl])|\x1b\[([<>])[0-9]*u")
"""Private modes that go on or off, and keyboard protocols that are pushed or popped."""
_ON_AT_FIRST = {7, 25}
"""Line wrap and cursor; all other modes (mouse, focus, the other screen, bracketed paste) are off in a terminal at rest."""
_SYNC_QUESTION, _SYNC_ANSWER = b"\x1b[?2026$p", b"\x1b[?2026;2$y"
_OTHER_SCREEN = b"\x1b[?1049h"
FRAME = b"\x1b[?2026h"


class _Screen(pyte.Screen):
    """Answers where the cursor is, unless answers are held back."""

    def __init__(self, columns: int, lines: int, answer: Callable[[bytes], None]) -> None:
        super().__init__(columns, lines)
        self._answer = answer
        self.held: list[str] | None = None

    def write_process_input(self, data: str) -> None:
        """What the terminal has to say."""
        if self.held is None:
            self._answer(data.encode())
        else:
            self.held.append(data)


class Terminal:
    """A program on a terminal of its own; use as a context manager."""

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        columns: int = 80,
        lines: int = 24,
        directory: Path | None = None,
        synchronizes: bool = True,
    ) -> None:
        """Run Python with these arguments, in an environment that this one is added to.

        A terminal that does not synchronize shows what is written as it comes.
        """
        self._synchronizes = synchronizes
        self._screen = _Screen(columns, lines, self._send)
        self._stream = pyte.ByteStream(self._screen)
        self._lock = threading.Lock()
        self._master, slave = pty.openpty()
        self._slave = slave
        self.tell_size(columns, lines)
        self.attributes_before = termios.tcgetattr(slave)
        base = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLORTERM", "COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=directory,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**base, "TERM": "xterm-256color", **environment},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        self._wake_in, self._wake = os.pipe()
        self._stopped = False
        self.modes: dict[int, bool] = {}
        """Private modes that were switched, and whether they are on."""
        self.keyboards = 0
        """Keyboard protocols that were pushed and not popped."""
        self.raw = bytearray()
        """All that the program has written."""
        self.written = self.frames = 0
        """Bytes, and synchronized updates, that the program has written."""
        self.notices: list[str] = []
        """What was told the desktop, by OSC 9."""
        self.bells = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.hang_up()

    def _read(self) -> None:
        kept = b""
        while True:
            ready, _, _ = select.select([self._wake_in, *([] if self._stopped else [self._master])], [], [])
            if self._wake_in in ready and os.read(self._wake_in, 1) == b"q":
                return
            if self._master not in ready:
                continue
            data = os.read(self._master, 65536)
            with self._lock:
                self.written += len(data)
                self.raw += data
            data, kept = whole(kept + data)
            self.frames += data.count(FRAME)
            self._arrive(data)

    def _arrive(self, data: bytes) -> None:
        """The terminal gets what the program has written."""
        if _SYNC_QUESTION in data and self._synchronizes:
            self._send(_SYNC_ANSWER)
        with self._lock:
            self._learn_modes(data)
            self.notices += [notice.decode() for notice in _NOTICE.findall(data)]
            self.bells += _OSC.sub(b"", data).count(b"\a")
            for at, part in enumerate(data.split(_OTHER_SCREEN)):
                if at:
                    self._screen.erase_in_display(2)
                self._stream.feed(PRIVATE.sub(b"", part))

    def _send(self, data: bytes) -> None:
        """The program gets what the terminal says."""
        with suppress(OSError):  # it may be gone
            os.write(self._master, data)

    def _learn_modes(self, data: bytes) -> None:
        for modes, switch, keyboard in _MODES.findall(data):
            self.modes |= {int(mode): switch == b"h" for mode in modes.split(b";") if mode}
            self.keyboards += {b">": 1, b"<": -1}.get(keyboard, 0)

    def tell_size(self, columns: int, lines: int) -> None:
        """Tell the program another size, and go on showing what is shown."""
        termios.tcsetwinsize(self._slave, (lines, columns))

    @property
    def told_size(self) -> tuple[int, int]:
        """Columns and lines, as the program would find them now."""
        lines, columns = termios.tcgetwinsize(self._slave)
        return columns, lines

    def resize(self, columns: int, lines: int) -> None:
        """Give the terminal another size, and tell the program; what it showed is lost, as it may be."""
        with self._lock:
            self._screen.resize(lines, columns)
            self._screen.erase_in_display(2)
        self.tell_size(columns, lines)

    def stop_reading(self) -> None:
        """Take nothing more of what the program writes, like a line that hangs."""
        self._stopped = True
        os.write(self._wake, b"w")

    def go_on_reading(self) -> None:
        """Take it again."""
        self._stopped = False
        os.write(self._wake, b"w")

    def left_behind(self) -> list[str]:
        """What differs from the terminal that the program was given; empty if it is in order."""
        with self._lock:
            found = [f"mode {mode}" for mode, on in self.modes.items() if on is not (mode in _ON_AT_FIRST)]
            if self.keyboards > 0:
                found.append("a keyboard protocol")
        if termios.tcgetattr(self._slave) != self.attributes_before:
            found.append("other attributes")
        return found

    def text(self) -> str:
        """What is on the screen; also half a wide character, over which pyte's own display fails."""
        return "\n".join("".join(cell.data for cell in row) for row in self.picture())

    def colours(self) -> set[str]:
        """The colours on the screen, `default` for the terminal's own."""
        with self._lock:
            cells = [self._screen.buffer[y][x] for y in range(self._screen.lines) for x in range(self._screen.columns)]
            return {colour for cell in cells for colour in (cell.fg, cell.bg)}

    def marked_line(self, mark: str) -> str:
        """The first line that begins with this character, or nothing; cheap enough to be asked a thousand times a second."""
        with self._lock:
            for cells in (self._screen.buffer[y] for y in range(self._screen.lines)):
                if cells[0].data == mark:
                    return "".join(cells[x].data for x in range(self._screen.columns))
            return ""

    def picture(self) -> list[list[pyte.screens.Char]]:
        """All cells: characters, colours and attributes."""
        with self._lock:
            rows = range(self._screen.lines)
            return [[self._screen.buffer[y][x] for x in range(self._screen.columns)] for y in rows]

    def press(self, *keys: str) -> None:
        """Type."""
        for key in keys:
            self._send(key.encode())

    def hold_answers(self) -> None:
        """Do not say where the cursor is."""
        self._screen.held = []

    def release_answers(self) -> None:
        """Say it now, and from now on."""
        held, self._screen.held = self._screen.held, None
        for answer in held or ():
            self._send(answer.encode())

    @property
    def unanswered(self) -> int:
        """How many questions where the cursor is wait for an answer."""
        return len(self._screen.held or ())

    def until_seen(self, text: str, timeout: float = 60) -> None:
        """Wait until a text is on the screen."""
        try:
            wait_until(lambda: text in self.text(), timeout, f"{text!r} on the terminal")
        except AssertionError as error:
            raise AssertionError(f"{error} It showed:\n{self.text()}") from None

    def until_unseen(self, text: str, timeout: float = 60) -> None:
        """Wait until a text is gone from the screen."""
        wait_until(lambda: text not in self.text(), timeout, f"{text!r} to be gone from the terminal")

    def hang_up(self) -> None:
        """Close the terminal, as a dropped line does."""
        if self._master >= 0:
            os.write(self._wake, b"q")
            self._reader.join()
            for descriptor in (self._slave, self._master, self._wake, self._wake_in):
                os.close(descriptor)
            self._master = -1


def whole(data: bytes) -> tuple[bytes, bytes]:
    """The data up to a sequence that may go on in the next read, and the rest."""
    start = data.rfind(b"\x1b")
    if start >= 0 and not re.match(rb"\x1b(\[[<=>?]?[0-9;:$]*[a-zA-Z~]|\][^\a]*\a|[^\[\]])", data[start:]):
        return data[:start], data[start:]
    return data, b""

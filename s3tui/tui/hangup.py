"""Signals, terminals that went away, and leaving the terminal as it was found.

Textual handles no hang-up, reads a dead terminal in a busy loop, and hangs in its event loop on a terminal that takes nothing more.
So signals are taken by plain handlers, which run even then, and a thread of its own looks whether the terminal is still there.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import select
import signal
import sys
import termios
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import FrameType
from typing import Any

HANGUP = 129
INTERRUPTED = 130
CODES = {signal.SIGHUP: HANGUP, signal.SIGTERM: INTERRUPTED, signal.SIGINT: INTERRUPTED, signal.SIGQUIT: 131}
"""Exit codes by the signal that ended the UI."""
_GRACE = 1.0
"""Seconds that an orderly end may take before the process ends anyway; the work is in another process."""
_LOOK_EVERY = 1000
"""Milliseconds; where `poll` does not tell by itself that a terminal went away."""
_NUDGE = signal.SIGURG
"""Means nothing, and breaks off a system call that hangs."""
_WRITER = "textual-output"
"""Name of the thread in which Textual writes."""
_AS_FOUND = (
    "\x18\x1b[?2026l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l\x1b[?1004l\x1b[?2004l\x1b[?2048l"
    "\x1b[<u\x1b[0m\x1b[?7h\x1b[?1049l\x1b[?25h"
)
"""Breaks off what was half written, and takes back every mode that Textual may have set."""


class Departure:
    """How the UI is left when it is told to, whatever it hangs on."""

    def __init__(self) -> None:
        self._terminal = _Terminal()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leave: Callable[[int], None] | None = None
        self._code: int | None = None

    def listen(self) -> None:
        """Take the signals of `CODES` from now on, those too that were inherited as ignored."""
        for number in CODES:
            signal.signal(number, self._on_signal)
        signal.signal(_NUDGE, lambda *_: None)

    def attend(self, leave: Callable[[int], None]) -> None:
        """Call `leave(code)` in the running event loop once a signal came, or the terminal is gone."""
        self._loop, self._leave = asyncio.get_running_loop(), leave
        for number in CODES:
            self._loop.remove_signal_handler(number)  # a driver may have set one
        self.listen()
        self._loop.set_default_executor(_Threads())
        threading.Thread(target=self._await_hangup, name="hangup", daemon=True).start()
        if self._code is not None:
            leave(self._code)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._depart(CODES[signal.Signals(number)])

    def _depart(self, code: int) -> None:
        self._code = code
        deadline = threading.Timer(_GRACE, self._give_up, args=(code,))
        deadline.daemon = True  # another one would keep the interpreter alive until it fires
        deadline.start()
        if self._loop is not None and self._leave is not None:
            with suppress(RuntimeError):  # the loop has ended: so does the process
                self._loop.call_soon_threadsafe(self._leave, code)

    def _give_up(self, code: int) -> None:
        self._terminal.put_right()
        os._exit(code)

    def _await_hangup(self) -> None:
        while not terminal_is_gone(_LOOK_EVERY):
            pass
        self._depart(HANGUP)


class _Terminal:
    """The terminal as it was found."""

    def __init__(self) -> None:
        self._attributes: list[Any] | None = None
        with suppress(termios.error, OSError, ValueError):
            self._attributes = termios.tcgetattr(sys.__stdin__)  # type: ignore[arg-type]

    def put_right(self) -> None:
        """Make it what it was, if Textual has not. Waits for nobody: what the terminal does not take is thrown away."""
        with suppress(termios.error, OSError, ValueError, AttributeError):
            as_found = termios.tcgetattr(sys.__stdin__) == self._attributes  # type: ignore[arg-type]
            if self._attributes is None or (as_found and not _writers()):
                return
            descriptor = sys.__stderr__.fileno()  # type: ignore[union-attr]
            terminal = os.dup(descriptor)
            flags = fcntl.fcntl(terminal, fcntl.F_GETFL)
            fcntl.fcntl(terminal, fcntl.F_SETFL, flags | os.O_NONBLOCK)
            try:
                _silence_writers(descriptor)
                _write_at_last(terminal)
            finally:
                fcntl.fcntl(terminal, fcntl.F_SETFL, flags)
                termios.tcsetattr(sys.__stdin__, termios.TCSANOW, self._attributes)  # type: ignore[arg-type]


def _writers() -> list[threading.Thread]:
    """The thread in which Textual writes, if it has not written all."""
    return [thread for thread in threading.enumerate() if thread.name == _WRITER and thread.ident is not None]


def _silence_writers(descriptor: int) -> None:
    """What Textual still has to write goes nowhere from now on: it would take all room that is made, and follow our last word."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    for thread in _writers():
        signal.pthread_kill(thread.ident or 0, _NUDGE)  # it hangs in writing to the terminal


def _write_at_last(terminal: int) -> None:
    """Write what takes the modes back, instead of anything that waits to be read; the descriptor does not block."""
    last = _AS_FOUND.encode()
    for _ in range(40):
        termios.tcflush(terminal, termios.TCOFLUSH)
        with suppress(BlockingIOError):  # room is made a little later
            if os.write(terminal, last) == len(last):
                return
        time.sleep(0.005)


class _Threads(ThreadPoolExecutor):
    """Threads that nobody waits for at the end: a database that does not answer must not keep the UI from being left."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        super().shutdown(wait=False, cancel_futures=True)


def can_stop() -> bool:
    """Whether a shell would take over if this program stopped: not where the terminal runs nothing else, as `ssh -t HOST s3tui`."""
    return not has_other_screen() and os.getpgrp() != os.getsid(0)


def stop() -> None:
    """Stop this process and all that were started with it, as the terminal itself does; returns when it goes on."""
    handlers = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGTSTP, signal.SIGCONT)}
    try:
        os.kill(0, signal.SIGTSTP)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def has_other_screen() -> bool:
    """Whether a driver of Textual's shows the UI elsewhere than on a terminal, as `s3tui web` does."""
    return bool(os.environ.get("TEXTUAL_DRIVER"))


def terminal_is_gone(milliseconds: int = 0) -> bool:
    """Whether the other end of standard input hangs up within this time: the second net, for a SIGHUP that never came.

    It is a terminal, or the server of another screen.
    """
    stdin = sys.__stdin__
    if stdin is None or stdin.closed:
        return False
    poll = select.poll()
    poll.register(stdin.fileno(), 0)
    return any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll(milliseconds))

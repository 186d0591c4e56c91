"""Terminals that go away. Textual handles no hang-up, and reads a dead terminal in a busy loop."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
import threading
from collections.abc import Callable

HANGUP = 129
TERMINATED = 130
_GRACE = 1.0
"""Seconds that an orderly end may take before the process ends anyway; the work is in another process."""


def leave_when_told(leave: Callable[[int], None]) -> None:
    """Call `leave(code)` on SIGHUP and SIGTERM, in the running event loop. Replaces an inherited "ignore"."""

    def on_signal(code: int) -> None:
        end_soon(code)
        leave(code)

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, on_signal, HANGUP)
    loop.add_signal_handler(signal.SIGTERM, on_signal, TERMINATED)


def has_other_screen() -> bool:
    """Whether a driver of Textual's shows the UI elsewhere than on a terminal, as `s3tui web` does."""
    return bool(os.environ.get("TEXTUAL_DRIVER"))


def end_soon(code: int) -> None:
    """End the process after a grace period, even if the event loop hangs on a terminal that takes nothing more."""
    deadline = threading.Timer(_GRACE, os._exit, args=(code,))
    deadline.daemon = True  # another one would keep the interpreter alive until it fires
    deadline.start()


def terminal_is_gone() -> bool:
    """Whether the other end of standard input hung up: the second net, for a SIGHUP that never came.

    It is a terminal, or the server of another screen.
    """
    stdin = sys.__stdin__
    if stdin is None or stdin.closed or not (stdin.isatty() or has_other_screen()):
        return False
    poll = select.poll()
    poll.register(stdin.fileno(), select.POLLIN)
    return any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll(0))

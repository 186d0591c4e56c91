"""`s3tui worker`: take jobs from the queue until stopped."""

from __future__ import annotations

import argparse
import os
import signal
import threading
from typing import TYPE_CHECKING

from s3tui.cli.parser import Parser, add_connection_options, add_global_options, add_metrics_options

if TYPE_CHECKING:
    from types import FrameType

    from s3tui.worker import Worker

_INTERRUPTED = 130


def add_options(parser: Parser) -> None:
    """What `worker` takes."""
    parser.description = "Take jobs from the queue until stopped."
    parser.add_argument("--queues", nargs="+", metavar="NAME", help="only these queues")
    parser.add_argument("--until-idle", metavar="SECONDS", type=float, help=argparse.SUPPRESS)
    add_metrics_options(parser)
    add_connection_options(parser)
    add_global_options(parser, after=True)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Work until a signal comes, or until it has been idle for long. Stopping is how a worker ends: the exit code is 0."""
    from s3tui.cli import foreground, output, settings
    from s3tui.runtime import QUEUES

    loaded = settings.load(arguments)
    with foreground.opened(loaded, arguments) as runtime:
        worker = runtime.worker(queues=arguments.queues or QUEUES, until_idle=arguments.until_idle)
        _stop_on_signals(worker, background=arguments.until_idle is not None)
        if not arguments.quiet:
            output.note(f"Worker {worker.id} takes jobs from {', '.join(arguments.queues or QUEUES)}; Ctrl-C stops it.")
        worker.run_until_stopped()
    return 0


def _stop_on_signals(worker: Worker, *, background: bool) -> None:
    """The first SIGINT or SIGTERM stops the worker with a grace, the second ends the process.

    The stop is asked for by a thread: the main thread may hold the very lock that asking takes. A background worker outlives its
    terminal.
    """
    asked: list[int] = []

    def ask(number: int, _frame: FrameType | None) -> None:
        if asked:
            os._exit(_INTERRUPTED)
        asked.append(number)
        threading.Thread(target=worker.request_stop, daemon=True).start()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask)
    if background:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    elif signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, ask)

"""`s3tui worker`: take jobs from the queue until stopped."""

from __future__ import annotations

import argparse
import os
import signal
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from s3tui.cli.parser import Parser, add_connection_options, add_global_options, add_metrics_options
from s3tui.errors import QueueError, SpecError, StateLost
from s3tui.text import display_text

if TYPE_CHECKING:
    from types import FrameType

    from s3tui.runtime import Runtime
    from s3tui.worker import Worker

_INTERRUPTED = 130
_GRACE_SECONDS = 5.0
_AGAIN_SECONDS = 1.0
"""Between two attempts to begin again after an outage; each waits for the database by itself, besides."""


def add_options(parser: Parser) -> None:
    """What `worker` takes."""
    parser.description = "Take jobs from the queue until stopped."
    parser.add_argument(
        "--queues",
        nargs="+",
        metavar="NAME",
        help="only these queues, with commas or spaces between: upload (backups, too), video, ingest (default: all)",
    )
    parser.add_argument(
        "--grace", metavar="SECONDS", type=_seconds, default=_GRACE_SECONDS,
        help="what files in flight get to end when the worker is told to stop; the rest is given back (default: 5)",
    )  # fmt: skip
    parser.add_argument("--until-idle", metavar="SECONDS", type=float, help=argparse.SUPPRESS)
    add_metrics_options(parser)
    add_connection_options(parser)
    add_global_options(parser, after=True)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Work until a signal comes, or until it has been idle for long. Stopping is how a worker ends: the exit code is 0."""
    from s3tui.cli import foreground, settings
    from s3tui.runtime import QUEUES

    queues = _queues(arguments.queues, QUEUES)
    loaded = settings.load(arguments)
    with foreground.opened(loaded, arguments) as runtime:
        if arguments.until_idle is None:
            _Shift(runtime, queues, arguments).work()
        else:
            worker = runtime.worker(queues=queues, until_idle=arguments.until_idle)
            _stop_on_signals(worker.request_stop, background=True)
            _say(arguments, worker, queues)
            worker.run_until_stopped(arguments.grace)
    return 0


class _Shift:
    """One worker after the other, for as long as nobody stops it: a database or a queue that goes away may come back."""

    def __init__(self, runtime: Runtime, queues: Sequence[str], arguments: argparse.Namespace) -> None:
        self._runtime = runtime
        self._queues = queues
        self._arguments = arguments
        self._worker: Worker | None = None
        self._stopped = threading.Event()

    def work(self) -> None:
        """Raises what is not an outage, and what keeps the first worker from beginning."""
        self._begin()
        _stop_on_signals(self._stop, background=False)
        while True:
            try:
                if self._worker is None:
                    self._begin()
                if self._worker is not None:
                    self._worker.run_until_stopped(self._arguments.grace)
                return
            except (StateLost, QueueError) as error:
                self._worker = None
                if self._stopped.is_set():
                    raise
                self._note(f"{error} The worker goes on as soon as it can.")
                self._stopped.wait(_AGAIN_SECONDS)

    def _begin(self) -> None:
        if self._stopped.is_set():
            return
        self._worker = self._runtime.worker(queues=self._queues)
        _say(self._arguments, self._worker, self._queues)
        if self._stopped.is_set():
            self._worker.request_stop()

    def _stop(self) -> None:
        self._stopped.set()
        if self._worker is not None:
            self._worker.request_stop()

    def _note(self, sentence: str) -> None:
        from s3tui.cli import output

        output.note(f"s3tui: {sentence}")


def _say(arguments: argparse.Namespace, worker: Worker, queues: Sequence[str]) -> None:
    from s3tui.cli import output

    if not arguments.quiet:
        output.note(f"Worker {worker.id} takes jobs from {', '.join(queues)}; Ctrl-C stops it.")


def _queues(words: Sequence[str] | None, known: Sequence[str]) -> tuple[str, ...]:
    """The queues that are named, each once. Raises SpecError for one that does not exist."""
    named = dict.fromkeys(name for word in words or known for name in word.split(",") if name)
    for name in named:
        if name not in known:
            raise SpecError(f"There is no queue {display_text(name)!r}; --queues takes {', '.join(known)}.")
    if not named:
        raise SpecError(f"--queues names no queue: give at least one of {', '.join(known)}.")
    return tuple(named)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: give seconds, from 0 to 86400")
    return seconds


def _stop_on_signals(stop: Callable[[], None], *, background: bool) -> None:
    """The first SIGINT or SIGTERM stops the worker with a grace, the second ends the process.

    The stop is asked for by a thread: the main thread may hold the very lock that asking takes. A background worker outlives its
    terminal.
    """
    asked: list[int] = []

    def ask(number: int, _frame: FrameType | None) -> None:
        if asked:
            os._exit(_INTERRUPTED)
        asked.append(number)
        threading.Thread(target=stop, daemon=True).start()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask)
    if background:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    elif signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, ask)

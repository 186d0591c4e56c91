"""What has been ordered of a crew and has no outcome yet, and who waits for it.

Concurrency: `_lock` guards the tables of runs, parts and questions. No call that may block is made under it, and nobody who waits
is told anything.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextvars import copy_context
from typing import Any, NamedTuple, Protocol

from s3tui.errors import S3tuiError, StorageError
from s3tui.log_context import about
from s3tui.transfer.wire.answers import Answer
from s3tui.transfer.wire.messages import Message, plain, unpacked_error
from s3tui.transfer.wire.orders import PartOrder, PlainItem, Terms

_log = logging.getLogger(__name__)


class PartOutcome(NamedTuple):
    """The store took a part."""

    size: int
    checksum: str
    etag: str


class RunListener(Protocol):
    """Who wants to know what becomes of the files of a run. Called from the office's thread."""

    def stored(self, outcomes: Sequence[Message]) -> None:
        """(run, no, attempts, size, checksum, etag, version id, fingerprint) of each file that the store took; see `messages`."""

    def failed(self, no: int, attempts: int, error: S3tuiError) -> None:
        """A file will not be sent again."""

    def returned(self) -> None:
        """A file was not sent, because people wished so, or because the run was stopped."""

    def moved(self, total: int) -> None:
        """So many bytes ever left for files of this run."""

    def in_flight(self, flights: Sequence[tuple[int, int, int, int]]) -> None:
        """(no, sent, size, attempt) of what is in flight of the run."""

    def stop(self, error: BaseException) -> None:
        """No file of the run could succeed any more."""


class _Run:
    """A run that has not ended."""

    def __init__(self, group: int, terms: Terms, listener: RunListener) -> None:
        self.group = group
        self.terms = terms
        self.listener = listener
        self.outstanding: dict[int, PlainItem] = {}
        self.context = copy_context()
        """What the lines that are logged for it are about."""


class _Part:
    """A part without an outcome yet."""

    def __init__(self, group: int, order: PartOrder, moved: Callable[[int], None]) -> None:
        self.group = group
        self.order = order
        self.future: Future[PartOutcome] = Future()
        self.moved = moved


class Outstanding:
    """The runs, parts and questions of one office."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: dict[int, _Run] = {}
        self._parts: dict[int, _Part] = {}
        self._questions: dict[int, Future[Answer]] = {}
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether questions are refused."""
        return self._closed

    # What is ordered.

    def open_run(self, number: int, group: int, terms: Terms, listener: RunListener) -> None:
        """A run has begun."""
        with self._lock:
            self._runs[number] = _Run(group, terms, listener)

    def add_items(self, number: int, items: list[PlainItem]) -> None:
        """Files of a run are ordered."""
        with self._lock:
            self._runs[number].outstanding.update([(item[0], item) for item in items])

    def close_run(self, number: int) -> None:
        """Forget a run that has no files outstanding."""
        with self._lock:
            del self._runs[number]

    def add_part(self, number: int, group: int, order: PartOrder, moved: Callable[[int], None]) -> Future[PartOutcome]:
        """A part is ordered; `moved` is told now and then how many of its bytes have left. The future raises S3tuiError."""
        part = _Part(group, order, moved)
        with self._lock:
            self._parts[number] = part
        return part.future

    def add_question(self, number: int) -> Future[Answer]:
        """A question is asked. Raises StorageError once this is closed, and so does the future when there is no answer."""
        answer: Future[Answer] = Future()
        with self._lock:
            if self._closed:
                raise _unanswered("has been ended")
            self._questions[number] = answer
        return answer

    def orders(self) -> list[Message]:
        """All of it, but for questions, as messages for a crew that takes over: it looks before it sends."""
        with self._lock:
            orders: list[Message] = []
            for number, run in self._runs.items():
                again = [(*item[:5], True) for item in run.outstanding.values()]
                orders += [("run", number, run.group, plain(run.terms)), ("items", number, again)]
            return orders + [("part", number, part.group, plain(part.order)) for number, part in self._parts.items()]

    # What comes back.

    def hear(self, name: str, *arguments: Any) -> None:  # noqa: ANN401
        """Hand on one message of the crew; see `messages`."""
        getattr(self, f"_heard_{name.replace(' ', '_')}")(*arguments)

    def _heard_stored(self, outcomes: list[Message]) -> None:
        by_run: dict[int, list[Message]] = {}
        with self._lock:
            for outcome in outcomes:
                run = self._runs.get(outcome[0])
                if run is not None and run.outstanding.pop(outcome[1], None) is not None:
                    by_run.setdefault(outcome[0], []).append(outcome)
            listeners = [(self._runs[number].listener, stored) for number, stored in by_run.items()]
        for listener, stored in listeners:
            listener.stored(stored)

    def _heard_failed(self, number: int, no: int, attempts: int, error: Message) -> None:
        if listener := self._ended(number, no):
            listener.failed(no, attempts, unpacked_error(error))

    def _heard_again(self, number: int, no: int, attempts: int, seconds: float, error: Message) -> None:
        with self._lock:
            run = self._runs.get(number)
            item = run.outstanding.get(no) if run is not None else None
        if run is not None and item is not None:
            run.context.run(_tell_again, item[1], attempts, seconds, unpacked_error(error))

    def _heard_returned(self, number: int, no: int) -> None:
        if listener := self._ended(number, no):
            listener.returned()

    def _ended(self, number: int, no: int) -> RunListener | None:
        """Who wants to know of a file's end; nobody if it was known already."""
        with self._lock:
            run = self._runs.get(number)
            return run.listener if run is not None and run.outstanding.pop(no, None) is not None else None

    def _heard_part_stored(self, number: int, size: int, checksum: str, etag: str) -> None:
        with self._lock:
            part = self._parts.pop(number, None)
        if part is not None:
            part.moved(size)
            part.future.set_result(PartOutcome(size, checksum, etag))

    def _heard_part_failed(self, number: int, error: Message) -> None:
        with self._lock:
            part = self._parts.pop(number, None)
        if part is not None:
            part.moved(0)
            part.future.set_exception(unpacked_error(error))

    def _heard_answer(self, number: int, *answer: Any) -> None:  # noqa: ANN401
        with self._lock:
            question = self._questions.pop(number, None)
        if question is not None:
            status, headers, body = answer
            question.set_result(Answer(status, headers, body, reusable=False))

    def _heard_no_answer(self, number: int, error: Message) -> None:
        with self._lock:
            question = self._questions.pop(number, None)
        if question is not None:
            question.set_exception(unpacked_error(error))

    def _heard_flights(self, files: list[Message], parts: list[Message], window: int, connections: int) -> None:
        by_run: dict[int, list[tuple[int, int, int, int]]] = {}
        for number, *flight in files:
            by_run.setdefault(number, []).append((flight[0], flight[1], flight[2], flight[3]))
        with self._lock:
            listeners = [(run.listener, by_run.get(number, [])) for number, run in self._runs.items()]
            moving = [(self._parts[number].moved, sent) for number, sent in parts if number in self._parts]
        for listener, flights in listeners:
            listener.in_flight(flights)
        for moved, sent in moving:
            moved(sent)
        _log.debug("window %d, %d connections opened", window, connections)

    def _heard_bytes(self, totals: list[Message]) -> None:
        with self._lock:
            listeners = [(self._runs[number].listener, total) for number, total in totals if number in self._runs]
        for listener, total in listeners:
            listener.moved(total)

    # What has no outcome any more.

    def stop_runs(self, error: S3tuiError) -> None:
        """No file of any run could succeed."""
        with self._lock:
            listeners = [run.listener for run in self._runs.values()]
        for listener in listeners:
            listener.stop(error)

    def close(self) -> None:
        """Take no more questions."""
        with self._lock:
            self._closed = True

    def leave_unanswered(self, why: str) -> None:
        """Tell those who wait for answers that there will be none, because the crew's process `why`."""
        with self._lock:
            questions = list(self._questions.values())
            self._questions.clear()
        for question in questions:
            question.set_exception(_unanswered(why))

    def give_up(self, error: S3tuiError) -> None:
        """No crew stays alive: files are returned, parts fail."""
        with self._lock:
            ended = [(run.listener, len(run.outstanding)) for run in self._runs.values()]
            parts = list(self._parts.values())
            for run in self._runs.values():
                run.outstanding.clear()
            self._parts.clear()
        for listener, count in ended:
            listener.stop(error)
            for _ in range(count):
                listener.returned()
        for part in parts:
            part.future.set_exception(error)


def _unanswered(why: str) -> StorageError:
    sentence = f"The process that talks to S3 {why}. Try again."
    return StorageError(sentence, code="CrewDied", reason="connection", retryable=True)


def _tell_again(path: bytes, attempt: int, seconds: float, error: S3tuiError) -> None:
    with about(file=path, attempt=attempt, code=error.reason):
        _log.debug("Once more in %.1f s: %s", seconds, error)

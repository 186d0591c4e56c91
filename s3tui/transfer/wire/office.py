"""The crew's office in this process: takes orders from any thread, and hands back what came of them.

Concurrency: `_lock` guards the tables of runs, parts and questions; no call that may block is made under it. `_ordering` is held
while an order is entered and told, so that a new crew hears all orders once and in turn; it is taken before `_lock`, never after.
What comes from the crew is handed on in the thread that listens to it, one message after the other. If the crew's process dies, a
new one is started, and whatever had no outcome is ordered again, to be looked for before it is sent: the dead one may have sent it.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextvars import copy_context
from typing import Any, NamedTuple, Protocol

from s3tui.errors import S3tuiError, StorageError
from s3tui.log_context import about
from s3tui.storage.keys import KeyRing, Keys
from s3tui.storage.site import Site
from s3tui.transfer.engine import Control
from s3tui.transfer.wire.answers import Answer
from s3tui.transfer.wire.messages import Message, unpacked_error
from s3tui.transfer.wire.orders import Conduct, PartOrder, PlainItem, Terms, Wish
from s3tui.transfer.wire.process import CrewProcess
from s3tui.transfer.wire.renewal import Renewal

_log = logging.getLogger(__name__)

_MAX_DEATHS = 5
"""So many crews in a row may die without an outcome between them."""


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


class Office:
    """One crew, for one site and one identity."""

    def __init__(self, site: Site, keys: KeyRing, conduct: Conduct, *, patience: float = 30.0) -> None:
        """Start the crew. Raises CredentialsError, StorageError."""
        self.site = site
        self._keyring = keys
        self._keys = keys.current()
        self._conduct = conduct
        self._patience = patience
        self._lock = threading.Lock()
        self._ordering = threading.RLock()
        self._numbers = itertools.count(1)
        self._runs: dict[int, _Run] = {}
        self._parts: dict[int, _Part] = {}
        self._questions: dict[int, Future[Answer]] = {}
        self._groups: dict[Control, _Group] = {}
        self._deaths = 0
        self._closed = threading.Event()
        self._crew = CrewProcess(self._hear, self._revive)
        self._crew.tell(self._beginning())
        self._renewal = Renewal(keys, self._keys, self._take_keys, self._lose_keys)

    @property
    def pid(self) -> int:
        """Process id of the crew."""
        return self._crew.pid

    # Orders.

    def open_run(self, control: Control, terms: Terms, listener: RunListener) -> int:
        """Begin a run for a job; its files obey the job's control."""
        number = next(self._numbers)
        with self._ordering:
            group = self.join(control)
            with self._lock:
                self._runs[number] = _Run(group, terms, listener)
            self._crew.tell(("run", number, group, _plain(terms)))
        return number

    def send_items(self, number: int, items: list[PlainItem]) -> None:
        """Order files of a run."""
        with self._ordering:
            with self._lock:
                self._runs[number].outstanding.update([(item[0], item) for item in items])
            self._crew.tell(("items", number, items))

    def stop_run(self, number: int) -> None:
        """Have everything of a run returned that has not begun."""
        with self._ordering:
            self._crew.tell(("stop run", number))

    def close_run(self, number: int, control: Control) -> None:
        """Forget a run that has no files outstanding."""
        with self._ordering:
            with self._lock:
                del self._runs[number]
            self._crew.tell(("end run", number))
            self.leave(control)

    def join(self, control: Control) -> int:
        """The number of a job's group; whoever joins must leave."""
        with self._ordering:
            group = self._groups.get(control)
            if group is None:
                group = _Group(next(self._numbers), control.listen(lambda: self._tell_group(control)))
                self._groups[control] = group
                self._tell_group(control)
            group.users += 1
            return group.number

    def leave(self, control: Control) -> None:
        """See `join`."""
        with self._ordering:
            group = self._groups[control]
            group.users -= 1
            if group.users == 0:
                group.stop_listening()
                del self._groups[control]
                self._crew.tell(("end group", group.number))

    def send_part(self, group: int, order: PartOrder, moved: Callable[[int], None]) -> Future[PartOutcome]:
        """Order a part; `moved` is told now and then how many of its bytes have left. The future raises S3tuiError."""
        number = next(self._numbers)
        part = _Part(group, order, moved)
        with self._ordering:
            with self._lock:
                self._parts[number] = part
            self._crew.tell(("part", number, group, _plain(order)))
        return part.future

    def ask(
        self,
        operation: str,
        method: str,
        target: tuple[str, str],
        *,
        query: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        """Ask the store something, and wait for the answer, whatever its status. Raises StorageError when there is none."""
        number = next(self._numbers)
        answer: Future[Answer] = Future()
        with self._ordering:
            with self._lock:
                if self._closed.is_set():
                    raise _unanswered("has been ended")
                self._questions[number] = answer
            self._crew.tell(("ask", number, operation, method, target, list(query), dict(headers or {}), body))
        return answer.result()

    def warm(self, bucket: str, count: int) -> None:
        """Make some connections before there is anything to send."""
        with self._ordering:
            self._crew.tell(("warm", bucket, count))

    def take_conduct(self, conduct: Conduct) -> None:
        """Speak to the store in this way from now on."""
        with self._ordering:
            self._conduct = conduct
            self._crew.tell(("conduct", _plain(conduct)))

    def close(self) -> None:
        """End the crew; what is in flight is broken off, and who waits for an answer hears that there is none. Idempotent."""
        with self._lock:
            self._closed.set()
        self._renewal.close()
        self._crew.close()
        self._leave_unanswered("has been ended")

    # What comes back.

    def _hear(self, messages: list[Message]) -> None:
        for name, *arguments in messages:
            self._deaths = 0
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

    def _heard_worn(self, access_key: str, token: str) -> None:
        if (self._keys.access_key, self._keys.token) == (access_key, token):
            self._renewal.replace(self._keys)

    def _heard_complaint(self, text: str) -> None:
        _log.error("The crew's process met an error of its own: %s", text)

    # Keys.

    def _take_keys(self, keys: Keys) -> None:
        with self._ordering:
            self._keys = keys
            self._crew.tell(("keys", _plain(keys)))

    def _lose_keys(self, error: S3tuiError) -> None:
        with self._lock:
            listeners = [run.listener for run in self._runs.values()]
        for listener in listeners:
            listener.stop(error)
        with self._ordering:
            self._crew.tell(("no keys",))

    # A crew that died.

    def _revive(self) -> None:
        """Start another crew, and order again what had no outcome."""
        if self._closed.is_set():
            return
        self._deaths += 1
        _log.warning("The crew's process died; another one takes over.")
        self._leave_unanswered("died before the answer came")
        if self._deaths > _MAX_DEATHS:
            self._give_up()
            return
        with self._ordering:
            self._crew = CrewProcess(self._hear, self._revive)
            self._crew.tell(self._beginning())
            for control in self._groups:
                self._tell_group(control)
            with self._lock:
                orders: list[Message] = []
                for number, run in self._runs.items():
                    again = [(*item[:5], True) for item in run.outstanding.values()]
                    orders += [("run", number, run.group, _plain(run.terms)), ("items", number, again)]
                orders += [("part", number, part.group, _plain(part.order)) for number, part in self._parts.items()]
            self._crew.tell(*orders)

    def _leave_unanswered(self, why: str) -> None:
        """Tell those who wait for answers that there will be none."""
        with self._lock:
            questions = list(self._questions.values())
            self._questions.clear()
        for question in questions:
            question.set_exception(_unanswered(why))

    def _give_up(self) -> None:
        """No crew stays alive."""
        error = StorageError(
            "The process that talks to S3 died again and again. See the log, or use `transfer.engine: s3transfer`."
        )
        error.fatal = True
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

    def _beginning(self) -> Message:
        return ("begin", _plain(self.site), _plain(self._keys), _plain(self._conduct), self._patience)

    def _tell_group(self, control: Control) -> None:
        wish = Wish.BREAK_OFF if control.broken_off else Wish.PAUSE if control.stopping else Wish.RUN
        with self._ordering:
            group = self._groups.get(control)
            if group is not None:
                self._crew.tell(("group", group.number, control.concurrency, control.bandwidth, int(wish)))


def _unanswered(why: str) -> StorageError:
    sentence = f"The process that talks to S3 {why}. Try again."
    return StorageError(sentence, code="CrewDied", reason="connection", retryable=True)


class _Group:
    """What of a job is under way here."""

    def __init__(self, number: int, stop_listening: Callable[[], None]) -> None:
        self.number = number
        self.stop_listening = stop_listening
        self.users = 0


def _tell_again(path: bytes, attempt: int, seconds: float, error: S3tuiError) -> None:
    with about(file=path, attempt=attempt, code=error.reason):
        _log.debug("Once more in %.1f s: %s", seconds, error)


def _plain(fields: tuple[Any, ...]) -> tuple[Any, ...]:
    """A named tuple as one that can be marshalled."""
    return tuple(fields)

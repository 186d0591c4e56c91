"""The crew's office in this process: takes orders from any thread, and hands back what came of them.

Concurrency: `_ordering` is held while an order is entered in `Outstanding` and told, so that a new crew hears all orders once and
in turn; it is taken before the lock in there, never after. What comes from the crew is handed on in the thread that listens to it,
one message after the other. If the crew's process dies, a new one is started, and whatever had no outcome is ordered again, to be
looked for before it is sent: the dead one may have sent it.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future

from s3tui.errors import S3tuiError, StorageError
from s3tui.storage.keys import KeyRing, Keys
from s3tui.storage.site import Site
from s3tui.transfer.engine import Control
from s3tui.transfer.wire.answers import Answer
from s3tui.transfer.wire.messages import Message, plain
from s3tui.transfer.wire.orders import Conduct, PartOrder, PlainItem, Terms, Wish
from s3tui.transfer.wire.outstanding import Outstanding, PartOutcome, RunListener
from s3tui.transfer.wire.process import CrewProcess
from s3tui.transfer.wire.renewal import Renewal

_log = logging.getLogger(__name__)

_MAX_DEATHS = 5
"""So many crews in a row may die without an outcome between them."""


class Office:
    """One crew, for one site and one identity."""

    def __init__(self, site: Site, keys: KeyRing, conduct: Conduct, *, patience: float = 30.0) -> None:
        """Start the crew. Raises CredentialsError, StorageError."""
        self.site = site
        self._keys = keys.current()
        self._conduct = conduct
        self._patience = patience
        self._ordering = threading.RLock()
        self._numbers = itertools.count(1)
        self._outstanding = Outstanding()
        self._groups: dict[Control, _Group] = {}
        self._deaths = 0
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
            self._outstanding.open_run(number, group, terms, listener)
            self._crew.tell(("run", number, group, plain(terms)))
        return number

    def send_items(self, number: int, items: list[PlainItem]) -> None:
        """Order files of a run."""
        with self._ordering:
            self._outstanding.add_items(number, items)
            self._crew.tell(("items", number, items))

    def stop_run(self, number: int) -> None:
        """Have everything of a run returned that has not begun."""
        with self._ordering:
            self._crew.tell(("stop run", number))

    def close_run(self, number: int, control: Control) -> None:
        """Forget a run that has no files outstanding."""
        with self._ordering:
            self._outstanding.close_run(number)
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
        with self._ordering:
            outcome = self._outstanding.add_part(number, group, order, moved)
            self._crew.tell(("part", number, group, plain(order)))
        return outcome

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
        with self._ordering:
            answer = self._outstanding.add_question(number)
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
            self._crew.tell(("conduct", plain(conduct)))

    def close(self) -> None:
        """End the crew; what is in flight is broken off, and who waits for an answer hears that there is none. Idempotent."""
        self._outstanding.close()
        self._renewal.close()
        self._crew.close()
        self._outstanding.leave_unanswered("has been ended")

    # What comes back.

    def _hear(self, messages: list[Message]) -> None:
        for name, *arguments in messages:
            self._deaths = 0
            match name:
                case "worn":
                    self._heard_worn(*arguments)
                case "complaint":
                    _log.error("The crew's process met an error of its own: %s", *arguments)
                case _:
                    self._outstanding.hear(name, *arguments)

    def _heard_worn(self, access_key: str, token: str) -> None:
        if (self._keys.access_key, self._keys.token) == (access_key, token):
            self._renewal.replace(self._keys)

    # Keys.

    def _take_keys(self, keys: Keys) -> None:
        with self._ordering:
            self._keys = keys
            self._crew.tell(("keys", plain(keys)))

    def _lose_keys(self, error: S3tuiError) -> None:
        self._outstanding.stop_runs(error)
        with self._ordering:
            self._crew.tell(("no keys",))

    # A crew that died.

    def _revive(self) -> None:
        """Start another crew, and order again what had no outcome."""
        if self._outstanding.closed:
            return
        self._deaths += 1
        _log.warning("The crew's process died; another one takes over.")
        self._outstanding.leave_unanswered("died before the answer came")
        if self._deaths > _MAX_DEATHS:
            self._give_up()
            return
        with self._ordering:
            self._crew = CrewProcess(self._hear, self._revive)
            self._crew.tell(self._beginning())
            for control in self._groups:
                self._tell_group(control)
            self._crew.tell(*self._outstanding.orders())

    def _give_up(self) -> None:
        """No crew stays alive."""
        error = StorageError(
            "The process that talks to S3 died again and again. See the log, or use `transfer.engine: s3transfer`."
        )
        error.fatal = True
        self._outstanding.give_up(error)

    def _beginning(self) -> Message:
        return ("begin", plain(self.site), plain(self._keys), plain(self._conduct), self._patience)

    def _tell_group(self, control: Control) -> None:
        wish = Wish.BREAK_OFF if control.broken_off else Wish.PAUSE if control.stopping else Wish.RUN
        with self._ordering:
            group = self._groups.get(control)
            if group is not None:
                self._crew.tell(("group", group.number, control.concurrency, control.bandwidth, int(wish)))


class _Group:
    """What of a job is under way here."""

    def __init__(self, number: int, stop_listening: Callable[[], None]) -> None:
        self.number = number
        self.stop_listening = stop_listening
        self.users = 0

"""The crew: who goes when, and what becomes of it.

    waiting ──turn──▶ ferry (prepared, sent, answered) ──▶ an outcome
        ▲                          │
        └──── rest, new keys ──────┘

One thread runs all of it, on one event loop. Nothing here knows the process above: what becomes of errands is told to an `Outbox`.
"""

from __future__ import annotations

import asyncio
import errno
import time
from typing import Protocol, cast

from s3tui.errors import Cancelled, ObjectExists, S3tuiError
from s3tui.storage.keys import Keys
from s3tui.storage.site import Site
from s3tui.storage.verdicts import broken_off, no_tls, read_error, refused, silent, unreachable
from s3tui.transfer.wire.answers import Answer
from s3tui.transfer.wire.bearings import WORN
from s3tui.transfer.wire.dial import NoConnection, NoTls, NoTrust
from s3tui.transfer.wire.errands import Ask, Errand
from s3tui.transfer.wire.ferry import Ferry, Silence
from s3tui.transfer.wire.file_errands import FileErrand, Part, Put
from s3tui.transfer.wire.groups import Group, Run
from s3tui.transfer.wire.orders import Conduct, Item, Terms, Wish
from s3tui.transfer.wire.window import Window

MAX_IN_FLIGHT = 1000

_STARVED_SECONDS = 0.25
"""Rest of an errand for which no descriptor was left."""
_TROUBLED = (429, 500, 502, 503, 504)


class Outbox(Protocol):
    """Who is told what became of errands."""

    def stored(self, errand: Put | Part, answer: Answer) -> None:
        """The store took a file, or a part."""

    def answered(self, ask: Ask, answer: Answer) -> None:
        """A question was answered, with whatever status."""

    def failed(self, errand: Errand, error: S3tuiError) -> None:
        """It will not be sent again."""

    def again(self, errand: Errand, error: S3tuiError, seconds: float) -> None:
        """It will be sent once more after so long a rest."""

    def returned(self, errand: Errand) -> None:
        """It was not sent, or broken off, because people wished so."""

    def worn(self, keys: Keys) -> None:
        """The store says that these keys have expired; errands wait for others."""

    def flush(self) -> None:
        """Nothing is in flight: do not wait for more to tell."""


class Crew:
    """Carries the errands of one site, at most `MAX_IN_FLIGHT` at a time. Implements `Landing`."""

    def __init__(self, site: Site, keys: Keys, conduct: Conduct, outbox: Outbox, *, patience: float) -> None:
        """`patience`: see `Ferry`."""
        self.ferry = Ferry(site, keys, conduct, self, patience=patience)
        self.window = Window(MAX_IN_FLIGHT)
        self._outbox = outbox
        self._loop = asyncio.get_running_loop()
        self._groups: dict[int, Group] = {}
        self._in_turn: list[Group] = []
        self._runs: dict[int, Run] = {}
        self._resting: dict[Errand, asyncio.TimerHandle] = {}
        self._parked: list[tuple[Errand, Answer]] = []
        """Errands that wait for new keys, and what the store said of the old ones. While there are any, none begins."""
        self._in_flight = 0
        self._successes = 0
        self._held_until = 0.0
        self._turn = 0
        self._pump_is_due = False

    # Orders.

    def group(self, group_id: int, limit: int, rate: int, wish: Wish) -> None:
        """Change what people want of a job; a group that is not known begins."""
        group = self._groups.get(group_id)
        if group is None:
            group = self._groups[group_id] = Group()
            self._in_turn.append(group)
        group.limit, group.pace.rate = limit, rate
        if wish is not group.wish:
            group.wish = wish
            if wish is not Wish.RUN:
                self._stop(group, breaking_off=wish is Wish.BREAK_OFF)
        self.pump_soon()

    def end_group(self, group_id: int) -> None:
        """Forget a group whose runs have all ended."""
        self._in_turn.remove(self._groups.pop(group_id))

    def run(self, run_id: int, group_id: int, terms: Terms) -> None:
        """Begin a run."""
        group = self._groups[group_id]
        self._runs[run_id] = run = Run(run_id, group, terms)
        group.runs.append(run)

    def items(self, run_id: int, items: list[Item]) -> None:
        """More files of a run."""
        run = self._runs[run_id]
        run.waiting.extend(items)
        if run.group.wish is not Wish.RUN:
            self.stop_run(run_id)
        self.pump_soon()

    def stop_run(self, run_id: int) -> None:
        """Give back what has not begun of a run; what is in flight ends."""
        run = self._runs[run_id]
        waiting = list(run.waiting)
        run.waiting.clear()
        for item in waiting:
            self._outbox.returned(Put(item, run))

    def end_run(self, run_id: int) -> None:
        """Forget a run whose items have all had their outcome."""
        run = self._runs.pop(run_id)
        run.group.runs.remove(run)

    def part(self, group_id: int, part: Part) -> None:
        """A part of a large file."""
        part.group = group = self._groups[group_id]
        if group.wish is Wish.RUN:
            group.parts.append(part)
            self.pump_soon()
        else:
            self._outbox.returned(part)

    def ask(self, ask: Ask) -> None:
        """A question; it is sent at once, beside all limits."""
        self.ferry.take(ask)

    def warm(self, bucket: str, count: int) -> None:
        """Make some connections before there is anything to send."""
        for _ in range(count):
            self._loop.create_task(self.ferry.warm(bucket))

    def take_keys(self, keys: Keys) -> None:
        """Sign with these from now on; errands that waited for them go first."""
        self.ferry.bearings.take_keys(keys)
        parked, self._parked = self._parked, []
        for errand, _ in parked:
            self._again(errand)
        self.pump_soon()

    def have_no_keys(self) -> None:
        """There are no better keys: give back what waits for them."""
        parked, self._parked = self._parked, []
        for errand, answer in parked:
            if isinstance(errand, Ask):
                self._outbox.answered(errand, answer)
            else:
                self._outbox.returned(errand)
        self.pump_soon()

    def bytes_moved(self) -> list[tuple[int, int]]:
        """(run, bytes of bodies that ever left) of the runs in which any left since this was asked last."""
        moved = [run for run in self._runs.values() if run.bytes_sent != run.bytes_told]
        for run in moved:
            run.bytes_told = run.bytes_sent
        return [(run.id, run.bytes_sent) for run in moved]

    # Turns.

    def pump_soon(self) -> None:
        """Start what may start, once everything that has come is read. Safe to call whenever something has changed."""
        if not self._pump_is_due:
            self._pump_is_due = True
            self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        self._pump_is_due = False
        if self._parked or (self._held_until and time.monotonic() < self._held_until):
            return
        while self._in_flight < self.window.size and self._start_next():
            pass
        if not self._in_flight:
            self._outbox.flush()

    def _start_next(self) -> bool:
        groups = self._in_turn
        for _ in groups:
            self._turn = (self._turn + 1) % len(groups)
            group = groups[self._turn]
            if group.in_flight < group.limit and group.wish is Wish.RUN and (errand := group.next()) is not None:
                errand.group = group
                if errand.successes_before is None:
                    errand.successes_before = self._successes
                group.in_flight += 1
                self._in_flight += 1
                self.ferry.take(errand)
                return True
        return False

    def _again(self, errand: Errand) -> None:
        """Let it go once more, before what has not gone yet."""
        group = errand.group
        self._resting.pop(errand, None)
        if group is None:
            self._loop.call_soon(self.ferry.take, errand)
        elif group.wish is Wish.RUN:
            group.again.append(errand)
            self.pump_soon()
        else:
            self._outbox.returned(errand)

    def _end(self, errand: Errand) -> None:
        """Its attempt is over, and its slot free."""
        errand.close()
        if errand.group is not None:
            errand.group.in_flight -= 1
            self._in_flight -= 1

    # Ends.

    def land(self, errand: Errand, answer: Answer) -> None:
        """See `Landing`."""
        if isinstance(errand, Put) and errand.looking:
            self._looked(errand, answer)
        elif answer.status < 300:
            self._succeeded(errand, answer)
        else:
            self._refused(errand, answer)
        self.pump_soon()

    def sink(self, errand: Errand, error: BaseException) -> None:
        """See `Landing`."""
        if _is_want_of_descriptors(error):
            self.window.complained(time.monotonic())
            self.ferry.close_idle()
            errand.forgive()
            self._end(errand)
            self._rest(errand, _STARVED_SECONDS)
        else:
            self._fail(errand, self._translated(errand, error))
        self.pump_soon()

    def _succeeded(self, errand: Errand, answer: Answer) -> None:
        if isinstance(errand, Ask):
            self._end(errand)
            self._outbox.answered(errand, answer)
            return
        self._successes += 1
        self.window.answered()
        self._end(errand)
        self._outbox.stored(cast("Put | Part", errand), answer)

    def _looked(self, put: Put, answer: Answer) -> None:
        """HEAD says what is there under the key."""
        put.looking = False
        if put.is_ours(answer):
            self._succeeded(put, answer)
        elif put.refusal is not None:
            self._fail(put, put.refusal)
        else:
            self.ferry.look(put)

    def _refused(self, errand: Errand, answer: Answer) -> None:
        said = read_error(answer.body, answer.headers)
        bearings = self.ferry.bearings
        worn = said.code in WORN and not errand.dropped
        if worn or bearings.learn(errand, answer, said):
            errand.forgive()
            self._end(errand)
            if worn and errand.keys == bearings.signer.keys:
                self._parked.append((errand, answer))
                self._outbox.worn(bearings.signer.keys)
            else:
                self._again(errand)
            return
        self._heed(answer)
        if isinstance(errand, Ask):
            self._end(errand)
            self._outbox.answered(errand, answer)
            return
        error = refused(errand.what, answer.status, said)
        if isinstance(error, ObjectExists) and isinstance(errand, Put) and errand.made_tries().unanswered:
            errand.refusal, errand.looking = error, True  # it may be our own, from an attempt that had no answer
            self.ferry.look(errand)
        else:
            self._fail(errand, error)

    def _heed(self, answer: Answer) -> None:
        """What the store asks of all of us: fewer requests, or none for a while."""
        if answer.status in _TROUBLED:
            self.window.complained(time.monotonic())
        seconds = answer.headers.get("retry-after") or answer.headers.get("x-amz-retry-after") or ""
        if seconds.isdecimal() and len(seconds) < 6:
            self._held_until = time.monotonic() + int(seconds)
            self._loop.call_later(int(seconds) + 0.001, self.pump_soon)

    def _fail(self, errand: Errand, error: S3tuiError) -> None:
        """An attempt has ended without success: once more after a rest, failed, or given back."""
        self._end(errand)
        if isinstance(error, Cancelled):
            self._outbox.returned(errand)
            return
        delay = None
        if isinstance(errand, FileErrand):
            others_succeed = self._successes > (errand.successes_before or 0)
            delay = errand.made_tries().rest_after(error, others_succeed=others_succeed)
            errand.successes_before = self._successes
        if delay is None:
            self._outbox.failed(errand, error)
        else:
            self._outbox.again(errand, error, delay)
            self._rest(errand, delay)

    def _rest(self, errand: Errand, seconds: float) -> None:
        if errand.group is not None and errand.group.wish is not Wish.RUN:
            self._outbox.returned(errand)
        else:
            self._resting[errand] = self._loop.call_later(seconds, self._again, errand)

    def _translated(self, errand: Errand, error: BaseException) -> S3tuiError:
        what, endpoint = errand.what, self.ferry.bearings.site.endpoint
        if isinstance(error, S3tuiError):
            return error
        if isinstance(error, NoConnection):
            return unreachable(what, endpoint, "EndpointConnectionError", str(error))
        if isinstance(error, NoTls):
            return no_tls(what, endpoint, str(error), hopeless=isinstance(error, NoTrust))
        if isinstance(error, Silence):
            self.window.fell_silent(time.monotonic())
            return silent(what, endpoint)
        return broken_off(what, type(error).__name__)

    def _stop(self, group: Group, *, breaking_off: bool) -> None:
        """Give back what has not begun; break off the rest, if that is wished."""
        waiting = group.drain()
        for errand in [errand for errand in self._resting if errand.group is group]:
            self._resting.pop(errand).cancel()
            waiting.append(errand)
        waiting += [errand for errand, _ in self._parked if errand.group is group]
        self._parked = [entry for entry in self._parked if entry[0].group is not group]
        for errand in waiting:
            self._outbox.returned(errand)
        if breaking_off:
            for errand in [errand for errand in self.ferry.errands if errand.group is group]:
                self.ferry.break_off(errand)


def _is_want_of_descriptors(error: BaseException) -> bool:
    cause = error if isinstance(error, OSError) else error.__cause__
    return isinstance(cause, OSError) and cause.errno in (errno.EMFILE, errno.ENFILE)

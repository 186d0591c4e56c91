"""The way of one errand to the store: its file is prepared, a connection found, the request sent, the answer taken.

What it cannot know is whether a failed attempt is to be made again, and when: it tells its `Landing`, which is the crew.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from s3tui.errors import Cancelled
from s3tui.storage.keys import Keys
from s3tui.storage.site import Address, Site
from s3tui.transfer.wire.answers import Answer
from s3tui.transfer.wire.bearings import Bearings
from s3tui.transfer.wire.connection import Broken, Connection, Request
from s3tui.transfer.wire.dial import NoConnection, NoTls
from s3tui.transfer.wire.errands import Errand
from s3tui.transfer.wire.file_errands import FileErrand
from s3tui.transfer.wire.lines import Lines
from s3tui.transfer.wire.orders import Conduct
from s3tui.transfer.wire.readers import Readers

_MAX_RESTARTS = 3
"""How often an errand whose idle connection had ended gets another one for free."""
_STORED_A_SECOND = 1 << 20
"""Bytes that a slow store may take a second to write, once it has them all."""

_BURST = 16
"""Requests that leave one right after the other: the store then wakes once for all of them, and we once for its answers."""


class Silence(Exception):
    """Nothing moved for too long."""


class Landing(Protocol):
    """Where attempts end; exactly one call for each."""

    def land(self, errand: Errand, answer: Answer) -> None:
        """The store answered."""

    def sink(self, errand: Errand, error: BaseException) -> None:
        """There was no answer: the file could not be read, nothing could be reached, or the connection broke."""


class Ferry:
    """Carries the errands of one site, as many at a time as it is given."""

    def __init__(self, site: Site, keys: Keys, conduct: Conduct, landing: Landing, *, patience: float) -> None:
        """`patience`: seconds without a byte after which a request is given up; the answer to a large body gets more."""
        self.bearings = Bearings(site, keys)
        self.conduct = conduct
        self.errands: set[Errand] = set()
        """What is on its way."""
        self._landing = landing
        self._patience = patience
        self._lines = Lines(tls=site.tls, ca_bundle=site.ca_bundle)
        self._readers = Readers()
        self._ready: list[tuple[Errand, Connection, Request]] = []
        """What leaves with the next burst."""
        self._loop = asyncio.get_running_loop()

    @property
    def connections(self) -> int:
        """Connections made so far."""
        return self._lines.opened

    def take(self, errand: Errand) -> None:
        """Begin an attempt."""
        self.errands.add(errand)
        errand.ferry = self
        errand.begin()
        if not isinstance(errand, FileErrand):
            self._depart(errand)
            return
        errand.sent = 0
        if not self._readers.at_once(errand):
            self._prepare_in_thread(errand)
            return
        try:
            self._readers.prepare(errand, self.conduct)
        except BlockingIOError:
            self._prepare_in_thread(errand)
        except Exception as error:
            self._sink(errand, error)
        else:
            self._depart(errand)

    def _prepare_in_thread(self, errand: FileErrand) -> None:
        prepared = self._readers.prepare_in_thread(errand, self.conduct)
        prepared.add_done_callback(lambda done: self._prepared(errand, done))

    def _prepared(self, errand: Errand, prepared: asyncio.Future[None]) -> None:
        error = prepared.exception()
        if error is None and not errand.dropped:
            self._depart(errand)
        else:
            self._sink(errand, error or Cancelled("The job was broken off."))

    def look(self, errand: Errand) -> None:
        """Send once more what is prepared still."""
        self.errands.add(errand)
        self._depart(errand)

    def _depart(self, errand: Errand, *, afresh: bool = False) -> None:
        """Send it, on an idle connection unless it shall be a new one."""
        address = self.bearings.address(errand)
        connection = None if afresh else self._lines.idle(address)
        if connection is None:
            errand.dialing = self._loop.create_task(self._dial(errand, address))
        else:
            self._send(errand, connection, address)

    async def _dial(self, errand: Errand, address: Address) -> None:
        try:
            connection = await self._lines.open(address)
        except asyncio.CancelledError:
            self._sink(errand, Cancelled("The job was broken off."))
        except Exception as error:
            self._sink(errand, error)
        else:
            errand.dialing = None
            self._send(errand, connection, address)

    def _send(self, errand: Errand, connection: Connection, address: Address) -> None:
        errand.keys = self.bearings.signer.keys
        self._ready.append((errand, connection, errand.compose(self.bearings.signer, address, self.conduct)))
        if len(self._ready) == 1:
            self._loop.call_soon(self._cast_off)
        elif len(self._ready) >= _BURST:
            self._cast_off()

    def _cast_off(self) -> None:
        """Let everything leave that is ready."""
        ready, self._ready = self._ready, []
        for errand, connection, request in ready:
            if errand.dropped:
                self._lines.give_back(connection)
                self._sink(errand, Cancelled("The job was broken off."))
            else:
                errand.connection = connection
                connection.carry(request, errand)

    def take_answer(self, errand: Errand, connection: Connection, answer: Answer) -> None:
        """An answer is whole."""
        errand.connection = None
        self.errands.discard(errand)
        self._lines.give_back(connection)
        self._landing.land(errand, answer)

    def take_failure(self, errand: Errand, connection: Connection, error: Exception) -> None:
        """The connection gave no answer."""
        errand.connection = None
        if isinstance(error, Broken) and self._was_stale(errand, connection, error):
            errand.restarts += 1
            if isinstance(errand, FileErrand) and error.all_sent:
                errand.made_tries().unanswered = True
            self._loop.call_soon(self._restart, errand)
        else:
            self._sink(errand, error)

    def _was_stale(self, errand: Errand, connection: Connection, error: Broken) -> bool:
        """Whether the server had closed an idle connection at the moment when we used it: no fault of the errand's.

        What is not idempotent may have been done all the same, and is for its asker to look after.
        """
        reused = connection.served > 0 and error.before_answer
        return reused and not errand.dropped and errand.restarts < _MAX_RESTARTS and errand.method != "POST"

    def _restart(self, errand: Errand) -> None:
        if errand.dropped:
            self._sink(errand, Cancelled("The job was broken off."))
            return
        if errand.body is not None:
            errand.body.rewind()
        errand.sent = 0
        self._depart(errand, afresh=True)

    def _sink(self, errand: Errand, error: BaseException) -> None:
        errand.dialing = None
        self.errands.discard(errand)
        self._landing.sink(errand, error)

    def break_off(self, errand: Errand) -> None:
        """End its attempt; it sinks as Cancelled."""
        errand.dropped = True
        if errand.connection is not None:
            errand.connection.break_off(Cancelled("The job was broken off."))
        elif errand.dialing is not None:
            errand.dialing.cancel()

    def sweep(self) -> None:
        """Called once a second: requests on which nothing moves are given up, connections that nobody uses are closed."""
        busy = {errand.connection: errand for errand in self.errands if errand.connection is not None}
        for connection, seconds in self._lines.sweep(list(busy)).items():
            errand = busy[connection]
            more = errand.size / _STORED_A_SECOND if connection.sent else 0.0
            if seconds > self._patience + more:
                connection.break_off(Silence())

    def stop_expecting(self) -> None:
        """The store never says `100 Continue`: asking costs a second each time."""
        self.conduct = self.conduct._replace(expects=False)

    def close_idle(self) -> None:
        """Give descriptors back."""
        self._lines.close_idle()

    async def warm(self, bucket: str) -> None:
        """Make a connection before there is anything to send."""
        try:
            self._lines.give_back(await self._lines.open(self.bearings.site.address(bucket)))
        except (NoConnection, NoTls, OSError):
            return  # the first errand will learn why

"""The process in which the crew works: `python -m s3tui.transfer.wire.child DESCRIPTOR`.

It takes orders from the process above through a socket, and tells it what came of them; it ends when that process does. It sees no
database, no settings and no screen, and imports nothing of the kind.
"""

from __future__ import annotations

import asyncio
import gc
import resource
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from typing import Any

from s3tui.errors import Cancelled, S3tuiError
from s3tui.storage.keys import Keys
from s3tui.storage.site import Site
from s3tui.transfer.checksums import ALGORITHMS, DEFAULT
from s3tui.transfer.part_sizes import DEFAULT_PART, PARTS_AT_A_TIME
from s3tui.transfer.wire.answers import Answer
from s3tui.transfer.wire.buffers import Buffers
from s3tui.transfer.wire.crew import Crew
from s3tui.transfer.wire.errands import Ask, Errand
from s3tui.transfer.wire.file_errands import Part, Put
from s3tui.transfer.wire.messages import FrameReader, Message, framed, packed_error
from s3tui.transfer.wire.orders import Conduct, Item, PartOrder, Terms, Wish

_RECEIVE = 256 << 10
_TELL_SECONDS = 0.05
"""How long outcomes may gather before they are told."""
_TELL_COUNT = 256
"""And how many: each telling wakes the process above."""
_SAMPLE_SECONDS = 0.5
_SWEEP_SECONDS = 1.0


class Post:
    """The socket to the process above. Implements `Outbox`: what is told gathers for a moment, and leaves together."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._loop = asyncio.get_running_loop()
        self._stored: list[Message] = []
        self._others: list[Message] = []
        self._leaving = bytearray()
        self._timer: asyncio.TimerHandle | None = None
        self.bytes_moved: Callable[[], list[Message]] = list
        """(run, bytes) of the runs that moved any since it was asked last."""

    def stored(self, errand: Put | Part, answer: Answer) -> None:
        """See `Outbox`."""
        etag = answer.headers.get("etag", "").strip('"')
        if isinstance(errand, Part):
            self.tell("part stored", errand.id, errand.size, errand.digest, etag)
            self.flush()
            return
        version = answer.headers.get("x-amz-version-id", "")
        seen = tuple(errand.seen) if errand.seen else None
        self._stored.append((errand.run.id, errand.no, errand.attempt, errand.size, errand.digest, etag, version, seen))
        self._soon()

    def answered(self, ask: Ask, answer: Answer) -> None:
        """See `Outbox`."""
        self.tell("answer", ask.id, answer.status, answer.headers, answer.body)
        self.flush()

    def failed(self, errand: Errand, error: S3tuiError) -> None:
        """See `Outbox`."""
        packed = packed_error(error)
        if isinstance(errand, Put):
            self.tell("failed", errand.run.id, errand.no, errand.attempt, packed)
            self.flush()  # it may be the one that ends the run
        elif isinstance(errand, Part):
            self.tell("part failed", errand.id, packed)
        elif isinstance(errand, Ask):
            self.tell("no answer", errand.id, packed)

    def again(self, errand: Errand, error: S3tuiError, seconds: float) -> None:
        """See `Outbox`."""
        if isinstance(errand, Put):
            self.tell("again", errand.run.id, errand.no, errand.attempt, seconds, packed_error(error))

    def returned(self, errand: Errand) -> None:
        """See `Outbox`."""
        if isinstance(errand, Put):
            self.tell("returned", errand.run.id, errand.no)
        else:
            self.failed(errand, CANCELLED)

    def worn(self, keys: Keys) -> None:
        """See `Outbox`."""
        self.tell("worn", keys.access_key, keys.token)

    def tell(self, *message: Any) -> None:  # noqa: ANN401 - plain values
        """One message more."""
        self._others.append(message)
        self._soon()

    def flush(self) -> None:
        """Let everything that has gathered leave now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        messages = self._others
        if moved := self.bytes_moved():
            messages.insert(0, ("bytes", moved))
        if self._stored:
            messages.append(("stored", self._stored))
        if messages:
            self._leaving += framed(messages)
            self._stored, self._others = [], []
            self._send()

    def _soon(self) -> None:
        if len(self._stored) + len(self._others) >= _TELL_COUNT:
            self.flush()
        elif self._timer is None:
            self._timer = self._loop.call_later(_TELL_SECONDS, self.flush)

    def _send(self) -> None:
        try:
            while self._leaving:
                count = self._socket.send(self._leaving)
                del self._leaving[:count]
        except BlockingIOError:
            self._loop.add_writer(self._socket, self._send)
        else:
            self._loop.remove_writer(self._socket)


CANCELLED = Cancelled("The job was broken off.")


class Child:
    """Turns orders into calls of the crew."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._loop = asyncio.get_running_loop()
        self._frames = FrameReader()
        self._post = Post(connection)
        self._buffers = Buffers(PARTS_AT_A_TIME, DEFAULT_PART)
        self._crew: Crew | None = None
        self._told_flights = False
        self.ended = self._loop.create_future()
        self._loop.add_reader(connection, self._readable)

    def complain(self, context: dict[str, Any]) -> None:
        """Something went wrong that nobody expected: let the process above write it into the log."""
        error = context.get("exception")
        trace = "".join(traceback.format_exception(error)) if error is not None else ""
        self._post.tell("complaint", f"{context.get('message')}\n{trace}")

    def _readable(self) -> None:
        try:
            data = self._socket.recv(_RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._loop.remove_reader(self._socket)
            self.ended.set_result(None)
            return
        for name, *arguments in self._frames.feed(data):
            self._obey(name, arguments)

    def _obey(self, name: str, arguments: list[Any]) -> None:
        if name == "begin":
            site, keys, conduct, patience = arguments
            self._crew = Crew(Site(*site), Keys(*keys), Conduct(*conduct), self._post, patience=patience)
            self._post.bytes_moved = self._crew.bytes_moved
            self._loop.call_later(_SAMPLE_SECONDS, self._sample)
            self._loop.call_later(_SWEEP_SECONDS, self._sweep)
            return
        crew = self._crew
        assert crew is not None
        if name == "items":
            run, items = arguments
            crew.items(run, [Item(*item) for item in items])
        elif name == "part":
            part, group, order = arguments
            crew.part(group, Part(part, PartOrder(*order), self._buffers))
        elif name == "ask":
            crew.ask(Ask(*arguments))
        elif name == "group":
            group, limit, rate, wish = arguments
            crew.group(group, limit, rate, Wish(wish))
        elif name == "run":
            run, group, terms = arguments
            crew.run(run, group, Terms(*terms))
        elif name == "keys":
            crew.take_keys(Keys(*arguments[0]))
        elif name == "conduct":
            crew.ferry.conduct = Conduct(*arguments[0])
        elif name == "end run":
            crew.end_run(*arguments)
        elif name == "stop run":
            crew.stop_run(*arguments)
        elif name == "end group":
            crew.end_group(*arguments)
        elif name == "no keys":
            crew.have_no_keys()
        elif name == "warm":
            crew.warm(*arguments)

    def _sample(self) -> None:
        """Tell what is in flight."""
        self._loop.call_later(_SAMPLE_SECONDS, self._sample)
        crew = self._crew
        assert crew is not None
        errands = crew.ferry.errands
        files = [(put.run.id, put.no, put.sent, put.size, put.attempt) for put in errands if isinstance(put, Put)]
        parts = [(part.id, part.sent) for part in errands if isinstance(part, Part)]
        if files or parts or self._told_flights:
            self._post.tell("flights", files, parts, crew.window.size, crew.ferry.connections)
            self._post.flush()
        self._told_flights = bool(files or parts)

    def _sweep(self) -> None:
        self._loop.call_later(_SWEEP_SECONDS, self._sweep)
        assert self._crew is not None
        self._crew.ferry.sweep()


def raise_descriptor_limit() -> None:
    """A thousand transfers need two thousand descriptors; most systems let us have them if we ask."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 8192 if hard == resource.RLIM_INFINITY else min(8192, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def serve(connection: socket.socket) -> None:
    """Work until the process above ends the conversation."""
    child = Child(connection)
    asyncio.get_running_loop().set_exception_handler(lambda _, context: child.complain(context))
    await child.ended


def main() -> None:
    """Take the socket with the number in the first argument."""
    for number in (signal.SIGINT, signal.SIGHUP):  # keys of a terminal are for the process above, which lets us know
        signal.signal(number, signal.SIG_IGN)
    raise_descriptor_limit()
    connection = socket.socket(fileno=int(sys.argv[1]))
    connection.setblocking(False)
    ALGORITHMS[DEFAULT].crc(b"", 0)  # loads the library while nothing has to wait for it
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)  # errands come and go by the thousand, and hardly ever in circles
    asyncio.run(serve(connection))


if __name__ == "__main__":
    main()

"""One connection: it sends a request, listens while it does, and reads the answer. A state machine under the event loop's selector.

    IDLE ──carry──▶ SENDING ◀──▶ HELD ──▶ SENT ──answer──▶ IDLE, or closed

It never waits: what the socket does not take now is sent when it is writable again, what has not come is read when it is readable.
HELD is a body that must not leave yet: the bandwidth is used up, or the store is to say `100 Continue` first. An answer may come at
any time; if the body has not left whole by then, the connection is closed, because the rest would be read as another request.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple, Protocol

from s3tui.transfer.wire.answers import Answer, AnswerReader, MalformedAnswer
from s3tui.transfer.wire.bodies import Body

_RECEIVE = 64 << 10
_JOINED = 64 << 10
"""A body up to this size leaves together with its head, in one call."""
_AT_ONCE = 4 << 20
"""Bytes that one connection may send before the others have their turn."""
_CONTINUE_SECONDS = 1.0


class Broken(Exception):
    """The connection ended without an answer; `str()` says how."""

    def __init__(self, how: str, *, before_answer: bool, all_sent: bool) -> None:
        super().__init__(how)
        self.before_answer = before_answer
        """Whether not a single byte of an answer had come."""
        self.all_sent = all_sent
        """Whether the whole request had left, so that the other side may have obeyed it."""


class Request(NamedTuple):
    """What is to be sent."""

    method: str
    head: bytes
    body: Body | None = None
    expects_continue: bool = False
    """Whether the head asks for `100 Continue`: the body then waits for it, for a second at most."""


class Carried(Protocol):
    """Who wants to know what becomes of a request. Must not raise."""

    def moved(self, count: int) -> None:
        """Bytes of the body left."""

    def allowance(self, wanted: int) -> int:
        """How many of so many bytes may leave now."""

    def wait_seconds(self) -> float:
        """After how long to ask for an allowance again."""

    def not_continued(self) -> None:
        """The store did not say `100 Continue` in time; the body leaves without."""

    def answered(self, connection: Connection, answer: Answer) -> None:
        """The answer is whole. The connection is idle by now, or closed."""

    def failed(self, connection: Connection, error: Exception) -> None:
        """There will be no answer: Broken, MalformedAnswer, or what the body raised. The connection is closed."""


class _Stage(IntEnum):
    IDLE = 0
    SENDING = 1
    HELD = 2
    SENT = 3


class Connection:
    """A connected socket. `on_idle_end` is called when the server closes it while it is idle."""

    __slots__ = (
        "_body", "_left_whole", "_loop", "_on_idle_end", "_pending", "_reader", "_socket", "_stage", "_timer", "_tls", "_user",
        "_waits_for_continue", "_writing", "address", "beats", "closed", "served",
    )  # fmt: skip

    def __init__(self, connection: socket.socket, address: tuple[str, int], on_idle_end: Callable[[Connection], None]) -> None:
        self.address = address
        """Host and port that it leads to."""
        self._socket = connection
        self._tls = isinstance(connection, ssl.SSLSocket)
        self._loop = asyncio.get_running_loop()
        self._on_idle_end = on_idle_end
        self._stage = _Stage.IDLE
        self._user: Carried | None = None
        self._reader = AnswerReader("GET")
        self._pending: bytes | bytearray | memoryview = b""
        self._body: Body | None = None
        self._left_whole = True
        self._waits_for_continue = False
        self._writing = False
        """Whether the loop tells us when the socket is writable."""
        self._timer: asyncio.TimerHandle | None = None
        self.closed = False
        self.served = 0
        """Requests that were answered on it."""
        self.beats = 0
        """Goes up whenever a byte moves, in either direction."""
        self._loop.add_reader(connection, self._readable)

    @property
    def sent(self) -> bool:
        """Whether the whole request has left, so that only the answer is missing."""
        return self._stage is _Stage.SENT

    @property
    def held(self) -> bool:
        """Whether it is we who keep the body back, so that nothing is expected to move."""
        return self._stage is _Stage.HELD

    def carry(self, request: Request, user: Carried) -> None:
        """Send a request; exactly one of the user's `answered` and `failed` follows, perhaps before this returns."""
        self._user = user
        self._reader = AnswerReader(request.method)
        self._pending = request.head
        self._body = body = request.body
        self._left_whole = False
        self._waits_for_continue = request.expects_continue and body is not None
        self._stage = _Stage.SENDING
        self.beats += 1
        if body is not None and body.left <= _JOINED and not self._waits_for_continue and user.allowance(body.left) == body.left:
            self._join(body)
        self._send()

    def break_off(self, why: Exception) -> None:
        """Give up what is under way; its user hears `why`."""
        self._fail(why)

    def close(self) -> None:
        """Close it; nobody is told."""
        if self.closed:
            return
        self.closed = True
        self._let_go()
        self._loop.remove_reader(self._socket)
        self._socket.close()

    # Sending.

    def _join(self, body: Body) -> None:
        """Let a small body leave with its head: it is in memory already."""
        block = body.block()
        assert self._user is not None
        self._pending = b"".join((self._pending, block))
        body.took(len(block))
        self._user.moved(len(block))

    def _send(self) -> None:
        """Send what the socket takes, as far as a turn and the bandwidth go."""
        turn = _AT_ONCE
        try:
            while self._stage is _Stage.SENDING:
                if not self._pending and not self._load():
                    break
                if turn <= 0:
                    self._send_when_writable()
                    break
                count = self._socket.send(self._pending)
                self.beats += 1
                turn -= count
                self._pending = memoryview(self._pending)[count:] if count < len(self._pending) else b""
        except (BlockingIOError, InterruptedError, ssl.SSLWantWriteError):
            self._send_when_writable()
        except ssl.SSLWantReadError:
            pass  # `_readable` sends again when it has read
        except OSError as error:
            self._cannot_send(error)
        except Exception as error:  # the body's own, and it must reach the user
            self._fail(error)

    def _load(self) -> bool:
        """Load the next bytes of the body; False if there is none to be sent now."""
        body, user = self._body, self._user
        assert user is not None
        if body is None or body.left == 0:
            self._left_whole = True
            self._rest(_Stage.SENT)
            return False
        if self._waits_for_continue:
            self._hold(_CONTINUE_SECONDS)
            return False
        block = body.block()
        allowed = user.allowance(len(block))
        if allowed == 0:
            self._hold(user.wait_seconds())
            return False
        block = block[:allowed]
        body.took(len(block))
        user.moved(len(block))
        self._pending = block
        return True

    def _hold(self, seconds: float) -> None:
        self._rest(_Stage.HELD)
        self._timer = self._loop.call_later(seconds, self._go_on)

    def _go_on(self) -> None:
        """What held the body back has passed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waits_for_continue:
            self._waits_for_continue = False
            if not self._reader.continued and self._user is not None:
                self._user.not_continued()
        self._stage = _Stage.SENDING
        self.beats += 1
        self._send()

    def _rest(self, stage: _Stage) -> None:
        self._stage = stage
        if self._writing:
            self._writing = False
            self._loop.remove_writer(self._socket)

    def _send_when_writable(self) -> None:
        if not self._writing:
            self._writing = True
            self._loop.add_writer(self._socket, self._send)

    def _cannot_send(self, error: OSError) -> None:
        """The other side takes nothing more; perhaps it left an answer behind, as servers do that refuse a body."""
        self._rest(_Stage.SENT)
        try:
            data = self._socket.recv(_RECEIVE)
        except OSError:
            data = b""
        if data:
            self._take(data)  # if that was not all, the rest or the end is read when it comes
        else:
            self._fail(self._broken(_how(error)))

    # Receiving.

    def _readable(self) -> None:
        try:
            while not self.closed and self._take(self._socket.recv(_RECEIVE)) and self._tls:
                pass  # what TLS has decrypted already would never make the socket readable again
        except (BlockingIOError, InterruptedError, ssl.SSLWantReadError):
            pass
        except ssl.SSLWantWriteError:
            self._send_when_writable()
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            self._take(b"")
        except OSError as error:
            self._fail(self._broken(_how(error)))
        if self._tls:
            self._send()  # TLS may have waited for what was read just now

    def _take(self, data: bytes) -> bool:
        """Take what came, nothing being the end; whether more may be read now."""
        self.beats += 1
        user = self._user
        if user is None:  # an idle connection that ends, or speaks out of turn
            self._end_idle()
            return False
        try:
            answer = self._reader.feed(data) if data else self._reader.end()
        except MalformedAnswer as error:
            self._fail(error if self._reader.started else self._broken("it was closed"))
            return False
        if answer is not None:
            self._answered(user, answer)
            return False
        if self._waits_for_continue and self._reader.continued and self._stage is _Stage.HELD:
            self._go_on()
        return True

    def _answered(self, user: Carried, answer: Answer) -> None:
        keep = answer.reusable and self._left_whole
        self._let_go()
        self.served += 1
        if not keep:
            self.close()
        user.answered(self, answer)

    # Ends.

    def _broken(self, how: str) -> Broken:
        return Broken(how, before_answer=not self._reader.started, all_sent=self._left_whole)

    def _end_idle(self) -> None:
        if not self.closed:
            self.close()
            self._on_idle_end(self)

    def _fail(self, error: Exception) -> None:
        user = self._user
        if user is None:
            self._end_idle()
            return
        self.close()
        user.failed(self, error)

    def _let_go(self) -> None:
        """Forget the request that is over."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._rest(_Stage.IDLE)
        self._user = self._body = None
        self._pending = b""


def _how(error: OSError) -> str:
    if isinstance(error, ConnectionResetError):
        return "it was reset"
    if isinstance(error, BrokenPipeError):
        return "it was closed while the body was being sent"
    return (error.strerror or type(error).__name__).lower()

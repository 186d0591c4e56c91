"""A store that keeps nothing: `python -m benchmarks.sink --delay 0.3`; see `--help`.

It is meant to be in nobody's way: one thread, non-blocking sockets, bodies dropped unseen. It prints its port once it listens, ends
when its standard input does, and prints what it has counted then, as one line of JSON. Listings are empty: every file looks new.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import select
import socket
import ssl
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush

from benchmarks.answers import READS, STORES, Answers, operation

_HEAD = 64 << 10
"""Most that is read where a head is expected; a head is shorter."""
_BODY = 1 << 20
_PACED = 16 << 10
_SKIP = socket.MSG_TRUNC
"""Drop what was received without copying it."""
_buffer = bytearray(_BODY)
_view = memoryview(_buffer)


@dataclass
class Counts:
    """What a sink has seen, from its start to its end."""

    requests: Counter[str] = field(default_factory=Counter)
    """By S3's name of the operation."""
    bytes: int = 0
    """Of all bodies, with what frames chunked ones."""
    connections: int = 0
    """Opened by clients."""
    most_in_flight: int = 0
    """Requests that had begun and were not answered, at the most."""
    began: float = 0.0
    """When the first body of a file was announced, on the monotonic clock."""
    ended: float = 0.0
    """When the last of them was answered."""
    cpu_seconds: float = 0.0


class Sink:
    """The loop, and what all connections share. It has the one thread."""

    def __init__(self, answers: Answers, *, delay: float = 0.0, pace: int = 0, tls: ssl.SSLContext | None = None) -> None:
        """`delay`: seconds before each answer that is not to a read. `pace`: bytes per second that each connection may send."""
        self.answers = answers
        self.delay = delay
        self.pace = pace
        self.counts = Counts()
        self.in_flight = 0
        self._tls = tls
        self._readers: dict[int, Callable[[], None]] = {}
        """What to call when a descriptor can be read."""
        self._epoll = select.epoll()
        self._due: list[tuple[float, int, Connection, bytes]] = []
        self._order = 0
        self._ended = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._listener.setblocking(False)
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # connections inherit it, and the buffer
        if pace:  # what waits in buffers would look sent
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2 * _PACED)
        self.port: int = self._listener.getsockname()[1]

    def serve(self) -> None:
        """Answer until standard input ends."""
        self.watch(self._listener.fileno(), self._accept)
        self.watch(sys.stdin.fileno(), self._listen_to_owner)
        readers, poll, due = self._readers, self._epoll.poll, self._due
        while not self._ended:
            for descriptor, _ in poll(max(0.0, due[0][0] - time.monotonic()) if due else None):
                readers[descriptor]()
            while due and due[0][0] <= time.monotonic():
                _, _, connection, answer = heappop(due)
                connection.go_on(answer)
        self.counts.cpu_seconds = time.process_time()

    def watch(self, descriptor: int, reader: Callable[[], None]) -> None:
        """Call `reader` whenever there is something to read, until the descriptor is closed."""
        self._readers[descriptor] = reader
        self._epoll.register(descriptor, select.EPOLLIN)

    def ignore(self, descriptor: int) -> None:
        """Undo `watch`."""
        self._epoll.unregister(descriptor)

    def later(self, seconds: float, connection: Connection, answer: bytes = b"") -> None:
        """Let the connection send an answer then, or, if it is empty, read on."""
        self._order += 1
        heappush(self._due, (time.monotonic() + seconds, self._order, connection, answer))

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        client.setblocking(False)
        self.counts.connections += 1
        if self._tls is not None:
            client = self._tls.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
        self.watch(client.fileno(), Connection(self, client).readable)

    def began(self, asked: str) -> None:
        """Count a request."""
        counts = self.counts
        counts.requests[asked] += 1
        self.in_flight += 1
        if self.in_flight > counts.most_in_flight:
            counts.most_in_flight = self.in_flight
        if not counts.began and asked in STORES:
            counts.began = time.monotonic()

    def ended(self, asked: str) -> None:
        """It is answered, or nobody waits for its answer any more."""
        self.in_flight -= 1
        if asked in STORES:
            self.counts.ended = time.monotonic()

    def _listen_to_owner(self) -> None:
        self._ended = not os.read(sys.stdin.fileno(), 4096)


class Connection:
    """One client: heads are read, bodies dropped, answers sent."""

    __slots__ = ("_answer", "_asked", "_chunks", "_held", "_kept", "_left", "_sink", "_socket")

    def __init__(self, sink: Sink, client: socket.socket) -> None:
        self._sink = sink
        self._socket = client
        self._held = client.pending if isinstance(client, ssl.SSLSocket) else None
        self._kept = b""
        """The beginning of a head."""
        self._left = 0
        """Bytes of the body that are still to come."""
        self._chunks: _Chunks | None = None
        """What the body has for a length if it has none."""
        self._asked = ""
        """The operation that is not answered yet."""
        self._answer = b""

    def readable(self) -> None:
        """Read what there is, and all that TLS holds decrypted: that would never make the socket readable again."""
        try:
            while self._read() or (self._held is not None and self._held()):
                pass
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        except OSError:
            self._close()

    def go_on(self, answer: bytes) -> None:
        """The time has come that `Sink.later` was asked for."""
        if self._socket.fileno() < 0:
            return
        if answer:
            self._send(answer)
        else:
            self._sink.watch(self._socket.fileno(), self.readable)
            self.readable()

    def _read(self) -> bool:
        """Read once; whether there may be more. Raises OSError, also at the end."""
        pace = self._sink.pace
        if self._left:
            size = min(self._left, _PACED if pace else _BODY)
            count = self._socket.recv_into(_buffer, size, _SKIP if self._held is None else 0)
            self._drop(count)
        else:
            size = _PACED if pace else _HEAD
            count = self._socket.recv_into(_buffer, size)
            self._take(self._kept + _view[:count])
        if not count:
            raise ConnectionResetError
        if pace and (self._left or self._chunks):
            self._sink.ignore(self._socket.fileno())
            self._sink.later(count / pace, self)
            raise BlockingIOError
        return count == size

    def _take(self, data: bytes) -> None:
        """Heads, and the bodies that came with them."""
        self._kept = b""
        while data:
            if self._left:
                count = min(self._left, len(data))
                self._drop(count)
                data = data[count:]
            elif self._chunks is not None:
                data = self._skip_chunks(data)
            elif (end := data.find(b"\r\n\r\n")) < 0:
                self._kept, data = data, b""
            else:
                self._begin(data[: end + 2])
                data = data[end + 4 :]

    def _begin(self, head: bytes) -> None:
        """A request."""
        sink, lowered = self._sink, head.lower()
        method, target, _ = head.split(b" ", 2)
        asked = self._asked = operation(method, target)
        sink.began(asked)
        self._answer = sink.answers.to(asked, target, head, lowered)
        if lowered.find(b"\r\nexpect: 100-continue") >= 0:
            if sink.answers.refuses(target):  # a client that waits for a refusal sends no body
                self._complete()
                return
            self._socket.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        start = lowered.find(b"\r\ncontent-length:")
        if start >= 0:
            self._left = int(lowered[start + 17 : lowered.find(b"\r\n", start + 17)])
        elif lowered.find(b"\r\ntransfer-encoding: chunked") >= 0:
            self._chunks = _Chunks()
            return
        if not self._left:
            self._complete()

    def _drop(self, count: int) -> None:
        """So many bytes of the body have come."""
        self._left -= count
        self._sink.counts.bytes += count
        if count and not self._left:
            self._complete()

    def _skip_chunks(self, data: bytes) -> bytes:
        """What comes after a chunked body, if it has ended."""
        assert self._chunks is not None
        rest = self._chunks.skip(data)
        self._sink.counts.bytes += len(data) - len(rest or b"")
        if rest is None:
            return b""
        self._chunks = None
        self._complete()
        return rest

    def _complete(self) -> None:
        """The request has been read."""
        if self._sink.delay and self._asked not in READS:
            self._sink.later(self._sink.delay, self, self._answer)
        else:
            self._send(self._answer)

    def _send(self, answer: bytes) -> None:
        """Answers are far smaller than a socket's buffer: whoever does not take one is cut off."""
        self._sink.ended(self._asked)
        self._asked = ""
        try:
            if self._socket.send(answer) != len(answer):
                self._close()
        except OSError:
            self._close()

    def _close(self) -> None:
        if self._asked:
            self._sink.ended(self._asked)
            self._asked = ""
        self._socket.close()


class _Chunks:
    """A chunked body that is skipped."""

    def __init__(self) -> None:
        self._line = b""
        self._left = 0
        self._last = False

    def skip(self, data: bytes) -> bytes | None:
        """What comes after the body; None while it goes on."""
        while True:
            count = min(self._left, len(data))
            self._left -= count
            line, found, rest = data[count:].partition(b"\n")
            if not found:
                self._line += line
                return None
            line, self._line, data = (self._line + line).strip(), b"", rest
            if self._last:
                if not line:  # after the trailers
                    return data
            elif not (size := int(line.partition(b";")[0], 16)):
                self._last = True
            else:
                self._left = size + 2


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0] if __doc__ else None)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer that is not to a read")
    parser.add_argument("--pace", type=int, default=0, help="bytes per second of each connection")
    parser.add_argument("--refuse", default="", help="refuse keys in which this pattern is found")
    parser.add_argument("--stumble", default="", help="send keys that contain this away once")
    parser.add_argument("--tls", nargs=2, metavar=("CERTIFICATE", "KEY"), help="speak TLS")
    options = parser.parse_args()
    tls = None
    if options.tls:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*options.tls)
    sink = Sink(Answers(options.refuse, options.stumble), delay=options.delay, pace=options.pace, tls=tls)
    print(sink.port, flush=True)
    gc.disable()
    sink.serve()
    print(json.dumps(vars(sink.counts)))


if __name__ == "__main__":
    main()

"""A store that keeps nothing and takes its time: `python benchmarks/sink.py --delay 0.3`; see `--help`.

Every PUT is answered after the same delay, so that a job keeps all its transfers in flight while nobody's CPU is the limit. It
prints its port once it listens, and ends when its standard input does. Listings are empty: every file looks new.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import socket
import subprocess
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus

_BLOCK = 16 << 10
_LISTING = b'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>'


@dataclass
class Sink:
    """What it does to the requests."""

    delay: float
    pace: int
    """Bytes per second that each connection may send; 0: as fast as it can."""
    refuse: str
    """Keys in which this pattern is found are refused for good."""
    stumble: str
    """Keys with this text in them are sent away once with 503."""
    _sent_away: set[str] = field(default_factory=set)

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Answer the requests of one connection."""
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                method, path = head.split(" ", 2)[:2]
                headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
                waits = headers.get("expect") == "100-continue"
                if not (waits and self._refuses(path)):  # a client that waits for a refusal sends no body
                    if waits:
                        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                    await self._take(reader, int(headers.get("content-length", 0)))
                status, body = await self._answer(method, path)
                answer = f'HTTP/1.1 {status.value} {status.phrase}\r\nETag: "0"\r\nContent-Length: {len(body)}\r\n\r\n'
                writer.write(answer.encode() + (b"" if method == "HEAD" else body))
                await writer.drain()
        writer.close()

    def _refuses(self, path: str) -> bool:
        return bool(self.refuse) and re.search(self.refuse, path) is not None

    async def _take(self, reader: StreamReader, length: int) -> None:
        while length:
            length -= len(await reader.readexactly(min(length, _BLOCK)))
            if self.pace:
                await asyncio.sleep(_BLOCK / self.pace)

    async def _answer(self, method: str, path: str) -> tuple[HTTPStatus, bytes]:
        of_bucket = "/" not in path.partition("?")[0].strip("/")
        if method == "GET":
            return HTTPStatus.OK, _LISTING
        if method == "HEAD":
            return (HTTPStatus.OK if of_bucket else HTTPStatus.NOT_FOUND), b""
        await asyncio.sleep(self.delay)
        if self._refuses(path):
            return HTTPStatus.FORBIDDEN, b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
        if self.stumble and self.stumble in path and path not in self._sent_away:
            self._sent_away.add(path)
            return HTTPStatus.SERVICE_UNAVAILABLE, b"<Error><Code>SlowDown</Code><Message>Slow down</Message></Error>"
        return HTTPStatus.OK, b""


@contextmanager
def running_sink(*, delay: float, pace: int = 0, refuse: str = "", stumble: str = "") -> Iterator[str]:
    """A sink in a process of its own; yields its URL."""
    options = [f"--delay={delay}", f"--pace={pace}", f"--refuse={refuse}", f"--stumble={stumble}"]
    process = subprocess.Popen([sys.executable, __file__, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


async def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0] if __doc__ else None)
    parser.add_argument("--delay", type=float, default=0.3, help="seconds before each answer to a PUT")
    parser.add_argument("--pace", type=int, default=0, help="bytes per second of each connection")
    parser.add_argument("--refuse", default="", help="refuse keys in which this pattern is found")
    parser.add_argument("--stumble", default="", help="send keys that contain this away once")
    options = parser.parse_args()
    sink = Sink(options.delay, options.pace, options.refuse, options.stumble)
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    if sink.pace:  # what waits in buffers would look sent
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2 * _BLOCK)
    server = await asyncio.start_server(sink.serve, sock=listener, limit=_BLOCK if sink.pace else 1 << 20)
    print(listener.getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.buffer.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())

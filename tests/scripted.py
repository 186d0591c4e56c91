"""A server that does to each request what a test says: it answers, lies, stalls or hangs up, as no well-behaved store would."""

from __future__ import annotations

import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass
class Call:
    """One request on one connection, as a script sees it."""

    connection: socket.socket
    peer: int
    """Which connection it came on, from 0."""
    turn: int
    """Which request on this connection it is, from 0."""
    head: bytes
    body: bytes = b""
    _buffer: bytearray = field(default_factory=bytearray)

    @property
    def key(self) -> str:
        """The path without the bucket, as it was sent."""
        return self.head.split(b" ", 2)[1].decode().split("?")[0].lstrip("/").partition("/")[2]

    @property
    def method(self) -> str:
        """`PUT`."""
        return self.head.split(b" ", 1)[0].decode()

    def header(self, name: str) -> str:
        """The value of a field; empty if it is not there."""
        found = re.search(rb"\r\n" + re.escape(name.encode()) + rb": *([^\r]*)", self.head, re.IGNORECASE)
        return found[1].decode() if found else ""

    def read_body(self, most: int = -1) -> bytes:
        """Read the rest of the body, or as much of it as is asked for."""
        length = int(self.header("content-length") or 0)
        wanted = length - len(self.body) if most < 0 else min(most, length - len(self.body))
        taken = bytearray(self._buffer[:wanted])
        del self._buffer[:wanted]
        while len(taken) < wanted and (data := self.connection.recv(min(65536, wanted - len(taken)))):
            taken += data
        self.body += bytes(taken)
        return bytes(taken)

    def answer(self, status: int = 200, *, headers: str = "", body: bytes = b"") -> None:
        """Answer, with a length."""
        text = f'HTTP/1.1 {status} Scripted\r\nContent-Length: {len(body)}\r\nETag: "scripted"\r\n{headers}\r\n'
        self.send(text.encode() + body)

    def refuse(self, status: int, code: str, *, headers: str = "", more: str = "") -> None:
        """Answer with S3's error document."""
        self.answer(
            status, headers=headers, body=f"<Error><Code>{code}</Code><Message>As scripted.</Message>{more}</Error>".encode()
        )

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.connection.sendall(data)

    def hang_up(self) -> None:
        """Close without a word."""
        raise _HangUp

    def reset(self) -> None:
        """Break the connection."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise _HangUp


class _HangUp(Exception):
    pass


Script = Callable[[Call], None]
"""What to do with a request; it must read the body itself if the connection is to be used again."""


class ScriptedServer:
    """Enter it to start, leave it to stop. All requests that came are in `calls`."""

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None, family: socket.AddressFamily = socket.AF_INET) -> None:
        self._script = script
        self._tls = tls
        self._listener = socket.create_server(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0), family=family, backlog=256)
        self._open: list[socket.socket] = []
        self.calls: list[Call] = []
        self.connections = 0
        self.stopping = threading.Event()

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """The endpoint."""
        scheme = "https" if self._tls else "http"
        host = "[::1]" if self._listener.family == socket.AF_INET6 else "127.0.0.1"
        return f"{scheme}://{host}:{self.port}"

    def of_key(self, key: str) -> list[Call]:
        """The requests for one key."""
        return [call for call in self.calls if call.key == key]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stopping.set()
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.append(connection)
                peer, self.connections = self.connections, self.connections + 1
                threading.Thread(target=self._serve, args=(connection, peer), daemon=True).start()

    def _serve(self, connection: socket.socket, peer: int) -> None:
        with suppress(_HangUp, OSError):
            try:
                if self._tls:
                    connection = self._tls.wrap_socket(connection, server_side=True)
                self._converse(connection, peer)
            finally:
                connection.close()

    def _converse(self, connection: socket.socket, peer: int) -> None:
        buffer = bytearray()
        turn = 0
        while True:
            while (end := buffer.find(b"\r\n\r\n")) < 0:
                data = connection.recv(65536)
                if not data:
                    return
                buffer += data
            head = bytes(buffer[: end + 2])
            call = Call(connection, peer, turn, head, _buffer=bytearray(buffer[end + 4 :]))
            self.calls.append(call)
            self._script(call)
            buffer = call._buffer
            turn += 1


def drip(call: Call, *, rate: int, stop: threading.Event) -> None:
    """Read a body slowly, `rate` bytes a second, then answer."""
    length = int(call.header("content-length"))
    while len(call.body) < length and not stop.is_set():
        call.read_body(max(1, rate // 20))
        time.sleep(0.05)
    call.answer()

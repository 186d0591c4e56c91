"""A reverse proxy that misbehaves on request: faults by operation and key, gates, and a count of everything that passed.

Requests are named by S3's operations. Bodies are streamed, so what a client breaks off, the server behind sees broken off, too.
"""

from __future__ import annotations

import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http.client import HTTPConnection, HTTPException, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Literal, Self
from urllib.parse import unquote, urlsplit

_BLOCK = 64 << 10
_MD5 = re.compile(rb"\b[0-9a-f]{32}\b")


class Passage(StrEnum):
    """Moments of a request."""

    COME = "before the store has it"
    DONE = "done by the store, and not answered"


@dataclass
class Fault:
    """What happens to the next `times` requests of one operation whose key matches; of a part, whose `KEY#NUMBER` does."""

    operation: str
    key: re.Pattern[str]
    kind: Literal["answer", "reset", "lose answer", "hold", "hold answer", "silence", "spoil", "mangle"]
    times: int
    status: int = 503
    code: str = "SlowDown"
    headers: dict[str, str] = field(default_factory=dict)
    """For `answer`: fields that it has besides."""
    how: Callable[[str, HTTPResponse, bytes], Iterable[bytes]] | None = None
    """For `mangle`."""
    after: int = 0
    """For `hold`: bytes of the body that are let in before the gate."""
    seconds: float = 30
    """For `hold`, `hold answer` and `silence`: when the gate opens by itself."""
    met: list[str] = field(default_factory=list)
    """The keys of the requests that it has met."""
    arrived: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)

    def open(self) -> None:
        """Let what is held go on."""
        self.opened.set()


class FaultFront:
    """The proxy; enter it to start, leave it to stop."""

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        self._upstream = (parts.hostname or "", parts.port or 80)
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._in_flight = 0
        self.peak = 0
        """Most requests that were in flight at a time."""
        self.requests: Counter[tuple[str, str]] = Counter()
        """How many requests came, by (operation, key)."""
        self.accepted: Counter[tuple[str, str]] = Counter()
        """How many of them the store accepted."""
        self.expired: set[str] = set()
        """Session tokens whose time is over."""
        self.put_seconds = 0.0
        """What each object takes that is put, one after the other: a slow line."""
        self.line = threading.Lock()
        self.opaque_etags = False
        """Whether the store's ETags are made into ones that no hash gives; such an ETag cannot be sent back."""
        self.hides_checksums = False
        """Whether the store's checksums are left out of its answers."""
        self.on_passage: Callable[[Passage, str, str], None] = lambda _passage, _operation, _key: None
        """Told when a request that meets no fault has come, and when it is done; what it raises breaks the connection off."""
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def fail(
        self, operation: str, key: str = "", *, status: int = 503, code: str = "SlowDown", times: int = 1, **headers: str
    ) -> None:
        """Answer with an error; `retry_after="1"` is a header field of it."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        self._add(Fault(operation, re.compile(key), "answer", times, status, code, fields))

    def mangle(
        self, operation: str, how: Callable[[str, HTTPResponse, bytes], Iterable[bytes]], key: str = "", *, times: int = 1
    ) -> None:
        """Let the store do it, send what `how` makes of method, answer and body, piece by piece, and end the connection."""
        self._add(Fault(operation, re.compile(key), "mangle", times, how=how))

    def heal(self) -> None:
        """Forget all faults."""
        with self._lock:
            for fault in self._faults:
                fault.times = 0
                fault.open()

    def reset(self, operation: str, key: str = "", *, times: int = 1) -> None:
        """Break the connection before anything reaches the store."""
        self._add(Fault(operation, re.compile(key), "reset", times))

    def lose_answer(self, operation: str, key: str = "", *, times: int = 1) -> None:
        """Let the store do it, then break the connection."""
        self._add(Fault(operation, re.compile(key), "lose answer", times))

    def spoil(self, operation: str, key: str = "", *, times: int = 1) -> None:
        """Change a byte of the body on its way."""
        self._add(Fault(operation, re.compile(key), "spoil", times))

    def hold(self, operation: str, key: str = "", *, after: int = 0, times: int = 1, seconds: float = 30) -> Fault:
        """Stop reading after so many bytes of the body, tell `arrived`, and wait for `open()`."""
        return self._add(Fault(operation, re.compile(key), "hold", times, after=after, seconds=seconds))

    def silence(self, operation: str, key: str = "", *, times: int = 1, seconds: float = 30) -> Fault:
        """Let nothing of it reach the store, and break the connection at `open()`."""
        return self._add(Fault(operation, re.compile(key), "silence", times, seconds=seconds))

    def hold_answer(self, operation: str, key: str = "", *, times: int = 1, seconds: float = 30) -> Fault:
        """Let the store do it, tell `arrived`, and wait for `open()` before the client hears of it."""
        return self._add(Fault(operation, re.compile(key), "hold answer", times, seconds=seconds))

    def count(self, operation: str) -> int:
        """How many requests of an operation came."""
        with self._lock:
            return sum(count for (name, _), count in self.requests.items() if name == operation)

    def _add(self, fault: Fault) -> Fault:
        with self._lock:
            self._faults.append(fault)
        return fault

    def begin(self, operation: str, key: str, place: str, token: str) -> Fault | None:
        """A request came; the fault that it shall meet. `place` is the key, with the number of a part."""
        with self._lock:
            self.requests[operation, key] += 1
            self._in_flight += 1
            self.peak = max(self.peak, self._in_flight)
            if token in self.expired:
                return Fault(operation, re.compile(""), "answer", 1, 400, "ExpiredToken")
            for fault in self._faults:
                if fault.times and fault.operation == operation and fault.key.search(place):
                    fault.times -= 1
                    fault.met.append(key)
                    return fault
            return None

    def accept(self, operation: str, key: str) -> None:
        """The store accepted a request."""
        with self._lock:
            self.accepted[operation, key] += 1

    def end(self) -> None:
        """A request is over."""
        with self._lock:
            self._in_flight -= 1

    def told(self, text: bytes) -> bytes:
        """What the client is told in the place of something that may hold ETags."""
        return _MD5.sub(lambda md5: md5[0][::-1] + b"z", text) if self.opaque_etags else text

    def connect(self) -> HTTPConnection:
        """A connection to the store."""
        return HTTPConnection(*self._upstream, timeout=30)

    def _handler(self) -> type[_Handler]:
        return type("Handler", (_Handler,), {"front": self})

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for fault in self._faults:
            fault.open()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def server_bind(self) -> None:
        # Small, so that a held request really holds its sender back.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
        super().server_bind()

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a client that breaks off is what tests are about


class _Handler(BaseHTTPRequestHandler):
    front: FaultFront
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def handle_expect_100(self) -> bool:
        return True  # answered when the body is wanted

    def _serve(self) -> None:
        operation, key = _named(self.command, self.path)
        part = re.search(r"partNumber=(\d+)", self.path) if operation == "UploadPart" else None
        token = self.headers.get("x-amz-security-token", "")
        if operation == "PutObject" and self.front.put_seconds:
            with self.front.line:
                time.sleep(self.front.put_seconds)
        fault = self.front.begin(operation, key, f"{key}#{part[1]}" if part else key, token)
        try:
            self._meet(fault)
        except (OSError, HTTPException):
            self.close_connection = True
        finally:
            self.front.end()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _serve  # noqa: N815

    def _meet(self, fault: Fault | None) -> None:
        if fault is None:
            self.front.on_passage(Passage.COME, *_named(self.command, self.path))
            answer = self._forward(None)
            self.front.on_passage(Passage.DONE, *_named(self.command, self.path))
            self._answer(*answer)
        elif fault.kind in ("hold", "spoil"):
            self._answer(*self._forward(fault))
        elif fault.kind == "silence":
            fault.opened.wait(fault.seconds)
            self._break_off()
        elif fault.kind == "answer":
            self._refuse(fault)
        elif fault.how is not None:
            for piece in fault.how(self.command, *self._forward(None)):
                self.wfile.write(piece)
            self.close_connection = True
        elif fault.kind == "hold answer":
            answer = self._forward(None)
            fault.arrived.set()
            fault.opened.wait(fault.seconds)
            self._answer(*answer)
        else:
            if fault.kind == "lose answer":
                self._forward(None)
            self._break_off()

    def _refuse(self, fault: Fault) -> None:
        if self.headers.get("Expect") != "100-continue":
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = f"<Error><Code>{fault.code}</Code><Message>As scripted.</Message></Error>".encode()
        self.send_response(fault.status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/xml")
        for name, value in fault.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _break_off(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def _forward(self, fault: Fault | None) -> tuple[HTTPResponse, bytes]:
        length = int(self.headers.get("Content-Length", 0))
        with closing(self.front.connect()) as upstream:
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in ("expect", "connection"):
                    upstream.putheader(name, value)
            upstream.putheader("Connection", "close")
            upstream.endheaders()
            if self.headers.get("Expect") == "100-continue":
                self.send_response_only(100)
                self.end_headers()
            self._pass_body(upstream, length, fault)
            answer = upstream.getresponse()
            if answer.status < 300:
                self.front.accept(*_named(self.command, self.path))
            return answer, answer.read()

    def _pass_body(self, upstream: HTTPConnection, length: int, fault: Fault | None) -> None:
        gate = fault if fault is not None and fault.kind == "hold" else None
        spoils = fault is not None and fault.kind == "spoil"
        passed = 0
        while True:
            if gate is not None and passed >= min(gate.after, length):
                gate.arrived.set()
                gate.opened.wait(gate.seconds)
                gate = None
            if passed == length:
                return
            block = self.rfile.read1(min(_BLOCK, length - passed))
            if not block:
                raise ConnectionAbortedError
            if spoils:
                block, spoils = bytes([block[0] ^ 1]) + block[1:], False
            with suppress(BrokenPipeError):  # the store may have answered already
                upstream.send(block)
            passed += len(block)

    def _answer(self, answer: HTTPResponse, body: bytes) -> None:
        self.send_response_only(answer.status)
        body = self.front.told(body)
        for name, value in answer.getheaders():
            if name.lower() == "etag":
                self.send_header(name, self.front.told(value.encode()).decode())
            elif name.lower() not in ("connection", "transfer-encoding", "content-length") and not self._hides(name):
                self.send_header(name, value)
        self.send_header("Content-Length", answer.getheader("Content-Length", "0") if self.command == "HEAD" else str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _hides(self, name: str) -> bool:
        return self.front.hides_checksums and name.lower().startswith("x-amz-checksum-")


def _named(method: str, target: str) -> tuple[str, str]:
    """S3's operation and the key, from a path-style request."""
    path, _, query = target.partition("?")
    _, _, key = unquote(path).lstrip("/").partition("/")
    if "partNumber=" in query:
        return "UploadPart", key
    if "uploadId=" in query:
        return {"POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload"}.get(method, "ListParts"), key
    if "uploads" in query:
        return ("CreateMultipartUpload" if method == "POST" else "ListMultipartUploads"), key
    if not key:
        return {"GET": "ListObjectsV2", "HEAD": "HeadBucket", "PUT": "CreateBucket"}.get(method, method), key
    return {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject"}.get(method, method), key

"""One attempt to tell one notice, over HTTP/1.1.

Nothing but the URL decides where a notice goes: no redirect is followed, no proxy of the environment used. TLS is verified against
the system's authorities, or `SSL_CERT_FILE`. All of an attempt, from the name to the answer, has one deadline, and a receiver that
sends a byte now and then cannot move it: a timer breaks the connection.

Concurrency: one attempt at a time. `break_off` may be called by any thread; `_lock` guards the connection that it breaks.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

from s3tui.errors import WebhookError
from s3tui.webhooks.addresses import Address, addresses_of
from s3tui.webhooks.options import WebhookOptions
from s3tui.webhooks.signing import key_of, signed_headers

_SECONDS = 15.0
_READ_BYTES = 4096
"""As much of an answer's body is taken off the line; nobody looks at it."""
_GONE = 410


class Post:
    """The way to one webhook."""

    def __init__(self, options: WebhookOptions, *, version: str, seconds: float = _SECONDS) -> None:
        """`seconds` is what one attempt may take."""
        parts = urlsplit(options.url)
        self._tls = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._tls else 80)
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._allow_private = options.allow_private
        self._key = key_of(options.secret.get_secret_value())
        self._agent = f"s3tui/{version}"
        self._seconds = seconds
        self._lock = threading.Lock()
        self._line: socket.socket | None = None
        self._broken_off = False
        self.place = f"{parts.scheme}://{parts.netloc}"
        """Where notices go, as far as logs may know: a path can hold a secret."""

    def send(self, notice_id: str, body: str) -> None:
        """Post a notice, signed anew. Raises WebhookError unless the receiver has taken it."""
        data = body.encode("ascii")
        headers = {
            "Content-Type": "application/json",
            "User-Agent": self._agent,
            "Connection": "close",
            **signed_headers(self._key, notice_id, int(time.time()), data),
        }
        deadline = time.monotonic() + self._seconds
        addresses = addresses_of(self._host, self._port, allow_private=self._allow_private)
        try:
            with self._connected(addresses, deadline) as line:
                _judge(self.place, self._exchange(line, data, headers, deadline))
        except (OSError, HTTPException) as error:
            raise WebhookError(f"The webhook at {self.place} was not told: {self._cause(error, deadline)}.") from error

    def look(self) -> None:
        """See that the host is found, and may be told. Raises WebhookError."""
        addresses_of(self._host, self._port, allow_private=self._allow_private)

    def break_off(self) -> None:
        """End the attempt that is being made, and let no other begin."""
        with self._lock:
            self._broken_off = True
            self._hang_up(self._line)

    @contextmanager
    def _connected(self, addresses: list[Address], deadline: float) -> Iterator[socket.socket]:
        """A connection to the first address that answers; it is broken at the deadline. Raises OSError."""
        line = self._dial(addresses, deadline)
        timer = threading.Timer(max(0.0, deadline - time.monotonic()), self._end, (line,))
        timer.daemon = True
        timer.start()
        try:
            if isinstance(line, ssl.SSLSocket):
                line.do_handshake()
            yield line
        finally:
            timer.cancel()
            with self._lock:
                self._line = None
                line.close()

    def _dial(self, addresses: list[Address], deadline: float) -> socket.socket:
        """A connection to the first address that answers, before any handshake. Raises OSError."""
        trouble: OSError = TimeoutError()
        for place, address in enumerate(addresses):
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            try:
                return self._dial_one(address, left / (len(addresses) - place), deadline)
            except OSError as error:
                trouble = error
        raise trouble

    def _dial_one(self, address: Address, patience: float, deadline: float) -> socket.socket:
        family, where = address
        line = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._hold(line)
            line.settimeout(patience)
            line.connect(where)
            line.settimeout(max(0.001, deadline - time.monotonic()))
            if self._tls:
                line = self._context.wrap_socket(line, server_hostname=self._host, do_handshake_on_connect=False)
            return self._hold(line)
        except OSError:
            line.close()
            raise

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context()

    def _exchange(self, line: socket.socket, data: bytes, headers: dict[str, str], deadline: float) -> HTTPResponse:
        """Raises OSError, HTTPException."""
        connection: HTTPConnection
        if self._tls:
            connection = HTTPSConnection(self._host, self._port, context=self._context)
        else:
            connection = HTTPConnection(self._host, self._port)
        connection.sock = line  # so it does not look for the host itself
        connection.request("POST", self._target, data, headers)
        response = connection.getresponse()
        if time.monotonic() >= deadline:  # what was cut off looks whole
            raise TimeoutError
        with suppress(OSError, HTTPException):
            response.read1(_READ_BYTES)
        return response

    def _hold(self, line: socket.socket) -> socket.socket:
        with self._lock:
            if self._broken_off:
                raise ConnectionAbortedError
            self._line = line
            return line

    def _cause(self, error: Exception, deadline: float) -> str:
        """Why an attempt came to nothing. An end that we made ourselves looks like the receiver's."""
        if self._broken_off:
            return "this process ends"
        if isinstance(error, TimeoutError) or time.monotonic() >= deadline:
            return f"there was no answer within {self._seconds:g} seconds"
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({error.verify_message})"
        if isinstance(error, OSError):
            return error.strerror or "it hung up without an answer"
        return f"its answer cannot be read ({type(error).__name__})"

    def _end(self, line: socket.socket) -> None:
        with self._lock:
            if self._line is line:
                self._hang_up(line)

    @staticmethod
    def _hang_up(line: socket.socket | None) -> None:
        """Wake whoever waits on it. TLS's own `shutdown` would forget the session, which another thread is using."""
        if line is not None:
            with suppress(OSError):
                socket.socket.shutdown(line, socket.SHUT_RDWR)


def _judge(place: str, response: HTTPResponse) -> None:
    """Raises WebhookError unless it is a success."""
    status = response.status
    if 200 <= status < 300:
        return
    what = f"answered {status}"
    if 300 <= status < 400:
        what += ", and redirects are not followed: set webhook.url to where it leads"
    raise WebhookError(
        f"The webhook at {place} {what}.", gone=status == _GONE, pause=_seconds_of(response.headers.get("Retry-After", ""))
    )


def _seconds_of(retry_after: str) -> float:
    """The pause that a receiver asks for, in seconds or as a date; 0 if there is none that can be read."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError, TypeError):
        return 0.0
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())

"""The process behind `LocalEndpoint`: moto's S3 on a loopback port. It needs the extra `demo`.

    python -m s3tui.storage.local_server [--port N] [--refuse-once KEY]...

It prints its port and a newline once it listens, and ends when its standard input does: so it never outlives the process that holds
the other end of that pipe, however that process ends. Every connection has a thread; the only lock guards the keys still to refuse.
"""

from __future__ import annotations

import argparse
import io
import socketserver
import sys
import threading
import traceback
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import MotoRequestHandler, create_backend_app
from werkzeug.serving import ThreadedWSGIServer
from werkzeug.test import run_wsgi_app

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_REFUSAL = b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'
_XML = [("Content-Type", "application/xml")]


class RefuseOnce:
    """A WSGI application in front of another: the first write to each of some keys is answered with 403 AccessDenied."""

    def __init__(self, app: WSGIApplication, keys: Iterable[str]) -> None:
        self._app = app
        self._keys = set(keys)
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] in ("PUT", "POST") and self._take(_key(environ)):
            start_response("403 Forbidden", _XML)
            return [_REFUSAL]
        return self._app(environ, start_response)

    def _take(self, key: str) -> bool:
        with self._lock:
            if key not in self._keys:
                return False
            self._keys.remove(key)
            return True


def _key(environ: WSGIEnvironment) -> str:
    # WSGI hands the path over as bytes in the guise of latin-1
    path: str = environ["PATH_INFO"]
    return path.encode("latin-1").decode("utf-8", "surrogateescape").lstrip("/").partition("/")[2]


class KeepAliveHandler(MotoRequestHandler):
    """Answers many requests on one connection, which Werkzeug's own handler refuses to do.

    It can, because it reads each body whole before the application sees it: the next request line is then the next thing to read.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        """Answer one request."""
        self.environ = environ = self.make_environ()
        body = self._body(environ)
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        status, headers, answer = _call(self.server.app, environ)
        code, _, phrase = status.partition(" ")
        self.send_response(int(code), phrase)
        bodiless = self.command == "HEAD" or code in ("204", "304")
        for name, value in headers:
            if bodiless or name.lower() != "content-length":
                self.send_header(name, value)
        if not bodiless:
            self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if not bodiless:
            self.wfile.write(answer)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: a line for each of thousands of requests helps nobody."""

    def _body(self, environ: WSGIEnvironment) -> bytes:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if not length and not environ.get("wsgi.input_terminated"):
            return b""
        body = bytes(environ["wsgi.input"].read(length or -1))
        if len(body) < length:
            # a client that was killed half-way must not leave half an object
            raise ConnectionError(f"{len(body)} of {length} bytes arrived")
        return body


def _call(app: WSGIApplication, environ: WSGIEnvironment) -> tuple[str, Iterable[tuple[str, str]], bytes]:
    try:
        chunks, status, headers = run_wsgi_app(app, environ, buffered=True)
        return status, headers.items(), b"".join(chunks)
    except Exception:
        # one request that the application cannot take must not end the connections of all the others
        traceback.print_exc()
        return "500 Internal Server Error", _XML, b"<Error><Code>InternalError</Code></Error>"


class Server(ThreadedWSGIServer):
    """Room for a burst of new connections, and no word about clients that hang up."""

    request_queue_size = 1024

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 (the base class's signature)
        """Report what went wrong, unless it is only that the client has gone."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            socketserver.BaseServer.handle_error(self, request, client_address)


def main(argv: Sequence[str]) -> int:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m s3tui.storage.local_server")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--refuse-once", action="append", default=[], metavar="KEY")
    options = parser.parse_args(argv)
    app = RefuseOnce(create_backend_app("s3"), options.refuse_once)
    server = Server("127.0.0.1", options.port, app, KeepAliveHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.buffer.read()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

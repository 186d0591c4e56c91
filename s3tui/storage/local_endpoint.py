"""An S3 endpoint on this machine, for the demo and for tests: moto's server in a process of its own.

It keeps everything in memory, accepts every key pair, and ends with the process that started it.
"""

from __future__ import annotations

import importlib.util
import selectors
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from s3tui.errors import ConfigError, StorageError

_IMPORT_ROOT = Path(__file__).parents[2]
_START_SECONDS = 60.0
_STOP_SECONDS = 5.0
_NEEDED = ("moto", "flask", "flask_cors")


class LocalEndpoint:
    """A running endpoint, from entering the context to leaving it.

    `log` takes what the server has to say; `refuse_once` names keys whose first write is answered with AccessDenied.
    Entering raises ConfigError when the extra `demo` is not installed, StorageError when the server does not start.
    """

    def __init__(self, *, log: Path, refuse_once: Iterable[str] = (), port: int = 0) -> None:
        self._log = log
        self._arguments = ["--port", str(port), *(f"--refuse-once={key}" for key in refuse_once)]
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Where it listens: `http://127.0.0.1:PORT`."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        """The server's process id; 0 when it does not run."""
        return self._process.pid if self._process else 0

    def __enter__(self) -> Self:
        missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
        if missing:
            raise ConfigError(f"The local S3 endpoint needs {', '.join(missing)}: run `pip install 's3tui[demo]'`.")
        with self._log.open("ab") as log:
            # `-m` looks into the working directory first: let that be where this package lies, not where the user happens to be.
            # A session of its own: Ctrl-C in the terminal is for the program, which then closes the pipe in its own time.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "s3tui.storage.local_server", *self._arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=_IMPORT_ROOT,
                start_new_session=True,
            )
        try:
            self._port = self._announced_port(self._process)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def create_bucket(self, name: str) -> None:
        """Create a bucket. Raises StorageError."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=_START_SECONDS)
        try:
            connection.request("PUT", f"/{name}")
            status = connection.getresponse().status
        except OSError as error:
            raise StorageError(f"Creating the bucket {name} at {self.url} failed: {error}. See {self._log}.") from error
        finally:
            connection.close()
        if status != 200:
            raise StorageError(f"Creating the bucket {name} at {self.url} failed with HTTP status {status}.", status=status)

    def close(self) -> None:
        """End the server and wait until it is gone; what it stored is gone with it."""
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _announced_port(self, process: subprocess.Popen[bytes]) -> int:
        assert process.stdout is not None
        line = process.stdout.readline() if _readable(process.stdout, _START_SECONDS) else b""
        if not line.strip().isdigit():
            raise StorageError(f"The local S3 endpoint did not start: {self._last_words()} See {self._log}.")
        return int(line)

    def _last_words(self) -> str:
        lines = self._log.read_text("utf-8", "replace").strip().splitlines()
        return lines[-1].rstrip(".") + "." if lines else f"it said nothing within {_START_SECONDS:.0f} seconds."


def _readable(pipe: IO[bytes], seconds: float) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        return bool(selector.select(seconds))

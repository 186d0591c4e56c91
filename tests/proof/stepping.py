"""The real command in a process that counts its steps, and dies at one of them.

    python -m tests.proof.stepping LOG SEAM STEP upload ...

Steps of the seam `files` are what Python's audit hooks tell of: files of the user's opened, listed, moved and removed, connections
and processes begun. Those of the seam `database` are the commits of SQLite, and what begins after one: a process that dies there
has written all before and nothing behind. They are counted from the first opening of the database on. At step STEP, counted from
1, the process kills itself just before it is made; with 0 it lives, and writes to LOG what they were.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import sys
import threading
from pathlib import Path
from typing import Any

_connect = sqlite3.connect
_FILES = frozenset(
    {
        *("fcntl.fcntl", "fcntl.flock", "open", "os.link", "os.listdir", "os.mkdir", "os.remove", "os.rename", "os.rmdir"),
        *("os.scandir", "os.symlink", "os.truncate", "os.utime", "socket.connect", "subprocess.Popen"),
    }
)
_OF_THE_PROGRAM = tuple(sys.path[1:])
"""Where modules are read from: when they are read differs, and nobody loses anything by it."""


class Stepping:
    """Counts, and kills."""

    def __init__(self, seam: str, step: int) -> None:
        self._seam, self._step = seam, step
        self._lock = threading.Lock()
        self._begun = False
        self.made: dict[str, list[str]] = {"files": [], "database": []}

    def hook(self, event: str, arguments: tuple[object, ...]) -> None:
        """An event of Python's."""
        if self._begun and event in _FILES and not _is_of_the_program(arguments[0]):
            self._count("files", event)

    def connect(self, *arguments: Any, **options: Any) -> sqlite3.Connection:
        """In the place of `sqlite3.connect`."""
        self._begun = True
        connection: sqlite3.Connection = _connect(*arguments, **options)
        connection.set_trace_callback(self._statement)
        return connection

    def _statement(self, sql: str) -> None:
        if sql.startswith(("COMMIT", "BEGIN IMMEDIATE")):
            self._count("database", sql.partition(" ")[0])

    def _count(self, seam: str, name: str) -> None:
        with self._lock:
            self.made[seam].append(name)
            if (seam, len(self.made[seam])) == (self._seam, self._step):
                os.kill(os.getpid(), signal.SIGKILL)


def _is_of_the_program(path: object) -> bool:
    return isinstance(path, str) and path.startswith(_OF_THE_PROGRAM)


if __name__ == "__main__":
    from s3tui.cli.main import run

    stepping = Stepping(sys.argv[2], int(sys.argv[3]))
    sqlite3.connect = stepping.connect  # type: ignore[assignment]
    sys.addaudithook(stepping.hook)
    code = run(sys.argv[4:])
    Path(sys.argv[1]).write_text(json.dumps(stepping.made))
    sys.exit(code)

"""A file that several processes log to, and that any of them may rotate.

A line is one write to the end of the file, so lines of different processes never mix. Before each line a process looks whether
another one has begun a new file, and follows it. Who finds the file full locks it, looks again, and renames; the others give it a
moment, and then write on: a process that is stopped just then must not stop all, and so a file may exceed its size by a few lines.
Lines are lost only with the oldest file, and when the disk refuses them.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
from contextlib import suppress
from pathlib import Path

_PATIENCE_SECONDS = 0.02


class SharedLogFile(logging.Handler):
    """Writes records to the file; nobody else than its owner may read it. What cannot be written is lost, and the work goes on."""

    def __init__(self, path: Path, *, max_bytes: int, backups: int) -> None:
        """`backups`: how many full files are kept, as `NAME.1` (the newest), `NAME.2`... Raises OSError if it cannot be opened."""
        super().__init__()
        self._path = path.absolute()
        self._max_bytes = max_bytes
        self._backups = backups
        self._torn = False
        """Whether the disk took only the beginning of the last line."""
        self._file = self._opened()

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record. Silent when it cannot be: the person at the terminal cannot help a log."""
        with suppress(OSError):
            line = self.format(record).encode("utf-8", "backslashreplace") + b"\n"
            self._follow()
            self._make_room(len(line))
            self._write(line)

    def close(self) -> None:
        """Close the file."""
        self.acquire()
        try:
            self._forget()
        finally:
            self.release()
        super().close()

    def _opened(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _forget(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def _follow(self) -> None:
        """See to it that the file we have open is the one that has the name."""
        if self._file < 0 or not self._is_current():
            self._forget()
            self._file = self._opened()
            self._torn = False

    def _is_current(self) -> bool:
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self._file))
        except FileNotFoundError:
            return False

    def _is_full(self, more: int) -> bool:
        size = os.fstat(self._file).st_size
        return size > 0 and size + more > self._max_bytes

    def _make_room(self, wanted: int) -> None:
        """Begin a new file if this one is full; while another process does, give it a moment."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self._is_full(wanted) and not self._rotate() and time.monotonic() < deadline:
            time.sleep(_PATIENCE_SECONDS / 20)
            self._follow()

    def _rotate(self) -> bool:
        """Begin a new file, unless another process just has; False if one is about to."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        try:
            if self._is_current():
                self._shift()
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        self._follow()
        return True

    def _shift(self) -> None:
        """Give every file the next number, as far as the first that is free; the last one's place is taken by the one before."""
        if not self._backups:
            self._path.unlink()
            return
        names = [self._path, *(self._path.with_name(f"{self._path.name}.{number}") for number in range(1, self._backups + 1))]
        last = next((number for number, name in enumerate(names) if not name.exists()), self._backups)
        for number in range(last, 0, -1):
            names[number - 1].rename(names[number])

    def _write(self, line: bytes) -> None:
        begun = b"\n" + line if self._torn else line
        written = os.write(self._file, begun)
        self._torn = written < len(begun)

"""The end of the log, read as it grows: of a file of any size at most a mebibyte at a time, of a line at most its beginning."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from s3tui.text import display_text, format_size

_AT_ONCE = 1 << 20
_LINE = 4000
"""Bytes of a line that are kept."""
_TEXT = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)\S* \d+ (DEBUG|INFO|WARNING|ERROR|CRITICAL) (.*)", re.DOTALL)
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True, slots=True, eq=False)
class LogLine:
    """One line; all of it is safe to show."""

    date: str
    time: str
    """Both empty for a line that goes on with the one before."""
    level: str
    text: str
    """What follows the level."""
    whole: str


class LogTail:
    """Reads what has come since the last time, from the file that has the name now and the one that had it before."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BinaryIO | None = None
        self._rest = b""
        self._level = ""

    def read(self) -> list[LogLine]:
        """The new lines, the first time the last ones of the file. Blocks on the disk; raises OSError."""
        lines = list(self._go_on()) if self._file is not None else []
        if self._file is None or self._is_another():
            beginning = self._file is None
            self.close()
            self._file = _opened(self.path)
            lines += self._go_on(silent=beginning)
        return lines

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
        self._file, self._rest = None, b""

    def _is_another(self) -> bool:
        """Whether a new file has the name; while none has it, the old one is read on."""
        assert self._file is not None
        try:
            return not os.path.samestat(os.fstat(self._file.fileno()), self.path.stat())
        except FileNotFoundError:
            return False

    def _go_on(self, *, silent: bool = False) -> Iterator[LogLine]:
        """Lines up to the end of the open file; what is too much for once is left out, and, unless `silent`, that is told."""
        assert self._file is not None
        size, at = os.fstat(self._file.fileno()).st_size, self._file.tell()
        if size < at:  # somebody emptied it
            at, self._rest = 0, b""
            self._file.seek(0)
        left_out = size - at - _AT_ONCE
        if left_out > 0:
            self._file.seek(size - _AT_ONCE)
            self._rest = b""
        *whole, self._rest = (self._rest + self._file.read(_AT_ONCE)).split(b"\n")
        self._rest = self._rest[:_LINE]  # of a line without an end only the beginning
        if left_out > 0:
            del whole[:1]  # its beginning is not here
            if not silent:
                yield LogLine("", "", "", told := f"… {format_size(left_out)} left out", told)
        for line in whole:
            yield self._line_of(line)

    def _line_of(self, line: bytes) -> LogLine:
        kept = line[:_LINE].decode("utf-8", "surrogateescape") + ("…" if len(line) > _LINE else "")
        found = _of_json(kept) if kept.startswith("{") else _of_text(kept)
        date, time, level, text = found or ("", "", self._level, kept)
        self._level = level
        return LogLine(date, time, level, display_text(text), display_text(kept))


def _opened(path: Path) -> BinaryIO:
    file = path.open("rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(0, "it is no file")
    return file


def _of_text(line: str) -> tuple[str, str, str, str] | None:
    match = _TEXT.fullmatch(line)
    return None if match is None else (match[1], match[2], match[3], match[4].removeprefix("s3tui."))


def _of_json(line: str) -> tuple[str, str, str, str] | None:
    """The same of a line in JSON; its time is UTC."""
    try:
        facts = json.loads(line)
        date, _, time = facts.pop("at").partition("T")
        level, logger, message = facts.pop("level"), facts.pop("logger").removeprefix("s3tui."), facts.pop("message")
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        return None
    facts.pop("process", None)
    about = " ".join(f"{name}={value}" for name, value in facts.items())
    return (
        (display_text(date), display_text(time[:8]), level, f"{logger}: {about}{': ' if about else ''}{message}")
        if level in _LEVELS
        else None
    )

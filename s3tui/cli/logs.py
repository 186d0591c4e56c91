"""The log file, and the log on the terminal with -v.

Several processes share the file. Before each line a process looks whether another one has begun a new file, and follows it.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING

from s3tui.state.options import state_directory
from s3tui.text import display_text

if TYPE_CHECKING:
    from s3tui.config import LoggingOptions


def open_log(options: LoggingOptions, *, verbose: int) -> None:
    """Write the log of this process as the options ask; on standard error as well, from INFO with -v, from DEBUG with -vv.

    Only our own loggers are opened up: the AWS SDK logs signed headers when it is asked to be verbose.
    """
    logger = logging.getLogger("s3tui")
    logger.propagate = False
    logger.setLevel(
        logging.DEBUG if verbose > 1 else min(getattr(logging, options.level), logging.INFO if verbose else logging.ERROR)
    )
    for handler in [*logger.handlers]:
        logger.removeHandler(handler)
        handler.close()
    file = _file_handler(options)
    if file is not None:
        file.setLevel(options.level)
        logger.addHandler(file)
    if verbose:
        console = logging.StreamHandler(sys.stderr)
        console.setFormatter(_TextFormatter("%(levelname)s %(name)s: %(message)s"))
        logger.addHandler(console)


def log_path(options: LoggingOptions) -> Path:
    """Where the log is written."""
    return Path(options.log_file).expanduser() if options.log_file else state_directory() / "s3tui.log"


def _file_handler(options: LoggingOptions) -> logging.Handler | None:
    path = log_path(options)
    try:
        if not options.log_file:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = _SharedFile(path, maxBytes=options.max_log_size_mb << 20, backupCount=options.backup_count, encoding="utf-8")
    except OSError as error:
        print(
            f"The log {display_text(str(path))} cannot be written: {error.strerror}. The work goes on without it.", file=sys.stderr
        )
        return None
    json_lines = options.format == "json"
    handler.setFormatter(
        _JsonFormatter() if json_lines else _TextFormatter("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")
    )
    return handler


class _SharedFile(RotatingFileHandler):
    """A rotating file that other processes may rotate, too; nobody else may read it. A full disk loses lines, not the work."""

    def _open(self) -> TextIOWrapper:
        return open(
            self.baseFilename,
            "a",
            encoding="utf-8",
            errors="backslashreplace",
            opener=lambda path, flags: os.open(path, flags, 0o600),
        )

    def emit(self, record: logging.LogRecord) -> None:
        if self.stream is not None and self._moved(self.stream):
            self.stream.close()
            self.stream = self._open()
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Stay silent: the person at the terminal cannot help a log."""

    def _moved(self, stream: TextIOWrapper) -> bool:
        try:
            there = Path(self.baseFilename).stat()
        except OSError:
            return True
        here = os.fstat(stream.fileno())
        return (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino)


class _TextFormatter(logging.Formatter):
    """One record, one line: what came from outside cannot begin another."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        record.message = display_text(record.message)
        return super().formatMessage(record)


class _JsonFormatter(logging.Formatter):
    """One record, one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        facts = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S"),
            "level": record.levelname,
            "process": record.process,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            facts["traceback"] = self.formatException(record.exc_info)
        return json.dumps(facts)

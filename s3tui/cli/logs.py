"""The log of a process: the file, and the terminal with -v. Each has a level of its own; both keep secrets out.

A line says when, which process, how grave, which part of the program, and what it is about (see `s3tui.log_context`):

    2026-11-21 10:30:15,042 4711 WARNING s3tui.state.chronicle: job=01JD... file=a/b.txt attempt=5 code=access_denied: S3 says ...

or all of that as one JSON object, with `at` in UTC. Only a traceback, in text, takes more lines; they are indented.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from s3tui.cli.log_file import SharedLogFile
from s3tui.log_context import Value, subject
from s3tui.masking import masked
from s3tui.text import display_text

if TYPE_CHECKING:
    from s3tui.config import LoggingOptions

_PLAIN = re.compile(r"[^\s\"\\:=]+")
"""A value that needs no quotes where words stand beside it."""


def open_log(options: LoggingOptions, *, verbose: int) -> None:
    """Write the log of this process as the options ask; on standard error as well, from INFO with -v, from DEBUG with -vv.

    Only our own loggers are opened up: the AWS SDK logs signed headers when it is asked to be verbose.
    """
    logger = logging.getLogger("s3tui")
    logger.propagate = False
    for earlier in [*logger.handlers]:
        logger.removeHandler(earlier)
        earlier.close()
    for handler in (_file_handler(options), _console_handler(verbose)):
        if handler is not None:
            logger.addHandler(handler)
    logger.setLevel(min((handler.level for handler in logger.handlers), default=logging.CRITICAL))


def log_path(options: LoggingOptions) -> Path:
    """Where the log is written."""
    return options.path


def _file_handler(options: LoggingOptions) -> logging.Handler | None:
    path = log_path(options)
    try:
        if not options.log_file:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = SharedLogFile(path, max_bytes=options.max_log_size_mb << 20, backups=options.backup_count)
    except OSError as error:
        print(
            f"The log {display_text(str(path))} cannot be written: {error.strerror}. The work goes on without it.", file=sys.stderr
        )
        return None
    handler.setLevel(options.level)
    text = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"
    handler.setFormatter(_JsonFormatter() if options.format == "json" else _TextFormatter(text))
    return handler


def _console_handler(verbose: int) -> logging.Handler | None:
    if not verbose:
        return None
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(logging.DEBUG if verbose > 1 else logging.INFO)
    handler.setFormatter(_TextFormatter("%(levelname)s %(name)s: %(message)s"))
    return handler


class _TextFormatter(logging.Formatter):
    """One record, one line, and a traceback below it: what came from outside can begin no line."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        facts = " ".join(f"{name}={_word(value)}" for name, value in subject().items())
        record.message = (f"{facts}: " if facts else "") + display_text(masked(record.message))
        return super().formatMessage(record)

    def formatException(self, ei: object) -> str:  # noqa: N802 - logging's own name
        text: str = super().formatException(ei)  # type: ignore[arg-type]
        return "\n".join("  " + display_text(line) for line in masked(text).splitlines())


class _JsonFormatter(logging.Formatter):
    """One record, one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        facts = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03}Z",
            "level": record.levelname,
            "process": record.process,
            "logger": record.name,
            **{name: _json(value) for name, value in subject().items()},
            "message": masked(record.getMessage()),
        }
        if record.exc_info:
            facts["traceback"] = masked(self.formatException(record.exc_info))
        return json.dumps(facts)


def _word(value: Value) -> str:
    """The value as one word, in quotes if it must be."""
    text = str(_json(value))
    return display_text(text if _PLAIN.fullmatch(text) and text.isprintable() else json.dumps(text, ensure_ascii=False))


def _json(value: Value) -> str | int | None:
    """The value as JSON can have it: a path that is not UTF-8 with lone surrogates, as in reports."""
    if isinstance(value, bytes):
        value = os.fsdecode(value)
    return masked(value) if isinstance(value, str) else value

"""What is left of a crash: a file for whoever mends it. It holds no secret, and of such files only the newest are kept."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from s3tui import __version__
from s3tui.masking import masked
from s3tui.state.options import state_directory

if TYPE_CHECKING:
    from textual.app import App

KEPT = 5
"""Reports in the directory; older ones are removed."""
_LONGEST = 200_000
"""Characters of a traceback, of which the head and the tail are kept: an endless recursion is longer."""
_TOLD = ("TERM", "COLORTERM", "NO_COLOR", "TMUX", "STY", "SSH_TTY", "LANG", "LC_ALL", "TEXTUAL_COLOR_SYSTEM", "TEXTUAL_DRIVER")
"""Variables that say where the UI was shown."""


def write_report(error: Exception, whereabouts: Mapping[str, str]) -> Path:
    """Say in a file of the state directory what happened, and where in the UI. Raises OSError."""
    directory = state_directory()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    now = datetime.now(UTC)
    path = directory / f"crash-{now:%Y%m%dT%H%M%S}-{os.getpid()}.txt"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as report:
        report.write(masked(f"{_head(now, whereabouts)}\n{_trace(error)}"))
    for old in sorted(directory.glob("crash-*.txt"))[:-KEPT]:
        with suppress(OSError):
            old.unlink()
    return path


def whereabouts(app: App[int]) -> dict[str, str]:
    """Where in the UI one is: no names of files or jobs. Never fails, for it is asked when something has."""
    screens = list(app.screen_stack)
    return {
        "screens": " > ".join(type(screen).__name__ for screen in screens),
        "focus": type(screens[-1].focused).__name__ if screens else "",
        "size": f"{app.size.width}x{app.size.height}",
        "theme": str(app.theme),
    }


def _head(now: datetime, whereabouts: Mapping[str, str]) -> str:
    facts = {
        "s3tui": f"{__version__}, Textual {_version('textual')}, Rich {_version('rich')}, SQLite {sqlite3.sqlite_version}",
        "Python": f"{platform.python_version()} on {platform.platform()}",
        "when": now.isoformat(timespec="seconds"),
        **whereabouts,
        "environment": " ".join(f"{name}={os.environ[name]}" for name in _TOLD if name in os.environ),
        "encoding": f"{sys.stdout.encoding}, file names {sys.getfilesystemencoding()}",
    }
    return "".join(f"{name}: {fact!r}\n" for name, fact in facts.items())


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def _trace(error: Exception) -> str:
    text = "".join(traceback.format_exception(error))
    if len(text) <= _LONGEST:
        return text
    return f"{text[: _LONGEST // 2]}\n... {len(text) - _LONGEST:,} characters are left out ...\n{text[-_LONGEST // 2 :]}"

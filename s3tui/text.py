"""Text for people: names made safe to show, sizes, rates and durations. Standard library only.

Whatever comes from outside (file names, S3 answers) passes `display_text` before a terminal or a log sees it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgtp]?)(i?)b?\s*", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}


def display_text(value: str | bytes) -> str:
    """The value with every character that a terminal might obey written as a visible escape.

    Bytes are taken as UTF-8; what is not UTF-8 shows as `\\xNN`.
    """
    text = value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escape(character) for character in text)


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")


def parse_size(text: str) -> int:
    """Bytes of `8MiB`, `50MB`, `10 k`, `123`. Raises ValueError."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a size; write it like 8MiB or 50MB")
    number, unit, binary = match.groups()
    return int(float(number) * (1024 if binary else 1000) ** _POWERS[unit.lower()])


def format_size(size: float) -> str:
    """`0 B`, `999 B`, `1.0 KiB`, `12.3 MiB`: at most 9 characters."""
    if size < 1000:
        return f"{int(size)} B"
    for unit in ("KiB", "MiB", "GiB", "TiB", "PiB"):
        size /= 1024
        if size < 1000:
            return f"{size:.1f} {unit}"
    return f"{size:.0f} PiB"


def format_duration(seconds: float) -> str:
    """`0:07`, `12:34`, `3:02:01`, `4d 3h`."""
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24}d {hours % 24}h"
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def format_time(milliseconds: int | None) -> str | None:
    """`2026-11-21T10:30:15Z`, or None."""
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

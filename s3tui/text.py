"""Text for people: names made safe to show, sizes, rates and durations. Standard library only.

Whatever comes from outside (file names, S3 answers) passes `display_text` before a terminal or a log sees it.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgtp]?)(i?)b?\s*", re.IGNORECASE)
_LEAST_RATE = 1024
_AGE = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
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
    if 0xDC00 <= code <= 0xDCFF:  # of names from 0xDC80 on, of CSV records any byte
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")


def parse_size(text: str) -> int:
    """Bytes of `8MiB`, `50MB`, `10 k`, `123`. Raises ValueError."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a size; write it like 8MiB or 50MB")
    number, unit, binary = match.groups()
    return int(float(number) * (1024 if binary else 1000) ** _POWERS[unit.lower()])


def parse_rate(text: str) -> int:
    """Bytes per second of `10MB/s`, `512KiB`, `0` (no limit). Raises ValueError."""
    try:
        rate = parse_size(text.strip().removesuffix("/s"))
    except ValueError:
        raise ValueError(f"{text!r} is not a rate; write it like 10MB/s") from None
    if 0 < rate < _LEAST_RATE:
        raise ValueError(f"{text!r} is too slow to get anywhere; the least is 1KiB/s, and 0 is no limit")
    return rate


def parse_age(text: str, now_ms: int) -> int:
    """The moment that lies `30d`, `12h`, `90m` before `now_ms`, or that an ISO date names, in UTC unless it says otherwise.

    Milliseconds since 1970. Raises ValueError.
    """
    match = _AGE.fullmatch(text)
    if match is not None:
        return now_ms - int(float(match[1]) * _SECONDS[match[2]] * 1000)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an age; write it like 30d, 12h, 90m or 2026-11-21") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def format_size(size: float) -> str:
    """`0 B`, `999 B`, `1.0 KiB`, `12.3 MiB`: at most 9 characters."""
    if size < 1000:
        return f"{int(size)} B"
    for unit in ("KiB", "MiB", "GiB", "TiB", "PiB"):
        size /= 1024
        if size < 1000:
            return f"{size:.1f} {unit}"
    return f"{size:.0f} PiB"


def format_rate(rate: int) -> str:
    """`10MB/s`, `8MiB/s`, `1500KB/s`: bytes per second, exactly, in the words that `parse_rate` reads."""
    units = [(base**power, letter + i) for power, letter in enumerate("KMGTP", 1) for base, i in ((1000, ""), (1024, "i"))]
    size, unit = max(((size, unit) for size, unit in units if rate and rate % size == 0), default=(1, ""))
    return f"{rate // size}{unit}B/s"


def format_duration(seconds: float) -> str:
    """`0:07`, `12:34`, `3:02:01`, `4d 3h`."""
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24}d {hours % 24}h"
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def plural(count: int, one: str, many: str = "") -> str:
    """`1 file`, `2,310 files`; `many` where an s does not do."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def separated_words(delimiter: str) -> str:
    """How the fields of a CSV file are kept apart: `comma-separated`, `tab-separated`, `separated by |`."""
    word = {",": "comma", ";": "semicolon", "\t": "tab", " ": "space"}.get(delimiter)
    return f"{word}-separated" if word else f"separated by {display_text(delimiter)}"


def format_time(milliseconds: int | None) -> str | None:
    """`2026-11-21T10:30:15Z`, or None."""
    if milliseconds is None:
        return None
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(milliseconds // 1000))

"""The media playlists that ffmpeg writes, read. They tell what it made and how long it is; none is published."""

from __future__ import annotations

import re
from dataclasses import dataclass

from s3tui.errors import TranscodeError

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
"""A file of ours in the same directory."""
_SECONDS = re.compile(r"#EXTINF:(\d{1,9})(?:\.(\d{1,9}))?,")
_MAP = re.compile(r'#EXT-X-MAP:URI="([^"]*)"')
_MOST_SEGMENTS = 1_000_000
_HEAD, _END = "#EXTM3U", "#EXT-X-ENDLIST"


@dataclass(frozen=True, slots=True)
class Listed:
    """One segment of a playlist."""

    name: str
    """Of its file, in the playlist's directory."""
    duration_us: int


@dataclass(frozen=True, slots=True)
class Listing:
    """What a playlist lists."""

    segments: tuple[Listed, ...]
    init: str | None
    """Name of the init file; None for MPEG-TS."""
    ended: bool
    """Whether ffmpeg said that nothing more will come."""

    @property
    def duration_us(self) -> int:
        """Of all segments."""
        return sum(segment.duration_us for segment in self.segments)


def read_listing(text: str) -> Listing:
    """What the playlist lists. Raises TranscodeError (`incomplete`)."""
    lines = text.splitlines()
    if not lines or lines[0] != _HEAD:
        raise _unreadable("it does not begin as one")
    segments: list[Listed] = []
    init, duration_us = None, None
    for line in lines:
        if match := _SECONDS.match(line):
            duration_us = int(match[1]) * 1_000_000 + int((match[2] or "").ljust(6, "0")[:6])
        elif match := _MAP.match(line):
            if init is not None:
                raise _unreadable("it names two init files")
            init = _own_name(match[1])
        elif line and not line.startswith("#"):
            if duration_us is None or len(segments) == _MOST_SEGMENTS:
                raise _unreadable("it lists a segment without a duration" if duration_us is None else "it lists too many segments")
            segments.append(Listed(_own_name(line), duration_us))
            duration_us = None
    return Listing(tuple(segments), init, ended=_END in lines)


def _own_name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise _unreadable("it names a file that is not in its directory")
    return text


def _unreadable(cause: str) -> TranscodeError:
    return TranscodeError(f"A playlist of the encoder cannot be used: {cause}.", "incomplete")

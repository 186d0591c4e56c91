"""Reads all packets of a file without decoding one: how long its streams really are, and how far its key frames are apart.

What a header says of the duration is a claim: a file cut in half still makes it, and a recording that never ended makes none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from s3tui.media.binary import Ffmpeg
from s3tui.media.opening import opening
from s3tui.media.process import Ended, run

_LEAST_RATE = 20_000_000
"""Bytes per second at which a file is read at the least; slower than that, reading has failed."""
_START_SECONDS = 60
_MOST_OF_A_FRAME = 1 << 16
"""Bytes of the first frame that are looked at for its parameter set."""
_PARAMETERS = re.compile(rb"\0\0\x01[\x27\x47\x67]..(.)", re.DOTALL)
"""The beginning of an H.264 sequence parameter set: its header, profile, constraints and level."""
_BROKEN_OFF = re.compile(r"File ended prematurely|partial file")
_TIME_BASE = re.compile(rb"#tb (\d+): (\d+)/(\d+)")
_PICTURES, _KEY_FRAMES = 0, 1
"""The streams of ffmpeg's output: all packets of the picture; its key frames alone; then the others, as they were given."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How long a file is, as its packets say."""

    duration_us: int
    """Of the picture, 0 if it has no packets."""
    end_us: int
    """From the first to the last moment of all streams that were read."""
    keyframe_gap_us: int
    """The longest time from one key frame to the next, or to the end; the whole duration if there is none."""
    broken_off: bool
    """Whether the container promises more than the file holds."""


def measure_extent(path: bytes, size: int, picture: int, others: Sequence[int], ffmpeg: Ffmpeg) -> Extent | None:
    """Read a file of `size` bytes; `picture` and `others` are indexes of its streams. None if it cannot be read to its end."""
    tally = _Tally()
    maps = [word for index in (picture, picture, *others) for word in ("-map", f"0:{index}")]
    keys_only = [f"-bsf:v:{_KEY_FRAMES}", "noise=drop=not(key)"]
    command = ["-v", "error", *opening(path), *maps, "-c", "copy", "-copyts", *keys_only, "-f", "framecrc", "pipe:1"]
    ended = _run(ffmpeg, command, size, tally)
    if ended.overdue:
        return None
    return tally.extent(broken_off=_BROKEN_OFF.search(ended.said) is not None)


def read_level(path: bytes, picture: int, ffmpeg: Ffmpeg) -> int:
    """Ten times the level of an H.264 stream (42 is 4.2), 0 if it does not tell."""
    beginning = bytearray()

    def take(piece: bytes) -> None:
        beginning.extend(piece[: _MOST_OF_A_FRAME - len(beginning)])

    one_frame = ["-map", f"0:{picture}", "-c", "copy", "-frames:v", "1", "-bsf:v", "h264_mp4toannexb", "-f", "h264", "pipe:1"]
    _run(ffmpeg, ["-v", "error", *opening(path), *one_frame], 0, take)
    parameters = _PARAMETERS.search(beginning)
    return parameters[1][0] if parameters else 0


class _Tally:
    """Takes the lines of ffmpeg's `framecrc`: `stream, decoding time, presentation time, duration, size, checksum`."""

    def __init__(self) -> None:
        self._rest = b""
        self._time_bases: dict[int, Fraction] = {}
        self._starts: dict[int, int] = {}
        self._ends: dict[int, int] = {}
        self._last_key: int | None = None
        self._gap = 0

    def __call__(self, piece: bytes) -> None:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            if line.startswith(b"#"):
                self._note(line)
            else:
                self._count(line)

    def extent(self, *, broken_off: bool) -> Extent | None:
        """What was counted; None if no packet of the picture came."""
        if _PICTURES not in self._ends:
            return None
        start, end = self._starts[_PICTURES], self._ends[_PICTURES]
        gap = max(self._gap, end - (start if self._last_key is None else self._last_key))
        first = min(self._microseconds(stream, ticks) for stream, ticks in self._starts.items())
        last = max(self._microseconds(stream, ticks) for stream, ticks in self._ends.items())
        return Extent(
            duration_us=self._microseconds(_PICTURES, end - start),
            end_us=last - first,
            keyframe_gap_us=self._microseconds(_PICTURES, gap),
            broken_off=broken_off,
        )

    def _note(self, line: bytes) -> None:
        if (match := _TIME_BASE.match(line)) is not None:
            self._time_bases[int(match[1])] = Fraction(int(match[2]), int(match[3]))

    def _count(self, line: bytes) -> None:
        fields = line.split(b",", 4)
        try:
            stream, decoded, shown, duration = (int(field) for field in fields[:4])
        except ValueError:  # a packet without a time
            return
        start = shown if abs(shown) < 1 << 62 else decoded
        if abs(start) >= 1 << 62:
            return
        if stream == _KEY_FRAMES:
            self._gap = max(self._gap, start - (start if self._last_key is None else self._last_key))
            self._last_key = start
            return
        self._starts[stream] = min(start, self._starts.get(stream, start))
        self._ends[stream] = max(start + duration, self._ends.get(stream, start + duration))

    def _microseconds(self, stream: int, ticks: int) -> int:
        return round(ticks * self._time_bases.get(stream, Fraction(0)) * 1_000_000)


def _run(ffmpeg: Ffmpeg, words: Sequence[str], size: int, take: Callable[[bytes], None]) -> Ended:
    seconds = _START_SECONDS + size // _LEAST_RATE
    return run([ffmpeg.path, "-hide_banner", "-nostdin", *words], seconds=seconds, cpu_seconds=seconds, take=take)

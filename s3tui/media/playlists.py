"""The playlists of single renditions: segments, key frames, subtitles, and pictures for the seek bar.

They are written from what was proven (`media.gate`), never copied from the encoder. One target duration holds for all of a video.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from urllib.parse import quote

from s3tui.errors import TranscodeError
from s3tui.media.formats import ByteRange, Formats
from s3tui.media.rates import MICROSECONDS, Weights
from s3tui.media.served import INIT
from s3tui.media.storyboard import Storyboard

_FMP4_VERSION, _TS_VERSION = 7, 6
_TS_CLOCK = 90_000
_ADDRESS = "!#$%&'()*+,/:;=?@[]"
"""What stays as it is in an address; a quotation mark does not."""
_END = "#EXT-X-ENDLIST"


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment that is on S3."""

    name: str
    """`00001.m4s`: of its object, in the rendition's directory."""
    duration_us: int
    size: int
    """Bytes."""
    key_frame: ByteRange | None
    """Its first picture; None for sound."""


@dataclass(frozen=True, slots=True)
class Rendition:
    """A rung or a sound track as it lies on S3."""

    name: str
    """Also its directory."""
    formats: Formats
    segments: tuple[Segment, ...]
    """Never none."""
    has_init: bool
    """Whether its segments are fMP4."""

    @property
    def weights(self) -> Weights:
        """Of its segments."""
        return [(segment.duration_us, segment.size) for segment in self.segments]

    @property
    def has_key_frames(self) -> bool:
        """Whether every segment begins with a picture that stands for itself."""
        return all(segment.key_frame is not None for segment in self.segments)

    @property
    def key_frame_weights(self) -> Weights:
        """Of its segments' first pictures, which last as long as their segments."""
        return [(segment.duration_us, segment.key_frame.length) for segment in self.segments if segment.key_frame]

    @property
    def duration_us(self) -> int:
        """Of all segments."""
        return sum(segment.duration_us for segment in self.segments)


@dataclass(frozen=True, slots=True)
class Key:
    """What MPEG-TS segments are encrypted with, by AES-128; the key itself is nobody's business here."""

    address: str
    """Where players get the key."""
    vector: bytes
    """16 bytes of initialisation, the same for all segments."""


def target_duration(renditions: Iterable[Rendition]) -> int:
    """The one for all: the longest segment anywhere in rounded seconds, at least 1."""
    longest = max((segment.duration_us for rendition in renditions for segment in rendition.segments), default=0)
    return max(1, (longest + MICROSECONDS // 2) // MICROSECONDS)


def media_playlist(rendition: Rendition, target: int, key: Key | None = None) -> str:
    """All segments; `key` if they are encrypted."""
    lines = _head(target, rendition.has_init)
    if rendition.formats.video is not None:
        lines.append("#EXT-X-INDEPENDENT-SEGMENTS")
    lines += [*_init(rendition), *_key(key)]
    for segment in rendition.segments:
        lines += [f"#EXTINF:{_seconds(segment.duration_us)},", quote(segment.name)]
    return _text([*lines, _END])


def key_frame_playlist(rendition: Rendition, target: int, key: Key | None = None) -> str:
    """The first picture of each segment, for a rendition that `has_key_frames`; `key` if they are encrypted.

    The range of an encrypted one is that of the plain bytes: players widen it to whole blocks (RFC 8216, 6.2.3 and 6.3.6).
    """
    lines = [*_head(target, rendition.has_init), "#EXT-X-I-FRAMES-ONLY", *_init(rendition), *_key(key)]
    for segment in rendition.segments:
        if segment.key_frame is not None:
            lines += [
                f"#EXTINF:{_seconds(segment.duration_us)},",
                f"#EXT-X-BYTERANGE:{segment.key_frame.length}@{segment.key_frame.offset}",
                quote(segment.name),
            ]
    return _text([*lines, _END])


def subtitle_playlist(name: str, duration_us: int) -> str:
    """One WebVTT file, `name`, for the whole of a video of this duration.

    Subtitles alone may have a target duration of their own (RFC 8216, 6.2.4).
    """
    lines = _head(-(-max(1, duration_us) // MICROSECONDS), has_init=False)
    return _text([*lines, f"#EXTINF:{_seconds(duration_us)},", quote(name), _END])


def anchored_subtitles(vtt: str, start: Fraction) -> str:
    """The WebVTT file with its zero put at `start` seconds of the segments' clock; MPEG-TS does not begin at 0."""
    head, _, cues = vtt.partition("\n")
    return f"{head.rstrip()}\nX-TIMESTAMP-MAP=MPEGTS:{round(start * _TS_CLOCK)},LOCAL:00:00:00.000\n{cues}"


def storyboard_cues(board: Storyboard, sheets: Sequence[str]) -> str:
    """A WebVTT file that says which part of which sheet shows each stretch of the video: `sheet.jpg#xywh=160,90,160,90`.

    `sheets` are the addresses of its files. Raises TranscodeError (`incomplete`) if they are more or fewer than it fills.
    """
    if len(sheets) != board.sheets:
        raise TranscodeError(f"The storyboard has {len(sheets)} sheets instead of {board.sheets}.", "incomplete")
    lines = ["WEBVTT"]
    start_us = 0
    for number, duration_us in enumerate(board.durations_us):
        sheet, place = divmod(number, board.columns * board.rows)
        row, column = divmod(place, board.columns)
        lines += [
            "",
            f"{_clock(start_us)} --> {_clock(start_us + duration_us)}",
            f"{quote(sheets[sheet])}#xywh={column * board.width},{row * board.height},{board.width},{board.height}",
        ]
        start_us += duration_us
    return _text(lines)


def _head(target: int, has_init: bool) -> list[str]:
    return [
        "#EXTM3U",
        f"#EXT-X-VERSION:{_FMP4_VERSION if has_init else _TS_VERSION}",
        f"#EXT-X-TARGETDURATION:{target}",
        "#EXT-X-MEDIA-SEQUENCE:1",
        "#EXT-X-PLAYLIST-TYPE:VOD",
    ]


def _init(rendition: Rendition) -> Iterator[str]:
    if rendition.has_init:
        yield f'#EXT-X-MAP:URI="{INIT}"'


def _key(key: Key | None) -> Iterator[str]:
    if key is not None:
        yield f'#EXT-X-KEY:METHOD=AES-128,URI="{quote(key.address, safe=_ADDRESS)}",IV=0x{key.vector.hex()}'


def _seconds(microseconds: int) -> str:
    return f"{microseconds // MICROSECONDS}.{microseconds % MICROSECONDS:06}"


def _clock(microseconds: int) -> str:
    """`00:00:04.000`: WebVTT knows milliseconds."""
    seconds, millis = divmod((microseconds + 500) // 1000, 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}.{millis:03}"


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"

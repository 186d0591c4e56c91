"""What fragmented MP4 says: formats from an init file, and timing and the first picture's place from a segment (ISO 14496-12).

Files are walked box by box. Only descriptions are read, at most `_LARGEST` bytes of each; samples are stepped over. Whatever the
bytes are, the answer is facts or TranscodeError (`incomplete`).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO

from s3tui.errors import TranscodeError
from s3tui.media.aac import read_configuration
from s3tui.media.formats import AudioFormat, ByteRange, Formats, SegmentFacts, VideoFormat
from s3tui.media.h264 import IDR, SLICE, read_parameters, unit_type

_LARGEST = 8 << 20
"""Bytes of one `moov` or `moof`: a fragment of ten minutes has less."""
_MOST_BOXES = 10_000
_VISUAL_ENTRY, _SOUND_ENTRY = 78, 28
"""Bytes of a sample entry before its own boxes."""
_MOST_UNITS = 100
"""Before the first slice of a picture."""
_BASE, _DESCRIPTION, _DURATION, _SIZE = 0x1, 0x2, 0x8, 0x10
"""What a `tfhd` may hold after the track's number, as far as it is read."""
_DATA_OFFSET, _FIRST_FLAGS, _EACH_DURATION, _EACH_SIZE = 0x1, 0x4, 0x100, 0x200
"""What a `trun` may hold, as far as it is read."""

_BROKEN = (struct.error, IndexError, ValueError, OverflowError)


@dataclass(frozen=True, slots=True)
class Track:
    """One track of an init file."""

    number: int
    timescale: int
    """Ticks of its clock in a second; above 0."""
    format: VideoFormat | AudioFormat
    prefix: int
    """Bytes of the length before each unit of a picture."""
    sample_size: int
    """Bytes of every sample, where a fragment does not say otherwise."""


@dataclass(frozen=True, slots=True)
class Init:
    """An init file."""

    tracks: tuple[Track, ...]

    @property
    def formats(self) -> Formats:
        """Of its first picture and its first sound."""
        video = next((track.format for track in self.tracks if isinstance(track.format, VideoFormat)), None)
        audio = next((track.format for track in self.tracks if isinstance(track.format, AudioFormat)), None)
        return Formats(video, audio)

    @property
    def leading(self) -> Track:
        """The track that tells the time: the picture, or else the sound."""
        return next((track for track in self.tracks if isinstance(track.format, VideoFormat)), self.tracks[0])


def read_init(file: BinaryIO) -> Init:
    """What an init file describes."""
    try:
        for kind, at, size in _top_boxes(file):
            if kind == b"moov":
                return _read_movie(_body(file, at, size))
    except _BROKEN as error:
        raise _unreadable("init file", error) from error
    raise TranscodeError("The encoder's init file describes no tracks, so no segment could be decoded.", "incomplete")


def read_segment(file: BinaryIO, init: Init) -> SegmentFacts:
    """What the first fragment of a segment says."""
    try:
        size = file.seek(0, os.SEEK_END)
        for kind, at, length in _top_boxes(file):
            if kind == b"moof":
                start, first = _read_fragment(_body(file, at, length), at, init.leading)
                return SegmentFacts(size, start, first and _key_frame(file, ByteRange(at, size - at), first, init.leading.prefix))
    except _BROKEN as error:
        raise _unreadable("segment", error) from error
    raise TranscodeError("A segment of the encoder holds no samples.", "incomplete")


def _unreadable(what: str, error: Exception) -> TranscodeError:
    return TranscodeError(f"The encoder wrote an MP4 {what} that cannot be read ({error}).", "incomplete")


def _top_boxes(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Kind, offset and size of each box of the file."""
    end, at = file.seek(0, os.SEEK_END), 0
    for _ in range(_MOST_BOXES):
        if at >= end:
            return
        file.seek(at)
        size, kind, header = _box_header(file.read(16), 0, end - at)
        if size < header or size > end - at:
            raise ValueError(f"a box at {at} claims {size} of {end - at} bytes")
        yield kind, at, size
        at += size
    raise ValueError("too many boxes")


def _box_header(data: bytes, at: int, rest: int) -> tuple[int, bytes, int]:
    """Size, kind and length of the header of a box; `rest` is what there is from `at`."""
    size, kind = struct.unpack_from(">I4s", data, at)
    if size == 1:
        return struct.unpack_from(">Q", data, at + 8)[0], kind, 16
    return size or rest, kind, 8


def _body(file: BinaryIO, at: int, size: int) -> bytes:
    if size > _LARGEST:
        raise ValueError(f"a description of {size} bytes")
    file.seek(at)
    data = file.read(size)
    return data[_box_header(data, 0, size)[2] :]


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and body of each box in a body."""
    at = 0
    while at < len(data):
        size, kind, header = _box_header(data, at, len(data) - at)
        if size < header or at + size > len(data):
            raise ValueError(f"a box claims {size} of {len(data) - at} bytes")
        yield kind, data[at + header : at + size]
        at += size


def _inner(data: bytes, *path: bytes) -> bytes:
    """The body of the first box that the path leads to. Raises ValueError."""
    for step in path:
        data = next((body for kind, body in _boxes(data) if kind == step), b"")
        if not data:
            raise ValueError(f"no {step.decode('ascii')} box")
    return data


def _read_movie(movie: bytes) -> Init:
    defaults = {}
    for kind, body in _boxes(_inner(movie, b"mvex")):
        if kind == b"trex":
            number, _, _, size = struct.unpack_from(">4I", body, 4)
            defaults[number] = size
    tracks = tuple(_read_track(body, defaults) for kind, body in _boxes(movie) if kind == b"trak")
    if not tracks:
        raise ValueError("no trak box")
    return Init(tracks)


def _read_track(track: bytes, defaults: dict[int, int]) -> Track:
    header = _inner(track, b"tkhd")
    (number,) = struct.unpack_from(">I", header, 20 if header[0] == 1 else 12)
    clock = _inner(track, b"mdia", b"mdhd")
    (timescale,) = struct.unpack_from(">I", clock, 20 if clock[0] == 1 else 12)
    if not timescale:
        raise ValueError("a clock without ticks")
    kind, entry = next(_boxes(_inner(track, b"mdia", b"minf", b"stbl", b"stsd")[8:]), (b"", b""))
    return Track(number, timescale, *_read_entry(kind, entry), defaults.get(number, 0))


def _read_entry(kind: bytes, entry: bytes) -> tuple[VideoFormat | AudioFormat, int]:
    """Format, and bytes of the length before each unit."""
    if kind in (b"avc1", b"avc3"):
        configuration = _inner(entry[_VISUAL_ENTRY:], b"avcC")
        (length,) = struct.unpack_from(">H", configuration, 6)
        return read_parameters(configuration[8 : 8 + length]), (configuration[4] & 3) + 1
    if kind == b"mp4a":
        return read_configuration(_configuration(_inner(entry[_SOUND_ENTRY:], b"esds")[4:])), 0
    raise ValueError(f"a track of kind {kind!r}")


def _configuration(descriptors: bytes) -> bytes:
    """The last of three nested descriptors: stream (3) > decoder (4) > configuration (5) (ISO 14496-1, 7.2.6)."""
    at = 0
    for tag, fields in ((3, 3), (4, 13), (5, 0)):
        if descriptors[at] != tag:
            raise ValueError(f"descriptor {descriptors[at]} instead of {tag}")
        at += 1
        while descriptors[at] & 0x80:
            at += 1
        at += 1 + fields
    return descriptors[at:]


def _read_fragment(fragment: bytes, at: int, track: Track) -> tuple[Fraction, ByteRange | None]:
    """Start in seconds and the place of the first picture; the fragment lies at `at` in its file."""
    for kind, body in _boxes(fragment):
        if kind == b"traf" and struct.unpack_from(">I", _inner(body, b"tfhd"), 4)[0] == track.number:
            time = _inner(body, b"tfdt")
            (ticks,) = struct.unpack_from(">Q" if time[0] == 1 else ">I", time, 4)
            return Fraction(ticks, track.timescale), _first_picture(body, at, track)
    raise ValueError(f"nothing of track {track.number}")


def _first_picture(fragment: bytes, at: int, track: Track) -> ByteRange | None:
    """The first sample of the track's run, if it is a picture."""
    if isinstance(track.format, AudioFormat):
        return None
    base, size = _fragment_defaults(_inner(fragment, b"tfhd"), at, track)
    run = _inner(fragment, b"trun")
    holds, count = struct.unpack_from(">2I", run, 0)
    if not count or not holds & _DATA_OFFSET:
        raise ValueError("a run without samples")
    (offset,) = struct.unpack_from(">i", run, 8)
    if holds & _EACH_SIZE:
        (size,) = struct.unpack_from(">I", run, 12 + 4 * (bool(holds & _FIRST_FLAGS) + bool(holds & _EACH_DURATION)))
    if size == 0 or base + offset <= at:
        raise ValueError("a first sample of no bytes")
    return ByteRange(base + offset, size)


def _fragment_defaults(header: bytes, at: int, track: Track) -> tuple[int, int]:
    """Where offsets count from, and the size of a sample of which the run says nothing."""
    (holds,) = struct.unpack_from(">I", header, 0)
    base, size, place = at, track.sample_size, 8
    if holds & _BASE:
        (base,) = struct.unpack_from(">Q", header, place)
        place += 8
    place += 4 * (bool(holds & _DESCRIPTION) + bool(holds & _DURATION))
    if holds & _SIZE:
        (size,) = struct.unpack_from(">I", header, place)
    return base, size


def _key_frame(file: BinaryIO, fragment: ByteRange, picture: ByteRange, prefix: int) -> ByteRange | None:
    """From the start of the fragment to the end of its first picture, if that is an IDR picture.

    The flags of samples are no witness: they call key frames what needs pictures before it, too.
    """
    end = picture.offset + picture.length
    if end > fragment.offset + fragment.length:
        raise TranscodeError("A segment of the encoder ends within its first picture.", "incomplete")
    at = picture.offset
    for _ in range(_MOST_UNITS):
        if at >= end:
            break
        file.seek(at)
        head = file.read(prefix + 1)
        kind = unit_type(head[prefix])
        if SLICE <= kind <= IDR:
            return ByteRange(fragment.offset, end - fragment.offset) if kind == IDR else None
        at += prefix + int.from_bytes(head[:prefix], "big")
    raise ValueError("a first picture without a slice")

"""What was found in a video file. Made by `media.probe`."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class VideoStream:
    """The picture, as it is coded."""

    index: int
    """Of the stream in its file: `0:INDEX`."""
    codec: str
    """`h264`, as ffmpeg names it."""
    profile: str
    """`High`; empty if it is not known."""
    pixel_format: str
    """`yuv420p`."""
    transfer: str
    """`bt709`, `smpte2084` (PQ), `arib-std-b67` (HLG); empty if it is not known."""
    width: int
    height: int
    """Coded size in pixels, before rotation."""
    sar: Fraction
    """Width of a pixel by its height; never 0."""
    rotation: int
    """Degrees clockwise by which a player turns it: 0, 90, 180 or 270."""
    fps: Fraction
    """Frames per second, snapped to the usual rates; 0 if it is not known."""
    interlaced: bool
    level: int = 0
    """Ten times the level of H.264 (42 is 4.2); 0 if it is not known or does not apply."""


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """One audio stream."""

    index: int
    codec: str
    profile: str
    """`LC`."""
    channels: int
    language: str
    """ISO 639-2 or -1 in lower case, `und` if the file's tag is none."""


@dataclass(frozen=True, slots=True)
class SubtitleTrack:
    """One subtitle stream."""

    index: int
    codec: str
    language: str


@dataclass(frozen=True, slots=True)
class Source:
    """A file that can be made into a video."""

    path: bytes
    """Absolute."""
    container: str
    """`mov,mp4,m4a,3gp,3g2,mj2`, as ffmpeg names it."""
    size: int
    """Bytes."""
    duration_us: int
    """Of the video stream, found by reading all packets where the header does not tell; above 0."""
    video: VideoStream
    audio: tuple[AudioTrack, ...] = ()
    subtitles: tuple[SubtitleTrack, ...] = ()
    keyframe_gap_us: int = 0
    """The longest time from one key frame to the next; 0 if it is not known."""

"""What the bytes of a rendition say about themselves: formats, and where a segment's first picture lies."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

_EIGHT_BIT_PROFILES = frozenset({66, 77, 88, 100})
"""Baseline, Main, Extended and High: by their definition 8 bits of 4:2:0."""


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """What an H.264 sequence parameter set says."""

    profile: int
    """`profile_idc`: 66 Baseline, 77 Main, 100 High."""
    constraints: int
    """The byte of constraint flags."""
    level: int
    """Ten times the level: 42 is 4.2."""
    width: int
    height: int
    """Coded size in pixels, cropped."""

    @property
    def codec(self) -> str:
        """`avc1.640028`, as RFC 6381 spells it."""
        return f"avc1.{self.profile:02x}{self.constraints:02x}{self.level:02x}"

    @property
    def is_eight_bit(self) -> bool:
        """Whether every player can show its samples: 8 bits, 4:2:0."""
        return self.profile in _EIGHT_BIT_PROFILES


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """What an AAC stream says."""

    object_type: int
    """Of MPEG-4 audio: 2 is AAC-LC."""
    channels: int
    """0 if only the samples tell."""
    sample_rate: int
    """Hz."""

    @property
    def codec(self) -> str:
        """`mp4a.40.2`, as RFC 6381 spells it."""
        return f"mp4a.40.{self.object_type}"


@dataclass(frozen=True, slots=True)
class Formats:
    """What a rendition is made of; one of the two at least is there."""

    video: VideoFormat | None = None
    audio: AudioFormat | None = None


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A part of a file, in bytes."""

    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class SegmentFacts:
    """What is known of one segment before it leaves the disk."""

    size: int
    """Bytes, as they are carried."""
    start: Fraction
    """Decoding time of its first sample in seconds: of the picture if there is one, else of the sound."""
    key_frame: ByteRange | None
    """All that a decoder needs to show its first picture, or None if others must come before that, or if there is no picture."""

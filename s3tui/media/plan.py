"""What a video shall become. Made by `media.ladder` from a source and options; everything that follows obeys it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Rung:
    """One rendition of the picture."""

    name: str
    """`720p`: the short side. Also the directory of its files."""
    width: int
    height: int
    """As displayed: rotation and pixel aspect applied; even."""
    max_rate: int
    """Bits per second that its encoder may use at most."""


@dataclass(frozen=True, slots=True)
class AudioRendition:
    """One rendition of a sound track."""

    name: str
    """`a0_eng`. Also the directory of its files, where it has its own."""
    index: int
    """Of the stream in the source."""
    language: str
    """BCP 47, `und` if it is not known."""
    copies: bool
    """Whether the packets are taken over as they are."""
    channels: int
    default: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """All decisions."""

    segment_type: str
    """`fmp4` or `ts`."""
    remuxes: bool
    """Whether the source is cut into segments as it is, without encoding; then there is one rung, and its audio is muxed in."""
    fps: Fraction
    gop: int
    """Frames from one key frame to the next."""
    deinterlaces: bool
    tone_maps: bool
    preset: str
    """x264's."""
    rungs: tuple[Rung, ...]
    """The best first."""
    audio: tuple[AudioRendition, ...]
    """The default first; empty if there is no sound."""
    subtitles: tuple[int, ...]
    """Indexes of the text subtitle streams that become WebVTT."""

    @property
    def segment_seconds(self) -> Fraction:
        """How long a segment is."""
        return self.gop / self.fps

    @property
    def muxes_audio(self) -> bool:
        """Whether the sound is inside the video segments, and no rendition of its own.

        Beside copied pictures it would be cut elsewhere than they are; and who asks for MPEG-TS may have players that know no
        sound apart.
        """
        return self.remuxes or (self.segment_type == "ts" and len(self.audio) == 1)

    @property
    def renditions(self) -> tuple[str, ...]:
        """The names of all that has segments and a directory of its own: the rungs, then the sound tracks."""
        audio = () if self.muxes_audio else self.audio
        return (*(rung.name for rung in self.rungs), *(track.name for track in audio))

    @property
    def suffix(self) -> str:
        """Of the segments' names."""
        return ".ts" if self.segment_type == "ts" else ".m4s"

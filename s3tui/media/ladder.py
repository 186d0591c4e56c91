"""Decides what a video becomes: a pure function of what was found in it and of what people chose."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from s3tui.media.languages import bcp47
from s3tui.media.plan import AudioRendition, Plan, Rung
from s3tui.media.source import AudioTrack, Source, VideoStream

_RATES: dict[int, int] = {2160: 14_000, 1440: 8_500, 1080: 5_000, 720: 2_800, 480: 1_400, 360: 800, 240: 400}
"""Short side of a rung to kbit/s that it may use at most, up to 30 pictures a second."""
_DEFAULT_MAXIMUM = 1080
"""Larger rungs pass what Apple's players must take: they are made only when they are asked for."""
_NEARLY = Fraction(9, 10)
"""A best rung smaller than this part of the source gets one of the source's own size above it."""
_LEAST_RATE = 150_000
_MANY_FPS, _MANY_FPS_FACTOR = 35, Fraction(3, 2)
_MOST_FPS, _FALLBACK_FPS = 60, 30
_SOURCE_FACTOR, _SOURCE_EXTRA = Fraction(13, 10), 64_000
"""How far the source's own rate is passed at most: more would pay for noise."""
_THRIFTY = frozenset({"hevc", "vp9", "av1"})
_THRIFTY_FACTOR = 2
"""What H.264 needs of the rate of a codec that is better than it."""
_HDR = frozenset({"smpte2084", "arib-std-b67"})
_TEXT_SUBTITLES = frozenset({"subrip", "srt", "ass", "ssa", "mov_text", "webvtt", "text"})
_STEREO = 2

_PLAYABLE_PROFILES = frozenset({"Constrained Baseline", "Baseline", "Main", "High"})
_PLAYABLE_LEVEL = 42
_CUTTABLE = frozenset({"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "mpegts", "flv"})
"""Containers whose packets have the times that segments need."""
_LONGEST_SEGMENT_US = 10_000_000


@dataclass(frozen=True, slots=True)
class Choices:
    """What people chose, in the words of the plan."""

    segment_type: str = "fmp4"
    """`fmp4` or `ts`."""
    segment_seconds: float = 4
    heights: tuple[int, ...] = ()
    """Short sides of the rungs that are wanted; empty: those that suit the source, up to 1080."""
    preset: str = "veryfast"


def plan_for(source: Source, choices: Choices) -> Plan:
    """What the source becomes."""
    fps = _output_fps(source.video.fps)
    rungs = _rungs(source, choices.heights, fps)
    audio = tuple(_rendition(number, track) for number, track in enumerate(source.audio))
    return Plan(
        segment_type=choices.segment_type,
        remuxes=_fits_already(source, rungs, audio),
        fps=fps,
        gop=max(1, round(fps * Fraction(str(choices.segment_seconds)))),
        deinterlaces=source.video.interlaced,
        tone_maps=source.video.transfer in _HDR,
        preset=choices.preset,
        rungs=rungs,
        audio=audio,
        subtitles=tuple(track.index for track in source.subtitles if track.codec in _TEXT_SUBTITLES),
    )


def _output_fps(fps: Fraction) -> Fraction:
    """Halved until players take it; at least 1, so that a segment is not endless."""
    if not fps:
        return Fraction(_FALLBACK_FPS)
    while fps > _MOST_FPS:
        fps /= 2
    return max(fps, Fraction(1))


def _displayed_size(video: VideoStream) -> tuple[Fraction, Fraction]:
    """Width and height as a player shows them, with square pixels."""
    width, height = video.width * video.sar, Fraction(video.height)
    return (height, width) if video.rotation % 180 else (width, height)


def _rungs(source: Source, heights: tuple[int, ...], fps: Fraction) -> tuple[Rung, ...]:
    width, height = _displayed_size(source.video)
    short = min(width, height)
    ceiling = min(max(2, int(short) // 2 * 2), max(heights, default=_DEFAULT_MAXIMUM))
    sides = [side for side in heights or _RATES if side <= ceiling]
    if not sides or sides[0] < _NEARLY * ceiling:
        sides.insert(0, ceiling)
    most = _worthwhile_rate(source)
    rungs = []
    for side in sides:
        scaled = _even(max(width, height) * side / short)
        across, down = (scaled, side) if width >= height else (side, scaled)
        rungs.append(Rung(f"{side}p", across, down, max(_LEAST_RATE, min(_ladder_rate(side, fps), most))))
    return tuple(rungs)


def _even(length: Fraction) -> int:
    return max(2, round(length / 2) * 2)


def _ladder_rate(side: int, fps: Fraction) -> int:
    """Bits per second; of a side between two rungs by its area, but not less than the rung below it."""
    above = min((rung for rung in _RATES if rung >= side), default=max(_RATES))
    below = max((rate for rung, rate in _RATES.items() if rung <= side), default=0)
    rate = max(_RATES[above] * Fraction(side, above) ** 2, Fraction(below)) * 1000
    return int(rate * _MANY_FPS_FACTOR if fps > _MANY_FPS else rate)


def _worthwhile_rate(source: Source) -> int:
    factor = _SOURCE_FACTOR * (_THRIFTY_FACTOR if source.video.codec in _THRIFTY else 1)
    return int(Fraction(source.size * 8 * 1_000_000, source.duration_us) * factor) + _SOURCE_EXTRA


def _rendition(number: int, track: AudioTrack) -> AudioRendition:
    copies = track.codec == "aac" and track.profile == "LC" and 1 <= track.channels <= _STEREO
    return AudioRendition(
        name=f"a{number}_{track.language}",
        index=track.index,
        language=bcp47(track.language),
        copies=copies,
        channels=track.channels if copies else _STEREO,
        default=number == 0,
    )


def _fits_already(source: Source, rungs: tuple[Rung, ...], audio: tuple[AudioRendition, ...]) -> bool:
    """Whether the source can be cut into segments as it is: one rendition is wanted, and every player takes the source's own."""
    video = source.video
    one_of_its_size = len(rungs) == 1 and (rungs[0].width, rungs[0].height) == (video.width, video.height)
    plays = (
        video.codec == "h264"
        and video.profile in _PLAYABLE_PROFILES
        and 0 < video.level <= _PLAYABLE_LEVEL
        and video.pixel_format == "yuv420p"
        and video.transfer not in _HDR
        and not video.interlaced
        and 0 < video.fps <= _MOST_FPS
    )
    stands_upright = video.sar == 1 and video.rotation == 0
    sounds = len(audio) <= 1 and all(rendition.copies for rendition in audio)
    cuts = source.container in _CUTTABLE and 0 < source.keyframe_gap_us <= _LONGEST_SEGMENT_US
    return one_of_its_size and plays and stands_upright and sounds and cuts

"""Reads what ffmpeg prints about a file that it has opened.

Its print mixes facts with texts of the file (titles, names and values of tags, languages), and a text may contain line breaks. So a
stream is what stands in a line of exactly the right form, its kind is the last word there that may be one, and whatever is taken
from it is checked against what it can be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from operator import itemgetter

from s3tui.media.languages import language_code
from s3tui.media.source import AudioTrack, SubtitleTrack, VideoStream

_INPUT = re.compile(r"^Input #0, ([\w,]+), from ", re.MULTILINE)
_DURATION = re.compile(r"^  Duration: (?:N/A|(\d+):(\d\d):(\d\d(?:\.\d+)?))", re.MULTILINE)
_STREAM = re.compile(r"  Stream #0:(\d+)(?:\[0x[0-9a-f]+\])?(?:\((.*)\))?: (Video|Audio|Subtitle|Data|Attachment): (.*)")
_ROTATION = re.compile(r"\s+display ?matrix: rotation of (-?\d+(?:\.\d+)?) degrees", re.IGNORECASE)
_COVER = re.compile(r"\((?:attached pic|timed thumbnails)\)")
_CODEC = re.compile(r"(\w+)(?: \(([^()/]*)\))?")
_NO_CODEC = "none"
"""What ffmpeg calls a codec that it does not know."""
_SIZE = re.compile(r"(\d+)x(\d+)(?: \[SAR (\d+):(\d+) DAR .*)?")
_RATE = re.compile(r"(\d+(?:\.\d+)?)(k?) (fps|tbr)")
_CHANNELS = re.compile(r"(\d+) channels")
_LAYOUT = re.compile(r"(\d)\.(\d)(?:\.(\d))?(?:\(.*\))?")
_NAMED_LAYOUTS = {"mono": 1, "stereo": 2, "downmix": 2, "quad": 4, "hexagonal": 6, "octagonal": 8}
_USUAL_RATES = tuple(
    Fraction(*rate) for rate in ((24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (50, 1), (60000, 1001), (60, 1))
)
_MOST_SKEWED = 10
"""Pixels that claim to be wider or taller than this many times are taken for square."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What ffmpeg says of a file, before any of its packets is counted."""

    container: str
    duration_us: int
    """As the header claims, 0 if it does not; of the longest stream."""
    videos: tuple[VideoStream, ...]
    """Moving pictures: no covers."""
    covers: int
    """Attached pictures."""
    audio: tuple[AudioTrack, ...]
    subtitles: tuple[SubtitleTrack, ...]


def read_listing(said: str) -> Listing | None:
    """What ffmpeg printed to standard error, read; None if it did not open the file."""
    opened = _INPUT.search(said)
    if opened is None:
        return None
    said = said[opened.start() :]
    videos: list[VideoStream] = []
    audio: list[AudioTrack] = []
    subtitles: list[SubtitleTrack] = []
    covers = 0
    for index, kind, language, facts, rotation in sorted(_streams(said), key=itemgetter(0)):
        if _codec(facts)[0] == _NO_CODEC:
            continue
        if kind == "Audio":
            audio.append(_audio_track(index, language, facts))
        elif kind == "Subtitle":
            subtitles.append(SubtitleTrack(index, _codec(facts)[0], language))
        elif kind == "Video" and _COVER.search(facts[-1]):
            covers += 1
        elif kind == "Video":
            videos.append(replace(_video_stream(index, facts), rotation=rotation))
    return Listing(opened[1], _duration(said), tuple(videos), covers, tuple(audio), tuple(subtitles))


def _duration(said: str) -> int:
    match = _DURATION.search(said)
    if match is None or match[1] is None:
        return 0
    return int((int(match[1]) * 3600 + int(match[2]) * 60 + Fraction(match[3])) * 1_000_000)


def _streams(said: str) -> Iterator[tuple[int, str, str, list[str], int]]:
    """(index, kind, language, facts, rotation) of every stream; a stream of two programs is listed twice, and given once."""
    seen: set[int] = set()
    stream: tuple[int, str, str, list[str]] | None = None
    rotation = 0
    for line in said.split("\n"):
        if (match := _STREAM.fullmatch(line)) is not None:
            if stream is not None:
                yield *stream, rotation
            stream, rotation = None, 0
            if int(match[1]) not in seen:
                seen.add(int(match[1]))
                stream = int(match[1]), match[3], language_code(match[2]), list(_facts(match[4]))
        elif (turned := _ROTATION.fullmatch(line)) is not None:
            rotation = round(float(turned[1]) / 90) * -90 % 360
    if stream is not None:
        yield *stream, rotation


def _facts(text: str) -> Iterator[str]:
    """What stands between commas, those within brackets aside."""
    depth = start = 0
    for at, character in enumerate(text):
        depth += (character in "([") - (character in ")]")
        if depth == 0 and text.startswith(", ", at):
            yield text[start:at]
            start = at + 2
    yield text[start:]


def _codec(facts: list[str]) -> tuple[str, str]:
    """Codec and profile, which may be empty. `(avc1 / 0x31637661)` is no profile but how the container calls the codec."""
    match = _CODEC.match(facts[0])
    return (match[1], (match[2] or "").strip()) if match else ("", "")


def _audio_track(index: int, language: str, facts: list[str]) -> AudioTrack:
    codec, profile = _codec(facts)
    return AudioTrack(index, codec, profile, next(filter(None, map(_channels, facts[1:])), 0), language)


def _channels(fact: str) -> int:
    layout = fact.partition(" (")[0]
    if (match := _CHANNELS.fullmatch(layout)) is not None:
        return int(match[1])
    if (match := _LAYOUT.fullmatch(layout)) is not None:
        return sum(int(part or 0) for part in match.groups())
    return _NAMED_LAYOUTS.get(layout, 0)


def _video_stream(index: int, facts: list[str]) -> VideoStream:
    codec, profile = _codec(facts)
    pixel_format, _, colours = (facts[1] if len(facts) > 1 else "").removesuffix(")").partition("(")
    details = list(_facts(colours))
    size = next(filter(None, map(_SIZE.fullmatch, facts[2:])), None)
    return VideoStream(
        index=index,
        codec=codec,
        profile=profile,
        pixel_format=pixel_format,
        transfer=_transfer(details),
        width=int(size[1]) if size else 0,
        height=int(size[2]) if size else 0,
        sar=_pixel_aspect(size[3], size[4]) if size and size[3] else Fraction(1),
        rotation=0,
        fps=_frame_rate(facts),
        interlaced=any(detail.partition(" ")[0] in {"top", "bottom"} for detail in details),
    )


def _transfer(details: list[str]) -> str:
    """Of `bt2020nc/bt2020/smpte2084`, matrix, primaries and transfer, or of the one word that stands for all three."""
    for detail in details:
        words = detail.split("/")
        if len(words) == 3:
            return "" if words[2] == "unknown" else words[2]
        if detail.startswith(("bt", "smpte")):
            return detail
    return ""


def _pixel_aspect(width: str, height: str) -> Fraction:
    if not int(width) or not int(height):
        return Fraction(1)
    sar = Fraction(int(width), int(height))
    return sar if Fraction(1, _MOST_SKEWED) <= sar <= _MOST_SKEWED else Fraction(1)


def _frame_rate(facts: list[str]) -> Fraction:
    """The average, or what ffmpeg guesses the rate to be where the two nearly agree; snapped to a usual rate that is as near."""
    rates = {match[3]: Fraction(match[1]) * (1000 if match[2] else 1) for match in map(_RATE.fullmatch, facts) if match}
    average = rates.get("fps", Fraction(0))
    if not average:
        return average
    guess = rates.get("tbr", average)
    rate = guess if abs(guess - average) < average / 100 else average
    usual = min(_USUAL_RATES, key=lambda usual: abs(usual - rate))
    return usual if abs(usual - rate) <= rate / 200 else rate

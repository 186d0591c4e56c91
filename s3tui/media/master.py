"""The master playlist: what a player chooses from. Rates are measured and codecs read from the bytes; nothing is nominal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from s3tui.media.plan import Plan, Rung
from s3tui.media.playlists import Rendition, target_duration
from s3tui.media.rates import Weights, average_rate, peak_rate
from s3tui.media.served import KEY_FRAMES, PLAYLIST

_FMP4_VERSION, _TS_VERSION = 7, 6
_SOUND, _SUBTITLES = "audio", "subtitles"
"""The groups."""


@dataclass(frozen=True, slots=True)
class SubtitleRendition:
    """One track of subtitles."""

    name: str
    """Also its directory."""
    language: str
    """BCP 47, `und` if it is not known."""


@dataclass(frozen=True, slots=True)
class _Companions:
    """What plays beside each picture."""

    peak: int
    average: int
    """Bits per second of the largest sound track."""
    codecs: tuple[str, ...]
    groups: tuple[str, ...]
    """Attributes that name the groups."""


def master_playlist(plan: Plan, renditions: Mapping[str, Rendition], subtitles: Sequence[SubtitleRendition] = ()) -> str:
    """All variants, the best first. `renditions` has those of the plan by name.

    Sound is a group of its own, unless the plan muxes it into the variants. A rung that `has_key_frames` has the
    playlist of them named too.
    """
    target = target_duration(renditions.values())
    sound = () if plan.muxes_audio else plan.audio
    beside = _companions([renditions[audio.name] for audio in sound], bool(subtitles), target)
    version = _FMP4_VERSION if plan.segment_type == "fmp4" else _TS_VERSION
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{version}", "#EXT-X-INDEPENDENT-SEGMENTS"]
    names = _names(audio.language for audio in sound)
    lines += [_media("AUDIO", _SOUND, a.name, next(names), a.language, default=a.default, channels=a.channels) for a in sound]
    names = _names(subtitle.language for subtitle in subtitles)
    lines += [_media("SUBTITLES", _SUBTITLES, subtitle.name, next(names), subtitle.language) for subtitle in subtitles]
    for rung in plan.rungs:
        lines += _variant(rung, renditions[rung.name], plan, beside, target)
    for rung in plan.rungs:
        lines += _key_frame_variant(rung, renditions[rung.name], target)
    return "\n".join(lines) + "\n"


def _companions(sound: Sequence[Rendition], subtitled: bool, target: int) -> _Companions:
    return _Companions(
        peak=max((peak_rate(rendition.weights, target) for rendition in sound), default=0),
        average=max((average_rate(rendition.weights) for rendition in sound), default=0),
        codecs=tuple(sorted({rendition.formats.audio.codec for rendition in sound if rendition.formats.audio})),
        groups=(f"AUDIO={_quoted(_SOUND)}",) * bool(sound) + (f"SUBTITLES={_quoted(_SUBTITLES)}",) * subtitled,
    )


def _names(languages: Iterable[str]) -> Iterator[str]:
    """One for each track, all different: `en`, `en 2`."""
    seen: Counter[str] = Counter()
    for language in languages:
        seen[language] += 1
        yield language if seen[language] == 1 else f"{language} {seen[language]}"


def _media(kind: str, group: str, directory: str, name: str, language: str, *, default: bool = False, channels: int = 0) -> str:
    attributes = [
        f"TYPE={kind}",
        f"GROUP-ID={_quoted(group)}",
        f"NAME={_quoted(name)}",
        f"LANGUAGE={_quoted(language)}",
        f"DEFAULT={'YES' if default else 'NO'}",
        "AUTOSELECT=YES",
    ]
    if channels:
        attributes.append(f"CHANNELS={_quoted(str(channels))}")
    return f"#EXT-X-MEDIA:{','.join([*attributes, f'URI={_address(directory, PLAYLIST)}'])}"


def _variant(rung: Rung, rendition: Rendition, plan: Plan, beside: _Companions, target: int) -> tuple[str, str]:
    formats = rendition.formats
    own = [part.codec for part in (formats.video, formats.audio) if part is not None]
    attributes = [
        *_rates(rendition.weights, target, beside.peak, beside.average),
        f"CODECS={_quoted(','.join([*own, *beside.codecs]))}",
        f"RESOLUTION={rung.width}x{rung.height}",
        f"FRAME-RATE={float(plan.fps):.3f}",
        *beside.groups,
    ]
    return f"#EXT-X-STREAM-INF:{','.join(attributes)}", quote(f"{rung.name}/{PLAYLIST}")


def _key_frame_variant(rung: Rung, rendition: Rendition, target: int) -> Iterator[str]:
    if not rendition.has_key_frames or rendition.formats.video is None:
        return
    attributes = [
        *_rates(rendition.key_frame_weights, target),
        f"CODECS={_quoted(rendition.formats.video.codec)}",
        f"RESOLUTION={rung.width}x{rung.height}",
        f"URI={_address(rung.name, KEY_FRAMES)}",
    ]
    yield f"#EXT-X-I-FRAME-STREAM-INF:{','.join(attributes)}"


def _rates(weights: Weights, target: int, peak: int = 0, average: int = 0) -> tuple[str, str]:
    """Those of the segments, and of what plays beside them."""
    return f"BANDWIDTH={peak + peak_rate(weights, target)}", f"AVERAGE-BANDWIDTH={average + average_rate(weights)}"


def _address(directory: str, name: str) -> str:
    return _quoted(quote(f"{directory}/{name}"))


def _quoted(value: str) -> str:
    """A quoted string that ends where it should: the format has no escapes, so what would end it early is replaced."""
    return '"' + "".join(letter if letter.isprintable() else " " for letter in value.replace('"', "'")) + '"'

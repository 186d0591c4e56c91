"""The gate before publishing: an encode counts only when every fact agrees with the plan. ffmpeg's word alone is not believed.

ffmpeg ends with exit code 0 on a full disk and on an input that breaks off, and it ends its playlists when it is asked to stop. So
each claim is held against another witness: playlists against the plan, segments against the playlists, S3 against the segments,
durations against the source, and formats against the plan.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction

from s3tui.errors import TranscodeError
from s3tui.media.ffmpeg_playlist import Listed, Listing
from s3tui.media.formats import Formats, SegmentFacts
from s3tui.media.plan import Plan
from s3tui.media.playlists import Rendition, Segment
from s3tui.media.rates import MICROSECONDS
from s3tui.media.served import INIT
from s3tui.media.source import Source
from s3tui.text import display_text

_FRAMES, _LEAST_US = 4, 100_000
"""How far times may lie apart: this many frames, or this long if that is more."""
_CLOCK_TURN_US = 2**33 * MICROSECONDS // 90_000
"""When the clock of MPEG-TS begins anew."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """All that was found when the encoder had ended. Paths are relative to its directory: `720p/00001.m4s`, and `720p/init.mp4`."""

    exit_code: int
    ended: bool
    """Whether the last that it said was `progress=end`."""
    listings: Mapping[str, Listing]
    """By rendition."""
    formats: Mapping[str, Formats]
    """By rendition."""
    segments: Mapping[str, SegmentFacts]
    """By path: what each segment said before it left the disk."""
    stored: Mapping[str, int]
    """By path: how many bytes S3 confirmed."""
    leftovers: Collection[str] = ()
    """Paths of what lies on the disk still, without playlists and init files."""

    def begins(self, plan: Plan) -> Fraction:
        """Where the picture begins on the clock of the segments, in seconds."""
        name = plan.rungs[0].name
        return self.segments[f"{name}/{self.listings[name].segments[0].name}"].start


class CannotBeCut(TranscodeError):
    """A source that was taken over as it is cannot be cut so: it has to be encoded."""


def prove(plan: Plan, source: Source, encoded: Encoded) -> dict[str, Rendition]:
    """The renditions of the plan by name, each with all its segments on S3.

    Raises TranscodeError: `encoder_failed` if ffmpeg says so itself, `truncated` if the video is shorter than its source,
    `unsupported` if a remux should have been an encode, and `incomplete` for everything else that is not as planned.
    """
    _check_end(encoded)
    renditions = {name: _rendition(name, plan, encoded) for name in plan.renditions}
    _check_nothing_unlisted(renditions, encoded)
    _check_durations(plan, source, renditions)
    _check_key_frames(plan, source, renditions)
    _check_boundaries(plan, renditions)
    _check_formats(plan, renditions)
    return renditions


def _check_end(encoded: Encoded) -> None:
    if encoded.exit_code:
        raise TranscodeError(
            f"The encoder failed with exit code {encoded.exit_code}; the log has its last words.", "encoder_failed"
        )
    if not encoded.ended:
        raise _incomplete("the encoder stopped before it said that it was done")


def _rendition(name: str, plan: Plan, encoded: Encoded) -> Rendition:
    listing, formats = encoded.listings.get(name), encoded.formats.get(name)
    if listing is None or formats is None:
        raise _incomplete(f"{name} has no {'playlist' if listing is None else 'readable format'}")
    if not listing.ended or not listing.segments:
        raise _incomplete(f"the playlist of {name} {'lists nothing' if listing.ended else 'does not end'}")
    has_init = plan.segment_type == "fmp4"
    if has_init != (listing.init is not None):
        raise _incomplete(f"the playlist of {name} {'lacks its' if has_init else 'has an'} init file")
    if has_init and not encoded.stored.get(f"{name}/{INIT}"):
        raise _incomplete(f"{name}/{INIT} is not on S3")
    segments = tuple(_segment(f"{name}/{listed.name}", listed, encoded) for listed in listing.segments)
    if len({segment.name for segment in segments}) < len(segments):
        raise _incomplete(f"the playlist of {name} lists a segment twice")
    _check_clock(name, segments, plan, encoded)
    return Rendition(name, formats, segments, has_init)


def _segment(path: str, listed: Listed, encoded: Encoded) -> Segment:
    facts, stored = encoded.segments.get(path), encoded.stored.get(path)
    if facts is None:
        raise _incomplete(f"the segment {path} is listed and was never written")
    if facts.size <= 0 or listed.duration_us <= 0:
        raise _incomplete(f"the segment {path} is empty (is the disk full?)")
    if stored != facts.size:
        raise _incomplete(f"the segment {path} has {facts.size} bytes, and S3 has {'none' if stored is None else stored} of them")
    return Segment(listed.name, listed.duration_us, facts.size, facts.key_frame)


def _check_clock(name: str, segments: tuple[Segment, ...], plan: Plan, encoded: Encoded) -> None:
    """Each segment begins where the one before it ends."""
    first = encoded.segments[f"{name}/{segments[0].name}"].start
    elapsed_us = 0
    for segment in segments:
        start_us = round((encoded.segments[f"{name}/{segment.name}"].start - first) * MICROSECONDS)
        apart = (start_us - elapsed_us) % _CLOCK_TURN_US
        if min(apart, _CLOCK_TURN_US - apart) > _tolerance_us(plan):
            seconds = f"{start_us / MICROSECONDS:.2f} s instead of {elapsed_us / MICROSECONDS:.2f} s"
            raise _incomplete(f"the segment {name}/{segment.name} begins at {seconds}")
        elapsed_us += segment.duration_us


def _check_nothing_unlisted(renditions: Mapping[str, Rendition], encoded: Encoded) -> None:
    listed = {f"{name}/{segment.name}" for name, rendition in renditions.items() for segment in rendition.segments}
    listed |= {f"{name}/{INIT}" for name, rendition in renditions.items() if rendition.has_init}
    unlisted = sorted((encoded.segments.keys() | encoded.stored.keys() | set(encoded.leftovers)) - listed)
    if unlisted:
        more = f" and {len(unlisted) - 1} more" if len(unlisted) > 1 else ""
        raise _incomplete(f"no playlist lists {display_text(unlisted[0])}{more}")


def _check_durations(plan: Plan, source: Source, renditions: Mapping[str, Rendition]) -> None:
    """Nothing of the picture is missing. It may be longer: it stands still until a late picture joins its sound."""
    for rung in plan.rungs:
        made_us = renditions[rung.name].duration_us
        seconds = f"{made_us / MICROSECONDS:.2f} s of {source.duration_us / MICROSECONDS:.2f} s"
        if source.duration_us - made_us > _tolerance_us(plan):
            name = display_text(source.path)
            raise TranscodeError(f"{name} breaks off: {rung.name} has {seconds}; get the whole file and try again.", "truncated")


def _check_boundaries(plan: Plan, renditions: Mapping[str, Rendition]) -> None:
    best = renditions[plan.rungs[0].name].segments
    for rung in plan.rungs[1:]:
        segments = renditions[rung.name].segments
        if [segment.duration_us for segment in segments] != [segment.duration_us for segment in best]:
            raise _incomplete(f"the segments of {rung.name} are not cut where those of {plan.rungs[0].name} are")


def _check_key_frames(plan: Plan, source: Source, renditions: Mapping[str, Rendition]) -> None:
    """Each segment of the picture can be shown without the one before it."""
    for rung in plan.rungs:
        blind = next((segment for segment in renditions[rung.name].segments if segment.key_frame is None), None)
        if blind is not None and plan.remuxes:
            why = "pictures after its key frames need some from before them"
            raise CannotBeCut(f"{display_text(source.path)} cannot be cut without encoding it: {why}.", "unsupported")
        if blind is not None:
            raise _incomplete(f"the segment {rung.name}/{blind.name} does not begin with a key frame")


def _check_formats(plan: Plan, renditions: Mapping[str, Rendition]) -> None:
    for rung in plan.rungs:
        formats = renditions[rung.name].formats
        if formats.video is None:
            raise _incomplete(f"{rung.name} has no picture")
        made, planned = (formats.video.width, formats.video.height), (rung.width, rung.height)
        if made != planned:
            raise _incomplete(f"the picture of {rung.name} is {made[0]}x{made[1]} instead of {planned[0]}x{planned[1]}")
        if not formats.video.is_eight_bit:
            raise _incomplete(f"the picture of {rung.name} ({formats.video.codec}) is not of 8 bits and 4:2:0")
        if (formats.audio is not None) != (plan.muxes_audio and bool(plan.audio)):
            raise _incomplete(f"{rung.name} {'has' if formats.audio else 'lacks'} sound")
    for audio in () if plan.muxes_audio else plan.audio:
        formats = renditions[audio.name].formats
        if formats.audio is None or formats.video is not None or formats.audio.channels not in (0, audio.channels):
            raise _incomplete(f"{audio.name} is not the sound that was planned, {audio.channels} channels of AAC")


def _tolerance_us(plan: Plan) -> int:
    return max(round(_FRAMES * MICROSECONDS / plan.fps), _LEAST_US)


def _incomplete(what: str) -> TranscodeError:
    return TranscodeError(f"The encode is not complete, and nothing was published: {what}; try the job again.", "incomplete")

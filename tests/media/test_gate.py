"""The gate: what passes, and each single thing that keeps an encode from being published."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from s3tui.errors import TranscodeError
from s3tui.media.ffmpeg_playlist import Listing
from s3tui.media.formats import AudioFormat, Formats, VideoFormat
from s3tui.media.gate import Encoded, prove
from tests.media.encodes import Encode, Encodes

TEN_BITS = VideoFormat(110, 0, 12, 320, 180)
WRONG_SIZE = VideoFormat(100, 0, 12, 322, 180)
STEREO = AudioFormat(2, 2, 48000)


@pytest.mark.parametrize("segment_type", ["fmp4", "ts"])
@pytest.mark.parametrize("tracks", [0, 1, 2])
def test_a_good_encode_passes(encodes: Encodes, segment_type: str, tracks: int) -> None:
    encode = encodes.of(segment_type, tracks)
    renditions = encode.renditions
    assert tuple(renditions) == encode.plan.renditions
    assert {len(rendition.segments) for rendition in renditions.values()} == {3}


@pytest.mark.parametrize("segment_type", ["fmp4", "ts"])
def test_a_good_remux_passes(encodes: Encodes, segment_type: str) -> None:
    assert list(encodes.of(segment_type, 1, remuxes=True).renditions) == ["180p"]


def _listing(encoded: Encoded, name: str, **changes: Any) -> Encoded:
    return replace(encoded, listings={**encoded.listings, name: replace(encoded.listings[name], **changes)})


def _without(mapping: Any, key: str) -> Any:
    return {name: value for name, value in mapping.items() if name != key}


def _facts(encoded: Encoded, path: str, **changes: Any) -> Encoded:
    return replace(encoded, segments={**encoded.segments, path: replace(encoded.segments[path], **changes)})


def _formats(encoded: Encoded, name: str, formats: Formats) -> Encoded:
    return replace(encoded, formats={**encoded.formats, name: formats})


def _longer(listing: Listing) -> Any:
    first = replace(listing.segments[0], duration_us=listing.segments[0].duration_us + 1)
    return (first, *listing.segments[1:])


FAULTS: dict[str, tuple[Callable[[Encoded], Encoded], str, str]] = {
    "exit code": (lambda e: replace(e, exit_code=187), "encoder_failed", "exit code 187"),
    "no end": (lambda e: replace(e, ended=False), "incomplete", "stopped before it said that it was done"),
    "no playlist": (lambda e: replace(e, listings=_without(e.listings, "90p")), "incomplete", "90p has no playlist"),
    "no sound": (lambda e: replace(e, listings=_without(e.listings, "a1_de")), "incomplete", "a1_de has no playlist"),
    "no format": (lambda e: replace(e, formats=_without(e.formats, "90p")), "incomplete", "90p has no readable format"),
    "open playlist": (lambda e: _listing(e, "a0_en", ended=False), "incomplete", "the playlist of a0_en does not end"),
    "empty playlist": (lambda e: _listing(e, "90p", segments=()), "incomplete", "the playlist of 90p lists nothing"),
    "no init in the playlist": (lambda e: _listing(e, "90p", init=None), "incomplete", "the playlist of 90p lacks its init file"),
    "no init on S3": (lambda e: replace(e, stored=_without(e.stored, "90p/init.mp4")), "incomplete", "90p/init.mp4 is not on S3"),
    "never written": (
        lambda e: replace(e, segments=_without(e.segments, "180p/00002.m4s")),
        "incomplete",
        "180p/00002.m4s is listed and was never written",
    ),
    "full disk": (lambda e: _facts(e, "180p/00002.m4s", size=0), "incomplete", "180p/00002.m4s is empty"),
    "not on S3": (lambda e: replace(e, stored=_without(e.stored, "180p/00003.m4s")), "incomplete", "and S3 has none of them"),
    "cut on S3": (lambda e: replace(e, stored={**e.stored, "180p/00003.m4s": 7}), "incomplete", "and S3 has 7 of them"),
    "left over": (lambda e: replace(e, leftovers=["180p/00004.m4s.tmp"]), "incomplete", "no playlist lists 180p/00004.m4s.tmp"),
    "too much on S3": (
        lambda e: replace(e, stored={**e.stored, "90p/9.m4s": 1, "90p/8.m4s": 1}),
        "incomplete",
        "90p/8.m4s and 1 more",
    ),
    "twice": (
        lambda e: _listing(e, "90p", segments=e.listings["90p"].segments[:1] * 3),
        "incomplete",
        "the playlist of 90p lists a segment twice",
    ),
    "clock": (
        lambda e: _facts(e, "180p/00002.m4s", start=Fraction(0)),
        "incomplete",
        "180p/00002.m4s begins at 0.00 s instead of 1.00 s",
    ),
    "boundaries": (
        lambda e: _listing(e, "90p", segments=_longer(e.listings["90p"])),
        "incomplete",
        "not cut where those of 180p are",
    ),
    "no picture": (lambda e: _formats(e, "180p", Formats(None, STEREO)), "incomplete", "180p has no picture"),
    "open group": (
        lambda e: _facts(e, "90p/00002.m4s", key_frame=None),
        "incomplete",
        "90p/00002.m4s does not begin with a key frame",
    ),
    "size": (lambda e: _formats(e, "180p", Formats(WRONG_SIZE)), "incomplete", "180p is 322x180 instead of 320x180"),
    "ten bits": (lambda e: _formats(e, "180p", Formats(TEN_BITS)), "incomplete", "not of 8 bits"),
    "sound in a rung": (
        lambda e: _formats(e, "180p", replace(e.formats["180p"], audio=STEREO)),
        "incomplete",
        "180p has sound",
    ),
    "mono": (
        lambda e: _formats(e, "a0_en", Formats(None, replace(STEREO, channels=1))),
        "incomplete",
        "not the sound that was planned",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_keeps_an_encode_from_being_published(fmp4: Encode, fault: str) -> None:
    broken, reason, sentence = FAULTS[fault]
    with pytest.raises(TranscodeError) as caught:
        prove(fmp4.plan, fmp4.source, broken(fmp4.encoded))
    assert caught.value.reason == reason
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_source_that_breaks_off_is_named(fmp4: Encode) -> None:
    source = replace(fmp4.source, duration_us=12_020_000, path=b"/films/a\nb.mkv")
    with pytest.raises(TranscodeError, match=r"/films/a\\nb.mkv breaks off: 180p has 2.72 s of 12.02 s") as caught:
        prove(fmp4.plan, source, fmp4.encoded)
    assert caught.value.reason == "truncated"


def test_a_source_whose_key_frames_are_none_is_not_cut_as_it_is(encodes: Encodes) -> None:
    encode = encodes.of("ts", 1, remuxes=True)
    with pytest.raises(TranscodeError, match=r"clip.mp4 cannot be cut without encoding it") as caught:
        prove(encode.plan, encode.source, _facts(encode.encoded, "180p/00002.ts", key_frame=None))
    assert caught.value.reason == "unsupported"


def test_a_video_may_be_longer_than_its_source_says(fmp4: Encode) -> None:
    prove(fmp4.plan, replace(fmp4.source, duration_us=1_000_000), fmp4.encoded)


def test_a_few_frames_less_are_good(fmp4: Encode) -> None:
    prove(fmp4.plan, replace(fmp4.source, duration_us=2_840_000), fmp4.encoded)


def test_sound_that_got_lost_in_muxing_is_noticed(ts: Encode) -> None:
    with pytest.raises(TranscodeError, match="180p lacks sound"):
        prove(ts.plan, ts.source, _formats(ts.encoded, "180p", replace(ts.encoded.formats["180p"], audio=None)))


def test_the_clock_of_mpeg_ts_may_begin_anew(ts: Encode) -> None:
    turn = Fraction(2**33, 90_000)
    late = {path: replace(facts, start=(facts.start + turn - 2) % turn) for path, facts in ts.encoded.segments.items()}
    assert late["180p/00001.ts"].start > late["180p/00003.ts"].start
    prove(ts.plan, ts.source, replace(ts.encoded, segments=late))

"""The validator finds nothing in good videos, and finds each fault that is put into one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from s3tui.media.cipher import Cipher
from s3tui.media.playlists import Key
from tests.media.encodes import SECONDS, Encode, Encodes, encrypted, publish
from tests.media.validator import Fetched, Validator

pytestmark = pytest.mark.thorough(one_in=8)

CUES = "WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n"

Objects = dict[str, Fetched]


KEY, ADDRESS = bytes(range(16)), "https://keys.example/film"


def _faults(objects: Objects, ffmpeg: str, keys: dict[str, bytes] | None = None) -> list[str]:
    return Validator(objects.__getitem__, ffmpeg, float(SECONDS), keys).faults("master.m3u8")


def _secret(encode: Encode, directory: Path) -> Objects:
    """The encode as it is published encrypted."""
    cipher = Cipher(KEY)
    return publish(encrypted(encode, cipher, directory / "encrypted"), {"en": CUES}, Key(ADDRESS, cipher.vector))


@pytest.mark.parametrize("segment_type", ["fmp4", "ts"])
@pytest.mark.parametrize("tracks", [0, 1, 2])
def test_our_encodes_are_good_videos(encodes: Encodes, ffmpeg: str, segment_type: str, tracks: int) -> None:
    objects = publish(encodes.of(segment_type, tracks), {"en": CUES})
    assert _faults(objects, ffmpeg) == []


@pytest.mark.parametrize("segment_type", ["fmp4", "ts"])
def test_our_remuxes_are_good_videos(encodes: Encodes, ffmpeg: str, segment_type: str) -> None:
    assert _faults(publish(encodes.of(segment_type, 1, remuxes=True)), ffmpeg) == []


def _text(key: str, old: str, new: str) -> Callable[[Objects], None]:
    def change(objects: Objects) -> None:
        body = objects[key].body
        assert old.encode() in body
        objects[key] = replace(objects[key], body=body.replace(old.encode(), new.encode()))

    return change


def _body(key: str, change: Callable[[bytes], bytes]) -> Callable[[Objects], None]:
    def apply(objects: Objects) -> None:
        objects[key] = replace(objects[key], body=change(objects[key].body))

    return apply


def _served(key: str, **changes: str) -> Callable[[Objects], None]:
    def apply(objects: Objects) -> None:
        objects[key] = replace(objects[key], **changes)  # type: ignore[arg-type]

    return apply


def _moved(source: str, target: str) -> Callable[[Objects], None]:
    def apply(objects: Objects) -> None:
        objects[target] = objects[source]

    return apply


def _gone(key: str) -> Callable[[Objects], None]:
    return lambda objects: objects.__delitem__(key)


def _flipped(body: bytes) -> bytes:
    third = len(body) // 3
    return body[:third] + bytes(byte ^ 0xFF for byte in body[third : 2 * third]) + body[2 * third :]


FMP4_FAULTS: dict[str, tuple[Callable[[Objects], None], str]] = {
    "missing segment": (_gone("90p/00002.m4s"), "90p/00002.m4s is not there"),
    "missing init": (_gone("a0_en/init.mp4"), "a0_en/init.mp4 is not there"),
    "cut segment": (_body("180p/00002.m4s", lambda body: body[: len(body) // 2]), "180p/00002.m4s does not decode"),
    "damaged segment": (_body("180p/00002.m4s", _flipped), "180p/00002.m4s does not decode"),
    "another rung's init": (_moved("90p/init.mp4", "180p/init.mp4"), "180p/00001.m4s"),
    "wrong order": (_moved("180p/00003.m4s", "180p/00002.m4s"), "180p/00002.m4s begins +1.000 s from where the one before it ends"),
    "sound in wrong order": (_moved("a1_de/00001.m4s", "a1_de/00002.m4s"), "a1_de/00002.m4s begins -"),
    "wrong duration": (
        _text("90p/index.m3u8", "#EXTINF:1.000000", "#EXTINF:1.200000"),
        "90p/00001.m4s lasts 1.000 s and not 1.200 s",
    ),
    "other boundaries": (_text("90p/index.m3u8", "#EXTINF:0.720000", "#EXTINF:0.700000"), "90p/index.m3u8 is not cut where"),
    "too short": (
        _text("180p/index.m3u8", "#EXTINF:0.720000,\n00003.m4s\n", ""),
        "180p/index.m3u8 lasts 2.00 s, its source 2.70 s",
    ),
    "no end": (_text("180p/index.m3u8", "#EXT-X-ENDLIST", ""), "180p/index.m3u8 does not end"),
    "no type": (_text("a0_en/index.m3u8", "#EXT-X-PLAYLIST-TYPE:VOD", ""), "a0_en/index.m3u8 is not of type VOD"),
    "two targets": (_text("a0_en/index.m3u8", "TARGETDURATION:1", "TARGETDURATION:2"), "several target durations"),
    "low target": (_text("90p/index.m3u8", "TARGETDURATION:1", "TARGETDURATION:0"), "longer than its target duration"),
    "low version": (_text("90p/index.m3u8", "VERSION:7", "VERSION:3"), "too low a version"),
    "byte order mark": (_text("90p/index.m3u8", "#EXTM3U", "\ufeff#EXTM3U"), "does not begin with #EXTM3U"),
    "codec": (_text("master.m3u8", "avc1.64000c,mp4a", "avc1.640028,mp4a"), "180p/index.m3u8 is announced as ['avc1.640028'"),
    "silent codec": (_text("master.m3u8", ",mp4a.40.2", ""), "180p/index.m3u8 is announced as ['avc1.64000c'] and is"),
    "bandwidth": (_text("master.m3u8", "BANDWIDTH=3", "BANDWIDTH=4"), "states BANDWIDTH 4"),
    "average": (_text("master.m3u8", "AVERAGE-BANDWIDTH=", "AVERAGE-BANDWIDTH=1"), "states AVERAGE-BANDWIDTH 1"),
    "resolution": (_text("master.m3u8", "RESOLUTION=160x90", "RESOLUTION=162x90"), "90p/00001.m4s is 160x90, not 162x90"),
    "frame rate": (_text("master.m3u8", "FRAME-RATE=25.000", "FRAME-RATE=25"), "has no FRAME-RATE"),
    "wrong frame rate": (_text("master.m3u8", "FRAME-RATE=25.000", "FRAME-RATE=50.000"), "180p/00001.m4s lasts 0.500 s"),
    "group": (_text("master.m3u8", 'AUDIO="audio"', 'AUDIO="other"'), "names a group of sound that is not there"),
    "two defaults": (
        _text("master.m3u8", 'LANGUAGE="de",DEFAULT=NO', 'LANGUAGE="de",DEFAULT=YES'),
        "2 sound tracks are the default",
    ),
    "one name": (_text("master.m3u8", 'NAME="de"', 'NAME="en"'), "two renditions of a group have one name"),
    "no language": (_text("master.m3u8", 'LANGUAGE="de",', ""), "rendition de lacks ['LANGUAGE']"),
    "broken quotes": (_text("master.m3u8", 'NAME="de"', 'NAME="d"e"'), "malformed line"),
    "independent": (_text("master.m3u8", "#EXT-X-INDEPENDENT-SEGMENTS", ""), "does not promise independent segments"),
    "type": (_served("180p/00001.m4s", content_type="binary/octet-stream"), "180p/00001.m4s is served as binary/octet-stream"),
    "playlist type": (_served("master.m3u8", content_type="text/plain"), "master.m3u8 is served as text/plain"),
    "kept playlist": (_served("180p/index.m3u8", cache_control="public,max-age=9,immutable"), "180p/index.m3u8 is cached as"),
    "no subtitles": (_body("s_en/subtitles.vtt", lambda body: body[1:]), "s_en/subtitles.vtt is no WebVTT"),
    "short range": (_text("180p/iframes.m3u8", "#EXT-X-BYTERANGE:4", "#EXT-X-BYTERANGE:1"), "180p/00001.m4s does not decode"),
    "range beside": (_text("180p/iframes.m3u8", "@76", "@5000"), "a range of 180p/00001.m4s is not one key frame"),
    "long key frames": (
        _text("180p/iframes.m3u8", "#EXTINF:0.72", "#EXTINF:0.71"),
        "180p/iframes.m3u8 is not as long as its variant",
    ),
}


@pytest.mark.parametrize("fault", FMP4_FAULTS)
def test_a_fault_in_fmp4_is_found(fmp4: Encode, ffmpeg: str, fault: str) -> None:
    spoil, sentence = FMP4_FAULTS[fault]
    objects = publish(fmp4, {"en": CUES})
    spoil(objects)
    found = _faults(objects, ffmpeg)
    assert any(sentence in line for line in found), found


TS_FAULTS: dict[str, tuple[Callable[[Objects], None], str]] = {
    "cut segment": (_body("180p/00002.ts", lambda body: body[: len(body) // 2]), "180p/00002.ts lasts"),
    "damaged segment": (_body("180p/00002.ts", _flipped), "180p/00002.ts does not decode"),
    "wrong order": (_moved("180p/00001.ts", "180p/00002.ts"), "180p/00002.ts begins -1.000 s from where the one before it ends"),
    "silent": (_text("master.m3u8", ",mp4a.40.2", ""), "180p/index.m3u8 is announced as ['avc1.64000c'] and is"),
    "no key frame": (
        _body("180p/00002.ts", lambda body: body.replace(b"\0\0\1\x65", b"\0\0\1\x41")),
        "does not begin with an IDR picture",
    ),
    "long range": (_text("180p/iframes.m3u8", "#EXT-X-BYTERANGE:4888", "#EXT-X-BYTERANGE:9400"), "is not one key frame but"),
}


@pytest.mark.parametrize("fault", TS_FAULTS)
def test_a_fault_in_mpeg_ts_is_found(ts: Encode, ffmpeg: str, fault: str) -> None:
    spoil, sentence = TS_FAULTS[fault]
    objects = publish(ts)
    spoil(objects)
    found = _faults(objects, ffmpeg)
    assert any(sentence in line for line in found), found


@pytest.mark.parametrize(("tracks", "remuxes"), [(0, False), (1, False), (2, False), (1, True)])
def test_our_encrypted_encodes_are_good_videos(encodes: Encodes, ffmpeg: str, tmp_path: Path, tracks: int, remuxes: bool) -> None:
    objects = _secret(encodes.of("ts", tracks, remuxes=remuxes), tmp_path)
    assert _faults(objects, ffmpeg, {ADDRESS: KEY}) == []
    assert len(_faults(objects, ffmpeg, {ADDRESS: bytes(16)})) > 3


def _unvectored(objects: Objects) -> None:
    text = objects["180p/index.m3u8"].body.decode()
    _text("180p/index.m3u8", text[text.index("IV=0x") :].splitlines()[0], f"IV=0x{'0' * 32}")(objects)


ENCRYPTION_FAULTS: dict[str, tuple[Callable[[Objects], None], str]] = {
    "no key": (_text("180p/index.m3u8", "#EXT-X-KEY", "#EXT-X-NO-KEY"), "180p/index.m3u8 lacks its key"),
    "no key of key frames": (_text("90p/iframes.m3u8", "#EXT-X-KEY", "#EXT-X-NO-KEY"), "90p/iframes.m3u8 lacks its key"),
    "another method": (_text("180p/index.m3u8", "AES-128", "SAMPLE-AES"), "180p/index.m3u8 is encrypted by SAMPLE-AES"),
    "another address": (_text("180p/index.m3u8", ADDRESS, "other"), "180p/00001.ts cannot be decrypted"),
    "another vector": (_unvectored, "180p/00001.ts does not begin with a packet"),
    "no vector": (_text("180p/index.m3u8", ",IV=0x", ",IV=0"), "180p/index.m3u8 has no vector"),
    "plain segment": (_body("180p/00002.ts", lambda body: b"G" * len(body)), "180p/00002.ts cannot be decrypted"),
    "cut segment": (_body("90p/00001.ts", lambda body: body[:-16]), "90p/00001.ts cannot be decrypted"),
    "range beside": (_text("180p/iframes.m3u8", "@188", "@204"), "180p/00001.ts does not begin with a packet"),
}


@pytest.mark.parametrize("fault", ENCRYPTION_FAULTS)
def test_a_fault_of_encryption_is_found(ts: Encode, ffmpeg: str, tmp_path: Path, fault: str) -> None:
    spoil, sentence = ENCRYPTION_FAULTS[fault]
    objects = _secret(ts, tmp_path)
    spoil(objects)
    found = _faults(objects, ffmpeg, {ADDRESS: KEY})
    assert any(sentence in line for line in found), found


def test_what_should_be_encrypted_and_is_not_is_found(ts: Encode, ffmpeg: str) -> None:
    assert "180p/index.m3u8 lacks its key" in _faults(publish(ts), ffmpeg, {ADDRESS: KEY})

"""What two versions of ffmpeg print, read."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from s3tui.media.languages import bcp47, language_code
from s3tui.media.listing import Listing, read_listing
from s3tui.media.source import AudioTrack, SubtitleTrack, VideoStream

SAID = Path(__file__).parent / "said"
VERSIONS = sorted(path.name for path in SAID.iterdir())

PICTURE = VideoStream(
    index=0,
    codec="h264",
    profile="Constrained Baseline",
    pixel_format="yuv420p",
    transfer="",
    width=160,
    height=90,
    sar=Fraction(1),
    rotation=0,
    fps=Fraction(25),
    interlaced=False,
)
SOUND = AudioTrack(index=1, codec="aac", profile="LC", channels=2, language="und")
MP4, MATROSKA = "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"
SECOND = 1_000_000


def only(container: str, **of_the_picture: Any) -> Listing:
    return Listing(container, SECOND, (replace(PICTURE, **of_the_picture),), 0, (), ())


EXPECTED = {
    "rotated": replace(only(MP4, rotation=270), audio=(SOUND,)),
    "rotated_back": replace(only(MP4, rotation=90), audio=(SOUND,)),
    "anamorphic": only(MATROSKA, sar=Fraction(4, 3)),
    "hdr": only(MP4, profile="High 10", pixel_format="yuv420p10le", transfer="smpte2084"),
    "interlaced": only("mpegts", profile="Main", height=96, interlaced=True),
    "hostile": only(MATROSKA),
    "live": replace(only(MATROSKA), duration_us=0, audio=(SOUND,)),
    "ntsc": only(MP4, fps=Fraction(24000, 1001)),
    "variable": only(MP4, fps=Fraction(13)),
    "subtitles": replace(only(MP4), audio=(SOUND,), subtitles=(SubtitleTrack(2, "mov_text", "fra"),)),
    "intra": replace(only("avi", codec="mjpeg", profile="Baseline", pixel_format="yuvj420p", height=96), duration_us=4 * SECOND),
    "cover": Listing(MP4, SECOND, (), 1, (replace(SOUND, index=0, channels=1),), ()),
    "refused": None,
    "cut": None,
}


def said(version: str, name: str) -> str:
    return (SAID / version / f"{name}.txt").read_text()


def stream(line: str) -> str:
    """What ffmpeg prints of a file with one stream."""
    return f"Input #0, {MATROSKA}, from '/in':\n  Duration: 00:00:01.00, start: 0.000000, bitrate: 9 kb/s\n{line}\n"


def read_picture(line: str) -> VideoStream:
    listing = read_listing(stream(line))
    assert listing is not None
    (video,) = listing.videos
    return video


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", EXPECTED)
def test_each_version_tells_the_same(version: str, name: str) -> None:
    assert read_listing(said(version, name)) == EXPECTED[name]


@pytest.mark.parametrize("version", VERSIONS)
def test_each_sound_track_has_its_language(version: str) -> None:
    listing = read_listing(said(version, "tracks"))
    assert listing is not None
    assert [(track.index, track.codec, track.language) for track in listing.audio] == [(1, "aac", "eng"), (2, "mp3", "deu")]


@pytest.mark.parametrize(
    "tag",
    [
        "    title           : x\n                    :   Stream #0:1: Audio: aac (LC), 48000 Hz, stereo",
        "    Stream #0:1: Audio: aac (LC), 48000 Hz, stereo: a tag may be called like that",
        "    title           : x\r  Stream #0:1: Audio: aac (LC), 48000 Hz, stereo",
        "    title           : x\x0b  Stream #0:1: Audio: aac (LC), 48000 Hz, stereo",
        "    title           : displaymatrix: rotation of 90.00 degrees",
        "      displaymatrix: rotation of 90.00 degrees: x",
    ],
)
def test_a_text_of_the_file_is_no_fact(tag: str) -> None:
    line = "  Stream #0:0: Video: h264 (Constrained Baseline), yuv420p, 160x90 [SAR 1:1 DAR 16:9], 25 fps, 25 tbr, 1k tbn"
    listing = read_listing(stream(f"{line}\n    Metadata:\n{tag}"))
    assert listing == only(MATROSKA)


def test_a_language_cannot_make_a_picture_of_a_sound() -> None:
    listing = read_listing(
        stream("  Stream #0:0(eng): Video: h264, yuv420p, 640x360, 25 fps): Audio: aac (LC), 48000 Hz, mono, fltp")
    )
    assert listing is not None
    assert listing.videos == ()
    assert listing.audio == (replace(SOUND, index=0, channels=1),)


def test_a_stream_of_two_programs_is_one_stream() -> None:
    line = "  Stream #0:0[0x100]: Video: h264, yuv420p, 160x90, 25 fps, 25 tbr, 90k tbn"
    listing = read_listing(stream(f"  Program 1\n{line}\n  Program 2\n{line}"))
    assert listing is not None
    assert len(listing.videos) == 1


def test_a_stream_that_ffmpeg_does_not_know_is_left_out() -> None:
    listing = read_listing(stream("  Stream #0:0: Audio: none, 48000 Hz, stereo"))
    assert listing == Listing(MATROSKA, SECOND, (), 0, (), ())


@pytest.mark.parametrize(
    ("rates", "fps"),
    [
        ("29.97 fps, 29.97 tbr", Fraction(30000, 1001)),
        ("30 fps, 30 tbr", Fraction(30)),
        ("59.94 fps, 59.94 tbr", Fraction(60000, 1001)),
        ("24.97 fps, 25 tbr", Fraction(25)),
        ("23.98 fps, 24 tbr", Fraction(24)),
        ("12.50 fps, 25 tbr", Fraction(25, 2)),
        ("120 fps, 120 tbr", Fraction(120)),
        ("1k fps, 1k tbr", Fraction(1000)),
        ("90k tbr", Fraction(0)),
    ],
)
def test_rates_are_snapped_to_the_usual_ones(rates: str, fps: Fraction) -> None:
    assert read_picture(f"  Stream #0:0: Video: h264, yuv420p, 160x90, {rates}, 90k tbn").fps == fps


@pytest.mark.parametrize(
    ("colours", "transfer", "interlaced"),
    [
        ("tv, bt709, progressive", "bt709", False),
        ("tv, bt2020nc/bt2020/arib-std-b67", "arib-std-b67", False),
        ("tv, unknown/unknown/unknown, top first", "", True),
        ("tv, smpte170m, bottom coded first (swapped)", "smpte170m", True),
        ("pc", "", False),
    ],
)
def test_colours_and_fields_stand_within_brackets(colours: str, transfer: str, interlaced: bool) -> None:
    video = read_picture(
        f"  Stream #0:0: Video: hevc (Main 10) (hvc1 / 0x31637668), yuv420p10le({colours}), 1920x1080, 25 fps, 25 tbr"
    )
    assert (video.codec, video.profile, video.pixel_format) == ("hevc", "Main 10", "yuv420p10le")
    assert (video.transfer, video.interlaced, video.width) == (transfer, interlaced, 1920)


@pytest.mark.parametrize(("sar", "aspect"), [("0:1", 1), ("1:0", 1), ("64:45", Fraction(64, 45)), ("99999:1", 1), ("1:99999", 1)])
def test_pixels_have_a_shape_that_can_be(sar: str, aspect: Fraction) -> None:
    assert read_picture(f"  Stream #0:0: Video: h264, yuv420p, 720x576 [SAR {sar} DAR 4:3], 25 fps, 25 tbr").sar == aspect


@pytest.mark.parametrize(
    ("layout", "channels"),
    [
        ("mono", 1),
        ("stereo", 2),
        ("5.1", 6),
        ("5.1(side)", 6),
        ("7.1", 8),
        ("2.1", 3),
        ("quad", 4),
        ("13 channels", 13),
        ("5.1.2", 8),
    ],
)
def test_channels_are_counted(layout: str, channels: int) -> None:
    listing = read_listing(stream(f"  Stream #0:0: Audio: ac3, 48000 Hz, {layout}, fltp, 448 kb/s (default)"))
    assert listing is not None
    assert listing.audio[0].channels == channels


@pytest.mark.parametrize(
    ("tag", "code", "playlist"),
    [
        ("eng", "eng", "en"),
        ("ger", "ger", "de"),
        ("deu", "deu", "de"),
        ("de", "de", "de"),
        ("yue", "yue", "yue"),
        ("", "und", "und"),
        (None, "und", "und"),
        ("ENG", "und", "und"),
        ("../x y", "und", "und"),
        ("eng\n", "und", "und"),
        ('a",b', "und", "und"),
    ],
)
def test_languages_are_codes_or_unknown(tag: str | None, code: str, playlist: str) -> None:
    assert language_code(tag) == code
    assert bcp47(code) == playlist

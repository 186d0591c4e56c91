"""Playlists as they are published."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3tui.errors import TranscodeError
from s3tui.media.formats import AudioFormat, ByteRange, Formats, VideoFormat
from s3tui.media.master import SubtitleRendition, master_playlist
from s3tui.media.plan import AudioRendition, Plan, Rung
from s3tui.media.playlists import (
    Key,
    Rendition,
    Segment,
    anchored_subtitles,
    key_frame_playlist,
    media_playlist,
    storyboard_cues,
    subtitle_playlist,
    target_duration,
)
from s3tui.media.rates import average_rate, peak_rate
from s3tui.media.served import headers
from s3tui.media.storyboard import Storyboard

BOARD = Storyboard(seconds=4, count=5, width=160, height=90, columns=2, rows=2, duration_us=17_500_400)
LC = AudioFormat(2, 2, 48000)


def _picture(name: str, *sizes: int, width: int = 1280, height: int = 720, audio: AudioFormat | None = None) -> Rendition:
    video = VideoFormat(100, 0, 31, width, height)
    segments = tuple(Segment(f"{n:05}.m4s", 4_004_000, size, ByteRange(76, size // 10)) for n, size in enumerate(sizes, 1))
    return Rendition(name, Formats(video, audio), segments, has_init=True)


def _sound(name: str, *sizes: int) -> Rendition:
    return Rendition(
        name, Formats(None, LC), tuple(Segment(f"{n:05}.m4s", 4_010_667, s, None) for n, s in enumerate(sizes, 1)), has_init=True
    )


def _plan(*audio: AudioRendition, remuxes: bool = False) -> Plan:
    rungs = (Rung("720p", 1280, 720, 2_800_000), Rung("360p", 640, 360, 800_000))
    return Plan("fmp4", remuxes, Fraction(30000, 1001), 120, False, False, "veryfast", rungs[: 1 if remuxes else 2], audio, ())


ENGLISH = AudioRendition("a0_en", 1, "en", False, 2, True)
UNKNOWN = AudioRendition("a1_und", 2, "und", False, 2, False)
BOTH = {"720p": _picture("720p", 1000, 3000), "360p": _picture("360p", 500, 600, width=640, height=360)}
HEARD = BOTH | {"a0_en": _sound("a0_en", 100, 100), "a1_und": _sound("a1_und", 100, 300)}


def test_a_media_playlist_is_complete() -> None:
    assert media_playlist(BOTH["720p"], 4).splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-TARGETDURATION:4",
        "#EXT-X-MEDIA-SEQUENCE:1",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        '#EXT-X-MAP:URI="init.mp4"',
        "#EXTINF:4.004000,",
        "00001.m4s",
        "#EXTINF:4.004000,",
        "00002.m4s",
        "#EXT-X-ENDLIST",
    ]


def test_mpeg_ts_has_no_init_file_and_may_be_encrypted() -> None:
    text = media_playlist(replace(BOTH["720p"], has_init=False), 4, key=Key('https://keys.example/a"b?x=1', bytes(15) + b"\x0f"))
    assert "#EXT-X-VERSION:6\n" in text
    assert "EXT-X-MAP" not in text
    assert '#EXT-X-KEY:METHOD=AES-128,URI="https://keys.example/a%22b?x=1",IV=0x0000000000000000000000000000000f\n' in text


@pytest.mark.parametrize(
    "address", ["https://a.example:8443/k;v=1/(2)?x=%20&y='!'#z", "../../keys/film,1.key", "//a.example/[k]~$*+@"]
)
def test_the_address_of_a_key_is_told_as_it_was_given_for_segments_and_for_key_frames(address: str) -> None:
    key = Key(address, bytes(16))
    rendition = replace(BOTH["720p"], has_init=False)
    for text in (media_playlist(rendition, 4, key), key_frame_playlist(rendition, 4, key)):
        before, _, after = text.partition(f'#EXT-X-KEY:METHOD=AES-128,URI="{address}",IV=0x{"0" * 32}\n')
        assert "#EXTINF" not in before
        assert after.startswith("#EXTINF")


def test_a_key_frame_playlist_points_into_the_segments() -> None:
    lines = key_frame_playlist(BOTH["720p"], 4).splitlines()
    assert not [line for line in lines if "KEY" in line]
    assert lines[5:10] == [
        "#EXT-X-I-FRAMES-ONLY",
        '#EXT-X-MAP:URI="init.mp4"',
        "#EXTINF:4.004000,",
        "#EXT-X-BYTERANGE:100@76",
        "00001.m4s",
    ]
    assert lines[-1] == "#EXT-X-ENDLIST"


def test_one_target_duration_holds_for_all() -> None:
    long = Rendition("a", Formats(None, LC), (Segment("1", 4_500_000, 1, None),), has_init=True)
    assert target_duration(BOTH.values()) == 4
    assert target_duration([*BOTH.values(), long]) == 5
    assert target_duration([Rendition("a", Formats(None, LC), (Segment("1", 80_000, 1, None),), has_init=True)]) == 1


def test_the_master_names_all_there_is() -> None:
    subtitles = [SubtitleRendition("s3_de", "de"), SubtitleRendition("s4_de", "de")]
    assert master_playlist(_plan(ENGLISH, UNKNOWN), HEARD, subtitles).splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="en",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="a0_en/index.m3u8"',
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="und",LANGUAGE="und",DEFAULT=NO,AUTOSELECT=YES,CHANNELS="2",URI="a1_und/index.m3u8"',
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subtitles",NAME="de",LANGUAGE="de",DEFAULT=NO,AUTOSELECT=YES,URI="s3_de/index.m3u8"',
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subtitles",NAME="de 2",LANGUAGE="de",DEFAULT=NO,AUTOSELECT=YES,'
        'URI="s4_de/index.m3u8"',
        '#EXT-X-STREAM-INF:BANDWIDTH=6594,AVERAGE-BANDWIDTH=4396,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=29.970,'
        'AUDIO="audio",SUBTITLES="subtitles"',
        "720p/index.m3u8",
        '#EXT-X-STREAM-INF:BANDWIDTH=1798,AVERAGE-BANDWIDTH=1498,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=29.970,'
        'AUDIO="audio",SUBTITLES="subtitles"',
        "360p/index.m3u8",
        '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=600,AVERAGE-BANDWIDTH=400,CODECS="avc1.64001f",RESOLUTION=1280x720,URI="720p/iframes.m3u8"',
        '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=120,AVERAGE-BANDWIDTH=110,CODECS="avc1.64001f",RESOLUTION=640x360,URI="360p/iframes.m3u8"',
    ]


def test_sound_inside_of_a_variant_is_named_in_its_codecs_and_in_no_group() -> None:
    text = master_playlist(_plan(ENGLISH, remuxes=True), {"720p": _picture("720p", 1000, audio=LC)})
    assert 'CODECS="avc1.64001f,mp4a.40.2"' in text
    assert "AUDIO" not in text


def test_a_rung_without_key_frames_has_no_playlist_of_them() -> None:
    blind = replace(BOTH["360p"], segments=tuple(replace(segment, key_frame=None) for segment in BOTH["360p"].segments))
    text = master_playlist(_plan(), BOTH | {"360p": blind})
    assert "720p/iframes.m3u8" in text
    assert "360p/iframes.m3u8" not in text


@given(language=st.text(max_size=20), directory=st.text(min_size=1, max_size=20))
def test_no_text_breaks_out_of_its_quotes(language: str, directory: str) -> None:
    text = master_playlist(_plan(), BOTH, [SubtitleRendition(directory, language)])
    lines = text.splitlines()
    assert len(lines) == 3 + 1 + 4 + 2
    name, tag, address = re.fullmatch(
        r'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subtitles",NAME="([^"]*)",LANGUAGE="([^"]*)",DEFAULT=NO,AUTOSELECT=YES,URI="([^"]*)"',
        lines[3],
    ).groups()  # type: ignore[union-attr]
    assert name == tag
    assert re.fullmatch(r"[\w.~%/-]+", address, re.ASCII)


def test_the_peak_is_that_of_any_run_near_the_target() -> None:
    seconds = 1_000_000
    steady = [(4 * seconds, 4000)] * 3
    assert peak_rate(steady, 4) == average_rate(steady) == 8000
    assert peak_rate([*steady, (4 * seconds, 8000)], 4) == 16000
    assert peak_rate([*steady, (seconds // 10, 4000)], 4) == -(-8 * 8000 * 10 // 41)  # too short alone, counts with its neighbour
    assert peak_rate([(seconds // 10, 100)], 1) == 8000
    assert average_rate([]) == 0


def test_subtitles_are_one_file_for_the_whole_video() -> None:
    lines = subtitle_playlist("subtitles.vtt", 61_040_000).splitlines()
    assert "#EXT-X-TARGETDURATION:62" in lines
    assert lines[-3:] == ["#EXTINF:61.040000,", "subtitles.vtt", "#EXT-X-ENDLIST"]


def test_subtitles_begin_where_the_segments_do() -> None:
    anchored = anchored_subtitles("WEBVTT\n\n00:00.000 --> 00:01.000\nHi\n", Fraction(7, 5))
    assert anchored == "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:126000,LOCAL:00:00:00.000\n\n00:00.000 --> 00:01.000\nHi\n"


def test_a_storyboard_names_the_place_of_each_picture() -> None:
    cues = storyboard_cues(BOARD, ["00001.jpg", "00002.jpg"])
    assert cues.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:04.000\n00001.jpg#xywh=0,0,160,90\n\n")
    assert "00:00:12.000 --> 00:00:16.000\n00001.jpg#xywh=160,90,160,90\n" in cues
    assert cues.endswith("00:00:16.000 --> 00:00:17.500\n00002.jpg#xywh=0,0,160,90\n")


def test_a_storyboard_that_lacks_a_sheet_is_incomplete() -> None:
    with pytest.raises(TranscodeError, match="has 1 sheets instead of 2"):
        storyboard_cues(BOARD, ["00001.jpg"])


@pytest.mark.parametrize(
    ("name", "content_type", "for_ever"),
    [
        ("master.m3u8", "application/vnd.apple.mpegurl", False),
        ("720p/index.m3u8", "application/vnd.apple.mpegurl", False),
        ("720p/00001.m4s", "video/iso.segment", True),
        ("720p/00001.ts", "video/mp2t", True),
        ("720p/init.mp4", "video/mp4", True),
        ("storyboard.vtt", "text/vtt", True),
        ("poster.jpg", "image/jpeg", True),
    ],
)
def test_every_file_is_served_as_what_it_is(name: str, content_type: str, for_ever: bool) -> None:
    assert headers(name).content_type == content_type
    assert ("immutable" in headers(name).cache_control) == for_ever


def test_a_file_that_no_video_has_is_not_served() -> None:
    with pytest.raises(KeyError):
        headers("index.html")

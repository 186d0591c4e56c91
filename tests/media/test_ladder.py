"""What becomes of a source: all decisions, without ffmpeg."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3tui.media.heights import parse_heights
from s3tui.media.ladder import Choices, plan_for
from s3tui.media.plan import Plan
from s3tui.media.source import AudioTrack, Source, SubtitleTrack, VideoStream

SOUND = AudioTrack(index=1, codec="aac", profile="LC", channels=2, language="eng")
AUTO = Choices()


def source(width: int = 1920, height: int = 1080, *, rate: int = 80_000_000, **of_the_picture: Any) -> Source:
    """Ten seconds of H.264 that any player takes, with `rate` bits a second."""
    video = VideoStream(0, "h264", "High", "yuv420p", "bt709", width, height, Fraction(1), 0, Fraction(25), False, 40)
    return Source(
        path=b"/in.mp4",
        container="mov,mp4,m4a,3gp,3g2,mj2",
        size=rate * 10 // 8,
        duration_us=10_000_000,
        video=replace(video, **of_the_picture),
        audio=(SOUND,),
        keyframe_gap_us=2_000_000,
    )


def sizes(plan: Plan) -> list[tuple[str, int, int]]:
    return [(rung.name, rung.width, rung.height) for rung in plan.rungs]


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (1920, 1080, [("1080p", 1920, 1080), ("720p", 1280, 720), ("480p", 854, 480), ("360p", 640, 360), ("240p", 426, 240)]),
        (1080, 1920, [("1080p", 1080, 1920), ("720p", 720, 1280), ("480p", 480, 854), ("360p", 360, 640), ("240p", 240, 426)]),
        (3840, 2160, [("1080p", 1920, 1080), ("720p", 1280, 720), ("480p", 854, 480), ("360p", 640, 360), ("240p", 426, 240)]),
        (1280, 536, [("536p", 1280, 536), ("480p", 1146, 480), ("360p", 860, 360), ("240p", 574, 240)]),
        (1000, 500, [("480p", 960, 480), ("360p", 720, 360), ("240p", 480, 240)]),
        (640, 640, [("640p", 640, 640), ("480p", 480, 480), ("360p", 360, 360), ("240p", 240, 240)]),
        (161, 91, [("90p", 160, 90)]),
    ],
)
def test_rungs_go_by_the_short_side_up_to_the_source(width: int, height: int, expected: list[tuple[str, int, int]]) -> None:
    assert sizes(plan_for(source(width, height), AUTO)) == expected


def test_rungs_are_as_the_picture_is_shown() -> None:
    turned = plan_for(source(640, 360, rotation=90), AUTO)
    assert sizes(turned) == [("360p", 360, 640), ("240p", 240, 426)]
    upside_down = plan_for(source(640, 360, rotation=180), AUTO)
    assert sizes(upside_down) == [("360p", 640, 360), ("240p", 426, 240)]
    stretched = plan_for(source(720, 576, sar=Fraction(64, 45)), AUTO)
    assert sizes(stretched)[0] == ("576p", 1024, 576)
    both = plan_for(source(720, 576, sar=Fraction(64, 45), rotation=270), AUTO)
    assert sizes(both)[0] == ("576p", 576, 1024)


@pytest.mark.parametrize(
    ("heights", "expected"),
    [
        ((720, 480), ["720p", "480p"]),
        ((2160, 1080), ["1080p"]),
        ((2160,), ["1080p"]),
        ((480,), ["480p"]),
        ((600, 300), ["600p", "300p"]),
    ],
)
def test_chosen_heights_are_made_as_far_as_the_source_goes(heights: tuple[int, ...], expected: list[str]) -> None:
    assert [rung.name for rung in plan_for(source(), Choices(heights=heights)).rungs] == expected


def test_more_than_1080_is_made_only_when_it_is_asked_for() -> None:
    large = source(3840, 2160)
    assert plan_for(large, AUTO).rungs[0].name == "1080p"
    assert sizes(plan_for(large, Choices(heights=(2160, 1080)))) == [("2160p", 3840, 2160), ("1080p", 1920, 1080)]


def test_rates_are_the_ladders() -> None:
    assert [rung.max_rate // 1000 for rung in plan_for(source(), AUTO).rungs] == [5000, 2800, 1400, 800, 400]
    assert plan_for(source(fps=Fraction(50)), AUTO).rungs[0].max_rate == 7_500_000
    assert plan_for(source(1000, 600), AUTO).rungs[0].max_rate == 1_944_444  # of 720p by its area
    assert plan_for(source(640, 362), AUTO).rungs[0].max_rate == 800_000  # not less than the rung below


def test_rates_do_not_pay_for_noise() -> None:
    rates = [rung.max_rate for rung in plan_for(source(rate=1_000_000), AUTO).rungs]
    assert rates == [
        1_364_000,
        1_364_000,
        1_364_000,
        800_000,
        400_000,
    ]
    assert plan_for(source(rate=1_000_000, codec="hevc"), AUTO).rungs[0].max_rate == 2_664_000
    assert plan_for(source(rate=8_000), AUTO).rungs[0].max_rate == 150_000


@pytest.mark.parametrize(
    ("fps", "expected", "gop"),
    [
        (Fraction(25), Fraction(25), 100),
        (Fraction(30000, 1001), Fraction(30000, 1001), 120),
        (Fraction(24000, 1001), Fraction(24000, 1001), 96),
        (Fraction(60), Fraction(60), 240),
        (Fraction(120), Fraction(60), 240),
        (Fraction(240000, 1001), Fraction(60000, 1001), 240),
        (Fraction(1000), Fraction(125, 4), 125),
        (Fraction(0), Fraction(30), 120),
        (Fraction(1, 5), Fraction(1), 4),
    ],
)
def test_frame_rates_are_halved_until_players_take_them(fps: Fraction, expected: Fraction, gop: int) -> None:
    plan = plan_for(source(fps=fps), AUTO)
    assert (plan.fps, plan.gop) == (expected, gop)


def test_segments_are_whole_frames() -> None:
    plan = plan_for(source(fps=Fraction(30000, 1001)), AUTO)
    assert float(plan.segment_seconds) == 4.004
    assert plan_for(source(), Choices(segment_seconds=2.5)).gop == 62


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_pictures_are_made_fit_for_every_screen(transfer: str) -> None:
    assert plan_for(source(transfer=transfer), AUTO).tone_maps
    assert not plan_for(source(), AUTO).tone_maps
    assert plan_for(source(interlaced=True), AUTO).deinterlaces
    assert not plan_for(source(), AUTO).deinterlaces


def test_every_sound_track_is_kept_and_copied_if_players_take_it() -> None:
    tracks = (
        SOUND,
        replace(SOUND, index=2, language="ger", channels=6),
        replace(SOUND, index=4, language="und", codec="mp3", profile="", channels=1),
        replace(SOUND, index=5, profile="HE-AAC"),
        replace(SOUND, index=6, channels=1),
    )
    audio = plan_for(replace(source(), audio=tracks), AUTO).audio
    assert [(track.name, track.index, track.language, track.copies, track.channels, track.default) for track in audio] == [
        ("a0_eng", 1, "en", True, 2, True),
        ("a1_ger", 2, "de", False, 2, False),
        ("a2_und", 4, "und", False, 2, False),
        ("a3_eng", 5, "en", False, 2, False),
        ("a4_eng", 6, "en", True, 1, False),
    ]
    assert plan_for(replace(source(), audio=()), AUTO).audio == ()


def test_subtitles_are_kept_if_they_are_text() -> None:
    codecs = ("subrip", "hdmv_pgs_subtitle", "ass", "mov_text", "dvd_subtitle", "webvtt", "dvb_teletext")
    tracks = tuple(SubtitleTrack(index, codec, "und") for index, codec in enumerate(codecs, 2))
    assert plan_for(replace(source(), subtitles=tracks), AUTO).subtitles == (2, 4, 5, 7)


ONE = Choices(heights=(1080,))


def test_what_fits_already_is_not_encoded() -> None:
    assert plan_for(source(), ONE).remuxes
    assert plan_for(replace(source(), audio=()), ONE).remuxes
    assert plan_for(source(1280, 720), ONE).remuxes  # 1080 is more than it has: its own size is wanted


@pytest.mark.parametrize(
    "picture",
    [
        {"codec": "hevc"},
        {"profile": "High 10"},
        {"pixel_format": "yuv420p10le"},
        {"pixel_format": "yuv444p"},
        {"level": 50},
        {"level": 0},
        {"interlaced": True},
        {"sar": Fraction(4, 3)},
        {"rotation": 90},
        {"rotation": 180},
        {"fps": Fraction(120)},
        {"fps": Fraction(0)},
        {"transfer": "smpte2084"},
    ],
)
def test_a_picture_that_not_every_player_takes_is_encoded(picture: dict[str, Any]) -> None:
    assert not plan_for(source(**picture), ONE).remuxes


@pytest.mark.parametrize(
    "other",
    [
        {"audio": (replace(SOUND, codec="mp3"),)},
        {"audio": (SOUND, replace(SOUND, index=2))},
        {"keyframe_gap_us": 10_000_001},
        {"keyframe_gap_us": 0},
        {"container": "avi"},
    ],
)
def test_a_file_that_cannot_be_cut_as_it_is_is_encoded(other: dict[str, Any]) -> None:
    assert not plan_for(replace(source(), **other), ONE).remuxes


def test_more_than_one_rung_or_another_size_is_encoded() -> None:
    assert not plan_for(source(), AUTO).remuxes
    assert not plan_for(source(), Choices(heights=(720,))).remuxes
    assert not plan_for(source(1921, 1081), ONE).remuxes


@pytest.mark.parametrize(
    ("text", "heights"), [("auto", ()), (" auto ", ()), ("720", (720,)), ("480, 1080,720", (1080, 720, 480)), ("480,480", (480,))]
)
def test_ladders_are_read(text: str, heights: tuple[int, ...]) -> None:
    assert parse_heights(text) == heights


@pytest.mark.parametrize("text", ["", "720p", "721", "0", "-2", "94", "10000", "720,,480", "auto,720", "7\u00b20"])
def test_what_is_no_ladder_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="ladder"):
        parse_heights(text)


@given(
    width=st.integers(16, 8192),
    height=st.integers(16, 8192),
    sar=st.fractions(Fraction(1, 10), 10),
    rotation=st.sampled_from((0, 90, 180, 270)),
    fps=st.fractions(0, 1000),
    heights=st.sampled_from(((), (720,), (2160, 360), (96,))),
)
def test_every_plan_is_one_that_can_be_made(
    width: int, height: int, sar: Fraction, rotation: int, fps: Fraction, heights: tuple[int, ...]
) -> None:
    plan = plan_for(source(width, height, sar=sar, rotation=rotation, fps=fps), Choices(heights=heights))
    shown_short, shown_long = sorted((float(width * sar), float(height)))
    assert plan.rungs
    assert 1 <= plan.fps <= 60
    assert plan.gop >= 1
    assert len({rung.name for rung in plan.rungs}) == len(plan.rungs)
    for rung in plan.rungs:
        short, long = sorted((rung.width, rung.height))
        assert short % 2 == long % 2 == 0
        assert short <= max(2, shown_short)
        assert rung.max_rate >= 150_000
        if shown_short >= 2:
            assert abs(long - shown_long * short / shown_short) < 1.001
    rates = [rung.max_rate for rung in plan.rungs]
    assert rates == sorted(rates, reverse=True)

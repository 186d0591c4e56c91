"""The command lines as text: what stands in them for which plan."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from s3tui.media import commands
from s3tui.media.opening import opening
from s3tui.media.plan import Plan, Rung
from tests.media.clips import plan_of, source_of, track

SOURCE = source_of(Path("/videos/a.mp4"))
ONE_RUNG = (Rung("180p", 320, 180, 400_000),)


def after(option: str, command: list[str]) -> str:
    return command[command.index(option) + 1]


def hls(plan: Plan, threads: int = 0) -> list[str]:
    return commands.hls("/usr/bin/ffmpeg", SOURCE, plan, threads=threads)


def test_the_source_is_opened_by_whitelist_and_absolute_name() -> None:
    command = hls(plan_of())
    start = command.index("-protocol_whitelist")
    assert command[start : start + 6] == opening(b"/videos/a.mp4")
    assert command[start + 5] == "file:/videos/a.mp4"


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (plan_of(), "v:0,name:180p v:1,name:90p"),
        (
            plan_of(audio=(track(1, name="a0_eng"), track(2, name="a1_de"))),
            "v:0,agroup:aud,name:180p v:1,agroup:aud,name:90p a:0,agroup:aud,name:a0_eng a:1,agroup:aud,name:a1_de",
        ),
        (plan_of(segment_type="ts", audio=(track(),)), "v:0,a:0,name:180p v:1,a:1,name:90p"),
        (
            plan_of(segment_type="ts", rungs=ONE_RUNG, audio=(track(1, name="a0"), track(2, name="a1"))),
            "v:0,agroup:aud,name:180p a:0,agroup:aud,name:a0 a:1,agroup:aud,name:a1",
        ),
        (plan_of(remuxes=True, rungs=ONE_RUNG, audio=(track(1), track(2))), "v:0,a:0,a:1,name:180p"),
    ],
)
def test_streams_are_together_as_the_plan_has_them(plan: Plan, expected: str) -> None:
    assert after("-var_stream_map", hls(plan)) == expected


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (
            plan_of(),
            "[0:0]fps=25,split=2[s0][s1];"
            "[s0]scale=320:180:flags=bicubic,setsar=1,format=yuv420p[v0];[s1]scale=160:90:flags=bicubic,setsar=1,format=yuv420p[v1]",
        ),
        (
            plan_of(rungs=ONE_RUNG, deinterlaces=True, fps=Fraction(30000, 1001)),
            "[0:0]bwdif=mode=0,fps=30000/1001,split=1[s0];[s0]scale=320:180:flags=bicubic,setsar=1,format=yuv420p[v0]",
        ),
    ],
)
def test_pictures_are_decoded_once_and_scaled_for_each_rung(plan: Plan, expected: str) -> None:
    assert after("-filter_complex", hls(plan)) == expected


def test_tone_mapping_works_at_the_size_of_the_best_rung() -> None:
    graph = after(
        "-filter_complex", commands.hls("ffmpeg", source_of(Path("/a"), transfer="arib-std-b67"), plan_of(tone_maps=True))
    )
    assert "fps=25,setparams=color_primaries=bt2020:color_trc=arib-std-b67:colorspace=bt2020nc,zscale=w=320:h=180:t=linear" in graph


@pytest.mark.parametrize(
    ("gop", "fps", "seconds"),
    [
        (100, Fraction(25), "4.000000"),
        (120, Fraction(30000, 1001), "4.004000"),
        (96, Fraction(24000, 1001), "4.004000"),
        (3, Fraction(7), "0.428549"),
    ],
)
def test_the_time_to_cut_is_never_later_than_the_key_frame(gop: int, fps: Fraction, seconds: str) -> None:
    plan = plan_of(gop=gop, fps=fps)
    assert after("-hls_time", hls(plan)) == seconds
    assert Fraction(seconds) <= plan.segment_seconds


def test_threads_are_limited_only_when_asked() -> None:
    assert "-threads" not in " ".join(hls(plan_of()))
    limited = hls(plan_of(), threads=2)
    assert [after(option, limited) for option in ("-threads", "-filter_complex_threads", "-threads:v:0", "-threads:v:1")] == [
        "2"
    ] * 4


def test_a_poster_of_a_long_video_is_from_its_first_ten_seconds() -> None:
    assert after("-ss", commands.poster("ffmpeg", SOURCE, plan_of())) == "120000us"

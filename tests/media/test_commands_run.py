"""The command lines, obeyed by a real ffmpeg."""

from __future__ import annotations

import os
import shutil
from fractions import Fraction
from pathlib import Path

import pytest

from s3tui.media import commands
from s3tui.media.encode import Ended, run
from s3tui.media.plan import Plan, Rung
from s3tui.media.source import Source
from s3tui.media.storyboard import storyboard
from tests.media.clips import SECONDS, Clips, decoded, frames, joined, listed, make_directories, plan_of, source_of, track

pytestmark = pytest.mark.thorough(one_in=5)


def make(ffmpeg: str, source: Source, plan: Plan, work: Path) -> Ended:
    make_directories(work, plan)
    ended = run(commands.hls(ffmpeg, source, plan, threads=1), work, source.path)
    assert ended.succeeded, ended.tail
    return ended


@pytest.mark.parametrize("segment_type", ["fmp4", "ts"])
def test_every_rung_and_the_sound_have_their_segments(ffmpeg: str, clips: Clips, tmp_path: Path, segment_type: str) -> None:
    plan = plan_of(segment_type=segment_type, audio=(track(),))
    make(ffmpeg, source_of(clips["plain.mp4"]), plan, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(plan.renditions)
    for name in plan.renditions:
        durations, names = listed(tmp_path / name / "index.m3u8")
        assert sum(durations) == pytest.approx(SECONDS, abs=0.05)
        assert names == [f"{number:05d}{plan.suffix}" for number in range(1, len(names) + 1)]
    for rung in plan.rungs:
        seen = decoded(ffmpeg, joined(tmp_path / rung.name))
        assert f" {rung.width}x{rung.height}" in seen
        assert ("Audio: aac" in seen) == plan.muxes_audio


def test_pictures_alone_make_a_video(ffmpeg: str, clips: Clips, tmp_path: Path) -> None:
    plan = plan_of()
    make(ffmpeg, source_of(clips["silent.mp4"]), plan, tmp_path)
    assert "Audio" not in decoded(ffmpeg, joined(tmp_path / "90p"))


@pytest.mark.parametrize("segment_type", ["fmp4", "ts"])
def test_several_sound_tracks_are_renditions_of_their_own(ffmpeg: str, clips: Clips, tmp_path: Path, segment_type: str) -> None:
    tracks = (track(1, name="a0_eng"), track(2, name="a1_ger", default=False))
    make(ffmpeg, source_of(clips["languages.mkv"]), plan_of(segment_type=segment_type, audio=tracks), tmp_path)
    for name in ("a0_eng", "a1_ger"):
        seen = decoded(ffmpeg, joined(tmp_path / name))
        assert "Audio: aac (LC), 48000 Hz, stereo" in seen.replace(" (mp4a / 0x6134706D)", "").replace(
            " ([15][0][0][0] / 0x000F)", ""
        )
        assert "Video" not in seen


@pytest.mark.parametrize("clip", ["plain.mp4", "plain.ts"])
def test_aac_is_taken_over_from_any_container(ffmpeg: str, clips: Clips, tmp_path: Path, clip: str) -> None:
    make(ffmpeg, source_of(clips[clip]), plan_of(audio=(track(copies=True),)), tmp_path)
    assert "mono" in decoded(ffmpeg, joined(tmp_path / "a0_und"))


@pytest.mark.parametrize("segment_type", ["fmp4", "ts"])
@pytest.mark.parametrize("clip", ["plain.mp4", "plain.ts"])
def test_a_remux_keeps_every_picture_and_has_the_sound_inside(
    ffmpeg: str, clips: Clips, tmp_path: Path, clip: str, segment_type: str
) -> None:
    plan = plan_of(segment_type=segment_type, remuxes=True, rungs=(Rung("180p", 320, 180, 0),), audio=(track(copies=True),))
    make(ffmpeg, source_of(clips[clip]), plan, tmp_path)
    whole = joined(tmp_path / "180p")
    assert "Audio: aac" in decoded(ffmpeg, whole)
    assert frames(ffmpeg, whole) == frames(ffmpeg, clips[clip])
    assert len(listed(tmp_path / "180p" / "index.m3u8")[1]) == 3


def test_a_remux_may_still_encode_its_sound(ffmpeg: str, clips: Clips, tmp_path: Path) -> None:
    plan = plan_of(remuxes=True, rungs=(Rung("180p", 320, 180, 0),), audio=(track(1), track(2, name="a1_und", default=False)))
    make(ffmpeg, source_of(clips["languages.mkv"]), plan, tmp_path)
    assert decoded(ffmpeg, joined(tmp_path / "180p")).count("Audio: aac") == 2


def test_segments_begin_at_the_same_times_in_all_rungs_whatever_the_scenes_do(ffmpeg: str, clips: Clips, tmp_path: Path) -> None:
    make(ffmpeg, source_of(clips["cut.mp4"]), plan_of(fps=Fraction(30000, 1001), gop=6, preset="veryfast"), tmp_path)
    durations, _ = listed(tmp_path / "180p" / "index.m3u8")
    assert durations == listed(tmp_path / "90p" / "index.m3u8")[0]
    assert durations[:-1] == [pytest.approx(0.2002)] * 5


@pytest.mark.parametrize("fps", [Fraction(7), Fraction(24000, 1001), Fraction(60000, 1001), Fraction(29)])
@pytest.mark.parametrize("segment_type", ["fmp4", "ts"])
def test_no_rate_makes_a_segment_of_two_groups(ffmpeg: str, clips: Clips, tmp_path: Path, fps: Fraction, segment_type: str) -> None:
    plan = plan_of(fps=fps, gop=3, segment_type=segment_type, rungs=(Rung("90p", 160, 90, 200_000),))
    make(ffmpeg, source_of(clips["silent.mp4"]), plan, tmp_path)
    durations, _ = listed(tmp_path / "90p" / "index.m3u8")
    assert max(durations) <= float(plan.segment_seconds) * 1.01


def test_an_upright_recording_stands_upright(ffmpeg: str, clips: Clips, tmp_path: Path) -> None:
    plan = plan_of(rungs=(Rung("180p", 180, 320, 400_000),))
    make(ffmpeg, source_of(clips.turned(), rotation=270), plan, tmp_path)
    seen = decoded(ffmpeg, joined(tmp_path / "180p"))
    assert " 180x320 [SAR 1:1" in seen
    assert "rotation" not in seen


@pytest.mark.parametrize("clip", ["pq.mp4", "pq_half_tagged.mp4"])
def test_hdr_becomes_what_every_screen_shows(ffmpeg: str, clips: Clips, tmp_path: Path, clip: str) -> None:
    source = source_of(clips[clip], pixel_format="yuv420p10le", transfer="smpte2084")
    plan = plan_of(tone_maps=True)
    make(ffmpeg, source, plan, tmp_path)
    assert "yuv420p(tv, bt709, progressive)" in decoded(ffmpeg, joined(tmp_path / "90p"))
    assert run(commands.poster(ffmpeg, source, plan), tmp_path, source.path).succeeded


def test_fields_become_whole_pictures(ffmpeg: str, clips: Clips, tmp_path: Path) -> None:
    plan = plan_of(deinterlaces=True)
    make(ffmpeg, source_of(clips["interlaced.mp4"], interlaced=True), plan, tmp_path)
    assert "progressive" in decoded(ffmpeg, joined(tmp_path / "180p"))


@pytest.mark.parametrize("name", [b"-y.mp4", b"http:x.mp4", b"%05d.mp4", b"a\nb'\"\\.mp4", b"\xff\xfe.mp4"])
def test_no_name_of_a_file_means_anything_to_ffmpeg(ffmpeg: str, clips: Clips, tmp_path: Path, name: bytes) -> None:
    hostile = tmp_path / os.fsdecode(name)
    shutil.copy(clips["silent.mp4"], hostile)
    make(ffmpeg, source_of(hostile), plan_of(), tmp_path / "work")


@pytest.mark.parametrize("script", ["ffconcat version 1.0\nfile silent.mp4\n", "#EXTM3U\n#EXTINF:1,\nplain.ts\n#EXT-X-ENDLIST\n"])
def test_text_that_names_other_files_is_not_followed(ffmpeg: str, clips: Clips, tmp_path: Path, script: str) -> None:
    plan = plan_of()
    make_directories(tmp_path, plan)
    for name in ("silent.mp4", "plain.ts"):
        shutil.copy(clips[name], tmp_path)
    disguised = tmp_path / "disguised.mp4"
    disguised.write_text(script)
    assert not run(commands.hls(ffmpeg, source_of(disguised), plan), tmp_path, b"").succeeded
    assert not list(tmp_path.glob("*/*"))


def test_a_poster_has_the_size_of_the_best_rung(ffmpeg: str, clips: Clips, tmp_path: Path) -> None:
    source = source_of(clips["silent.mp4"])
    assert run(commands.poster(ffmpeg, source, plan_of()), tmp_path, source.path).succeeded
    assert "320x180" in decoded(ffmpeg, tmp_path / commands.POSTER)


def test_a_storyboard_shows_what_each_stretch_does(ffmpeg: str, clips: Clips, tmp_path: Path) -> None:
    source, plan = source_of(clips["cut.mp4"]), plan_of()
    board = storyboard(source.duration_us, plan.rungs[0])
    (tmp_path / commands.STORYBOARD).mkdir()
    assert run(commands.storyboard(ffmpeg, source, plan, board), tmp_path, source.path).succeeded
    (sheet,) = (tmp_path / commands.STORYBOARD).iterdir()
    assert sheet.name == "00001.jpg"
    assert "320x90" in decoded(ffmpeg, sheet)
    assert frames(ffmpeg, sheet, "-vf", "crop=160:90:0:0") != frames(ffmpeg, sheet, "-vf", "crop=160:90:160:0")


def test_a_storyboard_has_a_picture_even_for_a_stretch_without_a_key_frame(ffmpeg: str, clips: Clips, tmp_path: Path) -> None:
    source, plan = source_of(clips["silent.mp4"]), plan_of()
    board = storyboard(5_000_000, plan.rungs[0])  # as if it went on for long
    (tmp_path / commands.STORYBOARD).mkdir()
    assert run(commands.storyboard(ffmpeg, source, plan, board), tmp_path, source.path).succeeded
    (sheet,) = (tmp_path / commands.STORYBOARD).iterdir()
    assert frames(ffmpeg, sheet, "-vf", "crop=160:90:0:0") == frames(ffmpeg, sheet, "-vf", "crop=160:90:640:0")


def test_text_subtitles_become_webvtt(ffmpeg: str, clips: Clips, tmp_path: Path) -> None:
    source = source_of(clips.subtitled())
    assert run(commands.subtitles(ffmpeg, source, plan_of(subtitles=(1,))), tmp_path, source.path).succeeded
    text = (tmp_path / commands.subtitle_name(1)).read_text()
    assert text.startswith("WEBVTT")
    assert "00:00.100 --> 00:00.900\nHello, <b>world</b>" in text

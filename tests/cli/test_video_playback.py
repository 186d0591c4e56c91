"""The result of `s3tui video` plays: Chromium with hls.js, a real ffmpeg and a real S3."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import Home
from tests.media.clips import FILM_SECONDS, Clips
from tests.player import Player
from tests.servers import Store

pytestmark = pytest.mark.thorough(one_in=8)

LADDER = {"320x180", "214x120", "170x96"}


def made(home: Home, store: Store, clip: Path, *options: str) -> str:
    """Make a video of three rungs; returns the key of its master."""
    home.at(store)
    words = ("--preset", "ultrafast", "--segment-seconds", "1", "--ladder", "180,120,96", *options)
    ended = home.run("video", str(clip), f"s3://{store.bucket}/p", *words)
    assert ended.code == 0, ended.stderr
    return f"p/{clip.stem}/master.m3u8"


@pytest.mark.parametrize("segment_type", ["fmp4", "ts"])
def test_a_video_plays_to_its_end_in_every_rung(
    home: Home, rclone_store: Store, clips: Clips, player: Player, segment_type: str
) -> None:
    seen = player.play(rclone_store, made(home, rclone_store, clips["film.mp4"], "--segment-type", segment_type))
    assert seen.faults(FILM_SECONDS) == []
    assert {rung.promised for rung in seen.rungs} == LADDER


@pytest.mark.parametrize("segment_type", ["fmp4", "ts"])
def test_each_language_is_heard_and_subtitles_come_in_time(
    home: Home, rclone_store: Store, clips: Clips, player: Player, segment_type: str
) -> None:
    seen = player.play(rclone_store, made(home, rclone_store, clips.spoken(), "--segment-type", segment_type))
    assert seen.faults(FILM_SECONDS) == []
    assert ({rung.promised for rung in seen.rungs}, seen.tracks, seen.subtitles) == (LADDER, ["en", "de"], ["de"])
    [cue] = seen.cues
    assert (cue.language, cue.text) == ("de", "Hello, <b>world</b>")
    assert [cue.start, cue.end] == pytest.approx([0.1, 0.9], abs=0.05)


def test_a_broken_rung_is_noticed(home: Home, rclone_store: Store, clips: Clips, player: Player) -> None:
    master = made(home, rclone_store, clips["film.mp4"])
    store = rclone_store.client()
    for key in [key for key in rclone_store.contents() if key.startswith("p/film/120p/0")]:
        store.put_object(Bucket=rclone_store.bucket, Key=key, Body=b"no segment at all" * 1000)
    faults = player.play(rclone_store, master).faults(FILM_SECONDS)
    assert any("p/film/120p/0" in fault or fault.startswith("214x120 was promised") for fault in faults), faults


def test_a_rung_of_another_size_is_noticed(home: Home, rclone_store: Store, clips: Clips, player: Player) -> None:
    master = made(home, rclone_store, clips["film.mp4"])
    store = rclone_store.client()
    for key in [key for key in rclone_store.contents() if key.startswith("p/film/180p/")]:
        source = {"Bucket": rclone_store.bucket, "Key": key}
        store.copy_object(Bucket=rclone_store.bucket, Key=key.replace("180p", "96p"), CopySource=source)
    faults = player.play(rclone_store, master).faults(FILM_SECONDS)
    assert "170x96 was promised, and 320x180 shown" in faults

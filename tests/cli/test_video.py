"""`s3tui video` as users run it: the real command, a real ffmpeg and a real S3."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Ended, Home
from tests.films import REAL_SECONDS, faults
from tests.front import FaultFront
from tests.media.clips import SECONDS, SOUND, Clips
from tests.servers import Store

pytestmark = pytest.mark.thorough(one_in=8)

FAST = ("--preset", "ultrafast", "--segment-seconds", "1")


def made(home: Home, store: Store, *words: str | Path) -> tuple[Ended, dict[str, Any]]:
    """Make videos below `p/`; returns how the command ended, and its report."""
    ended = home.run("video", *FAST, *map(str, words), f"s3://{store.bucket}/p", "--output-json", "report.json")
    return ended, json.loads((home.work / "report.json").read_text())


@pytest.mark.parametrize("segment_type", ["fmp4", "ts"])
@pytest.mark.parametrize(
    "name", ["plain.mp4", "silent.mp4", "languages.mkv", "turned.mp4", "plain.ts", "pq.mp4", "interlaced.mp4", "subtitled.mkv"]
)
def test_a_clip_becomes_a_faultless_video(
    home: Home, rclone_store: Store, clips: Clips, ffmpeg: str, name: str, segment_type: str
) -> None:
    home.at(rclone_store)
    special = {"turned.mp4": clips.turned, "subtitled.mkv": clips.subtitled}
    clip = special[name]() if name in special else clips[name]
    ended, report = made(home, rclone_store, clip, "--ladder", "180,120", "--segment-type", segment_type)
    assert (ended.code, "Traceback" in ended.stderr) == (0, False), ended.stderr
    assert faults(rclone_store, f"p/{clip.stem}/master.m3u8", ffmpeg, SECONDS) == []
    [file] = report["files"]
    assert (report["state"], file["state"], file["key"]) == ("completed", "verified", f"p/{clip.stem}/master.m3u8")
    assert report["url"] == file["url"] == f"{rclone_store.url}/{rclone_store.bucket}/p/{clip.stem}/master.m3u8"
    sizes = [(rung["name"], min(rung["width"], rung["height"])) for rung in file["renditions"]]
    assert sizes == [("180p", 180), ("120p", 120)]
    upright = [rung["height"] > rung["width"] for rung in file["renditions"]]
    assert upright == [name == "turned.mp4"] * 2


@pytest.mark.parametrize("segment_type", ["fmp4", "ts"])
def test_a_real_film_becomes_a_faultless_video(
    home: Home, rclone_store: Store, real_film: Path, ffmpeg: str, segment_type: str
) -> None:
    home.at(rclone_store)
    ended, report = made(home, rclone_store, real_film, "--ladder", "720,360", "--segment-type", segment_type)
    assert ended.code == 0, ended.stderr
    assert faults(rclone_store, f"p/{real_film.stem}/master.m3u8", ffmpeg, REAL_SECONDS) == []
    assert [(rung["width"], rung["height"]) for rung in report["files"][0]["renditions"]] == [(1280, 720), (640, 360)]


def test_a_video_that_fits_is_cut_and_not_encoded(home: Home, rclone_store: Store, clips: Clips, ffmpeg: str) -> None:
    home.at(rclone_store)
    ended, report = made(home, rclone_store, clips["silent.mp4"], "--ladder", "180")
    assert ended.code == 0, ended.stderr
    assert faults(rclone_store, "p/silent/master.m3u8", ffmpeg, SECONDS) == []
    [rung] = report["files"][0]["renditions"]
    assert (rung["width"], rung["height"]) == (320, 180)
    stored = b"".join(content for key, content in sorted(rclone_store.contents().items()) if key.endswith(".m4s"))
    assert clips["silent.mp4"].read_bytes().split(b"mdat", 1)[1][5000:5500] in stored, "the source's own bytes"


def test_one_file_of_two_that_is_no_video_fails_alone(home: Home, rclone_store: Store, clips: Clips, ffmpeg: str) -> None:
    home.at(rclone_store)
    (home.work / "junk.mp4").write_bytes(b"\x00no video at all" * 100)
    ended, report = made(home, rclone_store, clips["silent.mp4"], "junk.mp4")
    assert ended.code == 2
    assert report["state"] == "partial"
    good, bad = report["files"]
    assert (good["state"], bad["state"], bad["reason"]) == ("verified", "failed", "unreadable")
    assert (bad["url"], bad["renditions"]) == (None, None)
    assert "junk.mp4" in bad["error"]
    assert faults(rclone_store, "p/silent/master.m3u8", ffmpeg, SECONDS) == []
    assert {key.split("/")[1] for key in rclone_store.contents()} == {"silent"}


def test_what_is_no_video_fails_with_a_sentence_and_leaves_nothing(
    home: Home, rclone_store: Store, clips: Clips, ffmpeg: str
) -> None:
    home.at(rclone_store)
    whole = clips["plain.mp4"].read_bytes()
    (home.work / "other.mp4").write_bytes(whole)
    bad: dict[str, tuple[str, bytes]] = {
        "text.mp4": ("unreadable", b"Dear all,\nthis is a letter.\n"),
        "empty.mp4": ("empty", b""),
        "image.mp4": ("still_image", b"\x89PNG\r\n\x1a\n" + bytes(64)),
        "cut.mp4": ("truncated", whole[: len(whole) // 2]),
        "script.mp4": ("unsupported", b"ffconcat version 1.0\nfile other.mp4\n"),
        "list.mp4": ("unsupported", b"#EXTM3U\n#EXTINF:1,\nother.mp4\n#EXT-X-ENDLIST\n"),
        "sound.mp4": ("audio_only", sound(ffmpeg, home.work / "sound.m4a")),
    }
    for name, (_, content) in bad.items():
        (home.work / name).write_bytes(content)
    ended, report = made(home, rclone_store, *bad)
    assert (ended.code, "Traceback" in ended.stderr) == (2, False), ended.stderr
    found = {file["path"]: file["reason"] for file in report["files"]}
    assert found == {name: reason for name, (reason, _) in bad.items()}
    assert all(file["error"].count("\n") == 0 and file["path"] in file["error"] for file in report["files"])
    assert (rclone_store.contents(), report["url"]) == ({}, None)


def test_its_job_is_shown_and_told_in_events(home: Home, rclone_store: Store, clips: Clips) -> None:
    home.at(rclone_store)
    ended = home.run("video", *FAST, str(clips["silent.mp4"]), f"s3://{rclone_store.bucket}", "--json-lines", "-q")
    assert ended.code == 0, ended.stderr
    events = {event["event"]: event for event in ended.events}
    assert (events["job_started"]["kind"], events["job_ended"]["state"]) == ("video", "completed")
    assert (events["file"]["path"], events["file"]["state"]) == ("silent.mp4", "verified")
    job = home.jobs()[0].id
    assert home.run("jobs", "show", job, "--json").json["state"] == "completed"
    shown = home.run("jobs", "show", job)
    assert (shown.code, "silent.mp4" in shown.stdout or "completed" in shown.stdout) == (0, True)
    assert "video" in home.run("jobs").stdout


def test_a_store_that_is_busy_for_a_while_is_waited_for(
    home: Home, rclone_store: Store, front: FaultFront, clips: Clips, ffmpeg: str
) -> None:
    home.at(rclone_store.behind(front))
    front.fail("PutObject", r"/00001\.m4s", times=3)
    front.reset("PutObject", r"/0000[2-9]\.m4s", times=2)
    front.lose_answer("PutObject", r"index\.m3u8")
    ended, report = made(home, rclone_store, clips["plain.mp4"], "--ladder", "180,120")
    assert (ended.code, report["state"]) == (0, "completed"), ended.stderr
    assert faults(rclone_store, "p/plain/master.m3u8", ffmpeg, SECONDS) == []


@pytest.mark.parametrize("key", [r"120p/00002\.m4s", r"120p/index\.m3u8", r"master\.m3u8"])
def test_one_key_that_is_forbidden_leaves_nothing(
    home: Home, rclone_store: Store, front: FaultFront, clips: Clips, key: str
) -> None:
    home.at(rclone_store.behind(front))
    front.fail("PutObject", key, status=403, code="AccessDenied", times=99)
    front.fail("DeleteObject", r"180p/", times=2)
    ended, report = made(home, rclone_store, clips["plain.mp4"], "--ladder", "180,120")
    [file] = report["files"]
    assert (ended.code, file["state"], file["reason"]) == (2, "failed", "access_denied")
    assert (rclone_store.contents(), file["url"]) == ({}, None)
    assert no_work_directory(home)


def test_what_is_there_already_is_left_alone_by_the_job_and_by_its_retry(home: Home, rclone_store: Store, clips: Clips) -> None:
    home.at(rclone_store)
    client = rclone_store.client()
    client.put_object(Bucket=rclone_store.bucket, Key="p/silent/mine", Body=b"mine")
    ended, report = made(home, rclone_store, clips["silent.mp4"])
    [file] = report["files"]
    assert (ended.code, file["state"], file["reason"]) == (2, "failed", "exists")
    assert "What is there is not replaced" in file["error"]
    assert home.run("jobs", "retry", home.jobs()[0].id, "-q").code == 2
    assert rclone_store.contents() == {"p/silent/mine": b"mine"}
    client.delete_object(Bucket=rclone_store.bucket, Key="p/silent/mine")
    assert home.run("jobs", "retry", home.jobs()[0].id, "-q").code == 0
    assert "p/silent/master.m3u8" in rclone_store.contents()


def test_a_dry_run_stores_nothing_and_apply_makes_the_video(home: Home, rclone_store: Store, clips: Clips, ffmpeg: str) -> None:
    home.at(rclone_store)
    planned = home.run("video", *FAST, str(clips["silent.mp4"]), f"s3://{rclone_store.bucket}/p", "--dry-run")
    assert (planned.code, rclone_store.contents()) == (0, {})
    assert "p/silent/master.m3u8" in planned.stdout
    assert home.run("jobs", "apply", home.jobs()[0].id).code == 0
    assert faults(rclone_store, "p/silent/master.m3u8", ffmpeg, SECONDS) == []


def test_an_ffmpeg_that_cannot_make_videos_fails_the_job_with_a_sentence(home: Home, rclone_store: Store, clips: Clips) -> None:
    home.at(rclone_store)
    home.environment["S3TUI_FFMPEG"] = "/bin/true"
    ended, report = made(home, rclone_store, clips["silent.mp4"])
    assert (ended.code, report["state"]) == (1, "failed")
    assert ended.sentence.startswith("s3tui: Videos need ffmpeg, and /bin/true does not run: name another in video.ffmpeg")


@pytest.mark.parametrize(
    "words", [("--ladder", "wide"), ("--segment-seconds", "0"), ("--segment-seconds", "nan"), ("--preset", "x -y")]
)
def test_options_that_cannot_be_used_are_refused_before_anything_is_done(
    home: Home, rclone_store: Store, clips: Clips, words: tuple[str, str]
) -> None:
    home.at(rclone_store)
    refused = home.run("video", str(clips["silent.mp4"]), f"s3://{rclone_store.bucket}", *words)
    assert (refused.code, words[0].strip("-").replace("-", "_") in refused.sentence) == (1, True), refused.sentence
    assert (home.jobs(), rclone_store.contents()) == ([], {})


def test_a_background_worker_makes_videos_too(any_home: Home, rclone_store: Store, clips: Clips, ffmpeg: str) -> None:
    any_home.at(rclone_store)
    try:
        detached = any_home.run("video", *FAST, str(clips["silent.mp4"]), f"s3://{rclone_store.bucket}", "--detach")
        assert detached.code == 0, detached.stderr
        assert any_home.run("jobs", "watch", detached.stdout.strip()).code == 0
    finally:
        any_home.stop_workers()
    assert faults(rclone_store, "silent/master.m3u8", ffmpeg, SECONDS) == []


def sound(ffmpeg: str, path: Path) -> bytes:
    """A file with sound and nothing else."""
    subprocess.run([ffmpeg, "-v", "error", *SOUND, "-c:a", "aac", str(path)], check=True, timeout=60)
    return path.read_bytes()


def no_work_directory(home: Home) -> bool:
    """Whether nothing is left of what encodes have written."""
    work = home.directory / "state" / "s3tui" / "video"
    return not work.exists() or not list(work.iterdir())

"""Videos that are stopped, called off or killed in the middle of their encode."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from s3tui.jobs.own_prefix import OWNER
from s3tui.model import JobState, ObjectRef
from tests.cli.command import Home, ended
from tests.films import SlowFfmpeg, faults
from tests.front import FaultFront
from tests.media.clips import H264, Clips
from tests.servers import Store
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=9)

SECONDS = 4.0
FAST = ("--preset", "ultrafast", "--segment-seconds", "1", "--ladder", "180,120")


@pytest.fixture
def film(home: Home, ffmpeg: str) -> Path:
    """Longer than the clips: there is time to break off its encode."""
    path = home.work / "film.mp4"
    picture = ["-f", "lavfi", "-i", f"testsrc2=size=320x180:rate=25:duration={SECONDS}"]
    subprocess.run([ffmpeg, "-v", "error", *picture, *H264, str(path)], check=True, timeout=60)
    return path


@pytest.fixture
def command(home: Home, rclone_store: Store, film: Path) -> list[str]:
    """Make a video of it."""
    home.at(rclone_store)
    return ["video", *FAST, str(film), f"s3://{rclone_store.bucket}/p"]


def keys(store: Store) -> set[str]:
    """What is below the video's prefix."""
    listed = store.client().list_objects_v2(Bucket=store.bucket, Prefix="p/film/")
    return {entry["Key"] for entry in listed.get("Contents", ())}


def begun(home: Home, store: Store, slow: SlowFfmpeg, command: list[str]) -> subprocess.Popen[bytes]:
    """Start it, and return when the first segments are on S3 and later ones are being encoded."""
    process = home.start(*command, S3TUI_FFMPEG=str(slow.path))
    wait_until(lambda: process.poll() is not None or len(keys(store)) >= 4, 30, "segments on S3")
    assert process.poll() is None, ended(process)
    assert len(slow.alive) == 1
    assert not [key for key in keys(store) if key.endswith(".m3u8")], "nothing is published yet"
    return process


def no_work_directory(home: Home) -> bool:
    """Whether nothing is left of what encodes have written."""
    work = home.directory / "state" / "s3tui" / "video"
    return not work.exists() or not list(work.iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_nothing_and_the_same_command_makes_the_video(
    home: Home, rclone_store: Store, command: list[str], slow_ffmpeg: SlowFfmpeg, ffmpeg: str, number: signal.Signals
) -> None:
    process = begun(home, rclone_store, slow_ffmpeg, command)
    process.send_signal(number)
    stopped = ended(process)
    assert (stopped.code, slow_ffmpeg.alive) == (130, []), stopped.stderr
    assert (rclone_store.contents(), no_work_directory(home)) == ({}, True)
    assert "The same command resumes" in stopped.stderr
    again = home.run(*command)
    assert (again.code, again.stderr.startswith("Resuming job ")) == (0, True), again.stderr
    assert len(home.jobs()) == 1
    assert faults(rclone_store, "p/film/master.m3u8", ffmpeg, SECONDS) == []


def test_an_interrupt_does_not_wait_for_the_storyboard(
    home: Home, rclone_store: Store, command: list[str], ffmpeg: str, tmp_path: Path
) -> None:
    stuck, reached = tmp_path / "stuck-ffmpeg", tmp_path / "reached"
    stuck.write_text(f"""#!/bin/sh\ncase "$*" in *tile=*) touch '{reached}'; exec sleep 60 ;; esac\nexec '{ffmpeg}' "$@"\n""")
    stuck.chmod(0o755)
    process = home.start(*command, S3TUI_FFMPEG=str(stuck))
    wait_until(lambda: process.poll() is not None or reached.exists(), 30, "the storyboard")
    process.send_signal(signal.SIGINT)
    assert ended(process).code == 130
    assert (rclone_store.contents(), no_work_directory(home)) == ({}, True)


def test_a_cancel_leaves_nothing(home: Home, rclone_store: Store, command: list[str], slow_ffmpeg: SlowFfmpeg) -> None:
    process = begun(home, rclone_store, slow_ffmpeg, command)
    assert home.run("jobs", "cancel", home.jobs()[0].id).code == 0
    stopped = ended(process)
    assert (stopped.code != 0, slow_ffmpeg.alive, home.jobs()[0].state) == (True, [], JobState.CANCELLED), stopped.stderr
    assert (rclone_store.contents(), no_work_directory(home)) == ({}, True)


@pytest.mark.parametrize("way", ["same command", "jobs resume"])
def test_a_killed_video_takes_its_encoder_along_and_is_made_anew(
    home: Home, rclone_store: Store, command: list[str], slow_ffmpeg: SlowFfmpeg, ffmpeg: str, way: str
) -> None:
    process = begun(home, rclone_store, slow_ffmpeg, command)
    process.kill()
    ended(process)
    wait_until(lambda: not slow_ffmpeg.alive, 5, "the encoder to go")
    left = ObjectRef(rclone_store.bucket, "p/film/180p/00099.m4s")  # of a longer attempt
    rclone_store.client().put_object(Bucket=left.bucket, Key=left.key, Body=b"x", Metadata={OWNER: home.jobs()[0].id})
    again = home.run(*command) if way == "same command" else home.run("jobs", "resume", home.jobs()[0].id)
    assert again.code == 0, again.stderr
    if way == "jobs resume":
        wait_until(lambda: home.jobs()[0].state.ended, 60, "the job to end")
    [job] = home.jobs()
    assert (job.state, job.totals.uploaded) == (JobState.COMPLETED, 1)
    assert "p/film/180p/00099.m4s" not in rclone_store.contents()
    assert faults(rclone_store, "p/film/master.m3u8", ffmpeg, SECONDS) == []
    assert no_work_directory(home)


def test_a_pause_holds_a_video_until_it_is_resumed(
    home: Home, rclone_store: Store, command: list[str], slow_ffmpeg: SlowFfmpeg, ffmpeg: str
) -> None:
    process = begun(home, rclone_store, slow_ffmpeg, command)
    job = home.jobs()[0].id
    assert home.run("jobs", "pause", job).code == 0
    wait_until(lambda: home.jobs()[0].state is JobState.PAUSED, 30, "the job to be paused")
    assert (slow_ffmpeg.alive, keys(rclone_store), process.poll()) == ([], set(), None)
    assert home.run("jobs", "resume", job, "--quiet").code == 0
    assert ended(process).code == 0
    assert faults(rclone_store, "p/film/master.m3u8", ffmpeg, SECONDS) == []


@pytest.mark.parametrize("key", [r"180p/index\.m3u8", r"master\.m3u8"])
def test_a_video_that_is_killed_while_it_is_published_is_published_once(
    home: Home, rclone_store: Store, front: FaultFront, command: list[str], ffmpeg: str, key: str
) -> None:
    home.at(rclone_store.behind(front))
    held = front.hold("PutObject", key)
    process = home.start(*command)
    assert held.arrived.wait(30)
    process.kill()
    ended(process)
    assert "p/film/master.m3u8" not in keys(rclone_store)
    again = home.run(*command)
    assert again.code == 0, again.stderr
    assert front.accepted["PutObject", "p/film/master.m3u8"] == 1
    assert faults(rclone_store, "p/film/master.m3u8", ffmpeg, SECONDS) == []


def test_a_killed_video_that_is_cancelled_leaves_nothing(
    home: Home, rclone_store: Store, command: list[str], slow_ffmpeg: SlowFfmpeg
) -> None:
    process = begun(home, rclone_store, slow_ffmpeg, command)
    process.kill()
    ended(process)
    assert home.run("jobs", "cancel", home.jobs()[0].id).code == 0
    assert (rclone_store.contents(), no_work_directory(home)) == ({}, True)


@pytest.mark.parametrize("at_once", [1, 2])
def test_so_many_videos_are_encoded_at_a_time(
    home: Home, rclone_store: Store, film: Path, slow_ffmpeg: SlowFfmpeg, clips: Clips, ffmpeg: str, at_once: int
) -> None:
    home.at(rclone_store)
    process = home.start(
        *("video", *FAST, "--json-lines", str(clips["cut.mp4"]), str(clips["silent.mp4"]), f"s3://{rclone_store.bucket}/p"),
        S3TUI_FFMPEG=str(slow_ffmpeg.path),
        S3TUI_VIDEO__CONCURRENT=str(at_once),
    )
    peak = 0
    while process.poll() is None:
        peak = max(peak, len(slow_ffmpeg.alive))
    result = ended(process)
    assert (result.code, peak) == (0, at_once)
    events = map(json.loads, result.stdout.splitlines())
    told = [video for event in events if event["event"] == "progress" for video in event.get("videos", ())]
    assert {video["no"] for video in told} == {0, 1}
    assert {rendition["name"] for video in told for rendition in video["renditions"]} >= {"180p", "120p"}
    shared = f" -threads {max(1, (os.cpu_count() or 1) // at_once)} "
    assert [shared in command for command in slow_ffmpeg.commands] == [at_once > 1] * 2
    for name in ("cut", "silent"):
        assert faults(rclone_store, f"p/{name}/master.m3u8", ffmpeg) == []

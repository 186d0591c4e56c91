"""`s3tui video --watch`: films that come to a folder while the command runs, in the ways in which other programs bring them."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from s3tui.model import JobState, Totals
from tests.cli.command import Home, ended
from tests.films import SlowFfmpeg, faults
from tests.front import FaultFront
from tests.media.clips import H264, SECONDS, Clips
from tests.servers import Store
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=9)

OPTIONS = ("--watch", "--settle", "0.5", "--preset", "ultrafast", "--segment-seconds", "1", "--ladder", "120")
LONG = 4.0
"""Seconds of a film whose encode can be broken off."""

_SLOW_COPY = """
import sys, time
content = open(sys.argv[1], "rb").read()
with open(sys.argv[2], "wb") as stream:
    for start in range(0, len(content), len(content) // 8):
        stream.write(content[start : start + len(content) // 8])
        stream.flush()
        time.sleep(0.1)
"""


def masters(store: Store) -> list[str]:
    """The keys of the videos that are published."""
    return sorted(key for key in store.contents() if key.endswith("/master.m3u8"))


class Watching:
    """The command at watching the folder `films`, with what it makes below `p/`."""

    def __init__(self, home: Home, store: Store, *sources: str, **environment: str) -> None:
        self.home, self.store, self.environment = home, store, environment
        self.words = ["video", *(sources or ("films",)), f"s3://{store.bucket}/p", *OPTIONS]
        self.process = home.start(*self.words, **environment)

    @property
    def totals(self) -> Totals:
        """The counters of the newest job, if there is one."""
        jobs = self.home.jobs()
        return jobs[0].totals if jobs else Totals()

    def wait_for(self, *, made: int = 0, failed: int = 0) -> None:
        """Wait until so many videos are made, and so many have failed."""

        def reached() -> bool:
            totals = self.totals
            return (totals.uploaded, totals.failed) == (made, failed)

        wait_until(lambda: self.process.poll() is not None or reached(), 60, f"{made} videos and {failed} failures")
        assert self.process.poll() is None, ended(self.process)

    def end(self, number: int = signal.SIGINT) -> str:
        """Stop it as a person would; returns what it said."""
        self.process.send_signal(number)
        end = ended(self.process)
        assert (end.code, "Traceback" in end.stderr) == (130, False), end.stderr
        return end.stderr

    def again(self, *words: str) -> None:
        """Start the same command again, or another one that goes on with the job."""
        self.process = self.home.start(*(words or self.words), **self.environment)

    def reasons(self) -> dict[str, str | None]:
        """Why each file is not a video, by path; None for one that is."""
        return {row["path"]: row["reason"] for row in self.home.report()}


@pytest.fixture
def folder(home: Home) -> Path:
    directory = home.work / "films"
    directory.mkdir()
    return directory


@pytest.fixture
def watching(home: Home, rclone_store: Store, front: FaultFront, folder: Path) -> Iterator[Watching]:
    home.at(rclone_store.behind(front))
    running = Watching(home, rclone_store)
    yield running
    _kill(running)


@pytest.fixture
def slowly(home: Home, rclone_store: Store, front: FaultFront, folder: Path, slow_ffmpeg: SlowFfmpeg) -> Iterator[Watching]:
    """With an encoder that takes its time."""
    home.at(rclone_store.behind(front))
    running = Watching(home, rclone_store, S3TUI_FFMPEG=str(slow_ffmpeg.path), S3TUI_VIDEO__CONCURRENT="3")
    yield running
    _kill(running)


def _kill(running: Watching) -> None:
    if running.process.poll() is None:
        running.process.kill()
        ended(running.process)


@pytest.fixture
def film(ffmpeg: str, tmp_path: Path) -> Path:
    """A longer one."""
    path = tmp_path / "long.mp4"
    picture = ["-f", "lavfi", "-i", f"testsrc2=size=160x120:rate=25:duration={LONG}"]
    subprocess.run([ffmpeg, "-v", "error", *picture, *H264, str(path)], check=True, timeout=60)
    return path


def bring(clip: Path, place: Path) -> None:
    """Have a file appear at once, complete."""
    unfinished = place.with_name(f".{place.name}.unfinished")
    shutil.copy(clip, unfinished)
    unfinished.rename(place)


def test_clips_that_come_in_all_ways_are_made_once_and_nothing_else_is(
    any_home: Home, rclone_store: Store, front: FaultFront, folder: Path, clips: Clips, ffmpeg: str
) -> None:
    any_home.at(rclone_store.behind(front))
    clip = clips["silent.mp4"]
    (any_home.work / "given").write_bytes(clip.read_bytes())
    watching = Watching(any_home, rclone_store, "films", "given")
    (folder / "notes.txt").write_text("no video")
    (folder / "junk.mp4").write_bytes(b"\x00no video at all" * 100)
    (folder / ".hidden").mkdir()
    shutil.copy(clip, folder / ".hidden" / "trash.mp4")
    bring(clip, folder / "renamed.mp4")
    copied = [sys.executable, "-c", _SLOW_COPY, str(clip), str(folder / "slow.MOV")]
    assert subprocess.run(copied, check=False, timeout=60).returncode == 0
    (folder / "2026" / "june").mkdir(parents=True)
    bring(clip, folder / "2026" / "june" / "talk.m4v")
    watching.wait_for(made=4, failed=1)
    said = watching.end()
    assert "4 of 5 files are done" in said
    expected = [f"p/{name}/master.m3u8" for name in ("2026/june/talk", "given", "renamed", "slow")]
    assert masters(rclone_store) == expected
    assert [front.accepted["PutObject", key] for key in expected] == [1] * 4
    assert [faults(rclone_store, key, ffmpeg, SECONDS) for key in expected] == [[]] * 4
    made = dict.fromkeys(["2026/june/talk.m4v", "given", "renamed.mp4", "slow.MOV"])
    assert watching.reasons() == {**made, "junk.mp4": "unreadable"}


@pytest.mark.parametrize("way", ["killed", "interrupted", "terminated and resumed by its id"])
def test_a_watch_that_ends_in_the_middle_of_an_encode_makes_each_video_once(
    slowly: Watching, slow_ffmpeg: SlowFfmpeg, rclone_store: Store, front: FaultFront, folder: Path, film: Path, clips: Clips,
    ffmpeg: str, way: str,
) -> None:  # fmt: skip
    bring(clips["silent.mp4"], folder / "first.mp4")
    slowly.wait_for(made=1)
    bring(film, folder / "second.mp4")
    wait_until(lambda: front.accepted["PutObject", "p/second/120p/00001.m4s"], 30, "the first segment of the second")
    if way == "killed":
        slowly.process.kill()
        ended(slowly.process)
    else:
        slowly.end(signal.SIGINT if way == "interrupted" else signal.SIGTERM)
        assert not [key for key in rclone_store.contents() if "/second/" in key]
    wait_until(lambda: not slow_ffmpeg.alive, 10, "the encoder to go")
    bring(clips["silent.mp4"], folder / "third.mp4")
    [job] = slowly.home.jobs()
    slowly.again(*(("jobs", "resume", job.id) if "resumed" in way else ()))
    slowly.wait_for(made=3)
    slowly.end()
    expected = [f"p/{name}/master.m3u8" for name in ("first", "second", "third")]
    assert masters(rclone_store) == expected
    assert [front.accepted["PutObject", key] for key in expected] == [1] * 3
    assert faults(rclone_store, expected[1], ffmpeg, LONG) == []
    assert [job.state for job in slowly.home.jobs()] == [JobState.PAUSED]


def test_as_many_are_made_at_a_time_as_the_configuration_says(
    slowly: Watching, slow_ffmpeg: SlowFfmpeg, folder: Path, film: Path
) -> None:
    for number in range(4):
        bring(film, folder / f"{number}.mp4")
    wait_until(lambda: len(slow_ffmpeg.alive) == 3, 30, "three encoders")
    assert len(slow_ffmpeg.pids) == 3
    slowly.wait_for(made=4)
    slowly.end()


def test_the_second_file_of_one_name_fails_until_it_is_renamed(
    watching: Watching, rclone_store: Store, folder: Path, clips: Clips
) -> None:
    bring(clips["silent.mp4"], folder / "a.mp4")
    watching.wait_for(made=1)
    bring(clips["silent.mp4"], folder / "a.mov")
    watching.wait_for(made=1, failed=1)
    [refused] = [row for row in watching.home.report() if row["state"] == "failed"]
    assert (refused["path"], refused["reason"]) == ("a.mov", "key_collision")
    assert refused["error"] == ("a.mov cannot become a video at p/a/: a.mp4, which came first, has that place. Rename a.mov.")
    (folder / "a.mov").rename(folder / "b.mov")
    watching.end()
    watching.again()
    watching.wait_for(made=2)
    watching.end()
    assert masters(rclone_store) == ["p/a/master.m3u8", "p/b/master.m3u8"]


def test_a_film_that_has_changed_is_not_replaced_before_its_video_is_deleted(
    watching: Watching, rclone_store: Store, folder: Path, clips: Clips, ffmpeg: str
) -> None:
    bring(clips["silent.mp4"], folder / "film.mp4")
    bring(clips["silent.mp4"], folder / "gone.mp4")
    watching.wait_for(made=2)
    before = rclone_store.contents()
    (folder / "gone.mp4").unlink()
    bring(clips["plain.mp4"], folder / "film.mp4")
    watching.wait_for(made=2, failed=1)
    assert rclone_store.contents() == before
    [refused] = [row for row in watching.home.report() if row["state"] == "failed"]
    assert (refused["path"], refused["reason"]) == ("film.mp4", "exists")
    assert "delete it and retry, or choose another prefix or name" in refused["error"]
    client = rclone_store.client()
    for key in before:
        if key.startswith("p/film/"):
            client.delete_object(Bucket=rclone_store.bucket, Key=key)
    job = watching.home.jobs()[0].id
    watching.end()
    watching.again("jobs", "retry", job)
    watching.wait_for(made=3)
    watching.end()
    assert masters(rclone_store) == ["p/film/master.m3u8", "p/gone/master.m3u8"]
    assert [key for key in rclone_store.contents() if key.startswith("p/film/a0")], "the sound of the new film"
    assert faults(rclone_store, "p/film/master.m3u8", ffmpeg, SECONDS) == []


def test_a_film_that_is_deleted_while_it_is_made_does_not_end_the_watch(
    slowly: Watching, rclone_store: Store, front: FaultFront, folder: Path, film: Path, clips: Clips
) -> None:
    bring(film, folder / "film.mp4")
    wait_until(lambda: front.accepted["PutObject", "p/film/120p/00001.m4s"], 30, "the first segment")
    (folder / "film.mp4").unlink()
    slowly.wait_for(failed=1)
    assert slowly.reasons() == {"film.mp4": "source_vanished"}
    assert rclone_store.contents() == {}
    bring(clips["silent.mp4"], folder / "next.mp4")
    slowly.wait_for(made=1, failed=1)
    slowly.end()


def test_json_lines_tell_each_video_while_the_job_watches(home: Home, rclone_store: Store, folder: Path, clips: Clips) -> None:
    home.at(rclone_store)
    process = home.start("video", "films", f"s3://{rclone_store.bucket}", *OPTIONS, "--json-lines", "--quiet")
    for name in ("first.mp4", "second.mp4"):
        bring(clips["silent.mp4"], folder / name)
        file = _next_file(process)
        assert (file["path"], file["state"]) == (name, "verified")
    process.send_signal(signal.SIGINT)
    end = ended(process)
    assert (end.code, end.events[-1]["event"]) == (130, "interrupted")


def _next_file(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """The next file that is told of, unless a minute's progress is told before."""
    assert process.stdout is not None
    for _ in range(60):
        told: dict[str, Any] = json.loads(process.stdout.readline())
        if told["event"] == "file":
            return told
    process.kill()
    raise AssertionError("No file was told of.")


@pytest.mark.parametrize(
    ("options", "cause"),
    [(["--watch", "--dry-run"], "cannot be planned"), (["--watch", "--settle", "0"], "--settle"), (["--settle", "1"], "--watch")],
)
def test_what_makes_no_sense_for_a_watch_is_refused(
    home: Home, rclone_store: Store, folder: Path, options: list[str], cause: str
) -> None:
    home.at(rclone_store)
    end = home.run("video", "films", f"s3://{rclone_store.bucket}", *options)
    assert (end.code, cause in end.sentence) == (1, True), end.stderr
    assert home.jobs() == []

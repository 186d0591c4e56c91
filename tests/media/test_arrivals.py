"""What a running encode has finished: told once each, in order, with the disk in view."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from s3tui.errors import TranscodeError
from s3tui.media import commands
from s3tui.media.arrivals import INIT, Arrival, Arrivals
from s3tui.media.encode import Encoder
from s3tui.media.plan import Plan
from tests.media.clips import Clips, endless, listed, make_directories, plan_of, source_of, track

pytestmark = pytest.mark.thorough(one_in=3)

SOURCE = b"/videos/a.mp4"


@pytest.fixture
def plan() -> Plan:
    return plan_of(audio=(track(),))


@pytest.fixture
def work(tmp_path: Path, plan: Plan) -> Path:
    make_directories(tmp_path, plan)
    return tmp_path


def told(arrivals: list[Arrival]) -> list[tuple[str, int, int]]:
    return [(arrival.rendition, arrival.number, arrival.size) for arrival in arrivals]


def write(work: Path, name: str, size: int = 10) -> Path:
    path = work / name
    path.write_bytes(b"x" * size)
    return path


def encoded(encoder: Encoder, arrivals: Arrivals) -> Iterator[Arrival]:
    for _ in encoder.beats(0.01):
        yield from arrivals.look()


@pytest.mark.parametrize("segment_type", ["fmp4", "ts"])
def test_every_file_is_told_once_and_complete(ffmpeg: str, clips: Clips, tmp_path: Path, segment_type: str) -> None:
    plan = plan_of(segment_type=segment_type, audio=(track(), track(name="a1_und", default=False)))
    make_directories(tmp_path, plan)
    command = commands.hls(ffmpeg, source_of(clips["plain.mp4"]), plan, threads=1)
    with Encoder(command, tmp_path, SOURCE) as encoder:
        seen = list(encoded(encoder, Arrivals(tmp_path, plan, SOURCE)))
        assert encoder.ended.succeeded
    for name in plan.renditions:
        own = [arrival for arrival in seen if arrival.rendition == name]
        segments = [arrival.path.name for arrival in own if arrival.number != INIT]
        assert segments == listed(tmp_path / name / "index.m3u8")[1]
        assert [arrival.number for arrival in own] == list(range(0 if segment_type == "fmp4" else 1, len(segments) + 1))
    assert [arrival.size for arrival in seen] == [arrival.path.stat().st_size for arrival in seen]


def test_the_order_is_by_number_then_as_the_plan_has_the_renditions(work: Path, plan: Plan) -> None:
    for name in ("a0_und/00001.m4s", "a0_und/init_2.mp4", "90p/00001.m4s", "90p/00002.m4s", "90p/init_1.mp4"):
        write(work, name)
    assert told(Arrivals(work, plan, SOURCE, reserve=0).look()) == [
        *[("90p", INIT, 10), ("a0_und", INIT, 10)],
        *[("90p", 1, 10), ("a0_und", 1, 10), ("90p", 2, 10)],
    ]


def test_what_is_still_written_is_not_told(work: Path, plan: Plan) -> None:
    arrivals = Arrivals(work, plan, SOURCE, reserve=0)
    write(work, "180p/init_0.mp4")
    unfinished = write(work, "180p/00001.m4s.tmp")
    assert arrivals.look() == []
    unfinished.rename(work / "180p" / "00001.m4s")
    assert told(arrivals.look()) == [("180p", INIT, 10), ("180p", 1, 10)]
    assert arrivals.look() == []


def test_an_empty_segment_is_refused_at_once(work: Path, plan: Plan) -> None:
    write(work, "90p/00001.m4s", 0)
    with pytest.raises(TranscodeError, match="segment 1 of 90p is empty") as caught:
        Arrivals(work, plan, SOURCE, reserve=0).look()
    assert caught.value.reason == "incomplete"


def test_too_much_waiting_is_crowded_until_less_than_half_of_it_waits(work: Path, plan: Plan) -> None:
    arrivals = Arrivals(work, plan, SOURCE, limit=100, reserve=0)
    segments = [write(work, f"180p/0000{number}.m4s", 30) for number in (1, 2, 3)]
    write(work, "180p/init_0.mp4", 1000)  # stays, and does not count
    arrivals.look()
    assert (arrivals.waiting, arrivals.crowded) == (90, False)
    segments.append(write(work, "180p/00004.m4s", 30))
    arrivals.look()
    assert (arrivals.waiting, arrivals.crowded) == (120, True)
    for expected in (90, 60, 30):
        segments.pop().unlink()
        arrivals.look()
        assert (arrivals.waiting, arrivals.crowded) == (expected, expected > 50)


def test_the_disk_holds_few_segments_of_a_long_video_whose_segments_are_sent_and_deleted(ffmpeg: str, work: Path) -> None:
    plan = plan_of(gop=1)
    arrivals, most, seen = Arrivals(work, plan, SOURCE), 0, 0
    with Encoder(endless(ffmpeg, plan, speed=20), work, SOURCE) as encoder:
        for arrival in encoded(encoder, arrivals):
            most = max(most, len(list(work.glob("*/*.m4s"))))
            seen += 1
            if arrival.number != INIT:
                arrival.path.unlink()
            if seen > 300:
                break
    assert most < seen / 2


def test_an_encoder_that_is_paused_while_it_is_crowded_stays_within_the_limit(ffmpeg: str, work: Path) -> None:
    plan, limit = plan_of(gop=5), 100_000
    arrivals, held, most, sent = Arrivals(work, plan, SOURCE, limit=limit), 0, 0, 0
    waiting: list[Arrival] = []
    with Encoder(endless(ffmpeg, plan, speed=20), work, SOURCE) as encoder:
        for _ in encoder.beats(0.01):
            waiting += [arrival for arrival in arrivals.look() if arrival.number != INIT]
            most = max(most, arrivals.waiting)
            if arrivals.crowded:
                encoder.pause()
                held += 1
            else:
                encoder.resume()
            if encoder.paused and waiting:  # a slow store
                waiting.pop(0).path.unlink()
                sent += 1
            if sent > 60:
                break
    assert held > 10
    assert limit < most < 4 * limit


def test_a_reserve_of_the_disk_stays_free(work: Path, plan: Plan) -> None:
    disk = os.statvfs(work)
    with pytest.raises(TranscodeError, match=r"Encode /videos/a.mp4: only .* are free on the disk of /") as caught:
        Arrivals(work, plan, SOURCE, reserve=disk.f_blocks * disk.f_frsize + 1).look()
    assert caught.value.reason == "disk_full"


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """1 MB that is the whole disk."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"Nothing can be mounted here: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="tmpfs is Linux's")
@pytest.mark.parametrize(("reserve", "reason"), [(300_000, "disk_full"), (0, "incomplete")])
def test_a_disk_that_fills_is_noticed_though_ffmpeg_does_not(
    ffmpeg: str, tiny_disk: Path, segment_type: str, reserve: int, reason: str
) -> None:
    plan = plan_of(segment_type=segment_type)
    make_directories(tiny_disk, plan)
    with Encoder(endless(ffmpeg, plan, speed=100), tiny_disk, SOURCE) as encoder, pytest.raises(TranscodeError) as caught:
        for _ in encoded(encoder, Arrivals(tiny_disk, plan, SOURCE, reserve=reserve)):
            pass
    assert caught.value.reason == reason


@pytest.fixture(params=["fmp4", "ts"])
def segment_type(request: pytest.FixtureRequest) -> str:
    return str(request.param)

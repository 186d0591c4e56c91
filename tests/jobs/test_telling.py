"""What faces see of a video that is being made: from ffmpeg's words through the worker's sample to a sight of the job."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

from s3tui.jobs.telling import Telling
from s3tui.media.plan import Plan, Rung
from s3tui.media.progress import Progress as Beat
from s3tui.media.source import Source, VideoStream
from s3tui.model import VideoPhase, VideoSample
from s3tui.state.workers import WorkerRow
from s3tui.transfer.progress import Progress

STREAM = VideoStream(0, "h264", "High", "yuv420p", "bt709", 320, 180, Fraction(1), 0, Fraction(25), False)
RUNGS = (Rung("180p", 320, 180, 300_000), Rung("90p", 160, 90, 150_000))
PLAN = Plan("fmp4", False, Fraction(25), 100, False, False, "veryfast", RUNGS, (), ())


def told(progress: Progress, worker: str = "w") -> list[VideoSample]:
    """What a face reads after the worker has written its sample."""
    sample = json.loads(json.dumps({"job": {"rate": 0, "active": [], "videos": progress.videos}}))
    return WorkerRow(worker, "host", 1, "0", "", ("video",), False, 0, sample, 0, 0).videos("job")


def test_each_step_of_a_video_is_seen_and_nothing_of_it_when_it_has_ended(tmp_path: Path) -> None:
    progress = Progress()
    telling = Telling(progress, 3, "a.mp4", 1000, 1)
    telling.begin()
    assert told(progress) == [VideoSample(3, VideoPhase.PROBING, name="a.mp4")]
    telling.transcoding(Source(bytes(tmp_path / "a.mp4"), "mov", 1000, 8_000_000, STREAM), PLAN)
    telling.heard(Beat(2_000_000, 63.0, 2.5), {"180p": 1})
    expected = VideoSample(3, VideoPhase.TRANSCODING, 2.0, 8.0, 2.5, 63.0, ("180p", "90p"), (1, 0), 4.0, "a.mp4")
    assert told(progress) == [expected]
    assert (expected.share, expected.seconds_left) == (0.25, 2.4)
    [flight] = progress.sample()[0]
    assert (flight.no, flight.sent, flight.size) == (3, 250, 1000)
    telling.heard(Beat(9_000_000, 63.0, 2.5), {"180p": 1})
    assert told(progress)[0].made == 8.0, "ffmpeg may make a little more than the source says it is long"
    telling.uploading({"180p": 2, "90p": 1})
    assert told(progress) == [expected._replace(phase=VideoPhase.UPLOADING, made=8.0, sent=(2, 1))]
    assert (told(progress)[0].segments, told(progress)[0].sent_shares) == (3, [1.0, 0.5])
    assert told(progress)[0].seconds_left is None
    telling.publishing()
    assert (told(progress)[0].phase, told(progress)[0].sent_shares) == (VideoPhase.PUBLISHING, [1.0, 1.0])
    telling.end()
    assert told(progress) == []
    assert progress.sample()[0] == []


def test_a_worker_of_an_older_version_tells_of_no_video() -> None:
    assert WorkerRow("w", "host", 1, "0", "", ("video",), False, 0, {"job": {"rate": 0, "active": []}}, 0, 0).videos("job") == []

"""What Redis tells of a video while it is made."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from s3tui.live.options import LiveOptions
from s3tui.runtime import Runtime
from tests.front import FaultFront
from tests.jobs.yard import Yard, settings_for
from tests.media.clips import Clips
from tests.redis_servers import RedisServer
from tests.servers import Store
from tests.waiting import wait_until


def test_the_phases_of_a_video_are_told_then_its_end(
    redis_server: RedisServer, rclone_store: Store, clips: Clips, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    film = tmp_path / "fi\u00e9lm.mp4"
    film.write_bytes(Path(clips["silent.mp4"]).read_bytes())
    with FaultFront(rclone_store.url) as front:
        store = rclone_store.behind(front)
        segment, master = front.hold("PutObject", r"00002\.m4s"), front.hold("PutObject", r"master\.m3u8")
        settings = settings_for(store, "sqlite").model_copy(update={"live": LiveOptions(url=redis_server.url)})
        with Runtime(settings) as runtime:
            yard = Yard.on(runtime, store)
            options = {"ladder": "120", "preset": "ultrafast", "segment_seconds": 0.6}
            spec = runtime.video_spec([str(film)], f"s3://{store.bucket}", **options)
            job_id = runtime.service.submit(spec, concurrency=20, home=yard.worker.id).job_id
            yard.worker.wake()

            def told() -> list[tuple[object, ...]]:
                videos = json.loads(redis_server.job(job_id).get("videos", "[]"))
                return [(one["no"], one["name"], one["phase"], [made["name"] for made in one["renditions"]]) for one in videos]

            wait_until(lambda: told() == [(0, film.name, "uploading", ["120p"])], 60, "nothing but segments to be left")
            segment.open()
            wait_until(lambda: told() == [(0, film.name, "publishing", ["120p"])], 60, "the playlists to be written")
            master.open()
            yard.end_of(job_id)
            yard.worker.stop(0.5)
    assert (redis_server.job(job_id)["state"], redis_server.job(job_id)["videos"]) == ("completed", "[]")

"""Video jobs in this process: leases, sources that change, and programs that are missing."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from s3tui.jobs.own_prefix import OWNER
from s3tui.model import JobState, VideoPhase
from tests.front import FaultFront
from tests.jobs.yard import Yard
from tests.media.clips import SECONDS, Clips
from tests.servers import Store
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=5)


@pytest.fixture
def film(clips: Clips, tmp_path: Path) -> Path:
    """A clip of this test's own."""
    return Path(shutil.copy(clips["silent.mp4"], tmp_path / "film.mp4"))


def begin(yard: Yard, film: Path) -> str:
    """Begin to make a video; returns the job's id."""
    spec = yard.runtime.video_spec([str(film)], f"s3://{yard.store.bucket}", ladder="120", preset="ultrafast", segment_seconds=0.6)
    job_id = yard.runtime.service.submit(spec, concurrency=20, home=yard.worker.id).job_id
    yard.worker.wake()
    return job_id


def store_one(store: Store, key: str, *, of: str) -> None:
    """Store an object that belongs to a job."""
    store.client().put_object(Bucket=store.bucket, Key=key, Body=b"x", Metadata={OWNER: of})


def test_a_worker_that_has_lost_its_lease_removes_nothing_and_publishes_nothing(
    yard: Yard, front: FaultFront, rclone_store: Store, film: Path
) -> None:
    held = front.hold("PutObject", r"00002\.m4s")
    job_id = begin(yard, film)
    assert held.arrived.wait(30)
    wait_until(lambda: front.accepted["PutObject", "film/120p/00001.m4s"], 10, "the first segment")
    with yard.runtime.store.database.write() as connection:
        connection.execute(
            "UPDATE unit SET token = token + 1, worker = 'another', lease_until = clock_ms() + 600000 WHERE kind = 'carry'"
        )
    wait_until(lambda: not [one for one in threading.enumerate() if one.name == "unit-1"], 15, "the unit to break off")
    held.open()
    assert "film/120p/00001.m4s" in rclone_store.contents()
    assert "film/master.m3u8" not in rclone_store.contents()
    assert not [key for operation, key in front.requests if operation == "DeleteObject" and key.startswith("film/")]
    assert yard.runtime.service.job(job_id).state is JobState.RUNNING


def test_who_watches_the_job_sees_segments_that_wait_for_the_store_then_the_publishing_then_nothing(
    yard: Yard, front: FaultFront, film: Path
) -> None:
    segment, master = front.hold("PutObject", r"00002\.m4s"), front.hold("PutObject", r"master\.m3u8")
    job_id = begin(yard, film)

    def phases() -> list[VideoPhase]:
        return [video.phase for video in yard.runtime.service.watch(job_id).videos]

    wait_until(lambda: phases() == [VideoPhase.UPLOADING], 30, "nothing but segments to be left")
    [video] = yard.runtime.service.watch(job_id).videos
    assert (video.no, video.renditions, video.share) == (0, ("120p",), 1.0)
    assert video.made == pytest.approx(SECONDS, abs=0.1)
    segment.open()
    wait_until(lambda: phases() == [VideoPhase.PUBLISHING], 30, "the playlists to be written")
    assert yard.runtime.service.watch(job_id).videos[0].segments == 2
    master.open()
    job = yard.end_of(job_id)
    assert yard.runtime.service.watch(job_id).videos == ()
    [(url, _)] = yard.runtime.service.videos(job, [0]).values()
    assert url.endswith("/film/master.m3u8")


def test_a_source_that_changes_meanwhile_is_not_published(yard: Yard, front: FaultFront, rclone_store: Store, film: Path) -> None:
    held = front.hold("PutObject", r"00001\.m4s")
    job_id = begin(yard, film)
    assert held.arrived.wait(30)
    with film.open("ab") as file:
        file.write(b"more")
    held.open()
    job = yard.end_of(job_id)
    [row] = yard.rows(job).values()
    assert (row.reason, rclone_store.contents()) == ("changed_while_reading", {})
    assert "changed while it was read" in (row.error or "")
    yard.runtime.service.retry(job.id, None, home=yard.worker.id)
    assert yard.end_of(job.id).state is JobState.COMPLETED, "it is made as it is now"


def test_a_store_that_refuses_to_delete_is_cleared_by_the_retry(
    yard: Yard, front: FaultFront, rclone_store: Store, film: Path
) -> None:
    front.fail("PutObject", r"master\.m3u8", status=403, code="AccessDenied")
    front.fail("DeleteObject", "film/", status=403, code="AccessDenied")
    job = yard.end_of(begin(yard, film))
    assert [row.reason for row in yard.rows(job).values()] == ["access_denied"]
    assert rclone_store.contents()
    store_one(rclone_store, "film/120p/00099.m4s", of=job.id)
    yard.runtime.service.retry(job.id, None, home=yard.worker.id)
    assert yard.end_of(job.id).state is JobState.COMPLETED
    assert "film/master.m3u8" in rclone_store.contents()
    assert "film/120p/00099.m4s" not in rclone_store.contents()


def test_of_two_jobs_that_found_the_prefix_empty_one_makes_its_video(
    yard_at: Callable[[Store], Yard], moto_store: Store, film: Path, tmp_path: Path
) -> None:
    with FaultFront(moto_store.url) as front:
        yard = yard_at(moto_store.behind(front))
        held = front.hold("PutObject", "film/")
        late = begin(yard, film)
        assert held.arrived.wait(30)
        store_one(moto_store, "film/120p/init.mp4", of="another job")
        store_one(moto_store, "film/120p/00001.m4s", of="another job")
        held.open()
        [row] = yard.rows(yard.end_of(late)).values()
    assert (row.reason, sorted(moto_store.contents())) == ("exists", ["film/120p/00001.m4s", "film/120p/init.mp4"])
    assert "already has something below film/" in (row.error or "")


def test_the_first_object_is_known_again_whose_answer_was_lost(
    yard_at: Callable[[Store], Yard], moto_store: Store, film: Path
) -> None:
    with FaultFront(moto_store.url) as front:
        front.lose_answer("PutObject", r"film/120p/init\.mp4")
        yard = yard_at(moto_store.behind(front))
        job = yard.end_of(begin(yard, film))
    assert job.state is JobState.COMPLETED
    assert "film/master.m3u8" in moto_store.contents()


def test_what_somebody_else_put_below_the_prefix_meanwhile_stays(
    yard: Yard, front: FaultFront, rclone_store: Store, film: Path
) -> None:
    held = front.hold("PutObject", r"iframes\.m3u8")
    front.fail("PutObject", r"master\.m3u8", status=403, code="AccessDenied")
    job_id = begin(yard, film)
    assert held.arrived.wait(30)
    store_one(rclone_store, "film/notes.txt", of="nobody")
    held.open()
    [row] = yard.rows(yard.end_of(job_id)).values()
    assert (row.reason, set(rclone_store.contents())) == ("access_denied", {"film/notes.txt"})

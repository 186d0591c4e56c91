"""A worker that freezes in the middle of an upload, a backup or a video, and wakes when another has done it all: it does nothing.

Least of all does it touch what has come meanwhile under the name of a source that it was about to delete.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from s3tui.model import JobState
from tests.films import faults
from tests.media.clips import SECONDS, Clips
from tests.proof.errands import TAILED, errands
from tests.proof.scene import Scene
from tests.proof.test_frozen import expire, frozen, tokens
from tests.transfer.rides import MIB
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=5)

_NEW = b"what somebody has put in the place of a source"
_TABLES = {
    "job": "no, state, found, bytes_found, units, units_done, uploaded, failed, deleted",
    "transfer": "job_no, no, state, key, etag, attempts, deleting, proof, reason",
    "unit": "job_no, no, state, worker, token",
    "multipart": "job_no, no, upload_id",
    "video": "job_no, no, url",
}
"""What a worker writes; not what a heart writes that beats."""


@pytest.mark.parametrize(
    ("name", "operation", "key"),
    [
        ("upload", "PutObject", "p/z"),
        ("multipart", "UploadPart", "p/tailed"),
        ("backup", "HeadObject", "p/z"),
        ("video", "PutObject", "m4s"),
    ],
)
def test_a_worker_that_wakes_when_all_is_done_does_nothing(
    embedded: Scene, clips: Clips, ffmpeg: str, tmp_path: Path, name: str, operation: str, key: str
) -> None:
    errand, home = errands(clips)[name], embedded.home
    errand.lay_out(home.work)
    first = embedded.workforce.hire()
    embedded.workforce.wait_for_all()
    held = embedded.front.hold_answer(operation, key, seconds=300)
    detached = home.run(*errand.words, f"s3://{embedded.bucket.bucket}/p", "--detach")
    [job] = embedded.state.jobs.find(detached.stdout.strip())
    assert held.arrived.wait(60)
    if name == "multipart":  # rclone takes no part anew of which a half is on its way
        stored = embedded.front.accepted
        parts = -(-TAILED // (5 * MIB))
        wait_until(lambda: stored["UploadPart", key] == parts and stored["CompleteMultipartUpload", "p/exact"], 60, "all parts")
    units = frozen(embedded, first.pid, job)
    assert units
    expire(embedded)
    embedded.workforce.hire()
    wait_until(lambda: embedded.job(job).state.ended, 120, "another worker to do it all")
    assert embedded.job(job).state is JobState.COMPLETED
    again = home.work / "tree" / "z"
    if errand.deletes:
        again.parent.mkdir(exist_ok=True)
        again.write_bytes(_NEW)
    before = (written(embedded), embedded.bucket.contents())
    held.open()
    os.killpg(first.pid, signal.SIGCONT)
    wait_until(lambda: has_let_go(embedded, first.pid, job.id), 60, "the first to let go of what it had")
    embedded.workforce.dismiss()
    assert (written(embedded), embedded.bucket.contents()) == before
    assert not tokens(embedded, job)
    assert embedded.bucket.open_uploads() == []
    assert not errand.deletes or again.read_bytes() == _NEW
    assert name != "video" or faults(embedded.bucket, "p/film/master.m3u8", ffmpeg, SECONDS) == []


def written(scene: Scene) -> dict[str, object]:
    """All that workers write."""
    with scene.state.database.read() as connection:
        return {table: connection.rows(f"SELECT {columns} FROM {table} ORDER BY {columns}") for table, columns in _TABLES.items()}


def has_let_go(scene: Scene, pid: int, job: str) -> bool:
    """Whether a worker that is awake is at work on the job no more."""
    return any(row.pid == pid and job not in row.progress for row in scene.home.workers())

"""The IAM policies in deploy/iam: each grants what its command sends to the store, and nothing besides."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command import Home, ended
from tests.front import FaultFront
from tests.media.clips import Clips
from tests.servers import Store
from tests.transfer.rides import MIB, filled
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=8)

POLICIES = Path(__file__).parents[2] / "deploy" / "iam"

ACTIONS = {
    "PutObject": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "ListParts": "s3:ListMultipartUploadParts",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "ListObjectsV2": "s3:ListBucket",
    "HeadBucket": "s3:ListBucket",
    "HeadObject": "s3:GetObject",
    "GetObject": "s3:GetObject",
    "DeleteObject": "s3:DeleteObject",
}
"""Which right each operation takes, as Amazon S3's documentation has it."""

BUCKET, PREFIX = "BUCKET", "PREFIX"
"""What people put their own in the place of."""

Play = Callable[[Home, Store, FaultFront], None]


def interrupted_upload(command: str, *options: str) -> Play:
    """All that may become of an upload: small and large files, killed half-way, gone on with, cancelled; and a second time."""

    def play(home: Home, store: Store, front: FaultFront) -> None:
        target = f"s3://{store.bucket}/{PREFIX}/"
        tree = home.work / "tree"
        (tree / "a").mkdir(parents=True)
        (tree / "a" / "small").write_text("contents")
        (tree / "large").write_bytes(filled(24 * MIB))
        words = [command, "tree", target, "--part-size", "5MiB", "--concurrency", "2", *options]
        front.lose_answer("CreateMultipartUpload", "large$")
        gate = front.hold("UploadPart", "large#4")
        process = home.start(*words)
        assert gate.arrived.wait(60)
        wait_until(lambda: front.accepted["UploadPart", f"{PREFIX}/large"] >= 2, 60, "some parts")
        process.kill()
        ended(process)
        gate.times = 0
        done = home.run(*words)
        assert done.code == 0, done.stderr
        tree.joinpath("second").write_bytes(filled(24 * MIB + 1))
        gate = front.hold("UploadPart", "second#4")
        process = home.start(*words, "--if-exists", "skip")
        assert gate.arrived.wait(60)
        process.kill()
        ended(process)
        gate.times = 0
        job = home.jobs()[0].id
        assert home.run("jobs", "cancel", job).code == 0
        (tree / "a").mkdir(exist_ok=True)  # which a backup has pruned
        (tree / "a" / "third").write_text("more")
        assert home.run(command, "tree", target, *options, "--skip-unchanged").code == 0

    return play


def video(home: Home, store: Store, clip: Path, front: FaultFront) -> None:
    """One that is published, one that is killed and made anew, one that cannot be made."""
    target = f"s3://{store.bucket}/{PREFIX}/"
    (home.work / "one.mp4").write_bytes(clip.read_bytes())
    words = ["video", "one.mp4", target, "--ladder", "120", "--preset", "ultrafast"]
    gate = front.hold("PutObject", "master.m3u8")
    process = home.start(*words)
    assert gate.arrived.wait(60)
    process.kill()
    ended(process)
    gate.times = 0
    done = home.run(*words)
    assert done.code == 0, done.stderr


def ingest(home: Home, store: Store, front: FaultFront) -> None:
    """Rows and rejects, on a store whose ETags prove nothing."""
    front.opaque_etags = True
    (home.work / "a.csv").write_text("id,name\n" + "".join(f"{number},n\n" for number in range(2500)) + "ragged\n")
    assert home.run("ingest", "a.csv", f"s3://{store.bucket}/{PREFIX}/").code == 2


def status(home: Home, store: Store, front: FaultFront) -> None:
    """The look, without a trial of rights."""
    assert home.run("status", f"s3://{store.bucket}/{PREFIX}/").code == 0


def granted(name: str) -> list[tuple[str, str]]:
    """(action, resource) of each grant of a policy."""
    policy = json.loads((POLICIES / f"{name}.json").read_text())
    assert policy["Version"] == "2012-10-17"
    assert all(statement["Effect"] == "Allow" for statement in policy["Statement"])
    return [
        (action, resource)
        for statement in policy["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    ]


def allows(resource: str, operation: str, key: str) -> bool:
    """Whether a grant is about the bucket, or about this key of it."""
    _, _, place = resource.rpartition(":::")
    if ACTIONS[operation] in ("s3:ListBucket", "s3:ListBucketMultipartUploads"):
        return place == BUCKET
    return fnmatch.fnmatchcase(f"{BUCKET}/{key}", place)


def sent(play: Play, home: Home, store: Store) -> set[tuple[str, str]]:
    """(operation, key) of all that a play sends to a store."""
    with FaultFront(store.url) as front:
        home.at(store.behind(front))
        play(home, store.behind(front), front)
        return set(front.requests)


@pytest.mark.parametrize("name", ["upload", "backup", "backup-delete", "video", "ingest", "status"])
def test_a_policy_grants_what_its_command_sends_and_nothing_else(
    name: str, tmp_path: Path, rclone_store: Store, moto_store: Store, clips: Clips
) -> None:
    plays: dict[str, Play] = {
        "upload": interrupted_upload("upload"),
        "backup": interrupted_upload("backup"),
        "backup-delete": interrupted_upload("backup", "--delete-after-upload"),
        "video": lambda home, store, front: video(home, store, clips["plain.mp4"], front),
        "ingest": ingest,
        "status": status,
    }
    requests: set[tuple[str, str]] = set()
    for store in (rclone_store, moto_store):
        requests |= sent(plays[name], Home(tmp_path / store.name), store)
    used: set[tuple[str, str]] = set()
    for operation, key in requests:
        fitting = [grant for grant in granted(name) if grant[0] == ACTIONS[operation] and allows(grant[1], operation, key)]
        assert fitting, f"`{name}` sends {operation} {key!r}, and its policy does not allow it"
        used.update(fitting)
    assert set(granted(name)) - used == set(), "granted, and used by nobody"

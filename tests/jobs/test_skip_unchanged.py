"""--skip-unchanged: what the target has already is not sent again, and what it does not have is."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from s3tui.model import Action, FileState, JobState
from s3tui.transfer.part_sizes import DEFAULT_PART, THRESHOLD
from tests.front import FaultFront
from tests.jobs.yard import Yard
from tests.servers import Store
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=8)

OpenYard = Callable[[Store], Yard]


def keys_of(root: Path, prefix: str = "") -> dict[str, bytes]:
    """What the target must hold of a directory."""
    return {f"{prefix}{path.relative_to(root)}": path.read_bytes() for path in root.rglob("*") if path.is_file()}


def planted(root: Path, contents: dict[str, bytes]) -> Path:
    for name, content in contents.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def rewritten_in_secret(path: Path) -> None:
    """Other bytes, and the same size, times and inode."""
    status = path.stat()
    path.write_bytes(bytes(byte ^ 1 for byte in path.read_bytes()))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def replaced(path: Path) -> None:
    """The same bytes in another file, with the times of the first."""
    status = path.stat()
    copy = path.with_name(path.name + ".new")
    shutil.copyfile(path, copy)
    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))
    copy.replace(path)


def swapped(path: Path) -> None:
    """Bytes of its own, moved into the place of the first with its times."""
    status = path.stat()
    copy = path.with_name(path.name + ".new")
    copy.write_bytes(bytes(byte ^ 2 for byte in path.read_bytes()))
    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))
    copy.replace(path)


EDITS: dict[str, Callable[[Path], object]] = {
    "leave": lambda _path: None,
    "touch": lambda path: path.touch(),
    "replace": replaced,
    "swap": swapped,
    "rewrite in secret": rewritten_in_secret,
    "rewrite": lambda path: path.write_bytes(path.read_bytes()[::-1] + b"!"),
    "remove": lambda path: path.unlink(),
}
TREES = st.dictionaries(
    st.from_regex(r"[ab](/[a-cé][.-]?){1,2}x", fullmatch=True), st.tuples(st.binary(max_size=9), st.sampled_from(list(EDITS))),
    min_size=1, max_size=12,
)  # fmt: skip


@pytest.fixture
def opaque_store(moto_store: Store) -> Iterator[Store]:
    """A bucket whose ETags say nothing."""
    with FaultFront(moto_store.url) as front:
        front.opaque_etags = True
        yield moto_store.behind(front)


@pytest.mark.parametrize("server", ["moto_store", "rclone_store", "opaque_store"])
def test_after_any_edits_every_object_is_its_file_and_only_what_changed_was_sent(
    yard_at: OpenYard, server: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    yard = yard_at(request.getfixturevalue(server))
    seeds = random.Random(5)

    # One file at a time: of two that meet in a new directory, rclone may remember only what it called one of them meanwhile.
    # An example is two whole jobs, so one that fails is told as it was found.
    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    @given(TREES, st.booleans())
    def holds(tree: dict[str, tuple[bytes, str]], several: bool) -> None:
        root = tmp_path / f"{seeds.random()}"
        planted(root, {name: content for name, (content, _edit) in tree.items()})
        prefix = f"{root.name}/"
        sources = [root / name for name in ("a", "b") if (root / name).exists()] if several else [root]
        before = keys_of(root) if not several else {k.partition("/")[2]: v for k, v in keys_of(root).items()}
        if len(before) != len(tree):
            return  # two files for one key
        yard.upload(*sources, prefix=prefix, concurrency=1)
        for name, (_content, edit) in tree.items():
            EDITS[edit](root / name)
        after = keys_of(root) if not several else {k.partition("/")[2]: v for k, v in keys_of(root).items()}
        job = yard.upload(*sources, prefix=prefix, concurrency=1, skip_unchanged=True)
        client = yard.store.client()
        bodies = {key: client.get_object(Bucket=yard.store.bucket, Key=f"{prefix}{key}")["Body"] for key in after}
        assert {key: body.read() for key, body in bodies.items()} == after
        assert yard.unchanged(job) == {f"{prefix}{key}" for key, content in after.items() if before.get(key) == content}
        assert job.state is JobState.COMPLETED

    holds()


def test_a_second_run_sends_nothing_asks_for_a_listing_and_passes_the_receipts_on(
    yard_at: OpenYard, moto_store: Store, tmp_path: Path
) -> None:
    tree = planted(tmp_path / "tree", {f"{number % 7}/{number}": b"%d" % number for number in range(2000)})
    with FaultFront(moto_store.url) as front:
        yard = yard_at(moto_store.behind(front))
        first = yard.upload(tree)
        assert front.requests.total() >= 2000
        receipts = {key: (row.checksum, row.etag) for key, row in yard.rows(first).items()}
        for _ in range(2):
            front.requests.clear()
            job = yard.upload(tree, skip_unchanged=True)
            assert (job.totals.uploaded, job.totals.skipped, job.totals.bytes_found) == (0, 2000, 0)
            assert {operation for operation, _key in front.requests} == {"HeadBucket", "ListObjectsV2"}
            assert front.requests.total() <= 5
            assert {key: (row.checksum, row.etag) for key, row in yard.rows(job).items()} == receipts
            assert {(row.state, row.action) for row in yard.rows(job).values()} == {(FileState.SKIPPED, Action.SKIP)}


def test_what_another_program_stored_is_recognised_by_md5_in_one_piece_and_in_parts(
    yard_at: OpenYard, moto_store: Store, tmp_path: Path
) -> None:
    large = os.urandom(THRESHOLD + 5)
    tree = planted(tmp_path / "tree", {"empty": b"", "small": b"small", "large": large})
    client = moto_store.client()
    for key, body in (("empty", b""), ("small", b"small")):
        client.put_object(Bucket=moto_store.bucket, Key=key, Body=body)
    target = {"Bucket": moto_store.bucket, "Key": "large"}
    upload = {**target, "UploadId": client.create_multipart_upload(**target)["UploadId"]}
    etags = [
        client.upload_part(**upload, PartNumber=number, Body=large[(number - 1) * DEFAULT_PART : number * DEFAULT_PART])["ETag"]
        for number in (1, 2, 3)
    ]
    parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]
    client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    with FaultFront(moto_store.url) as front:
        job = yard_at(moto_store.behind(front)).upload(tree, skip_unchanged=True)
        assert (job.totals.uploaded, job.totals.skipped) == (0, 3)
        assert front.count("HeadObject") == 0


def test_large_objects_of_ours_are_recognised_with_every_checksum(yard_at: OpenYard, moto_store: Store, tmp_path: Path) -> None:
    tree = planted(tmp_path / "tree", {"large": os.urandom(THRESHOLD + 5)})
    yard = yard_at(moto_store)
    for checksum in ("crc64nvme", "sha256"):
        yard.upload(tree, prefix=checksum, checksum=checksum)
        assert yard.upload(tree, prefix=checksum, checksum=checksum, skip_unchanged=True).totals.skipped == 1


def test_where_etags_say_nothing_an_unknown_object_is_asked_for_its_checksum_once_and_remembered(
    yard_at: OpenYard, moto_store: Store, tmp_path: Path
) -> None:
    tree = planted(tmp_path / "tree", {"changed": b"1", "same": b"2"})
    with FaultFront(moto_store.url) as front:
        front.opaque_etags = True
        store = moto_store.behind(front)
        for key in ("changed", "same"):
            store.client().put_object(Bucket=store.bucket, Key=key, Body=b"2", ChecksumAlgorithm="CRC32")
        yard = yard_at(store)
        front.requests.clear()
        first = yard.upload(tree, skip_unchanged=True)
        assert yard.unchanged(first) == {"same"}
        assert front.count("HeadObject") == 2
        front.requests.clear()
        assert yard.unchanged(yard.upload(tree, skip_unchanged=True)) == {"changed", "same"}
        assert front.count("HeadObject") == 0


def test_a_stored_time_speaks_for_a_file_only_where_there_is_nothing_better(
    yard_at: OpenYard, moto_store: Store, tmp_path: Path
) -> None:
    tree = planted(tmp_path / "tree", dict.fromkeys(("exact", "other", "seconds", "senseless"), b"local"))
    moment = 1_700_000_000_123_456_789
    for path in tree.iterdir():
        os.utime(path, ns=(moment, moment))
    written = {"exact": "1700000000.123456789", "other": "1700000000.123456788", "seconds": "1700000000", "senseless": "yes"}
    with FaultFront(moto_store.url) as front:
        front.opaque_etags = True
        store = moto_store.behind(front)
        for key, mtime in written.items():
            store.client().put_object(Bucket=store.bucket, Key=key, Body=b"local", Metadata={"mtime": mtime})
        front.hides_checksums = True
        yard = yard_at(store)
        assert yard.unchanged(yard.upload(tree, skip_unchanged=True, dry_run=True)) == {"exact", "seconds"}


def test_where_nobody_may_look_at_objects_what_is_not_proven_is_sent(yard_at: OpenYard, moto_store: Store, tmp_path: Path) -> None:
    tree = planted(tmp_path / "tree", {"file": b"local"})
    with FaultFront(moto_store.url) as front:
        front.opaque_etags = True
        store = moto_store.behind(front)
        store.client().put_object(Bucket=store.bucket, Key="file", Body=b"local")
        front.fail("HeadObject", status=403, code="AccessDenied", times=100)
        job = yard_at(store).upload(tree, skip_unchanged=True)
        assert (job.totals.uploaded, job.totals.skipped) == (1, 0)


def test_an_object_that_somebody_replaced_is_sent_again(yard_at: OpenYard, moto_store: Store, tmp_path: Path) -> None:
    tree = planted(tmp_path / "tree", {"kept": b"12345", "replaced": b"12345"})
    yard = yard_at(moto_store)
    yard.upload(tree)
    moto_store.client().put_object(Bucket=moto_store.bucket, Key="replaced", Body=b"54321")
    assert yard.unchanged(yard.upload(tree, skip_unchanged=True)) == {"kept"}
    assert moto_store.contents() == keys_of(tree)


def test_unchanged_comes_before_if_exists(yard_at: OpenYard, moto_store: Store, tmp_path: Path) -> None:
    tree = planted(tmp_path / "tree", {"changed": b"12345", "same": b"12345"})
    yard = yard_at(moto_store)
    yard.upload(tree)
    rewritten_in_secret(tree / "changed")
    for if_exists, action in (("overwrite", Action.OVERWRITE), ("skip", Action.SKIP), ("fail", Action.FAIL)):
        rows = yard.rows(yard.upload(tree, skip_unchanged=True, if_exists=if_exists, dry_run=True))
        assert (rows["same"].action, rows["same"].reason) == (Action.SKIP, "unchanged")
        assert (rows["changed"].action, rows["changed"].reason) == (action, None if if_exists == "overwrite" else "exists")


def test_links_that_are_followed_are_recognised_too(yard_at: OpenYard, moto_store: Store, tmp_path: Path) -> None:
    tree = planted(tmp_path / "tree", {"file": b"12345"})
    (tree / "link").symlink_to("file")
    yard = yard_at(moto_store)
    yard.upload(tree, follow_symlinks=True)
    assert yard.unchanged(yard.upload(tree, follow_symlinks=True, skip_unchanged=True)) == {"file", "link"}


def test_a_pause_is_obeyed_while_files_are_compared_and_the_job_goes_on_when_resumed(
    yard_at: OpenYard, moto_store: Store, tmp_path: Path
) -> None:
    tree = planted(tmp_path / "tree", {"changed": b"1", "same": b"2"})
    with FaultFront(moto_store.url) as front:
        front.opaque_etags = True
        store = moto_store.behind(front)
        for key in ("changed", "same"):
            store.client().put_object(Bucket=store.bucket, Key=key, Body=b"2", ChecksumAlgorithm="CRC32")
        gates = [front.hold("HeadObject", key) for key in ("changed", "same")]
        yard = yard_at(store)
        job_id = yard.begin(tree, skip_unchanged=True)
        assert all(gate.arrived.wait(20) for gate in gates)
        service = yard.runtime.service
        service.pause(job_id)
        yard.wait_for_a_whole_beat()
        for gate in gates:
            gate.open()
        wait_until(lambda: service.job(job_id).state is JobState.PAUSED, 20, "the job to be paused")
        assert not service.job(job_id).planned
        service.resume(job_id, home=yard.worker.id)
        assert yard.unchanged(yard.end_of(job_id)) == {"same"}
    assert moto_store.contents() == keys_of(tree)

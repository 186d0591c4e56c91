"""The one place that deletes a source: only what was stored, only in its source, and only while nobody writes to it."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from s3tui.errors import SourceKept, SourceVanished
from s3tui.model import Fingerprint
from s3tui.transfer.checksums import ALGORITHMS, digest_of
from s3tui.transfer.deletion import Deletion
from tests.unprivileged import run_unprivileged
from tests.waiting import wait_until

OWN = b"/nonexistent"
ASIDE = b".s3tui-aside"
BYTES = b"the only copy"


def receipt_of(data: bytes, algorithm: str = "crc64nvme") -> str:
    """The checksum of a receipt."""
    return f"{algorithm}:{digest_of(ALGORITHMS[algorithm], data)}"


def never() -> None:
    """Nobody wishes to stop."""


class Bed:
    """A source directory with one file that has been stored."""

    def __init__(self, directory: Path, name: str = "a/b/file") -> None:
        self.root = directory / "source"
        self.name = os.fsencode(name)
        self.path = self.root / name
        self.path.parent.mkdir(parents=True)
        self.path.write_bytes(BYTES)
        self.planned = Fingerprint.of(self.path.stat())
        self.checksum = receipt_of(BYTES)

    def delete(self, *, watch: Callable[[], None] = never, own: bytes = OWN) -> None:
        """Delete it as a backup does."""
        Deletion(bytes(self.root), own=own).delete(self.name, self.planned, self.checksum, 8 << 20, watch, aside=ASIDE)


@pytest.fixture
def bed(tmp_path: Path) -> Bed:
    return Bed(tmp_path)


def kept_for(bed: Bed, reason: str) -> None:
    """See that it is not deleted, for this reason."""
    with pytest.raises(SourceKept) as raised:
        bed.delete()
    assert raised.value.reason == reason


def writing(path: Path) -> subprocess.Popen[bytes]:
    """A process that opens a file to write; it waits there until the lease is given back."""
    code = "import os, sys; print('at the door', flush=True); os.write(os.open(sys.argv[1], os.O_WRONLY), b'more')"
    writer = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    writer.stdout.readline()
    stack = Path(f"/proc/{writer.pid}/wchan")
    wait_until(lambda: "break_lease" in stack.read_text(), what="the writer to wait for the lease")
    return writer


def same_times(path: Path, planned: Fingerprint) -> None:
    """Give a file the time that it was planned with."""
    os.utime(path, ns=(planned.mtime_ns, planned.mtime_ns))


def test_what_was_stored_is_deleted(bed: Bed) -> None:
    bed.delete()
    assert not bed.path.exists()
    assert bed.path.parent.is_dir()


@pytest.mark.parametrize("size", [0, 1, 20 << 20])
@pytest.mark.parametrize("algorithm", ["crc64nvme", "crc32", "crc32c", "sha256"])
def test_every_checksum_and_size_is_recognised(tmp_path: Path, size: int, algorithm: str) -> None:
    bed = Bed(tmp_path)
    data = os.urandom(size)
    bed.path.write_bytes(data)
    bed.planned, bed.checksum = Fingerprint.of(bed.path.stat()), receipt_of(data, algorithm)
    bed.delete()
    assert not bed.path.exists()


def test_a_source_that_is_a_file_is_deleted(tmp_path: Path) -> None:
    path = tmp_path / "alone"
    path.write_bytes(BYTES)
    Deletion(bytes(path), own=OWN).delete(b"alone", Fingerprint.of(path.stat()), receipt_of(BYTES), 8 << 20, never, aside=ASIDE)
    assert not path.exists()


def test_what_was_rewritten_is_kept(bed: Bed) -> None:
    bed.path.write_bytes(b"something new")
    kept_for(bed, "changed_after_upload")


def test_other_bytes_of_the_same_size_and_time_are_kept(bed: Bed) -> None:
    bed.path.write_bytes(bytes(reversed(BYTES)))
    same_times(bed.path, bed.planned)
    assert Fingerprint.of(bed.path.stat()) == bed.planned
    kept_for(bed, "changed_after_upload")


def test_bytes_that_were_written_through_a_mapping_are_seen(bed: Bed) -> None:
    with bed.path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        mapped[0] = mapped[0] ^ 1
    same_times(bed.path, bed.planned)
    kept_for(bed, "changed_after_upload")


def test_another_file_of_the_same_bytes_is_kept(bed: Bed) -> None:
    other = bed.path.with_name("other")
    other.write_bytes(BYTES)
    same_times(other, bed.planned)
    other.replace(bed.path)
    kept_for(bed, "changed_after_upload")


def test_what_a_kill_left_aside_is_deleted_and_nothing_else_of_that_name(bed: Bed) -> None:
    aside = bed.path.with_name(os.fsdecode(ASIDE))
    bed.path.rename(aside)
    assert not bed.path.exists()
    bed.delete()
    assert not aside.exists()
    aside.write_bytes(BYTES)
    kept_for(bed, "changed_after_upload")
    assert aside.read_bytes() == BYTES


def test_what_lies_aside_is_never_written_over(bed: Bed) -> None:
    aside = bed.path.with_name(os.fsdecode(ASIDE))
    aside.write_bytes(b"never stored")
    kept_for(bed, "delete_denied")
    assert (bed.path.read_bytes(), aside.read_bytes()) == (BYTES, b"never stored")


@pytest.mark.parametrize("when", [1, 2])
def test_a_file_that_is_replaced_while_it_is_read_again_is_kept(bed: Bed, when: int) -> None:
    calls = iter(range(9))

    def replace() -> None:
        if next(calls) == when - 1:
            bed.path.rename(bed.path.with_name("moved"))
            bed.path.write_bytes(BYTES)

    large = os.urandom(600_000)
    bed.path.write_bytes(large)
    bed.planned, bed.checksum = Fingerprint.of(bed.path.stat()), receipt_of(large)
    with pytest.raises(SourceKept, match="not what was stored"):
        bed.delete(watch=replace)
    assert bed.path.read_bytes() == BYTES
    assert bed.path.with_name("moved").read_bytes() == large


def test_a_link_in_its_place_is_kept_and_what_it_leads_to_as_well(bed: Bed, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    bed.path.rename(outside)
    bed.path.symlink_to(outside)
    kept_for(bed, "reached_through_link")
    assert outside.read_bytes() == BYTES


def test_a_directory_that_became_a_link_leads_nowhere(bed: Bed, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    bed.path.parent.rename(outside)
    bed.path.parent.symlink_to(outside)
    kept_for(bed, "reached_through_link")
    assert (outside / "file").read_bytes() == BYTES


@pytest.mark.parametrize("name", [b"../outside", b"a/../../outside", b"a/./b/file", b"/outside"])
def test_no_path_leads_out_of_the_source(bed: Bed, tmp_path: Path, name: bytes) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(BYTES)
    bed.name, bed.planned = name, Fingerprint.of(outside.stat())
    with pytest.raises((SourceKept, SourceVanished)):
        bed.delete()
    assert outside.exists()
    assert bed.path.exists()


def test_a_file_that_somebody_writes_to_is_kept(bed: Bed) -> None:
    with bed.path.open("r+b"):
        kept_for(bed, "open_for_write")
    bed.delete()


def test_whoever_begins_to_write_in_the_last_moment_keeps_the_file(bed: Bed) -> None:
    writer: list[subprocess.Popen[bytes]] = []
    waiting = [True]

    def write(event: str, _: object) -> None:
        """A process that opens the file when it is about to be moved aside; hooks stay, so this one acts once."""
        if event == "os.rename" and waiting:
            waiting.clear()
            writer.append(writing(bed.path))

    sys.addaudithook(write)
    kept_for(bed, "open_for_write")
    assert writer[0].wait(30) == 0
    assert bed.path.read_bytes() == b"more" + BYTES[4:]


def test_whoever_begins_to_write_meanwhile_keeps_the_file(bed: Bed) -> None:
    writer: list[subprocess.Popen[bytes]] = []

    with pytest.raises(SourceKept) as raised:
        bed.delete(watch=lambda: writer.append(writing(bed.path)))
    assert raised.value.reason == "open_for_write"
    assert writer[0].wait(30) == 0
    assert bed.path.read_bytes() == b"more" + BYTES[4:]


@pytest.mark.parametrize("levels", [0, 1, 2, 3])
def test_the_state_of_s3tui_itself_is_never_deleted(bed: Bed, levels: int) -> None:
    with pytest.raises(SourceKept) as raised:
        bed.delete(own=bytes(bed.path.parents[levels]))
    assert raised.value.reason == "own_state"


def test_what_is_gone_is_told_apart_from_what_cannot_be_seen(bed: Bed) -> None:
    deletion = Deletion(bytes(bed.root), own=OWN)
    assert not deletion.is_gone(bed.name)
    bed.path.unlink()
    assert deletion.is_gone(bed.name)
    with pytest.raises(SourceVanished):
        bed.delete()
    bed.path.parent.rmdir()
    assert deletion.is_gone(bed.name)
    bed.root.rename(bed.root.with_name("unmounted"))
    assert not deletion.is_gone(bed.name)


def test_a_source_that_vanished_is_not_looked_for_beside_it(bed: Bed, tmp_path: Path) -> None:
    beside = tmp_path / "a" / "b" / "file"
    bed.root.rename(tmp_path / "unmounted")
    beside.parent.mkdir(parents=True)
    (tmp_path / "unmounted" / "a" / "b" / "file").rename(beside)
    with pytest.raises(SourceVanished):
        bed.delete()
    assert beside.exists()


def test_a_directory_that_must_not_be_written_to_keeps_its_files(bed: Bed) -> None:
    bed.path.parent.chmod(0o555)
    script = """
        import json, sys
        from s3tui.errors import SourceKept
        from s3tui.model import Fingerprint
        from s3tui.transfer.deletion import Deletion
        root, name, planned, checksum = (json.loads(argument) for argument in sys.argv[1:])
        deletion = Deletion(root.encode(), own=b"/nonexistent")
        try:
            deletion.delete(name.encode(), Fingerprint(*planned), checksum, 8 << 20, lambda: None, aside=b'.aside')
        except SourceKept as error:
            print(json.dumps([error.reason, str(error)]))
    """
    reason, sentence = run_unprivileged(script, str(bed.root), bed.name.decode(), list(bed.planned), bed.checksum)
    assert reason == "delete_denied"
    assert "cannot be deleted: permission denied. Give yourself the right" in sentence
    assert bed.path.exists()


def test_emptied_directories_go_and_all_others_stay(bed: Bed, tmp_path: Path) -> None:
    (bed.root / "a" / "kept").write_bytes(b"")
    (bed.root / "empty before").mkdir()
    outside = tmp_path / "outside"
    outside.mkdir()
    (bed.root / "link").symlink_to(outside)
    bed.delete()
    deletion = Deletion(bytes(bed.root), own=OWN)
    deletion.prune([bed.name, b"link/file", b"../outside/file", b"file", b"gone/file"])
    assert sorted(path.name for path in bed.root.iterdir()) == ["a", "empty before", "link"]
    assert outside.is_dir()
    (bed.root / "a" / "kept").unlink()
    deletion.prune([b"a/kept", b"a/b/file"])
    assert not (bed.root / "a").exists()
    deletion.prune([b"file"])
    assert bed.root.is_dir()

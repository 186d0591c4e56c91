"""A job that watches for videos, looked at from within: what becomes one, and where, and what is known of it later."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from s3tui.jobs.films import Films
from s3tui.jobs.video import VideoSpec
from s3tui.media.opening import EXTENSIONS
from s3tui.model import FileState
from s3tui.state.store import Store
from tests.jobs.watching import Watching
from tests.state.scenes import ANN, register, uploaded
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=8)

Watch = Callable[..., Watching]


@pytest.fixture
def watch(state_store: Store, tmp_path: Path) -> Iterator[Watch]:
    register(state_store, ANN)
    running: list[Watching] = []

    def begin(*sources: Path) -> Watching:
        spec = VideoSpec(tuple(map(str, sources)), "s3://bucket/p/", watch=True, settle_seconds=0.2)
        running.append(Watching(state_store, spec, Films, tmp_path))
        return running[-1]

    yield begin
    for watching in running:
        watching.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    directory = tmp_path / "films"
    directory.mkdir()
    return directory


def put(path: Path, content: bytes = b"film") -> None:
    """Write a file, in folders that are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def publish(watching: Watching, no: int) -> None:
    """Make the video of the next unit."""
    lease = watching.claim()
    watching.store.videos.begin(lease, no)
    watching.store.videos.published(lease, [uploaded(no, size=1_000_000)], "http://s3/film", [])
    watching.store.units.finish(lease)


def keys(watching: Watching) -> dict[bytes, str | None]:
    """Where the video of each file is to be, by path."""
    return {row.path: row.key for row in watching.rows()}


def test_what_is_a_video_by_its_name_and_not_hidden_has_a_row_and_a_unit_of_its_own(watch: Watch, folder: Path) -> None:
    for extension in EXTENSIONS:
        put(folder / f"{extension}-film.{extension}")
    for name in ("notes.txt", "mp4", ".film.mp4", ".trash/film.mp4", "film.mp4.part", "thumbs/a.jpg"):
        put(folder / name)
    put(folder / "deep" / "er" / "LAST.Take.MP4")
    watching = watch(folder)
    watching.wait_for(len(EXTENSIONS) + 1)
    expected = {f"{name}-film.{name}".encode(): f"p/{name}-film/master.m3u8" for name in EXTENSIONS}
    put(folder / "later.mp4")
    put(folder / "later.txt")
    watching.wait_for(len(EXTENSIONS) + 2)
    expected |= {b"deep/er/LAST.Take.MP4": "p/deep/er/LAST.Take/master.m3u8", b"later.mp4": "p/later/master.m3u8"}
    assert keys(watching) == expected
    assert {row.state for row in watching.rows()} == {FileState.PLANNED}
    leases = [watching.claim() for _ in expected]
    assert [(lease.first, lease.last) for lease in leases] == [(no, no) for no in range(len(expected))]


def test_the_endings_that_count_are_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "watching.md").read_text()
    assert [ending for ending in EXTENSIONS if f"`{ending}`" not in text] == []


def test_a_file_that_is_given_is_a_video_whatever_its_name_is(watch: Watch, folder: Path) -> None:
    put(folder / "given")
    put(folder / "inside" / "given")
    put(folder / ".hidden.bin")
    watching = watch(folder / "given", folder / ".hidden.bin", folder / "inside")
    watching.wait_for(2)
    put(folder / "inside" / "film.mp4")
    watching.wait_for(3)
    assert keys(watching) == {
        b"given": "p/given/master.m3u8",
        b".hidden.bin": "p/.hidden/master.m3u8",
        b"film.mp4": "p/film/master.m3u8",
    }


def test_names_that_are_no_keys_fail_with_a_sentence(watch: Watch, folder: Path) -> None:
    put(folder / os.fsdecode(b"caf\xe9.mp4"))
    put(folder / ("a" * 240) / ("b" * 240) / ("c" * 240) / ("d" * 240) / ("e" * 48 + ".mp4"))
    watching = watch(folder)
    watching.wait_for(2)
    assert sorted(row.reason or "" for row in watching.rows()) == ["key_too_long", "name_not_utf8"]
    assert {(row.state, row.key) for row in watching.rows()} == {(FileState.FAILED, None)}


@pytest.mark.parametrize(
    ("first", "second", "has"),
    [
        ("a.mp4", "a.mov", "that place"),
        ("a.mp4", "a/b.mp4", "a place that overlaps it"),
        ("a.mp4", "a/b/c.mp4", "a place that overlaps it"),
        ("a/b/c.mp4", "a.mp4", "a place that overlaps it"),
        ("x/a.mp4", "x/a.b/../a.webm", "that place"),
    ],
)
def test_no_video_has_the_place_of_another_one_or_a_part_of_it(
    watch: Watch, folder: Path, first: str, second: str, has: str
) -> None:
    (folder / "x" / "a.b").mkdir(parents=True)
    put(folder / first)
    watching = watch(folder)
    watching.wait_for(1)
    put(folder / second)
    watching.wait_for(2)
    refused = watching.rows()[-1]
    assert (refused.state, refused.reason) == (FileState.FAILED, "key_collision")
    assert f"which came first, has {has}. Rename" in (refused.error or "")
    assert watching.rows()[0].state is FileState.PLANNED


def test_names_that_only_look_alike_have_places_of_their_own(watch: Watch, folder: Path) -> None:
    names = ("a.mp4", "a-.mp4", "a .mp4", "a.b.mp4", "ab.mp4", "a0.mp4", "a+/c.mp4", "c/a.mp4", "a.b.c/d.mp4")
    for name in names:
        put(folder / name)
    watching = watch(folder)
    watching.wait_for(len(names))
    assert {row.state for row in watching.rows()} == {FileState.PLANNED}


def test_two_folders_share_their_places(watch: Watch, tmp_path: Path) -> None:
    put(tmp_path / "one" / "a.mp4")
    (tmp_path / "two").mkdir()
    watching = watch(tmp_path / "one", tmp_path / "two")
    watching.wait_for(1)
    put(tmp_path / "two" / "a.mkv")
    watching.wait_for(2)
    assert [row.reason for row in watching.rows()] == [None, "key_collision"]


def test_a_file_whose_name_was_taken_has_failed_no_more_when_it_is_gone(watch: Watch, folder: Path) -> None:
    put(folder / "a.mp4")
    watching = watch(folder)
    watching.wait_for(1)
    put(folder / "a.mov")
    watching.wait_for(2)
    assert watching.job.totals.failed == 1
    (folder / "a.mov").unlink()
    wait_until(lambda: watching.job.totals.failed == 0, 30, "the failure to be over")
    assert [(row.state, row.reason) for row in watching.rows()] == [(FileState.PLANNED, None), (FileState.SKIPPED, "outdated")]


def test_a_published_video_is_known_by_its_file_whatever_size_it_became(watch: Watch, folder: Path) -> None:
    put(folder / "a.mp4")
    watching = watch(folder)
    watching.wait_for(1)
    publish(watching, 0)
    assert watching.rows()[0].size == 1_000_000
    folder.rename(folder.with_name("away"))
    wait_until(lambda: watching.job.totals.failed == 1, 30, "the failure of the folder")
    folder.with_name("away").rename(folder)  # what comes back is looked at as a whole
    wait_until(lambda: watching.job.totals.failed == 0, 30, "the end of the failure")
    put(folder / "b.mp4")
    watching.wait_for(3)
    assert watching.paths() == [b".", b"a.mp4", b"b.mp4"]
    put(folder / "a.mp4", b"another film")
    watching.wait_for(4)
    assert watching.paths() == [b".", b"a.mp4", b"a.mp4", b"b.mp4"]


def test_what_a_failed_version_left_in_the_bucket_is_its_successors_to_remove(
    watch: Watch, folder: Path, state_store: Store
) -> None:
    put(folder / "a.mp4")
    watching = watch(folder)
    watching.wait_for(1)
    lease = watching.claim()
    state_store.videos.begin(lease, 0)
    state_store.units.release(lease)
    watching.fail(0, "access_denied")
    put(folder / "a.mp4", b"another film")
    watching.wait_for(2)
    lease = watching.claim()
    assert [state_store.videos.has_begun(lease, no) for no in (0, 1)] == [False, True]


def test_what_is_published_stays_what_it_is_when_its_file_changes(watch: Watch, folder: Path, state_store: Store) -> None:
    put(folder / "a.mp4")
    watching = watch(folder)
    watching.wait_for(1)
    publish(watching, 0)
    put(folder / "a.mp4", b"another film")
    watching.wait_for(2)
    assert list(state_store.videos.published_of(watching.job.no, [0, 1])) == [0]
    assert not state_store.videos.has_begun(watching.claim(), 1)

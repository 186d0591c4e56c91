"""A job that watches, looked at from within: what is planned of what happens, on every database, with events and without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from s3tui.events import DeletionIntended, Fact, SourceDeleted, Verified
from s3tui.jobs.intake import Files
from s3tui.jobs.upload import UploadSpec
from s3tui.model import FileState, Proof
from s3tui.state.store import Store
from s3tui.state.transfers import write_facts
from s3tui.transfer.choice import Choice
from s3tui.transfer.watching import Deaf, OpenWatcher, open_watcher
from tests.jobs.watching import Watching
from tests.state.scenes import ANN, claim, register, uploaded

pytestmark = pytest.mark.thorough(one_in=8)

Watch = Callable[..., Watching]


@pytest.fixture
def watch(state_store: Store, tmp_path: Path) -> Iterator[Watch]:
    register(state_store, ANN)
    running: list[Watching] = []

    def begin(*sources: Path, open_watcher: OpenWatcher = open_watcher, limit: int = 100, choice: Choice | None = None) -> Watching:
        spec = UploadSpec(tuple(map(str, sources)), "s3://bucket/", watch=True, settle_seconds=0.2, choice=choice or Choice())
        watching = Watching(state_store, spec, Files, tmp_path, open_watcher, limit)
        running.append(watching)
        return watching

    yield begin
    for watching in running:
        watching.stop()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    directory = tmp_path / "tree"
    directory.mkdir()
    return directory


def deaf(paths: object) -> Deaf:
    """Opens a watcher that never tells anything."""
    return Deaf()


class Forgetful(Deaf):
    """Loses all events, and says so."""

    def changes(self) -> None:  # type: ignore[override]
        """Nothing, but there was something."""
        super().changes()


def test_with_no_event_at_all_everything_is_found_by_looking(watch: Watch, source: Path) -> None:
    (source / "first").touch()
    watching = watch(source, open_watcher=deaf)
    watching.wait_for(1)
    (source / "new" / "below").mkdir(parents=True)
    (source / "new" / "below" / "second").touch()
    watching.wait_for(2)
    assert watching.paths() == [b"first", b"new/below/second"]


def test_lost_events_are_made_up_for_by_looking(watch: Watch, source: Path) -> None:
    watching = watch(source, open_watcher=lambda _paths: Forgetful())
    (source / "file").touch()
    watching.wait_for(1)
    (source / "second").touch()
    watching.wait_for(2)


def test_more_files_than_candidates_are_kept_are_all_planned_once(watch: Watch, source: Path) -> None:
    for number in range(95):
        (source / f"{number:03}").touch()
    watching = watch(source, limit=10)
    watching.wait_for(95)
    for number in range(100, 150):
        (source / f"{number:03}").touch()
    watching.wait_for(145)
    assert watching.stop() < 1
    assert len(watching.paths()) == len(set(watching.paths())) == 145


def test_files_that_are_never_at_rest_keep_no_other_from_being_taken(watch: Watch, source: Path) -> None:
    open_files = [(source / f"a{number}").open("w") for number in range(20)]
    (source / "b").touch()
    watching = watch(source, limit=10)
    watching.wait_for(1)
    assert watching.paths() == [b"b"]
    for stream in open_files:
        stream.close()
    watching.wait_for(21)


def test_a_file_that_changes_waits_until_its_earlier_version_is_stored(watch: Watch, source: Path) -> None:
    (source / "file").write_bytes(bytes(10))
    (source / "other").touch()
    watching = watch(source)
    watching.wait_for(2)
    (source / "file").write_bytes(b"22")
    (source / "third").touch()
    watching.wait_for(3)
    assert watching.paths() == [b"file", b"other", b"third"]
    watching.carry()
    watching.wait_for(4)
    assert [(row.path, row.size) for row in watching.rows() if row.path == b"file"] == [(b"file", 10), (b"file", 2)]


def test_a_later_version_takes_the_place_of_one_that_failed(watch: Watch, source: Path) -> None:
    (source / "file").write_bytes(b"1")
    watching = watch(source)
    watching.wait_for(1)
    watching.fail(0, "access_denied")
    assert watching.job.totals.failed == 1
    (source / "file").write_bytes(b"22")
    watching.wait_for(2)
    assert [(row.state, row.reason) for row in watching.rows()] == [(FileState.SKIPPED, "outdated"), (FileState.PLANNED, None)]
    totals = watching.job.totals
    assert (totals.skipped, totals.failed) == (1, 0)


def test_a_key_that_another_source_has_taken_is_refused(watch: Watch, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for directory in (one, two):
        directory.mkdir()
        (directory / f"only in {directory.name}").touch()
    (one / "both").touch()
    watching = watch(one, two)
    watching.wait_for(3)
    (two / "both").touch()
    watching.wait_for(4)
    refused = watching.rows()[-1]
    assert (refused.path, refused.state, refused.reason) == (b"both", FileState.FAILED, "key_collision")
    assert [row.state for row in watching.rows()[:-1]] == [FileState.PLANNED] * 3


def test_a_key_stays_taken_by_a_file_that_has_failed_and_may_be_sent_again(watch: Watch, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for directory in (one, two):
        directory.mkdir()
    (one / "both").touch()
    watching = watch(one, two)
    watching.wait_for(1)
    watching.fail(0, "access_denied")
    (two / "both").touch()
    watching.wait_for(2)
    assert [row.reason for row in watching.rows()] == ["access_denied", "key_collision"]


def test_a_file_that_was_deleted_and_comes_back_as_it_was_is_taken_again(watch: Watch, source: Path, state_store: Store) -> None:
    (source / "file").write_bytes(b"1")
    watching = watch(source, open_watcher=deaf)
    watching.wait_for(1)
    lease = claim(state_store)
    with state_store.database.write() as connection:
        proven: list[Fact] = [uploaded(0, size=1), Verified(0, Proof.SERVER_CHECKSUM), DeletionIntended(0), SourceDeleted(0)]
        write_facts(connection, lease, proven)
    state_store.units.finish(lease)
    watching.wait_for(2)
    assert [(row.path, row.state) for row in watching.rows()] == [(b"file", FileState.DELETED), (b"file", FileState.PLANNED)]


def test_a_source_that_is_a_file_is_taken_again_when_it_is_replaced(watch: Watch, source: Path) -> None:
    (source / "beside").touch()
    (source / "file").write_bytes(b"1")
    watching = watch(source / "file")
    watching.wait_for(1)
    watching.carry()
    for version in (2, 3):
        (source / "new").write_bytes(bytes(version))
        (source / "new").rename(source / "file")
        watching.wait_for(version)
        watching.carry()
    assert watching.paths() == [b"file"] * 3


def test_links_lead_nowhere_as_long_as_they_are_not_followed(watch: Watch, source: Path, tmp_path: Path) -> None:
    beyond = tmp_path / "beyond"
    beyond.mkdir()
    (source / "link").symlink_to(beyond)
    watching = watch(source)
    watching.wait_for(1)
    (beyond / "file").touch()
    (source / "file").touch()
    watching.wait_for(2)
    assert watching.paths() == [b"file", b"link"]


def test_files_behind_links_that_are_followed_are_taken(watch: Watch, source: Path, tmp_path: Path) -> None:
    beyond = tmp_path / "beyond"
    beyond.mkdir()
    (source / "link").symlink_to(beyond)
    (source / "up").symlink_to(source)
    watching = watch(source, choice=Choice(follow_symlinks=True))
    watching.wait_for(1)
    (beyond / "file").touch()
    watching.wait_for(2)
    assert [(row.path, row.reason) for row in watching.rows()] == [(b"up", "symlink_loop"), (b"link/file", None)]


def test_a_file_that_is_too_young_is_taken_when_it_is_old_enough(watch: Watch, source: Path) -> None:
    (source / "file").touch()
    watching = watch(source, choice=Choice(min_age="2s"))
    watching.wait_for(2)
    assert [(row.path, row.reason) for row in watching.rows()] == [(b"file", "age_limit"), (b"file", None)]


def test_a_job_that_watches_stops_at_once(watch: Watch, source: Path) -> None:
    for number in range(50):
        (source / f"{number}").touch()
    watching = watch(source)
    watching.wait_for(50)
    assert watching.stop() < 1

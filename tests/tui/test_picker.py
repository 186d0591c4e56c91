"""Choosing in the form: ranges, filter and sums in the tree, places, targets, and jobs that watch."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from s3tui.errors import AccessDenied, CredentialsError, StorageError
from s3tui.model import JobState
from s3tui.tui.application import S3tuiApp
from s3tui.tui.screens.new_job import NewJobPage
from s3tui.tui.screens.places import PlacesPage
from tests.tui.driving import application, form, text_of, until, until_seen, until_told, until_unseen
from tests.tui.seeded import SeededHouse, ended

pytestmark = pytest.mark.thorough(one_in=8)

SHELVES = {
    ("", ""): ("archive", "harbour", "lantern", "quay", "rope"),
    ("harbour", ""): ("docs/", "photos/"),
    ("harbour", "photos/"): ("photos/2024/", "photos/20\x1b[2J25\u202e/", "photos//"),
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Folders and files to choose from."""
    for name in ("alpha/deep/one.txt", "beta/two.txt", "gamma/three.txt", "notes.txt", "zebra.md"):
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).write_bytes(b"x" * 1500)
    return tmp_path / "tree"


def house_of(*jobs: object) -> SeededHouse:
    house = SeededHouse(*jobs)  # type: ignore[arg-type]
    house.shelves = dict(SHELVES)
    return house


def page_of(app: S3tuiApp) -> NewJobPage:
    assert isinstance(app.screen, NewJobPage)
    return app.screen


def marks_of(app: S3tuiApp) -> list[str]:
    return [Path(source).name for source in page_of(app).sources.folders.sources()]


# The tree.


async def test_v_marks_from_where_it_was_pressed_to_the_cursor(tree: Path) -> None:
    app = application(SeededHouse(), prefill=form(root=str(tree), target="s3://harbour/x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "alpha/")
        await pilot.press("down", "v", "down", "down")
        await until_seen(pilot, "3 names in the range")
        assert text_of(app).count("[+]") == 3
        await pilot.press("up", "v")
        await until_seen(pilot, "2 marked: beta, gamma")
        await pilot.press("v", "down", "escape")
        await until_unseen(pilot, "[+]")
        assert marks_of(app) == ["beta", "gamma"]


async def test_a_range_can_go_up_and_space_marks_it_too(tree: Path) -> None:
    app = application(SeededHouse(), prefill=form(root=str(tree), target="s3://harbour/x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "alpha/")
        await pilot.press("G", "v", "up", "space")
        await until_seen(pilot, "2 marked: notes.txt, zebra.md")


async def test_the_star_inverts_the_marks_on_show(tree: Path) -> None:
    app = application(SeededHouse(), prefill=form(root=str(tree), target="s3://harbour/x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "alpha/")
        await pilot.press("space", "asterisk")
        await until_seen(pilot, "4 marked: beta, gamma, notes")
        await pilot.press("slash", *"txt", "enter", "asterisk")
        await until(pilot, lambda: marks_of(app) == ["beta", "gamma", "zebra.md"], "only what is on show to be inverted")


async def test_the_filter_narrows_the_tree_and_escape_drops_it_before_it_leaves(tree: Path) -> None:
    app = application(SeededHouse(), prefill=form(root=str(tree), target="s3://harbour/x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "alpha/")
        await pilot.press("slash", *"Z")
        await until_unseen(pilot, "alpha/")
        assert "zebra.md" in text_of(app)
        await pilot.press(*"zz")
        await until_seen(pilot, "No name here contains that text.")
        await pilot.press("escape")
        await until_seen(pilot, "alpha/")
        assert page_of(app).focused is page_of(app).sources
        await pilot.press("slash", "escape")
        assert page_of(app).query_one("#filter").display is False
        await pilot.press("escape")
        await until_seen(pilot, "No jobs yet")


async def test_folders_are_summed_up_on_demand_and_so_is_all_that_is_marked(tree: Path) -> None:
    app = application(SeededHouse(), prefill=form(root=str(tree), target="s3://harbour/x"))
    async with app.run_test(size=(120, 36)) as pilot:
        await until_seen(pilot, "alpha/")
        await pilot.press("s")
        await until_seen(pilot, "alpha: 1.5 KiB in 1 file")
        await pilot.press("space", "space", "G", "space", "up")
        await until_seen(pilot, "2.9 KiB in 2 files + 1 (S)")
        await pilot.press("S")
        await until_seen(pilot, "4.4 KiB in 3 files")
        assert "3 marked: alpha, beta, zebra.md" in text_of(app)


async def test_a_sum_that_waits_or_grows_is_told_from_a_whole_one_and_can_be_stopped(tree: Path) -> None:
    app = application(SeededHouse(), prefill=form(root=str(tree), target="s3://harbour/x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "alpha/")
        sources, gate = page_of(app).sources, threading.Event()
        sources.ask("measure", lambda: gate.wait(30), lambda _: None)
        await pilot.press("s")
        await until_seen(pilot, "alpha: 0 B… in 0 files")
        await pilot.press("s")
        await until_unseen(pilot, "alpha: 0 B…")
        gate.set()
        await until(pilot, lambda: not sources.asking("measure"), "the thread to be free")
        await pilot.press("s")
        await until_seen(pilot, "alpha: 1.5 KiB in 1 file")


async def test_a_click_on_the_box_marks_and_the_names_not_listed_are_no_source(tree: Path) -> None:
    app = application(SeededHouse(), prefill=form(root=str(tree), target="s3://harbour/x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "alpha/")
        page = page_of(app)
        page.sources.folders.top.rest = 7
        page.sources.filter("")
        await until_seen(pilot, "… 7 more names, which / finds")
        await pilot.press("G", "space", "s", "enter", "v", "v", "asterisk")
        await until_unseen(pilot, "marked: …")
        assert all("\0" not in source for source in page.sources.folders.sources())
        page.sources.folders.marked.clear()
        await pilot.click("#tree", offset=(3, 1))
        await until_seen(pilot, "1 marked: beta")


async def test_typing_in_the_folder_field_survives_a_mark(tree: Path) -> None:
    app = application(SeededHouse(), prefill=form(root=str(tree), target="s3://harbour/x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "alpha/")
        page = page_of(app)
        page.root.value = "half-typed"
        await pilot.press("space")
        await until_seen(pilot, "1 marked: alpha")
        assert page.root.value == "half-typed"


async def test_one_folder_up_the_cursor_stands_where_one_came_from(tree: Path) -> None:
    app = application(SeededHouse(), prefill=form(root=str(tree / "gamma"), target="s3://harbour/x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "three.txt")
        await pilot.press("backspace")
        await until_seen(pilot, "▌ [ ] ▸ gamma/")


# Places.


async def test_places_go_to_folders_mark_sources_and_fill_the_target(tree: Path, tmp_path: Path) -> None:
    gone = str(tmp_path / "gone")
    jobs = [
        ended(9, JobState.COMPLETED, 3, sources=(str(tree / "beta"), gone), target="s3://quay/in/"),
        ended(8, JobState.COMPLETED, 3, sources=(str(tree / "beta"), str(tree / "notes.txt")), target="s3://quay/in/"),
    ]
    app = application(house_of(*jobs), prefill=form(root=str(tree), target="s3://harbour/x"))
    async with app.run_test(size=(120, 36)) as pilot:
        await until_seen(pilot, "alpha/")
        await pilot.press("f5")
        await until_seen(pilot, "Recent target  s3://quay/in/")
        text = text_of(app)
        assert text.count("Recent source") == 2
        assert "gone" not in text
        await pilot.press("G", "enter")
        await until(pilot, lambda: isinstance(app.screen, NewJobPage), "the form")
        assert page_of(app).target.value == "s3://quay/in/"
        await pilot.press("f5")
        await until_seen(pilot, "Recent source")
        await go_to(app, str(tree / "beta"))
        await pilot.press("enter")
        await until_seen(pilot, "two.txt")
        await pilot.press("ctrl+o")
        await until_seen(pilot, "Recent source")
        await go_to(app, str(tree / "notes.txt"))
        await pilot.press("space")
        await until_seen(pilot, "1 marked: notes.txt")


async def go_to(app: S3tuiApp, path: str) -> None:
    assert isinstance(app.screen, PlacesPage)
    app.screen.table.go_to(path)
    place = app.screen.table.pointed
    assert place is not None
    assert place.path == path


async def test_a_recent_file_is_shown_in_its_folder(tree: Path) -> None:
    job = ended(9, JobState.COMPLETED, 3, sources=(str(tree / "alpha/deep/one.txt"),))
    app = application(house_of(job), prefill=form(root=str(tree), target="s3://harbour/x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "beta/")
        await pilot.press("f5")
        await until_seen(pilot, "Recent source")
        await go_to(app, str(tree / "alpha/deep/one.txt"))
        await pilot.press("enter")
        await until_seen(pilot, "▌ [ ]   one.txt")


async def test_b_bookmarks_a_place_and_removes_the_bookmark(tree: Path, tmp_path: Path) -> None:
    app = application(house_of(), prefill=form(root=str(tree), target="s3://harbour/x"))
    path = tmp_path / "state" / "s3tui" / "bookmarks.json"
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "alpha/")
        await pilot.press("f5")
        await until_seen(pilot, "This folder")
        await pilot.press("b")
        await until_seen(pilot, "▌ * This folder")
        await pilot.press("G", "b")
        await until_seen(pilot, "▌ * Target")
        assert json.loads(path.read_text()) == {"sources": [str(tree)], "targets": ["s3://harbour/x"]}
        await pilot.press("g", "b")
        await until_seen(pilot, "▌   This folder")
        assert json.loads(path.read_text())["sources"] == []


async def test_a_broken_file_of_bookmarks_is_a_notice_and_a_locked_database_another(tree: Path, tmp_path: Path) -> None:
    path = tmp_path / "state" / "s3tui" / "bookmarks.json"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    house = house_of()
    app = application(house, prefill=form(root=str(tree), target="s3://harbour/x"))
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await until_seen(pilot, "alpha/")
        house.service.trouble = StorageError("The state database is locked.")
        await pilot.press("f5")
        await until_told(pilot, "it is not the JSON that s3tui writes")
        await until_told(pilot, "The state database is locked.")
        assert "Home" in text_of(app)
        await pilot.press("b")
        await until_told(pilot, "Mend the file, or remove it.")
        assert path.read_text() == "{"


async def test_hostile_bookmarks_are_shown_safely_and_lead_to_the_real_folder(tree: Path, tmp_path: Path) -> None:
    hostile = str(tree / "x\x1b[2J\udcff[b]")
    os.mkdir(os.fsencode(hostile))  # noqa: PTH102
    os.mkdir(os.fsencode(hostile) + b"/inside")  # noqa: PTH102
    path = tmp_path / "state" / "s3tui" / "bookmarks.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"sources": [hostile]}))
    app = application(house_of(), prefill=form(root=str(tree), target="s3://harbour/x"))
    async with app.run_test(size=(200, 36)) as pilot:
        await until_seen(pilot, "alpha/")
        await pilot.press("f5")
        await until_seen(pilot, "x\\x1b[2J\\xff[b]")
        await go_to(app, hostile)
        await pilot.press("enter")
        await until_seen(pilot, "inside/")
        assert page_of(app).sources.folders.root == hostile
        page_of(app).root.focus()
        await pilot.press("enter")
        await until(pilot, lambda: page_of(app).focused is page_of(app).sources, "the folder field to know the real name")


# Targets.


async def test_a_bucket_and_a_prefix_are_chosen_from_lists(tree: Path) -> None:
    house = house_of()
    app = application(house, prefill=form(root=str(tree)))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "alpha/")
        await pilot.press("f4")
        await until_seen(pilot, "5 buckets")
        await pilot.press("down", "right")
        await until_seen(pilot, "2 prefixes and 2 objects right here")
        await pilot.press("down", "down", "l")
        await until_seen(pilot, "20\\x1b[2J25\\u202e/")
        await pilot.press("left")
        await until_seen(pilot, "▌ ▸ photos/")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, NewJobPage), "the form")
        assert page_of(app).target.text == "s3://harbour/photos/"
        await until(pilot, lambda: house.listers[0].closed, "the lister to be closed")


async def test_a_prefix_that_cannot_be_shown_is_taken_as_it_is(tree: Path) -> None:
    house = house_of()
    app = application(house, prefill=form(sources=[str(tree / "alpha")], target="s3://harbour/photos"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "[x] ▸ alpha/")
        await pilot.press("f4")
        await until_seen(pilot, "20\\x1b[2J25\\u202e/")
        await pilot.press("down", "down", "enter")
        await until_seen(pilot, "s3://harbour/photos/20\\x1b[2J25\\u202e/")
        await pilot.press("ctrl+r")
        await until_seen(pilot, "◇ planned")
    assert house.service.calls[0][1].target == "s3://harbour/photos/20\x1b[2J25\u202e/"


async def test_what_is_no_target_is_not_taken(tree: Path) -> None:
    app = application(house_of(), prefill=form(root=str(tree), target="s3://harbour/photos/"))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_seen(pilot, "alpha/")
        await pilot.press("f4")
        await until_seen(pilot, "2024/")
        await pilot.press("G", "enter")
        await until_told(pilot, "cannot begin or end with an empty name")


async def test_a_new_prefix_and_a_bucket_that_is_not_listed_are_typed(tree: Path) -> None:
    house = house_of()
    house.listing_trouble = AccessDenied("ListBuckets of these credentials failed: access denied.")
    app = application(house, prefill=form(root=str(tree)))
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await until_seen(pilot, "alpha/")
        await pilot.press("f4")
        await until_seen(pilot, "access denied")
        await until_seen(pilot, "n types the name of a bucket.")
        await pilot.press("enter")
        await until_told(pilot, "There is nothing to choose here")
        house.listing_trouble = None
        await pilot.press("n", *"no bucket", "enter")
        await until_told(pilot, "cannot be the name of a bucket")
        for _ in "no bucket":
            await pilot.press("backspace")
        await pilot.press(*"s3://harbour", "enter")
        await until_seen(pilot, "2 prefixes")
        assert "access denied" not in text_of(app)
        await pilot.press("n", *"new/deep/", "enter")
        await until(pilot, lambda: isinstance(app.screen, NewJobPage), "the form")
        assert page_of(app).target.value == "s3://harbour/new/deep/"


async def test_without_credentials_it_says_so_and_escape_leaves(tree: Path) -> None:
    house = house_of()
    house.listing_trouble = CredentialsError("There are no credentials: run `aws sso login`.")
    app = application(house, prefill=form(root=str(tree), target="s3://harbour/x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "alpha/")
        await pilot.press("f4")
        await until_seen(pilot, "There are no credentials")
        await pilot.press("escape")
        await until_seen(pilot, "alpha/")
        assert page_of(app).target.value == "s3://harbour/x"


async def test_a_long_list_stops_and_goes_on_when_asked_and_a_filter_narrows_it(tree: Path) -> None:
    house = house_of()
    house.shelves["long", ""] = [f"{number:03}/" for number in range(40)]
    app = application(house, prefill=form(root=str(tree), target="s3://long"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "alpha/")
        await pilot.press("f4")
        await until_seen(pilot, "15 prefixes and 10 objects right here; there are more: m lists them.")
        assert house.listers[0].pages == 5
        await pilot.press("m")
        await until_seen(pilot, "30 prefixes")
        await pilot.press("slash", *"02")
        await until_seen(pilot, "▌ ▸ 002/")
        assert text_of(app).count("▸") == 11
        await pilot.press("enter", "escape")
        await until_seen(pilot, "right here\n".strip())
        assert "001/" in text_of(app)


async def test_the_mouse_opens_and_chooses(tree: Path) -> None:
    app = application(house_of(), prefill=form(root=str(tree)))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "alpha/")
        await pilot.click("#to-targets")
        await until_seen(pilot, "harbour")
        await pilot.click("#targets", offset=(5, 1))
        await until_seen(pilot, "photos/")
        await pilot.click("#targets", offset=(5, 0))
        await until(pilot, lambda: isinstance(app.screen, NewJobPage), "the form")
        assert page_of(app).target.value == "s3://harbour/"
        await pilot.click("#to-places")
        await until_seen(pilot, "This folder")


async def test_what_was_typed_counts_as_it_stands(tree: Path) -> None:
    app = application(house_of(), prefill=form(root=str(tree), target="s3://harbour/\x1b/"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "s3://harbour/\\x1b/")
        page = page_of(app)
        assert page.target.text == "s3://harbour/\x1b/"
        page.target.value += "more "
        assert page.target.text == "s3://harbour/\\x1b/more"


# Jobs that watch, and what files say.


@pytest.mark.parametrize("kind", ["upload", "backup"])
async def test_a_job_that_watches_is_asked_about_and_started_without_a_plan(tree: Path, kind: str) -> None:
    house = house_of()
    app = application(house, prefill=form(sources=[str(tree / "alpha")], target="s3://harbour/x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "[x] ▸ alpha/")
        page = page_of(app)
        if kind == "backup":
            page.kind.action_turn(1)
            page.options.sources.action_turn(1)
        page.options.if_exists.action_turn(1)
        page.options.watching.action_turn(1)
        await until_seen(pilot, "Start to watch")
        assert "If it exists" not in text_of(app)
        await pilot.press("ctrl+r")
        await until_seen(pilot, "Start without a plan?")
        assert ("Each source is deleted" in text_of(app)) == (kind == "backup")
        await pilot.press("escape")
        await until_unseen(pilot, "Start without a plan?")
        assert house.service.calls == []
        await pilot.press("ctrl+r")
        await until_seen(pilot, "Start without a plan?")
        await pilot.press("y")
        await until_seen(pilot, "Transfers")
    [(name, spec, _)] = house.service.calls
    assert (name, spec.kind, spec.watch, spec.policy.if_exists) == ("submit", kind, True, "overwrite")
    assert house.workers_asked == 1


async def test_an_ignore_file_is_read_for_the_plan_and_a_missing_one_is_a_sentence(tree: Path) -> None:
    (tree / "ignored").write_text("*.bak\n# no\n")
    house = house_of()
    app = application(house, prefill=form(sources=[str(tree / "alpha")], target="s3://harbour/x"))
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await until_seen(pilot, "[x] ▸ alpha/")
        page_of(app).options.ignore_file.value = str(tree / "nothing")
        await pilot.press("ctrl+r")
        await until_told(pilot, "nothing")
        assert house.service.calls == []
        page_of(app).options.ignore_file.value = str(tree / "ignored")
        page_of(app).options.bandwidth.value = "fast"
        await pilot.press("ctrl+r")
        await until_told(pilot, "Bandwidth: 'fast' is not a rate")
        page_of(app).options.bandwidth.value = "2MB/s"
        await pilot.press("ctrl+r")
        await until_seen(pilot, "◇ planned")
    assert "*.bak" in house.service.calls[0][1].choice.ignore


async def test_a_folder_is_still_refused_where_files_are_wanted(tree: Path) -> None:
    app = application(house_of(), prefill=form(sources=[str(tree / "alpha")], target="s3://harbour/x"))
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await until_seen(pilot, "[x] ▸ alpha/")
        page_of(app).kind.action_turn(2)
        await pilot.press("ctrl+r")
        await until_told(pilot, "videos are made of files")

"""The form, and the way from it to a plan and to transfers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from s3tui.errors import StateError
from s3tui.tui.application import S3tuiApp
from s3tui.tui.folders import Folders, list_folder
from s3tui.tui.screens.new_job import NewJobPage
from s3tui.tui.widgets.job_options import rules_of
from tests.tui.driving import application, form, text_of, until, until_seen, until_unseen
from tests.tui.seeded import SeededHouse

pytestmark = pytest.mark.thorough(one_in=5)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small tree to choose from."""
    root = tmp_path / "tree"
    for name in ("alpha/deep/one.txt", "beta/two.txt", ".secret/key", "notes.txt"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return root


def page_of(app: S3tuiApp) -> NewJobPage:
    assert isinstance(app.screen, NewJobPage)
    return app.screen


async def test_prefilled_enter_shows_the_plan_and_enter_applies_it(tree: Path) -> None:
    house = SeededHouse()
    app = application(house, prefill=form(sources=[str(tree / "alpha")], target="s3://harbour/x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "[x] ▸ alpha/")
        await pilot.press("enter")
        await until_seen(pilot, "◇ planned")
        await pilot.press("enter")
        await until_seen(pilot, "Transfers")
        assert [call[0] for call in house.service.calls] == ["plan", "apply"]
        assert house.service.calls[0][1].sources == (str(tree / "alpha"),)
        await pilot.press("escape")
        await until_seen(pilot, "From → to")


async def test_everything_can_be_chosen_and_set_by_keys_alone_at_80_by_24(tree: Path) -> None:
    house = SeededHouse()
    app = application(house, prefill=form(root=str(tree)))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "alpha/")
        await pilot.press(*"s3://harbour/in")
        await pilot.press("tab", "tab")
        await pilot.press("enter")
        await until_seen(pilot, "deep/")
        await pilot.press("down", "space", "space")
        await until_seen(pilot, "2 marked: deep, beta")
        await pilot.press("tab", "right")
        await pilot.press("tab", "space")
        await pilot.press("tab", "tab", *"*.txt", "tab", *"*.tmp", "tab", "tab", "space", "tab", "space")
        await pilot.press("tab", "tab", "tab", *"10MB/s", "tab", "tab", "right")
        await pilot.press("ctrl+r")
        await until_seen(pilot, "◇ planned")
    _, spec, concurrency = house.service.calls[0]
    assert spec.sources == (str(tree / "alpha/deep"), str(tree / "beta"))
    assert spec.target == "s3://harbour/in"
    assert (spec.policy.if_exists, spec.policy.checksum, spec.choice.follow_symlinks, concurrency) == ("skip", "crc32", True, 100)
    assert (spec.kind, spec.skip_unchanged, spec.choice.hidden) == ("upload", True, False)
    assert next(iter(house.service.jobs.values())).job.bandwidth == 10_000_000
    assert spec.choice.rules == (("exclude", "*"), ("include", "*.txt"), ("exclude", "*.tmp"))


async def test_hidden_names_are_shown_on_demand(tree: Path) -> None:
    app = application(SeededHouse(), prefill=form(root=str(tree), target="s3://harbour/x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "alpha/")
        assert ".secret" not in text_of(app)
        await pilot.press("full_stop")
        await until_seen(pilot, ".secret/")


async def test_the_tree_goes_up_and_to_a_typed_folder(tree: Path) -> None:
    app = application(SeededHouse(), prefill=form(root=str(tree), target="s3://harbour/x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "alpha/")
        await pilot.press("backspace")
        await until_seen(pilot, "▸ tree/")
        page_of(app).root.focus()
        page_of(app).root.value = str(tree / "beta")
        await pilot.press("enter")
        await until_seen(pilot, "two.txt")


async def test_a_folder_that_is_not_there_is_a_sentence(tree: Path) -> None:
    app = application(SeededHouse(), prefill=form(root=str(tree / "gone"), target="s3://harbour/x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "cannot be listed: no such file")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [("target", "There is no target"), ("marks", "Nothing is marked"), ("at_once", "At once must be a whole number")],
)
async def test_what_is_missing_is_said_and_nothing_is_started(tree: Path, change: str, sentence: str) -> None:
    house = SeededHouse()
    app = application(house, prefill=form(sources=[str(tree / "alpha")], target="s3://harbour/x"))
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await until_seen(pilot, "[x] ▸ alpha/")
        page = page_of(app)
        if change == "marks":
            page.sources.folders.marked.clear()
        else:
            getattr(page if change == "target" else page.options, change).value = ""
        await pilot.press("enter")
        await until_seen(pilot, sentence)
    assert house.service.calls == []


async def test_a_malformed_target_and_a_locked_database_are_sentences(tree: Path) -> None:
    house = SeededHouse()
    app = application(house, prefill=form(sources=[str(tree / "alpha")], target="harbour"))
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await until_seen(pilot, "[x] ▸ alpha/")
        await pilot.press("enter")
        await until_seen(pilot, "is not a target")
        page_of(app).target.value = "s3://harbour"
        house.service.trouble = StateError("The state database is locked.")
        button = page_of(app).query_one("#review")
        await until(pilot, lambda: not button.has_class("-active"), "the button to take another press")
        await pilot.press("enter")
        await until_seen(pilot, "database is locked")


async def test_the_key_bar_does_what_it_says_when_clicked(tree: Path) -> None:
    app = application(SeededHouse(), prefill=form(sources=[str(tree / "alpha")], target="s3://harbour/x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "Show the plan")
        bar = text_of(app).splitlines()[-1]
        await pilot.click(offset=(bar.index("Esc"), 23))
        await until_seen(pilot, "No jobs yet")


async def test_the_plan_shows_each_file_with_its_reason_and_totals(tree: Path) -> None:
    app = application(SeededHouse(), prefill=form(sources=[str(tree / "alpha")], target="s3://harbour/x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "[x] ▸ alpha/")
        await pilot.press("enter")
        await until_seen(pilot, "29 new   7 replace   5 skip   1 fail")
        assert "42 files   269.8 MiB to send" in text_of(app)
        assert "permission denied" in text_of(app)
        await pilot.press("4")
        await until_unseen(pilot, "+ new")
        assert "✗ fail" in text_of(app)


async def test_escape_leaves_the_plan_and_it_stays_in_the_history(tree: Path) -> None:
    house = SeededHouse()
    app = application(house, prefill=form(sources=[str(tree / "alpha")], target="s3://harbour/x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "[x] ▸ alpha/")
        await pilot.press("enter")
        await until_seen(pilot, "◇ planned")
        await pilot.press("escape")
        await until_seen(pilot, "New job")
        await pilot.press("escape")
        await until_seen(pilot, "◇ planned")
    assert [call[0] for call in house.service.calls] == ["plan"]


@pytest.mark.parametrize(
    ("include", "exclude", "rules"),
    [
        ("", "", ()),
        ("*.jpg", "", (("exclude", "*"), ("include", "*.jpg"))),
        ("", "*.tmp a/*", (("exclude", "*.tmp"), ("exclude", "a/*"))),
    ],
)
def test_the_two_fields_of_names_become_rules(include: str, exclude: str, rules: tuple[tuple[str, str], ...]) -> None:
    assert rules_of(include, exclude) == rules


def test_marking_a_folder_takes_in_the_marks_below_it() -> None:
    folders = Folders("/r")
    assert folders.toggle("/r/a/b")
    assert folders.toggle("/r/a/c")
    assert folders.toggle("/r/ab")
    assert folders.toggle("/r/a")
    assert folders.sources() == ["/r/a", "/r/ab"]
    assert not folders.toggle("/r/a/b")
    assert folders.covered("/r/a/b")
    assert not folders.covered("/r/ab")


def test_names_are_listed_folders_first_and_bytes_survive(tmp_path: Path) -> None:
    (tmp_path / "z").mkdir()
    os.close(os.open(os.fsencode(tmp_path) + b"/\xff", os.O_CREAT | os.O_WRONLY))
    (tmp_path / "B").touch()
    entries = list_folder(str(tmp_path)).entries
    assert [os.fsencode(entry.name) for entry in entries] == [b"z", b"B", b"\xff"]


async def test_space_in_the_palette_search_does_not_mark(tree: Path) -> None:
    app = application(SeededHouse(), prefill=form(root=str(tree), target="s3://harbour/x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "alpha/")
        await pilot.press("ctrl+p")
        await until_seen(pilot, "Search for commands")
        await pilot.press("space", "escape")
        await until(pilot, lambda: isinstance(app.screen, NewJobPage), "the palette to close")
        assert page_of(app).sources.folders.sources() == []

"""The one table of commands: everything in it works, and everything that works is in it."""

from __future__ import annotations

from collections import Counter

import pytest

from s3tui.tui.application import S3tuiApp
from s3tui.tui.commands import COMMANDS, SCREENS, Where, commands_of, key_words, unknown_ids
from s3tui.tui.screens.course import CoursePage
from s3tui.tui.screens.failed_files import FailedFilesPage
from s3tui.tui.screens.failures import FailuresPage
from s3tui.tui.screens.help import help_text
from s3tui.tui.screens.jobs import JobsPage
from s3tui.tui.screens.keys import KeysPage
from s3tui.tui.screens.log import LogPage
from s3tui.tui.screens.new_job import NewJobPage
from s3tui.tui.screens.page import Page
from s3tui.tui.screens.places import PlacesPage
from s3tui.tui.screens.plan import PlanPage
from s3tui.tui.screens.rejects import RejectsPage
from s3tui.tui.screens.settings import SettingsPage
from s3tui.tui.screens.targets import TargetsPage
from s3tui.tui.screens.transfers import TransfersPage
from s3tui.tui.screens.workers import WorkersPage
from s3tui.tui.widgets.line_table import LineTable
from s3tui.tui.widgets.source_tree import SourceTree
from tests.tui.driving import application, at_top, text_of, until, until_seen, until_unseen
from tests.tui.seeded import SeededHouse, harbour, running

OWNERS = {
    Where.APP: S3tuiApp,
    Where.LIST: LineTable,
    Where.JOBS: JobsPage,
    Where.NEW: NewJobPage,
    Where.TREE: SourceTree,
    Where.PLACES: PlacesPage,
    Where.TARGETS: TargetsPage,
    Where.PLAN: PlanPage,
    Where.TRANSFERS: TransfersPage,
    Where.FAILURES: FailuresPage,
    Where.FAILED: FailedFilesPage,
    Where.REJECTS: RejectsPage,
    Where.COURSE: CoursePage,
    Where.WORKERS: WorkersPage,
    Where.SETTINGS: SettingsPage,
    Where.KEYS: KeysPage,
    Where.LOG: LogPage,
}
PAGES: tuple[type[Page], ...] = (
    JobsPage,
    NewJobPage,
    PlacesPage,
    TargetsPage,
    PlanPage,
    TransfersPage,
    FailuresPage,
    FailedFilesPage,
    RejectsPage,
    CoursePage,
    WorkersPage,
    SettingsPage,
    KeysPage,
    LogPage,
)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: f"{command.where.name}-{command.id}")
def test_every_command_has_an_id_a_key_a_title_a_help_line_and_an_action(command: object) -> None:
    from s3tui.tui.commands import Command

    assert isinstance(command, Command)
    assert command.id
    assert command.keys
    assert command.title
    assert command.help.endswith(".")
    assert len(command.help) <= 54, "the help is 80 cells wide"
    name = command.action.partition("(")[0]
    owner = S3tuiApp if name.startswith("app.") else OWNERS[command.where]
    assert callable(getattr(owner, f"action_{name.removeprefix('app.')}"))


def test_every_command_is_bound_with_its_id_where_it_works() -> None:
    for place, owner in OWNERS.items():
        bound = {getattr(binding, "id", None) for binding in getattr(owner, "BINDINGS")}  # noqa: B009 - the classes share no type
        assert {command.id for command in commands_of(place)} == bound


def test_every_place_belongs_to_a_page_so_that_help_and_palette_reach_it() -> None:
    assert {place for page in PAGES for place in page.PLACES} | {Where.APP} == set(Where)
    assert sorted(SCREENS) == sorted(page.PLACES for page in PAGES)


def test_no_key_means_two_things_on_one_screen() -> None:
    for page in PAGES:
        keys = Counter(key for command in commands_of(*page.PLACES, Where.APP) for key in command.keys.split(","))
        assert [key for key, count in keys.items() if count > 1] == []


def test_the_keys_of_the_contract_are_there() -> None:
    keys = {key for command in commands_of(*TransfersPage.PLACES, Where.APP) for key in command.keys.split(",")}
    promised = [
        "up",
        "down",
        "j",
        "k",
        "g",
        "G",
        "space",
        "slash",
        "question_mark",
        "ctrl+p",
        "1",
        "2",
        "3",
        "4",
        "5",
        "r",
        "R",
        "p",
        "x",
        "plus",
        "minus",
        "b",
        "y",
        "d",
        "q",
        "escape",
        "enter",
    ]
    assert set(promised) <= keys


@pytest.mark.parametrize("page", PAGES)
def test_the_help_has_a_line_for_every_command_of_the_screen(page: type[Page]) -> None:
    text = help_text((*page.PLACES, Where.APP), {}).plain
    for command in commands_of(*page.PLACES, Where.APP):
        assert f"  {' '.join(key_words(command, {})):<15}{command.help}" in text


async def test_the_palette_offers_every_command_of_the_screen_and_does_it() -> None:
    house = harbour()
    app = application(house, job=running().job.id)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_top(pilot)
        offered = {command.title for command in app.get_system_commands(app.screen)}
        assert offered == {command.title for command in commands_of(*TransfersPage.PLACES, Where.APP)} - {"Command palette"}
        await pilot.press("ctrl+p")
        await until_seen(pilot, "Search for commands")
        await pilot.press(*"View: failed")
        await until_seen(pilot, "Show failed files.")
        await pilot.press("down", "enter")
        await until_unseen(pilot, "Search for")
        await until_unseen(pilot, "lantern-0000")
        assert "access denied" in text_of(app)


async def test_a_movement_chosen_in_the_palette_moves_the_list() -> None:
    app = application(harbour(), job=running().job.id)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_top(pilot)
        last = next(command for command in app.get_system_commands(app.screen) if command.title == "Last")
        await last.callback()
        await until_seen(pilot, "-2309.")


async def test_question_mark_shows_the_help_and_escape_closes_it() -> None:
    app = application(harbour(), job=running().job.id)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_top(pilot)
        await pilot.press("question_mark")
        await until_seen(pilot, "Send every failed file again.")
        await pilot.press("escape")
        await until_seen(pilot, "lantern-0000")


async def test_keys_can_be_remapped_and_the_key_bar_shows_it() -> None:
    house = harbour()
    app = application(house, keys={"pause": "f9", "nonsense": "z"})
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_seen(pilot, "F9 Pause")
        await until_seen(pilot, "unknown action nonsense")
        await pilot.press("p", "f9")
        await until_seen(pilot, "paused")
    assert [call[0] for call in house.service.calls] == ["pause"]


async def test_d_detaches_at_once() -> None:
    app = application(harbour())
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "running")
        await pilot.press("d")
        await until(pilot, lambda: not app.is_running, "the application to end")
    assert app.return_value == 0


def test_unknown_ids_are_named() -> None:
    assert unknown_ids({"quit": "q", "foo": "x"}) == ["foo"]


async def test_an_unexpected_error_ends_the_application_and_is_kept_for_the_report() -> None:
    class Broken(SeededHouse):
        def ensure_worker(self) -> None:
            raise ZeroDivisionError("a mistake of ours")

    job = running()
    job.workers = ()
    app = application(Broken(job), job=job.job.id)
    with pytest.raises(ZeroDivisionError):
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: app.failure, "the failure")
    assert isinstance(app.failure, ZeroDivisionError)

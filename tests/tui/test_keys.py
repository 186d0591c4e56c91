"""Remapping: what `ui.keys` may say, what is told about what it may not, and the screen that lists it all."""

from __future__ import annotations

import re

import pytest

from s3tui.tui.commands import COMMANDS, Where
from s3tui.tui.keymap import clashes, is_remapped, key_problems, keys_of, usable
from tests.tui.driving import application, text_of, until, until_seen, until_told, until_unseen
from tests.tui.seeded import SeededHouse, harbour, running

pytestmark = pytest.mark.thorough(one_in=5)

PAUSE = next(command for command in COMMANDS if command.id == "pause")


def test_the_table_as_it_comes_has_no_clash() -> None:
    assert key_problems({}) == []


@pytest.mark.parametrize(
    "keymap", [{"pause": "f9"}, {"pause": "x", "cancel": "p"}, {"pause": "p"}, {"quit": "ctrl+q"}, {"filter": "?", "help": "/,f1"}]
)
def test_mappings_that_can_be_meant(keymap: dict[str, str]) -> None:
    assert key_problems(keymap) == []
    assert usable(keymap) == keymap


@pytest.mark.parametrize(
    ("keymap", "sentences"),
    [
        ({"cancel": "q"}, ["q means cancel and quit on Jobs, Plan and Transfers: give each a key of its own."]),
        ({"retry": "f9", "retry-all": "F9,f9"}, ["'F9', which no keyboard sends"]),
        (
            {"retry": "f9", "copy": "f9"},
            ["F9 means retry and copy on Transfers and Failures of one cause: give each a key of its own."],
        ),
        ({"help": "g"}, ["g means first and help on Jobs, New job, Places, Targets to choose from, Plan, Transfers, "]),
        ({"filter": "plus"}, ["+ means filter and more on Transfers: give each"]),
        ({"filter": "+"}, ["+ means filter and more on Transfers: give each"]),
        ({"retry": "p", "follow": "b"}, ["p means retry and pause on Transfers; b means bandwidth and follow on Transfers: give"]),
        ({"qiut": "z"}, ["unknown action qiut; "]),
        ({"b": "z", "a": "y"}, ["unknown actions a and b; "]),
        ({"x\x1b[2J": "z"}, ["unknown action x\\x1b[2J; "]),
        ({"quit": " , "}, ["quit has no key; name one"]),
        ({"quit": ""}, ["quit has no key; name one"]),
        ({"quit": "ctl+q"}, ["quit has the key 'ctl+q', which no keyboard sends"]),
        ({"quit": "ctrl+"}, ["quit has the key 'ctrl+', which no keyboard sends"]),
        ({"quit": "z", "nonsense": "q", "help": "x"}, ["unknown action nonsense", "x means cancel and help on Jobs, Plan and Tr"]),
    ],
)
def test_what_cannot_be_meant_is_told_in_a_sentence_each(keymap: dict[str, str], sentences: list[str]) -> None:
    told = key_problems(keymap)
    assert len(told) == len(sentences)
    for sentence, part in zip(told, sentences, strict=True):
        assert sentence.startswith("ui.keys: ")
        assert part in sentence
        assert sentence.isprintable()


def test_one_id_in_two_places_is_no_clash_with_itself() -> None:
    assert clashes({"cancel": "f9", "copy": "f8", "back": "f7"}) == []


def test_a_command_knows_whether_it_was_remapped() -> None:
    assert keys_of(PAUSE, {"pause": "?, f9"}) == ["question_mark", "f9"]
    assert is_remapped(PAUSE, {"pause": "f9"})
    assert not is_remapped(PAUSE, {"pause": " p "})
    assert not is_remapped(PAUSE, {"quit": "f9"})


async def test_swapped_keys_do_what_they_say() -> None:
    house = SeededHouse(running(9, 60))
    app = application(house, job=running().job.id, keys={"pause": "x", "cancel": "p"})
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "x Pause")
        await pilot.press("p")
        await until_seen(pilot, "Cancel this job?")
        await pilot.press("escape")
        await until_unseen(pilot, "Cancel this job?")
        await pilot.press("x")
        await until(pilot, lambda: ("pause", running().job.id) in house.service.calls, "the job to be paused")


async def test_a_clash_is_told_once_at_the_start() -> None:
    app = application(harbour(), keys={"cancel": "q"})
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_told(pilot, "q means cancel and quit on Jobs, Plan and Transfers")
        await pilot.press("j", "j", "k")
        await pilot.pause()
        assert text_of(app).count("ui.keys: ") == 1


async def test_the_screen_lists_every_action_and_marks_what_was_remapped() -> None:
    app = application(harbour(), keys={"pause": "f9,P"})
    async with app.run_test(size=(120, 200)) as pilot:
        await until_seen(pilot, "running")
        await pilot.press("f2")
        await until_seen(pilot, "1 action remapped")
        lines = text_of(app).splitlines()
        for command in COMMANDS:
            places = [line for line in lines if re.search(f" {command.id} +{command.where.value} ", line)]
            assert len(places) == 1, command
        marked = [line for line in lines if "* " in line[:5]]
        assert len(marked) == sum(command.id == "pause" for command in COMMANDS)
        assert all("F9 P" in line and "remapped, was p" in line for line in marked)
        await pilot.press("f2", "escape")
        await until_seen(pilot, "From → to")


async def test_the_screen_is_reached_from_the_palette_and_from_the_help_by_its_own_key() -> None:
    app = application(harbour(), keys={"keys": "f8"})
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "running")
        assert "Keys" in {command.title for command in app.get_system_commands(app.screen)}
        await pilot.press("question_mark")
        await until_seen(pilot, "F8 ids")
        await pilot.press("f8")
        await until_seen(pilot, "gives an action other keys")
        await pilot.press("escape")
        await until_seen(pilot, "From → to")


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_y_copies_a_line_for_the_configuration(size: tuple[int, int]) -> None:
    app = application(harbour())
    async with app.run_test(size=size) as pilot:
        await until_seen(pilot, "running")
        await pilot.press("f2")
        await until_seen(pilot, "? F1")
        await pilot.press("y")
        await until(pilot, lambda: app.clipboard == "help: question_mark,f1", "the copy")


def test_every_place_is_named_differently() -> None:
    assert len({place.value for place in Where}) == len(Where)

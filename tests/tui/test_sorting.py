"""Lists of files by path, size, state and tries; marks over many lines; jumps to a line."""

from __future__ import annotations

import re
import threading
from array import array
from collections.abc import Callable

import pytest
from textual import events

from s3tui.model import WHOLE, FileChoice, Job, JobState, Order, View
from s3tui.tui.application import S3tuiApp
from s3tui.tui.screens.dialogs import LineEntry
from s3tui.tui.sorting import inverted, sorted_by, sorted_next
from s3tui.tui.widgets.file_list import MOST_MARKED
from s3tui.tui.widgets.file_table import FileTable
from tests.tui.driving import application, text_of, until, until_seen, until_told, until_unseen
from tests.tui.seeded import SeededHouse, SeededJob, SeededService, ended, failing, planned, running

pytestmark = pytest.mark.thorough(one_in=5)

JOB = running().job.id


def table_of(app: S3tuiApp) -> FileTable:
    return app.screen.query_one(FileTable)


def shown(app: S3tuiApp) -> list[int]:
    """The numbers of the files in sight, out of their names."""
    return [int(found) for found in re.findall(r"-(\d{4,})\.\w", text_of(app))]


def by(seeded: SeededJob, key: Callable[[int], object], *, backwards: bool = False) -> list[int]:
    return sorted(range(len(seeded.rows)), key=key, reverse=backwards)  # type: ignore[arg-type]


def test_a_key_goes_round_the_orders_and_what_is_large_comes_first() -> None:
    orders = (Order.NUMBER, Order.PATH, Order.SIZE)
    by_path = sorted_next(WHOLE, orders)
    by_size = sorted_next(by_path, orders)
    assert (by_path.order, by_path.backwards, by_size.order, by_size.backwards) == (Order.PATH, False, Order.SIZE, True)
    assert sorted_next(by_size, orders) == WHOLE
    assert inverted(by_size) == sorted_by(by_size, Order.SIZE) == FileChoice(order=Order.SIZE)


async def test_o_sorts_by_each_column_in_turn_and_the_heading_shows_it() -> None:
    seeded = ended(9, JobState.PARTIAL)
    paths, sizes = [row.path for row in seeded.rows], [row.size for row in seeded.rows]
    app = application(SeededHouse(seeded), job=JOB)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "partial")
        await pilot.press("j", "j", "o")
        await until_seen(pilot, "Path ▲")
        await until(pilot, lambda: shown(app)[:9] == by(seeded, paths.__getitem__)[:9], "the paths in order")
        assert table_of(app).cursor == 0, "the top of a new order is what one looks for"
        await pilot.press("O")
        await until_seen(pilot, "by path ▼")
        await until(pilot, lambda: shown(app)[:9] == by(seeded, paths.__getitem__, backwards=True)[:9], "them inverted")
        await pilot.press("o")
        await until_seen(pilot, "Size ▼")
        await until(pilot, lambda: shown(app)[:9] == by(seeded, sizes.__getitem__, backwards=True)[:9], "the largest first")
        await pilot.press("o")
        await until_seen(pilot, "State ▼")
        await until(pilot, lambda: shown(app)[0] == 17, "what failed to be the first")
        await pilot.press("o")
        await until_seen(pilot, "by tries ▼")
        await pilot.press("o")
        await until_unseen(pilot, "▼")
        await until(pilot, lambda: shown(app)[:9] == list(range(9)), "the order of the scan")
        await pilot.press("O")
        await until_seen(pilot, "backwards")
        await until(pilot, lambda: shown(app)[0] == 119, "the last file to be the first")


async def test_views_filter_and_marks_work_in_every_order_and_f_follows_again() -> None:
    house = SeededHouse(running())
    app = application(house, job=JOB)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "sending")
        await pilot.press("o", "o")
        await until_seen(pilot, "Size ▼")
        await until(pilot, lambda: table_of(app).choice.order is Order.SIZE, "the order")
        await pilot.press("4")
        await until(pilot, lambda: sorted(shown(app)) == [3, 920], "the failed files")
        sizes = house.service.jobs[JOB].rows
        assert shown(app) == sorted([3, 920], key=lambda no: -sizes[no].size)
        await pilot.press("space", "r")
        await until(pilot, lambda: house.service.calls, "the retry")
        assert house.service.calls == [("retry", JOB, [max(3, 920, key=lambda no: sizes[no].size)])]
        await pilot.press("1", "slash", *"salt", "enter")
        await until_seen(pilot, "/salt")
        await until(pilot, lambda: table_of(app).choice.containing == "salt", "the filter")
        await pilot.press("g")
        found = [no for no, row in enumerate(sizes) if b"salt" in row.path]
        assert shown(app)[:5] == sorted(found, key=lambda no: -sizes[no].size)[:5]
        await pilot.press("escape", "f")
        await until_seen(pilot, "▸ sending")
        assert table_of(app).following
        assert "▼" not in text_of(app)


async def test_a_click_on_a_heading_sorts_by_it_and_a_second_one_inverts() -> None:
    app = application(SeededHouse(planned()), job=planned().job.id)
    async with app.run_test(size=(100, 30)) as pilot:
        await until_seen(pilot, "29 new")
        lines = text_of(app).splitlines()
        y = next(at for at, line in enumerate(lines) if line.strip().startswith("State"))
        await pilot.click(offset=(lines[y].index("Why") + 1, y))
        await until_seen(pilot, "Why ▲")
        await pilot.click(offset=(lines[y].index("Path") + 1, y))
        await until_seen(pilot, "Path ▲")
        await pilot.click(offset=(lines[y].index("Path") + 1, y))
        await until_seen(pilot, "Path ▼")
        rows = planned().rows
        await until(pilot, lambda: shown(app)[0] == max(range(len(rows)), key=lambda no: rows[no].path), "the last path first")


async def test_while_the_database_sorts_the_list_on_show_can_be_scrolled() -> None:
    class Slow(SeededService):
        gate = threading.Event()

        def numbers(self, job: Job, choice: FileChoice) -> array[int]:
            self.gate.wait(30)
            return super().numbers(job, choice)

    seeded = ended(9, JobState.COMPLETED, 2000)
    house = SeededHouse()
    house.service = Slow([seeded])
    app = application(house, job=JOB)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "2,000 of 2,000 files")
        await pilot.press("o")
        await until_seen(pilot, "Path …")
        await pilot.press("G")
        await until_seen(pilot, "-1999.")
        await pilot.press("o")
        Slow.gate.set()
        await until_seen(pilot, "Size ▼")
        assert shown(app)[0] == max(range(2000), key=lambda no: seeded.rows[no].size)


async def test_a_list_that_changes_by_itself_keeps_the_cursor_on_its_file() -> None:
    seeded = failing()
    app = application(SeededHouse(seeded), job=JOB)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "partial")
        await pilot.press("4", "o", "o")
        await until(pilot, lambda: table_of(app).choice.order is Order.SIZE, "the order")
        await pilot.press(*"jjjj")
        pointed = table_of(app).pointed_number
        assert pointed is not None
        before = table_of(app).count
        app.screen.retry([shown(app)[1]])  # type: ignore[attr-defined]
        await until(pilot, lambda: table_of(app).count == before - 1, "one file less")
        assert table_of(app).pointed_number == pointed


async def test_v_marks_a_range_and_the_star_inverts() -> None:
    house = SeededHouse(failing())
    app = application(house, job=JOB)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_seen(pilot, "partial")
        await pilot.press("4")
        await until(pilot, lambda: table_of(app).count == 100, "the failed files")
        await pilot.press("j", "v", *"jjj", "v")
        assert table_of(app).marked == {1, 2, 3, 4}
        await pilot.press("G", "v", "k", "v")
        assert table_of(app).marked == {1, 2, 3, 4, 98, 99}
        await pilot.press("asterisk")
        assert table_of(app).marked == set(range(100)) - {1, 2, 3, 4, 98, 99}
        await pilot.press("r")
        await until(pilot, lambda: table_of(app).count == 9, "only what was not marked, or cannot be mended, to be left")
        assert table_of(app).marked == set()


async def test_more_than_memory_is_for_is_not_marked_one_by_one() -> None:
    app = application(SeededHouse(failing()), job=JOB)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_seen(pilot, "partial")
        table = table_of(app)
        table.show_numbers(array("I", range(MOST_MARKED + 1)), FileChoice(View.FAILED))
        assert not table.invert_marks()
        table.move_to(0)
        table.mark_range()
        table.move_to(MOST_MARKED)
        app.screen.action_mark_range()  # type: ignore[attr-defined]
        await until_told(pilot, "At most 100,000 files can be marked")
        assert table.marked == set()


async def test_a_colon_jumps_to_a_line_or_a_share() -> None:
    app = application(SeededHouse(ended(9, JobState.COMPLETED, 2000)), job=JOB)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "2,000 of 2,000 files")
        await pilot.press("colon", *"1,500", "enter")
        await until_seen(pilot, "-1499.")
        assert table_of(app).cursor == 1499
        await pilot.press("colon", *"half", "enter")
        await until_seen(pilot, "Write a number like")
        await pilot.press(*["backspace"] * 4, *"50%", "enter")
        await until(pilot, lambda: table_of(app).cursor == 1000, "the middle")
        await pilot.press("colon", "escape")
        await until_unseen(pilot, "Jump to which")
        assert table_of(app).cursor == 1000


async def test_a_jump_that_comes_in_one_burst_is_made() -> None:
    app = application(SeededHouse(ended(9, JobState.COMPLETED, 2000)), job=JOB)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "2,000 of 2,000 files")
        table = table_of(app)
        for key, character in [("colon", ":"), *((digit, digit) for digit in "1500"), ("enter", "\r")]:
            app.post_message(events.Key(key, character))
        await until(pilot, lambda: table.cursor == 1499, "the line")


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("1", 0),
        ("0", 0),
        ("200", 199),
        ("9999", 199),
        ("0%", 0),
        ("50%", 100),
        ("100%", 199),
    ],
)
def test_lines_are_named_by_number_or_share(text: str, index: int) -> None:
    assert LineEntry(200).number(text) == index
    assert LineEntry(0).number(text) == 0


@pytest.mark.parametrize("text", ["100 %", "", "-1", "half"])
def test_what_names_no_line_is_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="Write a number like 1200"):
        LineEntry(200).number(text)

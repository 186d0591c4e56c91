"""The live screen."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from textual import events

from s3tui.errors import StateError
from s3tui.model import Action, FileRow, FileState, JobState, View
from s3tui.tui.application import S3tuiApp
from s3tui.tui.columns import RETRY
from s3tui.tui.reading import busiest
from s3tui.tui.screens.transfers import TransfersPage
from tests.tui.driving import application, at_top, text_of, until, until_seen, until_unseen
from tests.tui.seeded import SeededHouse, SeededJob, ended, harbour, make_job, planned, running

pytestmark = pytest.mark.thorough(one_in=5)

RUNNING = running(9, 60).job.id


def page_of(app: S3tuiApp) -> TransfersPage:
    assert isinstance(app.screen, TransfersPage)
    return app.screen


def rows_of(app: S3tuiApp) -> str:
    return "\n".join(text_of(app).splitlines()[7:-1])


async def test_the_head_shows_counts_bytes_rate_time_left_failures_and_retries() -> None:
    app = application(harbour(), job=RUNNING)
    async with app.run_test(size=(120, 36)) as pilot:
        await until_seen(pilot, "924 of 2,310 files")
        for part in ("6.6 GiB of 15.9 GiB", "29.8 MiB/s", "5:22 left", "2 failed", "31 retries", "100 at once", "▸ running"):
            assert part in text_of(app)


@pytest.mark.parametrize(
    ("key", "shown", "hidden"),
    [("2", "sending", "uploaded"), ("3", "queued", "uploaded"), ("4", "access denied", "uploaded"), ("5", "uploaded", "sending")],
)
async def test_number_keys_show_the_views(key: str, shown: str, hidden: str) -> None:
    app = application(harbour(), job=RUNNING)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "sending")
        await pilot.press(key)
        await until(pilot, lambda: shown in rows_of(app) and hidden not in rows_of(app), f"only {shown} files")
        await pilot.press("1", "g")
        await until_seen(pilot, "lantern-0000")


async def test_each_failed_row_says_its_cause_and_carries_a_retry_button() -> None:
    app = application(harbour(), job=RUNNING)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "sending")
        await pilot.press("4")
        await until_seen(pilot, "changed while reading")
        failed = [line for line in text_of(app).splitlines() if "✗ failed" in line]
        assert len(failed) == 2
        assert all(RETRY in line for line in failed)


async def test_r_retries_exactly_the_file_under_the_cursor() -> None:
    house = harbour()
    app = application(house, job=RUNNING)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "sending")
        await pilot.press("4")
        await until_seen(pilot, "changed while reading")
        await pilot.press("j", "r")
        await until_unseen(pilot, "changed while reading")
    assert house.service.calls == [("retry", RUNNING, [920])]


async def test_marked_files_are_retried_together() -> None:
    house = harbour()
    app = application(house, job=RUNNING)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "sending")
        await pilot.press("4")
        await until_seen(pilot, "changed while reading")
        await pilot.press("space", "space", "r")
        await until_seen(pilot, "Nothing failed.")
    assert house.service.calls == [("retry", RUNNING, [3, 920])]


async def test_capital_r_retries_all_that_failed() -> None:
    house = harbour()
    app = application(house, job=RUNNING)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "2 failed")
        await pilot.press("R")
        await until_unseen(pilot, "2 failed")
    assert house.service.calls == [("retry", RUNNING, None)]


async def test_a_click_on_the_retry_button_of_a_row_retries_it() -> None:
    house = harbour()
    app = application(house, job=RUNNING)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_top(pilot)
        lines = text_of(app).splitlines()
        y = next(at for at, line in enumerate(lines) if RETRY in line)
        await pilot.click(offset=(lines[y].index(RETRY) + 2, y))
        await until(pilot, lambda: house.service.calls, "the retry")
    assert house.service.calls == [("retry", RUNNING, [3])]


async def test_the_button_in_the_detail_pane_retries_too() -> None:
    house = harbour()
    app = application(house, job=RUNNING)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_top(pilot)
        await pilot.press("j", "j", "j", "enter")
        await until_seen(pilot, "Retry this file")
        assert "Upload of it to s3://harbour/backups/ was refused" in text_of(app)
        assert "s3://harbour/backups/rope/buoy-0003.jpg" in text_of(app)
        await pilot.click("#retry-file")
        await until(pilot, lambda: house.service.calls, "the retry")
    assert house.service.calls == [("retry", RUNNING, [3])]


async def test_retry_where_nothing_failed_is_a_sentence() -> None:
    app = application(SeededHouse(ended(1, JobState.COMPLETED)), job=ended(1, JobState.COMPLETED).job.id)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_seen(pilot, "120 of 120 files")
        await pilot.press("R")
        await until_seen(pilot, "no failed file")


async def test_slash_filters_by_a_part_of_the_path_and_escape_drops_the_filter() -> None:
    app = application(harbour(), job=RUNNING)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_top(pilot)
        await pilot.press("slash", *"-0013")
        await until_unseen(pilot, "lantern-0000")
        await until_seen(pilot, "tide-0013")
        await pilot.press("enter")
        await until(pilot, lambda: app.focused is page_of(app).table, "the list to have the focus")
        assert "/-0013" in text_of(app)
        await pilot.press("escape")
        await until_seen(pilot, "lantern-0000")


async def test_moving_down_reads_further_rows_and_forgets_far_ones() -> None:
    name, last = b"tide/rope-%d.txt", 299_999
    rows = [FileRow(no, name % no, None, 1, FileState.PLANNED, Action.NEW) for no in range(last + 1)]
    job = SeededJob(make_job(1, JobState.RUNNING), rows)
    job.settle()
    app = application(SeededHouse(job), job=job.job.id)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "rope-0.txt")
        table = page_of(app).table
        await pilot.press("G")
        await until_seen(pilot, "rope-299999.txt")
        await pilot.press("g")
        await until_seen(pilot, "rope-0.txt")
        for _ in range(12):
            await pilot.press("pagedown")
        await until(pilot, lambda: not table.missing, "the rows in sight")
        assert table.count == 300_000
        assert len(table._rows) < 12 * table.page_lines


async def test_a_live_job_is_followed_to_its_end() -> None:
    house = SeededHouse(running(9, 60))
    app = application(house, job=RUNNING)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "24 of 60 files")
        for _ in range(5):
            house.service.advance(RUNNING)
        await until_seen(pilot, "! partial")
        assert "60 of 60 files" in text_of(app)
        assert "took 1:30" in text_of(app)


async def test_the_cursor_stays_on_its_file_when_the_view_shrinks_around_it() -> None:
    house = SeededHouse(running(9, 60))
    app = application(house, job=RUNNING)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "24 of 60 files")
        await pilot.press("3")
        table = page_of(app).table
        await until(pilot, lambda: table.count == 24, "the queue")
        await pilot.press("G")
        assert table.pointed_number == 59
        house.service.advance(RUNNING)
        await until(pilot, lambda: table.count == 12, "the queue to shrink")
        assert table.pointed_number == 59


async def test_a_job_that_failed_as_a_whole_says_why_and_what_to_do() -> None:
    app = application(harbour(), job=ended(5, JobState.FAILED, 0).job.id)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "there is no bucket s3://harbor")
        assert "s3tui status" in text_of(app)


async def test_a_job_without_a_worker_gets_one() -> None:
    job = running(9, 60)
    job.workers = ()
    house = SeededHouse(job)
    app = application(house, job=RUNNING)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: house.workers_asked == 1, "a worker to be asked for")


async def test_a_job_at_rest_asks_for_no_worker_and_paints_nothing() -> None:
    house = SeededHouse(ended(7, JobState.COMPLETED))
    app = application(house, job=ended(7, JobState.COMPLETED).job.id)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "120 of 120 files")
        page, painted = page_of(app), []
        await until(pilot, lambda: not page.asking("look"), "the last reading")
        page.table.render_line = lambda y: painted.append(y)  # type: ignore[assignment, return-value, method-assign]
        page.read_now()
        await until(pilot, lambda: not page.asking("look"), "one more reading")
        await asyncio.sleep(0.05)  # a paint would come with the next tick of Textual's timer
    assert painted == []
    assert house.workers_asked == 0


async def test_trouble_while_reading_is_shown_and_the_rows_stay() -> None:
    house = harbour()
    app = application(house, job=RUNNING)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_top(pilot)
        house.service.trouble = StateError("The state database is locked.")
        await until_seen(pilot, "The state database is locked.")
        assert "lantern-0000" in text_of(app)
        house.service.trouble = None
        await until_unseen(pilot, "locked")


async def test_y_copies_the_address_of_the_file() -> None:
    app = application(harbour(), job=RUNNING)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await at_top(pilot)
        await pilot.press("y")
        await until_seen(pilot, "Copied")
    assert app.clipboard.startswith("s3://harbour/backups/")
    assert app.clipboard.endswith("lantern-0000.mp4")


async def test_a_name_that_cannot_be_a_key_is_not_copied() -> None:
    job = running(9, 60)
    job.rows[0] = replace(job.rows[0], key=None, path=b"odd\xff.txt", state=FileState.FAILED, reason="name_not_utf8")
    app = application(SeededHouse(job), job=RUNNING)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_seen(pilot, "sending")
        await pilot.press("g")
        await until_seen(pilot, "odd\\xff.txt")
        await pilot.press("y")
        await until_seen(pilot, "has no key")
    assert app.clipboard == ""


async def test_opening_a_planned_job_by_its_id_shows_its_plan() -> None:
    app = application(harbour(), job=planned(8).job.id)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "To send")


async def test_an_unknown_job_is_a_sentence() -> None:
    app = application(harbour(), job="nope")
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "There is no job 'nope'")


def test_views_on_the_screen_are_the_views_of_the_model() -> None:
    assert set(TransfersPage.VIEWS) == set(View)


async def test_all_files_begin_with_those_in_flight_until_the_cursor_moves_and_f_goes_back_to_them() -> None:
    house = SeededHouse(running(9, 200))
    app = application(house, job=RUNNING)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "sending")
        table = page_of(app).table
        assert table.first_visible == table.cursor == 80
        house.service.advance(RUNNING)
        await until(pilot, lambda: table.first_visible == 92, "the page to follow")
        await pilot.press("g")
        house.service.advance(RUNNING)
        await until_seen(pilot, "104 of 200 files")
        assert table.first_visible == 0
        await pilot.press("f")
        await until(pilot, lambda: table.first_visible == 104, "the page to follow again")


@pytest.mark.parametrize(
    ("active", "first", "start"), [([], 7, 7), ([40, 41, 42], 0, 40), ([5, 40, 41, 42], 0, 40), ([5, 6, 40, 41, 42], 0, 0)]
)
def test_a_page_moves_on_when_it_shows_less_than_half_of_what_another_would(active: list[int], first: int, start: int) -> None:
    assert busiest(active, first, lines=20) == start


async def test_a_filter_that_comes_in_one_burst_is_a_filter_and_none_of_its_letters_a_key() -> None:
    house = SeededHouse(planned(8))
    app = application(house, job=planned(8).job.id)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "29 new")
        for key, character in [("slash", "/"), *((letter, letter) for letter in "x5buoy-0007q"), ("enter", "\r")]:
            app.post_message(events.Key(key, character))
        await until_seen(pilot, "/x5buoy-0007q")
        await until_seen(pilot, "No path contains that text.")
        await until(pilot, lambda: app.screen.focused is app.screen.query_one("#files"), "the list to have the focus")
    assert house.service.calls == []


async def test_a_filter_that_is_hidden_takes_no_key() -> None:
    app = application(harbour(), job=running(9, 60).job.id)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_top(pilot)
        page, field = app.screen, app.screen.query_one("#filter Input")
        table = page.focused
        assert table is page.query_one("#files")
        for _ in range(2):
            page.set_focus(field)
            assert page.focused is table
            await pilot.press("slash")
            assert page.focused is field
            await pilot.press("escape")
            assert page.focused is table

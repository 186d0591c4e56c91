"""The course of a job: rates out of counts, the sparkline, and the page that draws them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from s3tui.model import JobState, Sample
from s3tui.tui.application import S3tuiApp
from s3tui.tui.course import Course, scale, seconds_apart, spark
from s3tui.tui.widgets.summary import Summary
from tests.tui.driving import application, text_of, until, until_seen, until_unseen
from tests.tui.seeded import STARTED, SeededHouse, SeededJob, ended, ingesting, running, sampled

pytestmark = pytest.mark.thorough(one_in=5)

STEADY = [Sample(STARTED + second * 1000, bytes=second * 100, files=second, failed=second // 4) for second in range(11)]


def test_a_rate_is_what_was_counted_in_a_stretch_by_its_seconds() -> None:
    course = Course([Sample(1000), Sample(3000, bytes=10), Sample(5000, bytes=10), Sample(9000, bytes=50)])
    assert course.seconds == 8
    assert course.rates("bytes", 2) == [5, 0, 10, 10]
    assert course.rates("bytes", 4) == [2.5, 10]
    assert course.mean("bytes") == 6.25


def test_thinning_changes_no_stretch_that_is_longer_than_what_was_thinned() -> None:
    assert Course(STEADY[::2]).rates("files", 2) == Course(STEADY).rates("files", 2) == [1.0] * 5


def test_what_shrinks_is_no_negative_rate() -> None:
    again = [Sample(0), Sample(1000, bytes=50, failed=3), Sample(2000, bytes=20, failed=1)]
    assert Course(again).rates("bytes", 1) == [50, 0]
    assert Course(again).counts("failed", 1) == [3, 1]


@pytest.mark.parametrize("samples", [[], [Sample(STARTED)], [Sample(STARTED), Sample(STARTED)]])
def test_a_course_of_no_time_has_no_rates(samples: list[Sample]) -> None:
    course = Course(samples)
    assert (course.seconds, course.rates("bytes", 1), course.mean("bytes")) == (0, [], 0)


def test_the_last_stretch_is_left_out_while_it_is_too_short_to_tell_anything() -> None:
    assert Course(STEADY).rates("bytes", 4) == [100, 100, 100]
    assert Course([*STEADY, Sample(STARTED + 12_100, bytes=9000)]).rates("files", 4)[2:] != []
    assert len(Course([Sample(0), Sample(8300, bytes=83)]).rates("bytes", 4)) == 2


@pytest.mark.parametrize(("seconds", "apart"), [(0, 1), (16, 1), (17, 2), (32, 2), (33, 4), (86_400, 8192)])
def test_stretches_double_so_that_all_of_them_have_room(seconds: int, apart: int) -> None:
    assert seconds_apart(seconds, 16) == apart


def test_a_sparkline_is_as_high_as_the_share_of_the_highest() -> None:
    assert spark([0, 50, 100]) == "▁▅█"
    assert spark([0, 50, 100], ascii_only=True) == "_=#"
    assert spark([0, 0]) == "▁▁"
    assert spark([]) == ""


@pytest.mark.parametrize(("highest", "base", "top"), [(0, 1000, 1), (7, 1000, 10), (480, 1000, 500), (700, 1000, 1000)])
def test_a_scale_ends_with_a_round_number(highest: float, base: int, top: float) -> None:
    assert scale(highest, base=base) == (top, (0, top / 2, top))


def test_a_scale_of_bytes_ends_with_a_round_number_of_kibibytes() -> None:
    assert scale(43e6, base=1024).top == 50 * 1024**2
    assert scale(900, base=1024).top == 1024


async def test_the_head_of_transfers_has_a_sparkline_of_the_whole_job() -> None:
    job = sampled(running())
    app = application(SeededHouse(job), job=job.job.id)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "▆▄▃▅▇")
        await pilot.resize_terminal(50, 24)
        await until_unseen(pilot, "▆▄▃▅▇")


async def test_the_sparkline_is_ascii_where_the_theme_says_so() -> None:
    job = sampled(running())
    app = application(SeededHouse(job), job=job.job.id, theme="sixteen")
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "*##+")
        assert app.screen.query_one(Summary)._spark.isascii()


async def test_a_job_that_was_over_at_once_has_no_sparkline_and_says_so_on_the_page() -> None:
    job = ended(7, JobState.COMPLETED)
    job.samples = (Sample(STARTED), Sample(STARTED + 400, bytes=10, files=1))
    app = application(SeededHouse(job), job=job.job.id)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "took 1:15")
        await pilot.press("t")
        await until_seen(pilot, "over before anything was measured")


async def drawn(app: S3tuiApp, size: tuple[int, int], keys: list[str], seen: str) -> str:
    """What is on the page."""
    async with app.run_test(size=size) as pilot:
        await until_seen(pilot, "sending")
        await pilot.press("t")
        await until_seen(pilot, "since Nov 21")
        await pilot.press(*keys)
        await until_seen(pilot, seen)
        return text_of(app)


def picture(text: str) -> str:
    """What is between the bars of a page."""
    return "\n".join(text.splitlines()[1:-1])


def job_of_months() -> SeededJob:
    job = running()
    job.samples = tuple(Sample(STARTED + day * 86_400_000, bytes=day * 10**12, files=day * 1000) for day in range(120))
    return job


async def test_the_page_draws_bytes_files_and_errors_with_their_axes() -> None:
    job = sampled(running())
    text = await drawn(application(SeededHouse(job), job=job.job.id), (80, 24), [], "Bytes per second")
    for part in ("50.0 MiB/s┤", "25.0 MiB/s┤", "0 B/s┤", "0:00", "1:00", "2:00", "mean 31", "10.0 files/s"):
        assert part in text
    assert "Files per second" not in text
    text = await drawn(application(SeededHouse(job), job=job.job.id), (80, 24), ["3"], "Files per second")
    assert "10┤" in text
    text = await drawn(application(SeededHouse(job), job=job.job.id), (80, 24), ["4"], "Retries (+)")
    assert "++++" in text
    assert "xxxx" in text


async def test_a_large_terminal_and_the_key_1_show_all_plots() -> None:
    job = sampled(running())
    for size, keys in (((120, 36), []), ((80, 24), ["1"])):
        text = await drawn(application(SeededHouse(job), job=job.job.id), size, keys, "Retries (+)")
        assert all(title in text for title in ("Bytes per second", "Files per second"))


async def test_where_bars_are_ascii_the_plot_is_too() -> None:
    job = sampled(running())
    text = await drawn(application(SeededHouse(job), job=job.job.id, theme="sixteen"), (80, 24), [], "Bytes per second")
    assert picture(text).isascii()


async def test_an_ingest_is_drawn_in_rows() -> None:
    job = sampled(ingesting())
    app = application(SeededHouse(job), job=job.job.id)
    async with app.run_test(size=(120, 40)) as pilot:
        await until_seen(pilot, "rows/s")
        await pilot.press("t")
        await until_seen(pilot, "Rows per second")
        assert "450 rows/s" in text_of(app)


async def test_a_job_of_months_is_drawn_from_its_beginning() -> None:
    job = job_of_months()
    text = await drawn(application(SeededHouse(job), job=job.job.id), (80, 24), [], "Bytes per second")
    assert "119d 0h since" in text
    assert "d " in text.splitlines()[-2]


async def test_the_page_follows_a_job_and_tells_its_end() -> None:
    job = sampled(running(), 30)
    app = application(SeededHouse(job), job=job.job.id)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "sending")
        await pilot.press("t")
        await until_seen(pilot, "0:29 since")
        sampled(job, 61)
        await until_seen(pilot, "1:00 since")
        job.job = replace(job.job, state=JobState.COMPLETED, finished_at=STARTED + 61_000)
        await until_seen(pilot, "✓ completed")
        await pilot.press("escape")
        await until_seen(pilot, "Transfers")


async def test_t_draws_the_selected_job_of_the_history() -> None:
    job = sampled(ended(7, JobState.COMPLETED))
    app = application(SeededHouse(job))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "completed")
        await pilot.press("t")
        await until_seen(pilot, "1:29 since")
        await pilot.press("t")
        await until_seen(pilot, "From → to")


async def test_a_click_chooses_a_plot_and_another_theme_paints_it_anew() -> None:
    job = sampled(running())
    app = application(SeededHouse(job), job=job.job.id)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "sending")
        await pilot.press("t")
        await until_seen(pilot, "Bytes per second")
        await pilot.click("ViewBar", offset=(30, 0))
        await until_seen(pilot, "Retries (+)")
        app.theme = "sixteen"
        await until(pilot, lambda: picture(text_of(app)).isascii(), "the picture in ASCII")

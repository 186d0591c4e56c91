"""Steering a job from its screen: how many at once, how fast, going on after a cause is removed, and breaking off."""

from __future__ import annotations

from dataclasses import replace

import pytest

from s3tui.model import JobState
from s3tui.tui.screens.dialogs import BandwidthEntry
from s3tui.tui.screens.transfers import next_concurrency
from tests.tui.driving import application, text_of, until, until_seen, until_unseen
from tests.tui.seeded import SeededHouse, ended, harbour, held, open_upload, planned, running

pytestmark = pytest.mark.thorough(one_in=8)

RUNNING, MB = running(9, 60).job.id, 1_000_000


async def test_plus_and_minus_tune_the_concurrency() -> None:
    house = harbour()
    app = application(house, job=RUNNING)
    async with app.run_test(size=(120, 36)) as pilot:
        await until_seen(pilot, "100 at once")
        await pilot.press("plus")
        await until_seen(pilot, "110 at once")
        await pilot.press("minus")
        await until_seen(pilot, "100 at once")
    assert [call[2] for call in house.service.calls] == [{"concurrency": 110}, {"concurrency": 100}]


@pytest.mark.parametrize(
    ("now", "more", "fewer"), [(1, 2, 1), (9, 10, 8), (10, 15, 9), (50, 60, 45), (100, 110, 90), (200, 250, 190)]
)
def test_steps_of_concurrency_go_back_the_way_they_came(now: int, more: int, fewer: int) -> None:
    assert (next_concurrency(now, 1), next_concurrency(now, -1)) == (more, fewer)


async def test_b_limits_the_bandwidth_shows_the_limit_and_lifts_it() -> None:
    house = harbour()
    app = application(house, job=RUNNING)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_seen(pilot, "29.8 MiB/s ")
        await pilot.press("b")
        await until_seen(pilot, "There is no limit now.")
        await pilot.press(*"10MB/s", "enter")
        await until_seen(pilot, "29.8 MiB/s of 10MB/s")
        assert "At most 10MB/s from now on." in text_of(app)
        await pilot.press("b")
        await until_seen(pilot, "The limit is 10MB/s.")
        await pilot.press("ctrl+u", "enter")
        await until_unseen(pilot, "of 10MB/s")
    assert [call[2] for call in house.service.calls] == [{"bandwidth": 10 * MB}, {"bandwidth": 0}]


async def test_enter_at_once_leaves_the_limit_as_exact_as_it_was() -> None:
    house = SeededHouse(running(9, 60))
    house.service.tune(RUNNING, bandwidth=1_500_000)
    app = application(house, job=RUNNING)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "of 1500KB/s")
        await pilot.press("b")
        await until_seen(pilot, "The limit is 1500KB/s.")
        await pilot.press("enter")
        await until(pilot, lambda: len(house.service.calls) == 2, "the limit to be set")
    assert house.service.calls[0] == house.service.calls[1]


async def test_what_is_no_rate_is_told_in_a_sentence_and_can_be_mended() -> None:
    house = harbour()
    app = application(house, job=RUNNING)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "29.8 MiB/s")
        await pilot.press("b")
        await until_seen(pilot, "How fast may this job send?")
        await pilot.press(*"fast", "enter")
        await until_seen(pilot, "'fast' is not a rate; write it like 10MB/s.")
        await pilot.press("ctrl+u", *"12", "enter")
        await until_seen(pilot, "'12' is too slow to get anywhere")
        await pilot.press("ctrl+u", *"8MiB")
        await pilot.click("#go")
        await until_seen(pilot, "of 8MiB/s")
    assert [call[2] for call in house.service.calls] == [{"bandwidth": 8 << 20}]


async def test_escape_leaves_the_limit_alone() -> None:
    house = harbour()
    app = application(house, job=RUNNING)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "29.8 MiB/s")
        await pilot.press("b", *"5MB")
        await until_seen(pilot, "5MB")
        await pilot.press("escape")
        await until_unseen(pilot, "How fast")
        await pilot.press("b")
        await until_seen(pilot, "There is no limit now.")
        await pilot.click("#stay")
        await until_unseen(pilot, "How fast")
    assert house.service.calls == []


async def test_the_key_of_the_limit_can_be_remapped_and_the_palette_has_it() -> None:
    app = application(harbour(), job=RUNNING, keys={"bandwidth": "f8"})
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "29.8 MiB/s")
        await pilot.press("b", "f8")
        await until(pilot, lambda: isinstance(app.screen, BandwidthEntry), "the dialog")
        await pilot.press("escape")
        await until_unseen(pilot, "How fast")
        await pilot.press("ctrl+p")
        await until_seen(pilot, "Search for commands")
        await pilot.press(*"Bandwidth")
        await until_seen(pilot, "Limit how many bytes per second are sent.")
        await pilot.press("down", "enter")
        await until_seen(pilot, "How fast may this job send?")


async def test_a_job_that_has_ended_has_nothing_to_limit() -> None:
    app = application(SeededHouse(ended(1, JobState.COMPLETED)), job=ended(1, JobState.COMPLETED).job.id)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_seen(pilot, "120 of 120 files")
        await pilot.press("b")
        await until_seen(pilot, "there is nothing to limit")


async def test_a_limit_of_each_worker_is_shown_as_that_and_stays_in_sight_while_the_job_is_paused() -> None:
    job = running(9, 60)
    job.workers = ("here", "there")
    job.job = replace(job.job, bandwidth=10 * MB)
    house = SeededHouse(job)
    app = application(house, job=RUNNING)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "29.8 MiB/s of 2 x 10MB/s")
        job.workers = ()
        await pilot.press("p")
        await until_seen(pilot, "limit 10MB/s")


async def test_a_job_that_waits_for_a_person_says_why_and_p_lets_it_go_on() -> None:
    house = SeededHouse(held())
    app = application(house)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "! paused")
        await pilot.press("enter")
        await until_seen(pilot, "The access key ...3F7A has expired, and there is no other.")
        await until_seen(pilot, "p lets it go on")
        assert "! paused" in text_of(app)
        await pilot.press("p")
        await until_seen(pilot, "▸ running")
        assert "has expired" not in text_of(app)
    assert house.workers_asked


async def test_a_plan_that_waits_for_a_person_says_how_it_goes_on() -> None:
    plan = planned(8)
    plan.job = replace(held(8).job, dry_run=True)
    house = SeededHouse(plan)
    app = application(house)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "! paused")
        await pilot.press("enter")
        await until_seen(pilot, "p in the list of jobs lets it go on")
        await pilot.press("escape")
        await until_seen(pilot, "From → to")
        await pilot.press("p")
        await until_seen(pilot, "scanning")
    assert house.workers_asked


async def test_a_pause_that_a_person_wished_needs_no_explanation() -> None:
    app = application(SeededHouse(running(9, 60)), job=RUNNING)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "sending")
        await pilot.press("p")
        await until_seen(pilot, "‖ paused")
        assert "lets it go on" not in text_of(app)


@pytest.mark.parametrize(
    ("uploads", "said"),
    [
        ((open_upload(1, 3),), "One unfinished upload (15.0 MiB) is removed from the store."),
        ((open_upload(1, 3), open_upload(2, 0)), "2 unfinished uploads (15.0 MiB) are removed from the store."),
        ((), ""),
    ],
)
async def test_cancelling_says_what_it_removes_and_has_it_removed(uploads: tuple[object, ...], said: str) -> None:
    job = running(9, 60)
    job.uploads = uploads  # type: ignore[assignment]
    house = SeededHouse(job)
    app = application(house, job=RUNNING)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "sending")
        await pilot.press("x")
        await until_seen(pilot, "Cancel this job?")
        words = " ".join(line.split("│")[1].strip() for line in text_of(app).splitlines() if line.count("│") > 1)
        assert said in words
        assert ("removed from the store" in words) is bool(uploads)
        await pilot.press("y")
        await until_seen(pilot, "× cancelled")
    assert house.service.calls == [("cancel", RUNNING)]
    assert house.workers_asked == bool(uploads)


async def test_what_an_ended_job_left_unfinished_can_be_removed_from_the_list_of_jobs() -> None:
    job = ended(4, JobState.PARTIAL)
    job.uploads = (open_upload(17, 2),)
    house = SeededHouse(job)
    app = application(house)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_seen(pilot, "partial")
        await pilot.press("x")
        await until_seen(pilot, "Remove what this job left unfinished?")
        assert "10.0 MiB" in text_of(app)
        await pilot.press("y")
        await until_seen(pilot, "The unfinished uploads are being removed.")
    assert house.service.calls == [("cancel", job.job.id)]
    assert house.workers_asked == 1


async def test_a_job_that_ended_whole_cannot_be_cancelled() -> None:
    house = SeededHouse(ended(1, JobState.COMPLETED))
    app = application(house)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_seen(pilot, "completed")
        await pilot.press("x")
        await until_seen(pilot, "The job has ended already.")
    assert house.service.calls == []

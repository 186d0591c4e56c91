"""The start screen."""

from __future__ import annotations

import pytest

from s3tui.errors import StateError
from s3tui.model import JobState
from tests.tui.driving import application, text_of, until, until_seen, until_unseen
from tests.tui.seeded import SeededHouse, ended, harbour, planned, running

pytestmark = pytest.mark.thorough(one_in=5)


async def test_jobs_are_listed_newest_first_with_state_in_words() -> None:
    app = application(harbour())
    async with app.run_test(size=(100, 24)) as pilot:
        await until_seen(pilot, "cancelled")
        lines = [line for line in text_of(app).splitlines() if "backups" in line]
        assert [next(word for word in line.split() if word.isalpha()) for line in lines] == [
            "running",
            "planned",
            "completed",
            "partial",
            "failed",
            "cancelled",
        ]


async def test_enter_opens_the_transfers_of_a_job_and_escape_comes_back() -> None:
    app = application(harbour())
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "running")
        await pilot.press("enter")
        await until_seen(pilot, "Transfers")
        await pilot.press("escape")
        await until_seen(pilot, "From → to")


async def test_a_plan_tells_how_many_files_meet_what_and_how_many_requests_that_takes() -> None:
    app = application(harbour(), job=planned(8).job.id)
    async with app.run_test(size=(120, 24)) as pilot:
        await until_seen(pilot, "about 36 requests")
        for part in ("42 files", "29 new", "7 replace", "5 skip", "1 fail"):
            assert part in text_of(app)


async def test_enter_opens_the_plan_of_a_job_that_is_only_planned() -> None:
    app = application(harbour())
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "planned")
        await pilot.press("j", "enter")
        await until_seen(pilot, "To send")


async def test_an_empty_history_says_what_to_press() -> None:
    app = application(SeededHouse())
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "Press n")
        for command in ("s3tui demo", "s3tui status s3://BUCKET"):
            assert command in text_of(app)


async def test_a_job_that_another_process_started_appears_by_itself() -> None:
    house = SeededHouse(ended(1, JobState.COMPLETED))
    app = application(house)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "completed")
        other = running(2, 40)
        house.service.jobs[other.job.id] = other
        await until_seen(pilot, "running")


async def test_pause_and_resume_act_on_the_job_under_the_cursor() -> None:
    house = harbour()
    app = application(house)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "running")
        await pilot.press("p")
        await until_seen(pilot, "paused")
        await pilot.press("p")
        await until_seen(pilot, "▸ running")
    assert [call[0] for call in house.service.calls] == ["pause", "resume"]


async def test_cancel_asks_first_and_escape_keeps_the_job() -> None:
    house = harbour()
    app = application(house)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "running")
        await pilot.press("x")
        await until_seen(pilot, "Cancel this job?")
        await pilot.press("escape")
        await until_unseen(pilot, "Cancel this job?")
        assert house.service.calls == []
        await pilot.press("x")
        await until_seen(pilot, "Cancel this job?")
        await pilot.press("y")
        await until(pilot, lambda: house.service.calls, "the job to be cancelled")
    assert house.service.calls[0][0] == "cancel"


async def test_a_database_that_cannot_be_read_is_a_sentence_and_goes_away_again() -> None:
    house = harbour()
    house.service.trouble = StateError("The state database is locked by another program.")
    app = application(house)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "The state database is locked")
        house.service.trouble = None
        await until_unseen(pilot, "locked")
        await until_seen(pilot, "running")


async def test_quit_with_running_jobs_asks_and_d_detaches() -> None:
    app = application(harbour())
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "running")
        await pilot.press("q")
        await until_seen(pilot, "Jobs go on in the background worker")
        await pilot.press("escape")
        await until_unseen(pilot, "Jobs go on")
        await pilot.press("q")
        await until_seen(pilot, "Jobs go on")
        await pilot.press("d")
        await until(pilot, lambda: not app.is_running, "the application to end")
    assert app.return_value == 0


async def test_quit_can_cancel_what_runs() -> None:
    house = harbour()
    app = application(house)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "running")
        await pilot.press("q")
        await until_seen(pilot, "Jobs go on")
        await pilot.press("c")
        await until_seen(pilot, "Cancel this job?")
        await pilot.press("y")
        await until(pilot, lambda: not app.is_running, "the application to end")
    assert house.service.calls == [("cancel", running(9, 60).job.id)]


async def test_quit_without_running_jobs_ends_at_once() -> None:
    app = application(SeededHouse(ended(1, JobState.COMPLETED)))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "completed")
        await pilot.press("q")
        await until(pilot, lambda: not app.is_running, "the application to end")
    assert app.return_value == 0


async def test_a_worker_is_looked_for_when_nobody_works_on_a_running_job() -> None:
    job = running(9, 60)
    job.workers = ()
    house = SeededHouse(job)
    app = application(house)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "running")
        await until(pilot, lambda: house.workers_asked, "a worker to be asked for")

"""What failed, grouped by cause: read, sent again by group, file by file, or all at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from s3tui.errors import StateError
from s3tui.model import Action, FileState, JobState
from s3tui.tui.columns import RETRY
from tests.tui.driving import application, text_of, until, until_seen, until_told, until_unseen
from tests.tui.seeded import SeededHouse, SeededJob, ended, failing, running

pytestmark = pytest.mark.thorough(one_in=8)

JOB = failing().job.id


def retries(house: SeededHouse) -> list[object]:
    return [call[2] for call in house.service.calls if call[0] == "retry"]


async def open_failures(pilot: Pilot[Any]) -> None:
    """From the transfers to the causes."""
    await until_seen(pilot, "partial")
    await pilot.press("F")
    await until_seen(pilot, "100 files")


@pytest.mark.parametrize("size", [(200, 50), (80, 24), (40, 12)])
async def test_a_key_shows_the_causes_with_counts_bytes_and_an_example(size: tuple[int, int]) -> None:
    app = application(SeededHouse(failing()), job=JOB)
    async with app.run_test(size=size) as pilot:
        await until_seen(pilot, "partial")
        await pilot.press("4")
        await until_seen(pilot, "F groups them by cause")
        await pilot.press("F")
        await until_seen(pilot, "100 files")
        text = text_of(app)
        lines = [line for line in text.splitlines() if RETRY in line]
        assert [f" {count} " in line for count, line in zip((60, 25, 10), lines, strict=True)] == [True, True, True]
        for word in ("access denied", "changed while", "for 4 causes" if size[0] > 40 else "failed"):
            assert word in text
        assert all(line.isprintable() and cell_len(line) == size[0] for line in text.splitlines())
        await pilot.press("escape")
        await until_seen(pilot, "F groups them")


async def test_the_detail_shows_the_error_of_the_example_in_full_and_y_copies_it() -> None:
    app = application(SeededHouse(failing()), job=JOB)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_seen(pilot, "partial")
        await pilot.press("F")
        await until_seen(pilot, "60 files, ")
        error = "Upload of lantern-0000 was refused: the credentials may not write this key."
        assert error.split(": ")[1][:30] in " ".join(text_of(app).split())
        await pilot.press("y")
        await until(pilot, lambda: app.clipboard == error, "the error to be copied")
        await pilot.press("G")
        await until_seen(pilot, "no: the plan refused them, and would again")
        await pilot.press("y")
        await until_told(pilot, "cannot be copied through a terminal")
        await pilot.press("i")
        await until_unseen(pilot, "the plan refused them")
        await pilot.press("J")
        await until_seen(pilot, "the plan refused them")


async def test_r_sends_one_group_again_and_capital_r_all() -> None:
    house = SeededHouse(failing())
    app = application(house, job=JOB)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await open_failures(pilot)
        await pilot.press("j", "r")
        await until_seen(pilot, "75 files")
        await until_told(pilot, "25 files are tried again.")
        assert retries(house) == ["changed_while_reading"]
        await pilot.press("R")
        await until_seen(pilot, "5 files")
        assert retries(house) == ["changed_while_reading", None]
        await pilot.press("r")
        await until_told(pilot, "The plan itself refused these files")
    assert len(retries(house)) == 2


async def test_buttons_send_a_group_again() -> None:
    house = SeededHouse(failing())
    app = application(house, job=JOB)
    async with app.run_test(size=(100, 30)) as pilot:
        await open_failures(pilot)
        lines = text_of(app).splitlines()
        y = next(at for at, line in enumerate(lines) if "timeout" in line)
        await pilot.click(offset=(lines[y].index(RETRY) + 2, y))
        await until_seen(pilot, "90 files")
        await pilot.press("g")
        await pilot.click("#retry-group")
        await until_seen(pilot, "30 files")
        await pilot.click("#retry-all")
        await until_seen(pilot, "5 files")
    assert retries(house) == ["timeout", "access_denied", None]


async def test_a_group_opens_as_a_list_of_its_files_and_each_can_be_sent_again() -> None:
    house = SeededHouse(failing())
    app = application(house, job=JOB)
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await open_failures(pilot)
        await pilot.press("j", "enter")
        await until_seen(pilot, "changed while reading 25")
        assert "The file changed while" in text_of(app)
        shown = [line for line in text_of(app).splitlines() if RETRY in line]
        assert len(shown) >= 20
        await pilot.press("r")
        await until_seen(pilot, "changed while reading 24")
        await pilot.press("space", "space", "r")
        await until_seen(pilot, "changed while reading 22")
        assert retries(house) == [[60], [61, 62]]
        await pilot.press("Y")
        await until(pilot, lambda: app.clipboard == "The file changed while it was read; nothing was stored.", "the error")
        await pilot.press("slash", *"-0070", "enter")
        await until_seen(pilot, "/-0070")
        await until(pilot, lambda: sum(RETRY in line for line in text_of(app).splitlines()) == 1, "one file to be left")
        await pilot.press("escape")
        await until_seen(pilot, "changed while reading 22")
        await pilot.press("a")
        await until_seen(pilot, "Nothing failed for this cause any more.")
        assert retries(house)[-1] == "changed_while_reading"
        await pilot.press("escape")
        await until_seen(pilot, "75 files")
        await until_seen(pilot, "for 3 causes")


async def test_a_click_on_a_line_opens_it_and_so_does_the_button() -> None:
    app = application(SeededHouse(failing()), job=JOB)
    async with app.run_test(size=(100, 30)) as pilot:
        await open_failures(pilot)
        lines = text_of(app).splitlines()
        y = next(at for at, line in enumerate(lines) if "timeout" in line)
        await pilot.click(offset=(6, y))
        await until_seen(pilot, "timeout 10")
        await pilot.press("escape")
        await until_seen(pilot, "100 files")
        await pilot.click("#open")
        await until_seen(pilot, "timeout 10")


async def test_what_fails_meanwhile_comes_by_itself_and_the_cursor_stays_on_its_cause() -> None:
    seeded = failing()
    app = application(SeededHouse(seeded), job=JOB)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_failures(pilot)
        await pilot.press("j", "j")
        await until_seen(pilot, "10 files, ")
        for no in range(100, 180):
            seeded.rows[no] = replace(seeded.rows[no], state=FileState.FAILED, reason="timeout", error="Late.")
        seeded.settle()
        await until_seen(pilot, "180 files")
        await until_seen(pilot, "90 files, ")


async def test_a_job_without_failures_says_so_and_the_list_of_jobs_leads_there_too() -> None:
    app = application(SeededHouse(ended(1, JobState.COMPLETED)))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_seen(pilot, "completed")
        await pilot.press("F")
        await until_seen(pilot, "Nothing failed.")
        await pilot.press("r")
        await until_told(pilot, "there is nothing to send again")
        await pilot.press("enter", "y")
        await until_told(pilot, "There is no error to copy here.")


async def test_hostile_reasons_and_errors_are_shown_as_escapes() -> None:
    seeded = running(9, 60)
    evil = "\x1b[2J[/b]\u202e\n"
    seeded.rows[0] = replace(seeded.rows[0], state=FileState.FAILED, reason=evil, error=evil, path=evil.encode(), action=Action.NEW)
    seeded.settle()
    app = application(SeededHouse(seeded), job=JOB)
    async with app.run_test(size=(120, 30)) as pilot:
        await until_seen(pilot, "running")
        await pilot.press("F")
        await until_seen(pilot, r"\x1b[2J[/b]\u202e\n")
        await pilot.press("enter")
        await until_seen(pilot, "✗ failed")
        assert all(line.isprintable() and cell_len(line) == 120 for line in text_of(app).splitlines())


async def test_a_database_that_cannot_be_read_is_told_and_found_again() -> None:
    house = SeededHouse(failing())
    app = application(house, job=JOB)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_failures(pilot)
        house.service.trouble = StateError("The state database is locked.")
        await until_seen(pilot, "The state database is locked.")
        house.service.trouble = None
        await until_unseen(pilot, "The state database is locked.")


async def test_the_key_in_the_hint_is_the_persons_own() -> None:
    seeded: SeededJob = failing()
    app = application(SeededHouse(seeded), job=JOB, keys={"failures": "f9"})
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "partial")
        await pilot.press("4")
        await until_seen(pilot, "F9 groups them by cause")
        await pilot.press("f9")
        await until_seen(pilot, "for 4 causes")

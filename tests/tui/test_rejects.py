"""The rejected records of an ingest job on the screen: found, read, chosen by reason, and copied, however many there are."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import pytest
from rich.cells import cell_len

from s3tui.model import JobState, RejectLine, RejectWay
from s3tui.tabular.rejects import Reason
from s3tui.tui.commands import REASONS
from s3tui.tui.rejects import Landmarks
from tests.tui.driving import application, text_of, until, until_seen, until_told, until_unseen
from tests.tui.seeded import ManyRejects, SeededHouse, SeededJob, harbour, ingesting, running

pytestmark = pytest.mark.thorough(one_in=8)

JOB = ingesting().job.id
ADDRESS = "https://harbour.example/data/uploads/01JD/rejects.csv"


def many(count: int) -> SeededJob:
    """An ingest job with so many rejects in its first file."""
    seeded = ingesting()
    seeded.counts = {0: {"rows": {"read": count + 1, "inserted": 1, "rejected": count}, "rejects_url": ADDRESS}}
    seeded.reject_lines, seeded.rejects = ManyRejects(count), [("too_few_fields", count)]
    return seeded


def test_each_reason_has_a_key() -> None:
    assert set(REASONS) == {reason.value for reason in Reason}
    assert len(REASONS) <= 8


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_a_key_opens_the_rejects_of_the_file_and_escape_goes_back(size: tuple[int, int]) -> None:
    app = application(SeededHouse(ingesting()), job=JOB)
    async with app.run_test(size=size) as pilot:
        await until_seen(pilot, "e shows them.")
        await pilot.press("g", "e")
        await until_seen(pilot, "people.csv: 3 rejected. ")
        await until_seen(pilot, "2 too few fields 2")
        for text in (ADDRESS[:40], r"16\tGrace [b]\x1b[2J", r"41\tMary \x00\xff[/b]\u202egpj", "981", r"李小龍\nand more"):
            assert text in text_of(app)
        lines = text_of(app).splitlines()
        assert all(line.isprintable() and cell_len(line) == size[0] for line in lines)
        await pilot.press("escape")
        await until_seen(pilot, "39,003 rows read")


async def test_the_detail_shows_a_record_line_by_line_and_keys_scroll_it() -> None:
    app = application(SeededHouse(ingesting()), job=JOB)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "ingesting")
        await pilot.press("g", "e")
        await until_seen(pilot, "people.csv: 3 rejected")
        await pilot.press("G", "enter")
        await until_seen(pilot, "people.csv, line 981 (record 977)")
        assert "too few fields: 4 fields are expected and it has 3" in text_of(app)
        pane = app.screen.query_one("RejectDetail")
        assert "and more" in text_of(app)
        top = text_of(app)
        await pilot.press(*"JJJJ")
        await until(pilot, lambda: pane.scroll_y == pane.max_scroll_y > 0, "the end of the pane")
        assert "878.9 KiB, of which this is the beginning" in text_of(app)
        await pilot.press(*"KKKK")
        await until(pilot, lambda: text_of(app) == top, "its beginning")


async def test_reasons_are_chosen_by_key_and_by_click() -> None:
    app = application(SeededHouse(ingesting()), job=JOB)
    async with app.run_test(size=(120, 30)) as pilot:
        await until_seen(pilot, "ingesting")
        await pilot.press("g", "e")
        await until_seen(pilot, "1 all 3   2 too few fields 2   8 nul 1")
        await pilot.press("8")
        await until_unseen(pilot, "Grace")
        assert "Mary" in text_of(app)
        await pilot.press("9")
        await until_seen(pilot, "No record was rejected for this.")
        await pilot.press("2")
        await until_seen(pilot, "981")
        assert "Mary" not in text_of(app)
        await pilot.click("ViewBar", offset=(3, 0))
        await until_seen(pilot, "Mary")


async def test_all_files_and_one_file() -> None:
    job = ingesting()
    job.counts[2] = {"rows": {"read": 40_000, "inserted": 39_999, "rejected": 1}, "rejects_url": None}
    job.reject_lines = [*job.reject_lines, RejectLine(2, 7, 8, "nul", "it holds a NUL character", "of 2026", 7, whole=True)]
    app = application(SeededHouse(job), job=JOB)
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await until_seen(pilot, "ingesting")
        await pilot.press("g", "e")
        await until_seen(pilot, "people.csv: 3 rejected")
        assert "of 2026" not in text_of(app)
        await pilot.press("a")
        await until_seen(pilot, "3 files: 4 rejected")
        await until_seen(pilot, "of 2026")
        await pilot.press("G")
        await until_seen(pilot, "rejects.csv is made when the file has come to its end.")
        await pilot.press("Y")
        await until_told(pilot, "There is no rejects.csv yet")
        await pilot.press("a")
        await until_seen(pilot, r"visits\x1b[2J 2026.csv: 1 rejected")


async def test_y_copies_the_record_and_the_other_y_where_the_rejects_are() -> None:
    job = ingesting()
    record = 'a\t"b\nc"'
    long = RejectLine(0, 2000, 2001, "nul", "it is long", "x" * 60_000, 60_000, whole=True)
    job.reject_lines = [RejectLine(0, 1, 2, "nul", "", record, 7, whole=True), *job.reject_lines[:2], long]
    job.counts[0]["rows"]["rejected"] = 4
    app = application(SeededHouse(job), job=JOB)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await until_seen(pilot, "ingesting")
        await pilot.press("g", "e")
        await until_seen(pilot, "people.csv: 4 rejected")
        await pilot.press("y")
        await until(pilot, lambda: app.clipboard == record, "the record to be copied")
        await pilot.press("Y")
        await until(pilot, lambda: app.clipboard == ADDRESS, "the address to be copied")
        for keys in ("j", "G"):  # control characters, and more than a terminal takes
            await pilot.press(keys, "y")
            await until_told(pilot, "cannot be copied through a terminal; rejects.csv has it")
        assert app.clipboard == ADDRESS


async def test_a_million_rejects_open_at_once_and_pages_are_read_from_what_is_near() -> None:
    house = SeededHouse(many(1_000_000))
    app = application(house, job=JOB)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "ingesting")
        await pilot.press("g")
        tracemalloc.start()
        await pilot.press("e")
        await until_seen(pilot, "record 45")
        await pilot.press("G")
        await until_seen(pilot, "record 2999997")
        await pilot.press("pageup", "pageup")
        table = app.screen.query_one("RejectTable")
        await until_seen(pilot, f"record {3 * table.cursor}")  # type: ignore[attr-defined]
        table.move_to(400_000)  # type: ignore[attr-defined]
        await until_seen(pilot, "record 1200000")
        away = len(house.service.ways)
        for _ in range(30):
            await pilot.press("pagedown")
        await until_seen(pilot, f"record {3 * table.cursor}")  # type: ignore[attr-defined]
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 20 << 20
    assert max(way.skip for way in house.service.ways[away:]) < 200
    assert all(way.most <= 500 for way in house.service.ways)


async def test_what_a_running_job_rejects_comes_by_itself() -> None:
    seeded = many(2)
    app = application(SeededHouse(seeded), job=JOB)
    async with app.run_test(size=(100, 30)) as pilot:
        await until_seen(pilot, "ingesting")
        await pilot.press("g", "e")
        await until_seen(pilot, "2 too few fields 2")
        seeded.reject_lines, seeded.rejects = ManyRejects(5), [("too_few_fields", 5)]
        seeded.counts[0]["rows"]["rejected"] = 5
        await until_seen(pilot, "record 12")
        await until_seen(pilot, "2 too few fields 5")
        seeded.reject_lines, seeded.rejects = ManyRejects(0), []
        seeded.counts[0]["rows"]["rejected"] = 0
        await until_seen(pilot, "No record was rejected.")


async def test_who_has_no_rejects_is_told_so() -> None:
    app = application(harbour(), job=running().job.id)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_seen(pilot, "sending")
        await pilot.press("e")
        await until_told(pilot, "Only jobs that ingest CSV files reject records.")
    job = ingesting()
    job.counts[0]["rows"]["rejected"] = 0
    app = application(SeededHouse(job), job=JOB)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_seen(pilot, "ingesting")
        await pilot.press("e")
        await until_told(pilot, "No record was rejected.")


async def test_the_button_in_the_detail_leads_there_too() -> None:
    job = ingesting()
    job.job = replace(job.job, state=JobState.PARTIAL)
    app = application(SeededHouse(job), job=JOB)
    async with app.run_test(size=(100, 30)) as pilot:
        await until_seen(pilot, "people.csv")
        await pilot.press("g", "i")
        await until_seen(pilot, "1,203 read")
        button = app.screen.query_one("#show-rejects")
        assert button.display
        button.press()  # type: ignore[attr-defined]
        await until_seen(pilot, "people.csv: 3 rejected")
        await pilot.press("escape", "j")
        await until(pilot, lambda: not button.display, "the button to go with the file")


def test_the_way_to_a_page_begins_at_the_nearest_end_or_landmark() -> None:
    marks = Landmarks()
    assert marks.way(0, 50, 1000) == RejectWay(None, backwards=False, skip=0, most=50)
    assert marks.way(970, 50, 1000) == RejectWay(None, backwards=True, skip=0, most=30)
    assert marks.way(400, 50, 1000).skip == 400
    marks.learn(400, [RejectLine(0, at, at, "nul", "", "", 0, whole=True) for at in range(50)])
    assert marks.way(420, 50, 1000) == RejectWay((0, 0), backwards=False, skip=20, most=50)
    assert marks.way(340, 50, 1000) == RejectWay((0, 0), backwards=True, skip=11, most=50)
    assert marks.way(449, 50, 1000) == RejectWay((0, 49), backwards=False, skip=0, most=50)
    assert marks.way(0, 50, 0).most == 0
    marks.forget()
    assert marks.way(420, 50, 1000).skip == 420

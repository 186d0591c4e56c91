"""Ingest jobs on the screen: made from the form, foretold, watched, and copied from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from s3tui.errors import SpecError
from s3tui.jobs.ingest import IngestSpec
from s3tui.jobs.options import IngestOptions
from s3tui.model import JobState
from s3tui.tui.csv_files import Pace, csv_lines, sheet_lines, sheet_of
from tests.tui.driving import application, form, text_of, until, until_seen, until_told, until_unseen
from tests.tui.seeded import SeededHouse, ingesting

pytestmark = pytest.mark.thorough(one_in=8)

JOB = ingesting().job.id
REJECTS = "https://harbour.example/data/uploads/01JD/rejects.csv"


def line_of(screen: str, text: str) -> str:
    """The one line with a text."""
    [line] = [line for line in screen.splitlines() if text in line]
    return line


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_a_plan_shows_how_a_file_is_written_its_first_rows_and_what_would_be_rejected(size: tuple[int, int]) -> None:
    app = application(SeededHouse(ingesting(plan=True)), job=JOB)
    async with app.run_test(size=size) as pilot:
        await until_seen(pilot, "91,240 rows   3 rejected")
        await until_seen(pilot, "Would be rejected: 2 too few fields, 1 nul.")
        await until_seen(pilot, "1,200 rows, 3 rejected: 2 too few fields, 1 nul")
        for text in (
            'utf-8, tab-separated, quoted by "',
            "4: id integer, name text, born date, note text",
            "Grace [b]",
            r"\x1b[31mred",
        ):
            assert text in text_of(app)
        assert line_of(text_of(app), "Grace").index("1815") == line_of(text_of(app), r"\x1b[31mred").index("1815")
        await pilot.press("j")
        await until_seen(pilot, "its delimiter is not clear")
        assert "tab-separated" not in text_of(app)
        await pilot.press("j")
        await until_seen(pilot, "30: column 0 text")
        assert "24 more" in text_of(app)


async def test_the_plan_in_a_small_window_shows_files_and_the_rows_when_they_are_asked_for() -> None:
    app = application(SeededHouse(ingesting(plan=True)), job=JOB)
    async with app.run_test(size=(40, 12)) as pilot:
        await until_seen(pilot, "Would be rejected: 2 too few fields,")
        await until_seen(pilot, "ports.csv.gz")
        await pilot.press("i")
        await until_seen(pilot, "1,200 rows, 3 rejected")


async def test_rows_rejects_and_their_reasons_are_told_while_a_job_runs() -> None:
    house = SeededHouse(ingesting())
    app = application(house, job=JOB)
    async with app.run_test(size=(120, 30)) as pilot:
        await until_seen(pilot, "39,003 rows read   39,000 inserted   3 rejected   0 rows/s")
        await until_seen(pilot, "Rejected: 2 too few fields, 1 nul.")
        for text in ("ingesting", " 42% ", "37,800"):
            assert text in line_of(text_of(app), "2026.csv")
        assert "1,200         3" in line_of(text_of(app), " people.csv ")
        job = house.service.jobs[JOB]
        job.counts[2] = {"rows": {"read": 80_001, "inserted": 80_000, "rejected": 1}, "rejects_url": None}
        job.rejects = [("too_few_fields", 3), ("nul", 1)]
        await until_seen(pilot, "81,204 rows read")
        await until_unseen(pilot, " 0 rows/s")
        await until_seen(pilot, "3 too few fields")
        job.job = replace(job.job, state=JobState.COMPLETED)
        await until_unseen(pilot, "rows/s")


async def test_y_copies_where_the_rejects_are_and_the_detail_says_it() -> None:
    app = application(SeededHouse(ingesting()), job=JOB)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await until_seen(pilot, "ingesting")
        await pilot.press("g", "i")
        await until_seen(pilot, "1,203 read, 1,200 inserted, 3 rejected")
        assert REJECTS in text_of(app)
        await pilot.press("y")
        await until(pilot, lambda: app.clipboard == REJECTS, "the address to be copied")
        await pilot.press("j", "j", "y")
        await until(pilot, lambda: app.clipboard.endswith("batch-000002.json"), "the key of a file without rejects")
        await pilot.press("k", "y")
        await until_told(pilot, "no object was made of it")


@pytest.mark.parametrize("size", [(80, 24), (50, 12), (40, 12)])
async def test_what_matters_fits_small_windows(size: tuple[int, int]) -> None:
    app = application(SeededHouse(ingesting()), job=JOB)
    async with app.run_test(size=size) as pilot:
        await until_seen(pilot, "ingesting")
        await until_seen(pilot, "39,003 rows read")
        await until_seen(pilot, "2026.csv")
        assert "\x1b" not in text_of(app)


async def test_the_form_makes_an_ingest_job_of_what_it_says_and_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"a;b\n1;2\n")
    (tmp_path / "columns").write_text("a:integer,b:text?")
    house = SeededHouse()
    options = IngestOptions(batch_rows=250, strict=True)
    app = application(house, prefill=form(sources=[str(tmp_path / "a.csv")], target="s3://harbour/data/", ingest=options))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "1 marked: a.csv")
        app.screen.query_one("#kind").focus()
        await pilot.press("right", "right", "right")
        await until_seen(pilot, "‹ ingest ›")
        await until_seen(pilot, "‹ fail the file ›")
        assert "If it exists" not in text_of(app)
        for field, text in (("#delimiter", ";"), ("#encoding", "latin-1"), ("#schema-file", str(tmp_path / "columns"))):
            app.screen.query_one(field).value = text  # type: ignore[attr-defined]
        app.screen.query_one("#header").focus()
        await pilot.press("right")
        await until_seen(pilot, "‹ none ›")
        app.screen.query_one("#quote").focus()
        await pilot.press("right", "right")
        await until_seen(pilot, "‹ ' ›")
        app.screen.query_one("#review").focus()
        await pilot.press("enter")
        await until_seen(pilot, "planned")
    [(_, spec, _)] = house.service.calls
    assert isinstance(spec, IngestSpec)
    assert (spec.delimiter, spec.encoding, spec.schema, spec.header) == (";", "latin-1", "a:integer,b:text?", False)
    assert (spec.quote, spec.table) == ("'", "")
    assert (spec.batch_rows, spec.strict, spec.sources) == (250, True, (str(tmp_path / "a.csv"),))


@pytest.mark.parametrize(
    ("source", "field", "text", "said"),
    [
        (".", "#delimiter", "", "is a folder, and rows are read from files"),
        ("a.csv", "#delimiter", "::", "is no delimiter"),
        ("a.csv", "#schema", "a:colour", "colour"),
        ("a.csv", "#schema-file", "/gone/columns", "The schema cannot be read from /gone/columns: No such file or directory."),
        ("a.csv", "#batch-rows", "0", "Batch rows must be a whole number above 0"),
    ],
)
async def test_what_cannot_become_an_ingest_job_is_a_sentence(
    tmp_path: Path, source: str, field: str, text: str, said: str
) -> None:
    (tmp_path / "a.csv").write_bytes(b"a\n1\n")
    house = SeededHouse()
    app = application(house, prefill=form(sources=[str(tmp_path / source)], target="s3://harbour/data/"))
    async with app.run_test(size=(140, 30), notifications=True) as pilot:
        await until_seen(pilot, "1 marked")
        app.screen.query_one("#kind").focus()
        await pilot.press("right", "right", "right")
        await until_seen(pilot, "‹ ingest ›")
        app.screen.query_one(field).value = text  # type: ignore[attr-defined]
        app.screen.query_one("#review").focus()
        await pilot.press("enter")
        await until_told(pilot, said)
    assert not house.service.calls


def test_the_pace_is_that_of_the_last_seconds_and_never_negative() -> None:
    pace = Pace()
    assert pace.look(100.0, 5000, 70) is None
    assert pace.look(102.0, 9000, 90) == (2000.0, 10.0)
    assert pace.look(112.0, 9000, 90) == (0.0, 0.0)
    assert pace.look(113.0, 10, 0) == (0.0, 0.0)


@pytest.mark.parametrize("width", [4, 10, 40, 77])
def test_a_sheet_never_is_wider_than_its_place(width: int) -> None:
    for facts in ingesting().facts.values():
        lines = sheet_lines(sheet_of(facts), width)
        assert all(cell_len(line) <= width and line.isprintable() for line in lines)
        assert len(lines) == 1 + len(facts["sample"])


def test_nothing_is_said_of_a_file_that_could_not_be_read() -> None:
    assert csv_lines(None, None, plan=False) == csv_lines(None, None, plan=True) == ()
    assert sheet_of(None) == ()
    assert sheet_of({"columns": ["a"]}) == ()


async def test_the_form_names_a_table_and_a_refusal_of_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"a\n1\n")

    class Refusing(SeededHouse):
        def ingest_spec(self, sources: Sequence[str], target: str, **overrides: Any) -> IngestSpec:
            raise SpecError(f"No table is named {overrides['table']}.")

    house = Refusing()
    app = application(house, prefill=form(sources=[str(tmp_path / "a.csv")], target="s3://harbour/data/"))
    async with app.run_test(size=(140, 40), notifications=True) as pilot:
        await until_seen(pilot, "1 marked")
        app.screen.query_one("#kind").focus()
        await pilot.press("right", "right", "right")
        await until_seen(pilot, "ingest_rows")
        app.screen.query_one("#table").value = "people"  # type: ignore[attr-defined]
        app.screen.query_one("#review").focus()
        await pilot.press("enter")
        await until_told(pilot, "No table is named people.")
    assert not house.service.calls


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_every_field_of_the_form_comes_into_sight_by_keys(tmp_path: Path, size: tuple[int, int]) -> None:
    (tmp_path / "a.csv").write_bytes(b"a\n1\n")
    app = application(SeededHouse(), prefill=form(sources=[str(tmp_path / "a.csv")], target="s3://harbour/data/"))
    csv = ("delimiter", "quote", "encoding", "header", "schema", "schema-file", "table", "rejects", "batch-rows")
    names = (*csv, "attempts", "checksum")
    async with app.run_test(size=size) as pilot:
        await until_seen(pilot, "1 marked")
        app.screen.query_one("#kind").focus()
        await pilot.press("right", "right", "right")
        await until_seen(pilot, "‹ ingest ›")
        app.screen.query_one("#tree").focus()
        for name in names:
            await pilot.press("tab")
            await until(pilot, lambda: app.screen.focused and app.screen.focused.id == name, f"{name} to have the focus")  # noqa: B023
            field, form_region = app.screen.query_one(f"#{name}"), app.screen.query_one("#form").region
            await until(pilot, lambda: form_region.contains_region(field.region), f"{name} to be in sight")  # noqa: B023
        await pilot.press("tab", "tab")
        await until_seen(pilot, "Show the plan")


@pytest.mark.parametrize("plan", [True, False])
async def test_keys_scroll_the_detail_and_open_it(plan: bool) -> None:
    app = application(SeededHouse(ingesting(plan=plan)), job=JOB)
    async with app.run_test(size=(40, 12)) as pilot:
        await until_seen(pilot, "people.csv")
        await pilot.press("g", "J")
        pane = app.screen.query_one("Detail")
        await until(pilot, lambda: pane.display and pane.max_scroll_y > 0, "a pane with more than fits")
        await until_seen(pilot, "Path      people.csv")
        assert pane.scroll_y == 0
        await pilot.press("J")
        await until(pilot, lambda: pane.scroll_y > 0, "the pane to scroll")
        await pilot.press("shift+up", "K")
        await until(pilot, lambda: pane.scroll_y == 0, "the pane to scroll back")
        for _ in range(20):
            await pilot.press("shift+down")
        await until_seen(pilot, "s3://harbour/" if plan else "Show the rejects")
        await pilot.press("j")
        await until(pilot, lambda: pane.scroll_y == 0, "another file to be shown from its beginning")

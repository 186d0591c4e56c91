"""Terminals that change their size: to one cell, to a wall, back, and in the middle of everything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual import events
from textual.geometry import Size
from textual.pilot import Pilot

from s3tui.tui.application import S3tuiApp
from tests.tui.driving import application, form, text_of, until, until_seen
from tests.tui.seeded import SeededHouse, filming, harbour, ingesting, planned, running, sampled

pytestmark = pytest.mark.thorough(one_in=9)

RUNNING, PLANNED = running(9, 60).job.id, planned(8).job.id
STORM = [(1, 1), (40, 12), (2, 2), (300, 100), (81, 24), (80, 24), (3, 40), (200, 1), (40, 7)]

PLACES: dict[str, tuple[Any, str | None, str, list[str], str]] = {
    "jobs": (harbour, None, "cancelled", [], ""),
    "transfers": (harbour, RUNNING, "sending", ["g"], "lantern-0000"),
    "filter": (harbour, RUNNING, "sending", ["g", "slash", *"lantern", "enter"], "/lantern"),
    "detail": (harbour, RUNNING, "sending", ["g", "i"], "Checksum"),
    "video": (lambda: SeededHouse(filming()), RUNNING, "transcoding", ["g", "i"], "360p 640x360"),
    "ingest": (lambda: SeededHouse(ingesting()), RUNNING, "39,003 rows read", ["g", "i"], "people.csv"),
    "rejects": (lambda: SeededHouse(ingesting()), RUNNING, "39,003 rows read", ["g", "e"], "rejected."),
    "plan": (harbour, PLANNED, "29 new", ["i"], "buoy-0000"),
    "help": (harbour, RUNNING, "sending", ["question_mark"], "Esc closes"),
    "keys": (harbour, None, "cancelled", ["f2"], "as they come"),
    "log": (harbour, None, "cancelled", ["L"], "Nothing was logged yet"),
    "throughput": (lambda: SeededHouse(sampled(running(9))), RUNNING, "sending", ["t"], "Bytes per second"),
    "all plots": (lambda: SeededHouse(sampled(running(9))), RUNNING, "sending", ["t", "1"], "Retries (+)"),
    "workers": (harbour, None, "cancelled", ["W"], "No worker runs"),
    "settings": (harbour, None, "cancelled", ["f3"], "aws.region"),
    "palette": (harbour, RUNNING, "sending", ["ctrl+p"], "Bandwidth"),
    "themes": (harbour, RUNNING, "sending", ["ctrl+t"], "daylight"),
    "leave": (harbour, RUNNING, "sending", ["q"], "Jobs go on"),
    "cancel": (harbour, RUNNING, "sending", ["x"], "Cancel this job?"),
    "bandwidth": (harbour, RUNNING, "sending", ["b"], "How fast"),
    "delete": (lambda: SeededHouse(planned(8, deletes=True)), PLANNED, "29 new", ["enter"], "Upload and delete"),
}


@pytest.mark.parametrize("place", PLACES)
async def test_no_size_breaks_a_screen_and_the_first_one_comes_back_as_it_was(place: str, tmp_path: Path) -> None:
    make, job, seen, keys, then = PLACES[place]
    (tmp_path / "log").touch()
    app = application(make(), job=job, log=tmp_path / "log")
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_seen(pilot, seen)
        await pilot.press(*keys)
        await until_seen(pilot, then)
        await weather(pilot, app, then or seen)


@pytest.mark.parametrize("kind", range(4))
async def test_no_size_breaks_the_form(kind: int, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    app = application(SeededHouse(), prefill=form(sources=[str(tmp_path / "letters")], target="s3://harbour/backups/"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "1 marked: letters")
        app.screen.query_one("#kind").focus()
        await pilot.press(*["right"] * kind)
        await pilot.pause()
        await weather(pilot, app, "1 marked: letters")


def shape(app: S3tuiApp) -> tuple[int, int]:
    """Cells of the lines on the screen, if they are all of one length, and how many there are."""
    lines = text_of(app).splitlines()
    widths = {cell_len(line) for line in lines}
    return (widths.pop() if len(widths) == 1 else -1, len(lines))


async def weather(pilot: Pilot[Any], app: S3tuiApp, seen: str) -> None:
    """Resize: each size at its leisure, then all of them at once."""
    before = text_of(app)
    for size in STORM:
        await pilot.resize_terminal(*size)
        await until(pilot, lambda size=size: shape(app) == size, f"lines of {size}")  # type: ignore[misc]
    for width, height in STORM:
        app.post_message(events.Resize(Size(width, height), Size(width, height)))
    await pilot.resize_terminal(80, 24)
    await until_seen(pilot, seen)
    await until(pilot, lambda: text_of(app) == before, f"the screen as it was:\n{before}\nnow")

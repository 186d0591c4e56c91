"""How it looks at a glance: the head of a job, its plots, the workers, the settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from s3tui.config import load_settings
from tests.tui.driving import application, until_seen
from tests.tui.seeded import SeededHouse, crew, ingesting, running, sampled

pytestmark = pytest.mark.thorough(one_in=8)

NORMAL, LARGE, SMALL = (80, 24), (200, 50), (40, 12)


def house(*, of_rows: bool = False) -> SeededHouse:
    """A job with a course and a crew, and the workers of a house."""
    job = sampled(ingesting(9) if of_rows else running(9))
    job.crew = crew(job.job.id)[:2]
    house = SeededHouse(job)
    house.service.everybody = crew(job.job.id)
    return house


def after(steps: list[tuple[str, list[str]]], last: str) -> Any:
    """Wait for each text and press the keys behind it, then wait for the last text."""

    async def run(pilot: Pilot[Any]) -> None:
        for seen, keys in steps:
            await until_seen(pilot, seen)
            await pilot.press(*keys)
        await until_seen(pilot, last)
        for field in pilot.app.screen.query(Input):
            field.cursor_blink = False
        await pilot.pause()

    return run


@pytest.mark.parametrize(
    ("size", "theme", "spark"),
    [(NORMAL, "harbour", "▆▄▃▅▇"), (NORMAL, "sixteen", "*##+"), (LARGE, "daylight", "▅▄▄▃▃▄▅"), (SMALL, "harbour", "sending")],
    ids=["normal", "sixteen", "large", "small"],
)
def test_the_head_of_a_job_looks_as_it_should(snap_compare: Any, size: tuple[int, int], theme: str, spark: str) -> None:
    app = application(house(), theme=theme, job=running(9, 60).job.id)
    assert snap_compare(app, terminal_size=size, run_before=after([("sending", [])], spark))


@pytest.mark.parametrize(
    ("size", "theme", "of_rows", "keys", "then"),
    [
        (NORMAL, "harbour", False, [], "Bytes per second"),
        (NORMAL, "lantern", False, ["4"], "Retries (+)"),
        (NORMAL, "sixteen", False, ["1"], "Retries (+)"),
        (LARGE, "daylight", False, [], "Retries (+)"),
        (LARGE, "ink", True, [], "Rows per second"),
        (SMALL, "harbour", False, [], "Bytes per second"),
    ],
    ids=["normal", "errors", "all-sixteen", "large", "rows-ink", "small"],
)
def test_the_plots_look_as_they_should(
    snap_compare: Any, size: tuple[int, int], theme: str, of_rows: bool, keys: list[str], then: str
) -> None:
    app = application(house(of_rows=of_rows), theme=theme, job=running(9, 60).job.id)
    steps = [("rows read" if of_rows else "sending", ["t"]), ("since Nov", keys)]
    assert snap_compare(app, terminal_size=size, run_before=after(steps, then))


@pytest.mark.parametrize(
    ("size", "theme"), [(NORMAL, "harbour"), (LARGE, "daylight"), (SMALL, "sixteen")], ids=["normal", "large", "small"]
)
def test_the_workers_look_as_they_should(snap_compare: Any, size: tuple[int, int], theme: str) -> None:
    app = application(house(), theme=theme)
    assert snap_compare(app, terminal_size=size, run_before=after([("running", ["W"]), ("mary", ["j"])], "since Nov 21"))


@pytest.mark.parametrize(
    ("size", "theme", "keys", "then"),
    [
        (NORMAL, "harbour", ["slash", *"aws.", "enter"], "aws.region"),
        (NORMAL, "sixteen", ["slash", *"ui.", "enter", "j", "j", "enter", "s"], "Write it"),
        (LARGE, "daylight", ["slash", *"webhook", "enter"], "hooks.example.org"),
        (SMALL, "harbour", ["slash", *"logging.", "enter", "G"], "logging.form"),
    ],
    ids=["normal", "keep", "large", "small"],
)
def test_the_settings_look_as_they_should(
    snap_compare: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    size: tuple[int, int],
    theme: str,
    keys: list[str],
    then: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", "/home/ada/state")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/home/ada/config")
    Path("config.yaml").write_text("ui: {fps: 2}\nwebhook: {url: 'https://hooks.example.org/T0/1', secret: whatever}\n")
    environment = {"AWS_REGION": "eu-west-1", "AWS_SECRET_ACCESS_KEY": "a secret", "S3TUI_UI__FPS": "4"}
    app = application(house(), theme=theme, loaded=load_settings(environment=environment), fps=4)
    assert snap_compare(app, terminal_size=size, run_before=after([("running", ["f3"]), ("Setting", keys)], then))

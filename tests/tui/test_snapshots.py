"""How the screens look. `pytest --snapshot-update` takes new pictures: look at them before you keep them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from s3tui.model import JobState
from tests.tui.driving import application, form, until_seen
from tests.tui.seeded import SeededHouse, ended, harbour, planned, running

RUNNING, PLANNED, BROKEN = running(9, 60).job.id, planned(8).job.id, ended(5, JobState.FAILED, 0).job.id

SCREENS = [
    ("jobs", (80, 24), "harbour", None, "cancelled", "", ""),
    ("jobs-wide", (120, 36), "daylight", None, "cancelled", "", ""),
    ("transfers", (80, 24), "harbour", RUNNING, "lantern-0924", "", ""),
    ("transfers-wide", (120, 36), "harbour", RUNNING, "sending", "2", "lantern-0924"),
    ("transfers-sixteen", (80, 24), "sixteen", RUNNING, "sending", "2", "lantern-0924"),
    ("transfers-lantern-failed", (80, 24), "lantern", RUNNING, "sending", "4", "changed while"),
    ("transfers-small", (40, 12), "harbour", RUNNING, "sending", "", ""),
    ("detail", (80, 24), "harbour", RUNNING, "sending", "gjjji", "Retry this file"),
    ("failed-as-a-whole", (80, 24), "harbour", BROKEN, "there is no bucket", "", ""),
    ("plan", (80, 24), "harbour", PLANNED, "29 new", "", ""),
    ("plan-small", (40, 12), "harbour", PLANNED, "42 files", "", "buoy-0000"),
    ("help", (80, 24), "harbour", RUNNING, "lantern-0924", "?", "Send every failed"),
    ("quit", (80, 24), "daylight", RUNNING, "lantern-0924", "q", "Jobs go on"),
]
"""Name, size, theme, job to open, what to wait for, keys, and what to wait for then."""


def _after(seen: str, keys: Sequence[str] = (), then: str = "") -> Callable[[Pilot[Any]], Awaitable[None]]:
    async def run(pilot: Pilot[Any]) -> None:
        await until_seen(pilot, seen)
        await pilot.press(*keys)
        if then:
            await until_seen(pilot, then)
        await pilot.pause()

    return run


@pytest.mark.parametrize(("name", "size", "theme", "job", "seen", "keys", "then"), SCREENS, ids=[screen[0] for screen in SCREENS])
def test_screens_look_as_they_should(
    snap_compare: Any, name: str, size: tuple[int, int], theme: str, job: str | None, seen: str, keys: str, then: str
) -> None:
    pressed = ["question_mark" if key == "?" else key for key in keys]
    assert snap_compare(application(harbour(), theme=theme, job=job), terminal_size=size, run_before=_after(seen, pressed, then)), (
        name
    )


@pytest.mark.parametrize(
    ("size", "theme"),
    [((80, 24), "harbour"), ((80, 24), "sixteen"), ((40, 12), "harbour")],
    ids=["harbour", "sixteen", "small"],
)
def test_the_form_looks_as_it_should(
    snap_compare: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], theme: str
) -> None:
    for name in ("albums/2025/a.jpg", "letters/b.txt", "notes.txt"):
        (tmp_path / "pictures" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pictures" / name).write_bytes(b"x" * 1500)
    monkeypatch.chdir(tmp_path / "pictures")
    prefill = form(sources=["albums"], target="s3://harbour/backups/")
    app = application(SeededHouse(), theme=theme, prefill=prefill)

    async def run(pilot: Pilot[Any]) -> None:
        await until_seen(pilot, "1 marked: albums")
        app.screen.query_one("#root").value = "/home/ada/pictures"  # type: ignore[attr-defined]
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=run)


def test_a_terminal_of_six_lines_gets_a_sentence(snap_compare: Any) -> None:
    async def run(pilot: Pilot[Any]) -> None:
        await until_seen(pilot, "make this one larger")

    assert snap_compare(application(harbour()), terminal_size=(40, 6), run_before=run)

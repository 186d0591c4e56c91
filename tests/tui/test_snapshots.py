"""How the screens look. `pytest --snapshot-update` takes new pictures: look at them before you keep them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from s3tui.model import JobState
from tests.tui.driving import application, form, until, until_seen
from tests.tui.seeded import (
    SeededHouse,
    SeededJob,
    backing_up,
    ended,
    failing,
    filming,
    harbour,
    held,
    ingesting,
    open_upload,
    planned,
    running,
)

pytestmark = pytest.mark.thorough(one_in=8)

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
        for field in pilot.app.screen.query(Input):
            field.cursor_blink = False
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


def _limited() -> SeededJob:
    job = running(9)
    job.job = replace(job.job, bandwidth=10_000_000)
    job.uploads = (open_upload(1, 3), open_upload(2, 1))
    return job


@pytest.mark.parametrize(
    ("job", "size", "seen", "keys", "then"),
    [
        (_limited, (80, 24), "of 10MB/s", ["b", *"fast", "enter"], "is not a rate"),
        (_limited, (40, 12), "sending", ["b"], "How fast"),
        (_limited, (80, 24), "of 10MB/s", ["x"], "2 unfinished uploads"),
        (held, (80, 24), "p lets it go on", [], ""),
    ],
    ids=["bandwidth", "bandwidth-small", "cancel", "held"],
)
def test_steering_looks_as_it_should(
    snap_compare: Any, job: Callable[[], SeededJob], size: tuple[int, int], seen: str, keys: list[str], then: str
) -> None:
    app = application(SeededHouse(job()), theme="harbour", job=RUNNING)
    assert snap_compare(app, terminal_size=size, run_before=_after(seen, keys, then))


@pytest.mark.parametrize(
    ("size", "theme", "keys", "then"),
    [
        ((80, 24), "harbour", ["F"], "100 files"),
        ((200, 50), "daylight", ["F"], "100 files"),
        ((40, 12), "sixteen", ["F"], "100 files"),
        ((80, 24), "harbour", ["F", "j", "enter"], "changed while reading 25"),
        ((200, 50), "harbour", ["F", "enter", "i"], "Retry this file"),
    ],
    ids=["causes", "causes-wide", "causes-small", "files", "files-wide"],
)
def test_failures_look_as_they_should(snap_compare: Any, size: tuple[int, int], theme: str, keys: list[str], then: str) -> None:
    app = application(SeededHouse(failing()), theme=theme, job=RUNNING)
    assert snap_compare(app, terminal_size=size, run_before=_after("partial", keys, then))


@pytest.mark.parametrize(
    ("size", "theme", "keys", "then"),
    [
        ((80, 24), "harbour", ["g"], "⌫ deleted"),
        ((80, 24), "sixteen", ["g", "G"], "> uploaded"),
        ((120, 50), "daylight", ["g"], "▸ uploaded"),
        ((80, 24), "harbour", ["g", "i"], "after this proof"),
        ((40, 12), "harbour", ["g", "i"], "the store checked"),
    ],
    ids=["normal", "sixteen", "wide", "detail", "detail-small"],
)
def test_a_backup_looks_as_it_should(snap_compare: Any, size: tuple[int, int], theme: str, keys: list[str], then: str) -> None:
    app = application(SeededHouse(backing_up()), theme=theme, job=RUNNING)
    assert snap_compare(app, terminal_size=size, run_before=_after("sending", keys, then))


@pytest.mark.parametrize(
    ("size", "theme", "keys", "then"),
    [
        ((80, 24), "harbour", ["g"], "audio only"),
        ((120, 36), "daylight", ["g"], "audio only"),
        ((40, 12), "sixteen", ["g"], "failed"),
        ((80, 24), "harbour", ["g", "j", "j", "i"], "0:21 of 0:50"),
        ((80, 24), "harbour", ["g", "i"], "360p 640x360"),
        ((40, 12), "harbour", ["g", "j", "j", "i"], "Path"),
    ],
    ids=["normal", "wide", "small", "detail", "published", "detail-small"],
)
def test_videos_look_as_they_should(snap_compare: Any, size: tuple[int, int], theme: str, keys: list[str], then: str) -> None:
    app = application(SeededHouse(filming()), theme=theme, job=RUNNING)
    assert snap_compare(app, terminal_size=size, run_before=_after("transcoding", keys, then))


@pytest.mark.parametrize(
    ("plan", "size", "theme", "seen", "keys", "then"),
    [
        (True, (80, 24), "harbour", "91,240 rows", ["g"], "Grace"),
        (True, (120, 36), "daylight", "91,240 rows", ["g"], "Grace"),
        (True, (40, 12), "harbour", "Would be rejected", ["g"], "people.csv"),
        (True, (80, 24), "sixteen", "91,240 rows", ["g", "j", "j"], "30: column 0"),
        (False, (80, 24), "harbour", " 0 rows/s", ["g"], "Rejected:"),
        (False, (120, 36), "daylight", " 0 rows/s", ["g", "i"], "rejects.csv"),
        (False, (80, 24), "harbour", " 0 rows/s", ["g", "i"], "rejects.csv"),
        (False, (40, 12), "sixteen", "39,003 rows read", ["g"], "Rejected:"),
    ],
    ids=["plan", "plan-wide", "plan-small", "plan-columns", "normal", "detail-wide", "detail", "small"],
)
def test_an_ingest_looks_as_it_should(
    snap_compare: Any, plan: bool, size: tuple[int, int], theme: str, seen: str, keys: list[str], then: str
) -> None:
    app = application(SeededHouse(ingesting(plan=plan)), theme=theme, job=RUNNING)
    assert snap_compare(app, terminal_size=size, run_before=_after(seen, keys, then))


@pytest.mark.parametrize(
    ("size", "theme", "keys", "then"),
    [
        ((80, 24), "harbour", ["g", "e"], "2 too few fields 2"),
        ((120, 36), "daylight", ["g", "e", "a"], "3 files"),
        ((40, 12), "sixteen", ["g", "e"], "Grace"),
        ((80, 24), "harbour", ["g", "e", "G", "i"], "record 977"),
        ((40, 12), "harbour", ["g", "e", "i"], "record 16"),
    ],
    ids=["normal", "wide", "small", "detail", "detail-small"],
)
def test_rejects_look_as_they_should(snap_compare: Any, size: tuple[int, int], theme: str, keys: list[str], then: str) -> None:
    app = application(SeededHouse(ingesting()), theme=theme, job=RUNNING)

    async def run(pilot: Pilot[Any]) -> None:
        await until_seen(pilot, "39,003 rows read")
        await pilot.press(*keys[:2])
        await until_seen(pilot, "rejected.")
        await pilot.press(*keys[2:])
        await until_seen(pilot, then)
        await until(pilot, lambda: app.screen._counted is not None, "the reasons")  # type: ignore[attr-defined]
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=run)


@pytest.mark.parametrize(
    ("size", "theme"), [((80, 24), "harbour"), ((40, 12), "sixteen"), ((120, 36), "daylight")], ids=["normal", "small", "wide"]
)
def test_the_keys_look_as_they_should(snap_compare: Any, size: tuple[int, int], theme: str) -> None:
    app = application(harbour(), theme=theme, keys={"open": "o,enter", "up": "w"})
    assert snap_compare(app, terminal_size=size, run_before=_after("cancelled", ["f2", "j"], "remapped"))


@pytest.mark.parametrize(
    ("size", "theme", "keys"),
    [((80, 24), "harbour", ["k", "k", "i"]), ((120, 36), "driftwood", ["slash", *"denied", "enter"]), ((40, 12), "sixteen", [])],
    ids=["normal", "wide", "small"],
)
def test_the_log_looks_as_it_should(
    snap_compare: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, size: tuple[int, int], theme: str, keys: list[str]
) -> None:
    levels = ("DEBUG", "INFO", "INFO", "WARNING", "ERROR", "INFO")
    lines = [
        f"2026-11-21 10:30:{number:02},042 4711 {level} s3tui.state.chronicle: file={number}.jpg code=access_denied: S3 says no"
        for number, level in enumerate(levels * 6)
    ]
    (tmp_path / "s3tui.log").write_text("\n".join([*lines, "  Traceback \x1b[2J", lines[1], ""]))
    monkeypatch.chdir(tmp_path)
    app = application(harbour(), theme=theme, log=Path("s3tui.log"))
    assert snap_compare(app, terminal_size=size, run_before=_after("cancelled", ["L", *keys], "lines"))


@pytest.mark.parametrize("size", [(80, 24), (40, 12)], ids=["normal", "small"])
def test_the_question_before_sources_go_looks_as_it_should(snap_compare: Any, size: tuple[int, int]) -> None:
    app = application(SeededHouse(planned(8, deletes=True)), theme="harbour", job=PLANNED)
    assert snap_compare(app, terminal_size=size, run_before=_after("29 new", ["enter"], "Upload and delete (y)"))


@pytest.mark.parametrize(
    ("size", "theme", "kind"),
    [
        ((80, 24), "harbour", "upload"),
        ((80, 24), "sixteen", "upload"),
        ((40, 12), "harbour", "upload"),
        ((80, 24), "harbour", "backup"),
        ((40, 12), "harbour", "backup"),
        ((80, 24), "harbour", "video"),
        ((40, 12), "harbour", "video"),
        ((80, 24), "harbour", "ingest"),
        ((40, 12), "harbour", "ingest"),
    ],
    ids=["harbour", "sixteen", "small", "backup", "backup-small", "video", "video-small", "ingest", "ingest-small"],
)
def test_the_form_looks_as_it_should(
    snap_compare: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], theme: str, kind: str
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
        if kind == "backup":
            app.screen.query_one("#kind").focus()
            await pilot.press("right", "tab", "tab", "tab", "tab", "right", "tab")
            await until_seen(pilot, "‹ remove ›")
        if kind == "video":
            app.screen.query_one("#kind").focus()
            await pilot.press("right", "right", "tab", "tab", "tab", "tab", "tab")
            await until_seen(pilot, "‹ fmp4 ›")
        if kind == "ingest":
            app.screen.query_one("#kind").focus()
            await pilot.press("right", "right", "right", "tab", "tab", "tab", "tab", "tab", "tab")
            await until_seen(pilot, "‹ first row ›")
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=run)


@pytest.mark.parametrize(
    ("size", "theme", "keys", "then"),
    [
        ((80, 24), "harbour", ["f5"], "Recent target"),
        ((40, 12), "harbour", ["f5"], "Recent"),
        ((120, 36), "sixteen", ["f5"], "Recent target"),
        ((80, 24), "harbour", ["f4"], "4 prefixes"),
        ((120, 36), "daylight", ["f4", "left", "left", "n", *"arc"], "3 buckets"),
        ((40, 12), "sixteen", ["f4", "slash", *"20"], "2025"),
        ((80, 24), "daylight", ["v", "j", "j"], "3 names in the range"),
        ((120, 36), "harbour", ["s", "slash", *"a"], "albums: 2.9 KiB"),
        ((40, 12), "harbour", ["slash", *"l"], "/ l"),
    ],
    ids=[
        "places",
        "places-small",
        "places-wide",
        "targets",
        "targets-wide",
        "targets-small",
        "range",
        "filter-wide",
        "filter-small",
    ],
)
def test_choosing_looks_as_it_should(
    snap_compare: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
    theme: str,
    keys: list[str],
    then: str,
) -> None:
    for name in ("albums/2025/a.jpg", "albums/2024/b.jpg", "letters/b.txt", "notes.txt"):
        (tmp_path / "pictures" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pictures" / name).write_bytes(b"x" * 1500)
    bookmarks = tmp_path / "state" / "s3tui" / "bookmarks.json"
    bookmarks.parent.mkdir(parents=True)
    bookmarks.write_text(json.dumps({"sources": ["/srv/films \x1b[2J\udcff"], "targets": ["s3://quay/films/"]}))
    monkeypatch.setenv("HOME", "/home/ada")
    house = SeededHouse(
        ended(7, JobState.COMPLETED, 3, sources=("/usr",)),
        ended(6, JobState.PARTIAL, 300, sources=("/etc",), target="s3://quay/in/"),
    )
    house.shelves = {
        ("", ""): ("archive", "harbour", "quay"),
        ("harbour", "backups/"): ("backups/2024/", "backups/2025/", "backups/\x1b[2J\u202e/", "backups/[b]/"),
    }
    prefill = form(root="/" if "f5" in keys else str(tmp_path / "pictures"), target="s3://harbour/backups/", media=())
    app = application(house, theme=theme, prefill=prefill)

    async def run(pilot: Pilot[Any]) -> None:
        await until_seen(pilot, "[ ]")
        await pilot.wait_for_scheduled_animations()  # a field that changes while the form scrolls leaves it elsewhere
        app.screen.query_one("#root").value = "/home/ada/pictures"  # type: ignore[attr-defined]
        if "f4" in keys:
            await pilot.press("f4")
            await until_seen(pilot, "4 prefixes")
        await _after("", [key for key in keys if key != "f4"], then)(pilot)

    assert snap_compare(app, terminal_size=size, run_before=run)


def test_a_terminal_of_six_lines_gets_a_sentence(snap_compare: Any) -> None:
    async def run(pilot: Pilot[Any]) -> None:
        await until_seen(pilot, "make this one larger")

    assert snap_compare(application(harbour()), terminal_size=(40, 6), run_before=run)

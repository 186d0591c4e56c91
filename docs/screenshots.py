"""Makes the pictures of the tour, and the one of the README: `python docs/screenshots.py [--size 120x36]`.

They are of the real program with a real worker, which sends a demo tree to a slow store of our own; nothing in them is painted.
With cairosvg installed they become PNG files, else they stay SVG.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.stores import running_sink  # noqa: E402 - found by the line above

if TYPE_CHECKING:
    from textual.app import App
    from textual.pilot import Pilot

    from s3tui.runtime import Runtime
    from s3tui.tui.application import S3tuiApp

DOCS = ROOT / "docs"
SHELVES = (
    ("documents/letters", "letter-{:03}.odt", 180, 90_000),
    ("documents/invoices", "2026-{:04}.pdf", 240, 240_000),
    ("photos/2024/harbour", "IMG_{:04}.jpg", 420, 180_000),
    ("photos/2025/summer", "IMG_{:04}.jpg", 640, 6_500_000),
    ("photos/2026/mountains", "DSC{:05}.arw", 380, 6_800_000),
    ("photos/2026/city", "IMG_{:04}.jpg", 560, 6_000_000),
)
"""Folder, name of the nth file, how many, and the size that most are near."""


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0] if __doc__ else None)
    parser.add_argument("--size", default="120x36", help="columns x lines")
    parser.add_argument("--into", type=Path, default=DOCS)
    parser.add_argument("--theme", default="")
    options = parser.parse_args()
    columns, lines = map(int, options.size.split("x"))
    with (
        tempfile.TemporaryDirectory(prefix="s3tui-pictures-") as name,
        running_sink(delay=0.05, refuse=r"[0258]7\.jpg") as quick,
        running_sink(delay=0.4, pace=300_000, refuse=r"[0258]7\.jpg", stumble="_000") as slow,
    ):
        home = Path(name) / "ada"
        make_tree(home)
        os.environ.update(environment(home, slow))
        os.chdir(home)
        try:
            make_history(quick)
            asyncio.run(tour(options.into, (columns, lines), options.theme))
        finally:
            stop_workers()


def make_tree(home: Path) -> None:
    """Files of plausible sizes that take no room on the disk."""
    pick = Random(7)
    for folder, name, count, size in SHELVES:
        (home / folder).mkdir(parents=True)
        for number in range(1, count + 1):
            with (home / folder / name.format(number)).open("wb") as file:
                file.truncate(int(size * pick.uniform(0.5, 1.2)))


def environment(home: Path, url: str) -> dict[str, str]:
    """A user of their own: no settings or keys of whoever runs this."""
    return {
        "HOME": str(home),
        "XDG_STATE_HOME": str(home.parent / "state"),
        "XDG_CONFIG_HOME": str(home.parent / "config"),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": url,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "PYTHONPATH": str(ROOT),
    }


def make_history(url: str) -> None:
    """Some jobs of the past, run by the command line."""
    for words in (
        ["upload", "documents/invoices", "s3://ada-archive/invoices", "--quiet"],
        ["upload", "photos/2024", "s3://ada-archive/photos", "--exclude", "*[2-9].jpg", "--quiet"],
        ["upload", "documents", "s3://ada-archive/documents", "--dry-run", "--quiet"],
    ):
        command = [sys.executable, "-m", "s3tui", *words, "--endpoint-url", url]
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


async def tour(into: Path, size: tuple[int, int], theme: str) -> None:
    """Walk through the screens of one job, and take a picture of each."""
    from s3tui.config import load_settings
    from s3tui.runtime import Runtime
    from s3tui.tui.app import prepare_environment

    prepare_environment()
    from s3tui.tui.application import S3tuiApp
    from s3tui.tui.prefill import Prefill

    with Runtime(load_settings().settings) as runtime:
        prefill = Prefill(sources=["photos"], target="s3://ada-backups/photos", root=str(Path.home()))
        app = S3tuiApp(runtime, theme=theme, prefill=prefill, form_first=True)
        async with app.run_test(size=size, notifications=True) as pilot:
            await until(pilot, lambda: "1 marked" in text_of(app))
            shoot(app, into / "new-job")
            await pilot.press("ctrl+r")
            await until(pilot, lambda: "◇ planned" in text_of(app) and "new" in text_of(app))
            shoot(app, into / "plan")
            await pilot.press("enter")
            await until(pilot, lambda: page(app).sight is not None and page(app).sight.job.totals.uploaded > 40)
            await until(pilot, lambda: "✗ failed" in text_of(app) and "100%" in text_of(app) and "left" in text_of(app))
            shoot(app, into / "screenshot")
            await try_themes(app, pilot, into)
            await pilot.press("escape")
            await until(pilot, lambda: "running" in text_of(app))
            shoot(app, into / "jobs")
            await pilot.press("enter")
            await until(pilot, lambda: "sending" in text_of(app))
            await pilot.press("4")
            await until(pilot, lambda: "access denied" in text_of(app) and "sending" not in text_of(app))
            await pilot.press("g")  # not the detail: the cause in it names the absolute path
            await pilot.pause()
            shoot(app, into / "failed")
            await pilot.press("question_mark")
            await until(pilot, lambda: "Esc closes" in text_of(app))
            shoot(app, into / "help")
            await pilot.press("escape", "x", "y")
            await until(pilot, lambda: page(app).sight.job.state.ended)
        await ask_before_deleting(runtime, into / "backup", size, theme)


async def try_themes(app: S3tuiApp, pilot: Pilot[Any], into: Path) -> None:
    """Take a small picture in each theme."""
    before = app.theme
    for name in (*app.shelf.skins, before):  # the last is the one to go on with
        app.theme = name
        await pilot.pause(0.3)
        shoot(app, into / f"theme-{name}", width=732)


async def ask_before_deleting(runtime: Runtime, path: Path, size: tuple[int, int], theme: str) -> None:
    """Plan a backup that deletes, and take a picture of the question that comes before it is applied."""
    from s3tui.jobs.options import BackupOptions
    from s3tui.tui.application import S3tuiApp
    from s3tui.tui.prefill import Prefill

    options = BackupOptions(delete_after_upload=True)
    prefill = Prefill(sources=["documents"], target="s3://ada-backups/documents", backup=options, root=str(Path.home()))
    app = S3tuiApp(runtime, theme=theme, prefill=prefill, form_first=True)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "1 marked" in text_of(app))
        await pilot.press("tab", "right")
        await until(pilot, lambda: "‹ delete ›" in text_of(app))
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "will be deleted" in text_of(app) and "requests" in text_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: "proven identical" in text_of(app))
        shoot(app, path)
        await pilot.press("escape", "x")
        await until(pilot, lambda: "Cancel this job" in text_of(app))
        await pilot.press("y")
        await until(pilot, lambda: page(app).sight.job.state.ended)


def page(app: S3tuiApp) -> Any:  # noqa: ANN401 - whichever screen is on
    """The screen of the job."""
    return app.screen


def text_of(app: App[Any]) -> str:
    """What is on the screen."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def until(pilot: Pilot[Any], true: Callable[[], bool]) -> None:
    """Let the program run until something is true, and its screen is painted."""
    deadline = time.monotonic() + 40
    while not true():
        if time.monotonic() > deadline:
            raise SystemExit(f"It never came:\n{text_of(pilot.app)}")
        await asyncio.sleep(0.05)
    await pilot.pause(0.3)


def shoot(app: S3tuiApp, path: Path, width: int = 1464) -> None:
    """Write a picture of so many pixels, if it becomes one of pixels."""
    svg = app.export_screenshot(title="s3tui").replace("Fira Code", "DejaVu Sans Mono")
    try:
        cairosvg = importlib.import_module("cairosvg")
    except ImportError:
        path.with_suffix(".svg").write_text(svg)
        print(path.with_suffix(".svg"))
    else:
        cairosvg.svg2png(bytestring=svg.encode(), write_to=str(path.with_suffix(".png")), output_width=width)
        print(path.with_suffix(".png"))


def stop_workers() -> None:
    """End the worker that the program has started."""
    from s3tui.config import load_settings
    from s3tui.runtime import Runtime

    with Runtime(load_settings().settings) as runtime:
        for worker in runtime.service.workers():
            with suppress(ProcessLookupError):
                os.kill(worker.pid, signal.SIGTERM)
        while runtime.service.workers():
            time.sleep(0.1)


if __name__ == "__main__":
    main()

"""Driving the application in a test: keys in, text out, and waiting for what must become true."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from textual.app import App
from textual.pilot import Pilot
from textual.widgets._toast import Toast

from s3tui.tui.application import S3tuiApp
from s3tui.tui.prefill import Prefill
from tests.tui.seeded import SeededHouse


def application(house: SeededHouse, **fields: Any) -> S3tuiApp:
    """The application over a seeded house, with a clock that ticks fast."""
    prefill = fields.pop("prefill", None)
    return S3tuiApp(house, fps=fields.pop("fps", 20), prefill=prefill, form_first=prefill is not None, **fields)


def form(**fields: Any) -> Prefill:
    """A prefilled form."""
    return Prefill(**fields)


def text_of(app: App[Any]) -> str:
    """What is on the screen, line by line."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


async def until(pilot: Pilot[Any], predicate: Callable[[], object], what: str, timeout: float = 30) -> None:
    """Let the application run until the predicate is true."""
    deadline = time.monotonic() + timeout
    while not predicate():
        if time.monotonic() >= deadline:
            raise AssertionError(f"Waited {timeout:g} s in vain for {what}. On the screen:\n{text_of(pilot.app)}")
        await asyncio.sleep(0.02)
    await pilot.pause()


async def until_seen(pilot: Pilot[Any], text: str) -> None:
    """Let the application run until a text is on the screen."""
    await until(pilot, lambda: text in text_of(pilot.app), f"{text!r} to be seen")


async def until_unseen(pilot: Pilot[Any], text: str) -> None:
    """Let the application run until a text is gone from the screen."""
    await until(pilot, lambda: text not in text_of(pilot.app), f"{text!r} to be gone")


async def until_told(pilot: Pilot[Any], text: str) -> None:
    """Let the application run until a notice on the screen says a text, wherever its lines break."""
    await until(pilot, lambda: any(text in str(toast.render()) for toast in pilot.app.screen.query(Toast)), f"{text!r} to be told")


async def at_top(pilot: Pilot[Any]) -> None:
    """Wait for the harbour's running job, and go from what is in flight to its first file."""
    await until_seen(pilot, "sending")
    await pilot.press("g")
    await until_seen(pilot, "lantern-0000")

"""Any keys in any order, on every screen they lead to: the UI never crashes, never hangs, and still paints."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from typing import Any

import pytest

from s3tui.tui.application import S3tuiApp
from s3tui.tui.commands import COMMANDS
from tests.proof.scale import FULL, SEEDS
from tests.tui.driving import application, form, text_of
from tests.tui.seeded import backing_up, harbour, planned, running

pytestmark = pytest.mark.thorough(one_in=8)

_RUNS, _KEYS = (100, 200) if FULL else (3, 40)
_CORPUS = Path(__file__).parents[1] / "corpora" / "keys"
_SIZE = re.compile(r"(\d+)x(\d+)")
_SIZES = [(80, 24), (120, 36), (40, 10), (20, 5)]
_TYPED = (
    "a",
    "0",
    "%",
    "ü",
    "left_square_bracket",
    "backslash",
    "tab",
    "shift+tab",
    "delete",
    "backspace",
    "space",
    "enter",
    "escape",
)
_ENDING = frozenset({"q", "ctrl+q", "d"})
"""What leaves the UI, rarely pressed: most of a run would be over."""


def every_key() -> list[str]:
    """All that means something anywhere, and some that mean nothing."""
    keys = {key for command in COMMANDS for key in command.keys.split(",")}
    return sorted((keys - _ENDING) | {*_TYPED, "f9", "ctrl+a", "ctrl+e", "ctrl+k", "up", "left", "right"})


@pytest.mark.parametrize("run", range(_RUNS))
async def test_any_keys_do_no_harm(tmp_path: Path, run: int) -> None:
    dice = Random(f"{SEEDS[0]} {run}")
    app = _application(tmp_path, run)
    pressed: list[str] = []
    async with app.run_test(size=dice.choice(_SIZES), notifications=True) as pilot:
        for _ in range(_KEYS):
            pressed.append(dice.choice(every_key()))
            if dice.random() < 0.002:
                pressed.append(dice.choice(sorted(_ENDING)))
            await pilot.press(pressed[-1])
            if not app.is_running:
                break
            if dice.random() < 0.05:
                await pilot.resize_terminal(*dice.choice(_SIZES))
        assert not app.is_running or text_of(app).strip(), pressed
    assert app.return_code in (None, 0), pressed


@pytest.mark.parametrize("saved", sorted(_CORPUS.iterdir()), ids=lambda path: path.name)
async def test_keys_that_were_saved_do_no_harm(tmp_path: Path, saved: Path) -> None:
    """A first word is the place, a number; what looks like 80x24 makes the terminal so large."""
    place, *words = saved.read_text().split()
    app = _application(tmp_path, int(place))
    async with app.run_test(notifications=True) as pilot:
        for word in words:
            if size := _SIZE.fullmatch(word):
                await pilot.resize_terminal(int(size[1]), int(size[2]))
            else:
                await pilot.press(word)
        assert text_of(app).strip()
    assert app.return_code in (None, 0)


def _application(directory: Path, place: int) -> S3tuiApp:
    """The UI where a run begins."""
    (directory / "folder").mkdir()
    prefill = form(sources=[str(directory)], target="s3://harbour/x", root=str(directory))
    jobs = [running(9, 60).job.id, backing_up().job.id, planned(8).job.id]
    places: list[dict[str, Any]] = [{}, {"prefill": prefill}, *({"job": job} for job in jobs)]
    return application(harbour(), **places[place % len(places)])

"""The settings in the terminal UI: what is shown, what is hidden, what can be changed, and how a change is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from s3tui.config import Loaded, load_settings
from s3tui.config.settings import known_keys
from s3tui.tui.application import S3tuiApp
from s3tui.tui.screens.settings import SettingsPage
from tests.tui.driving import application, text_of, until, until_seen, until_told, until_unseen
from tests.tui.seeded import SeededHouse, harbour, running

pytestmark = pytest.mark.thorough(one_in=5)

CONFIG = """\
# mine
ui:
  fps: 2   # a slow line
webhook: {url: 'https://hooks.example.org/T0/HUSH?also=HUSH', secret: hushhush}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The configuration of a person."""
    path = tmp_path / "config" / "s3tui" / "config.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(CONFIG)
    return path


@pytest.fixture
def loaded(config: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Loaded:
    """What it says, with some of the environment."""
    monkeypatch.chdir(tmp_path)
    return load_settings(
        environment={"AWS_REGION": "eu-west-1", "AWS_SECRET_ACCESS_KEY": "hushhush", "DATABASE_URL": "postgresql://me:hush@db/jobs"}
    )


def page_of(app: S3tuiApp) -> SettingsPage:
    assert isinstance(app.screen, SettingsPage)
    return app.screen


async def open_settings(pilot: Pilot[Any]) -> None:
    """From the jobs to the settings."""
    await until_seen(pilot, "running")
    await pilot.press("f3")
    await until_seen(pilot, "aws.region")


async def test_every_setting_is_there_with_where_it_came_from_and_no_secret(loaded: Loaded) -> None:
    app = application(harbour(), loaded=loaded)
    async with app.run_test(size=(160, 100)) as pilot:
        await until_seen(pilot, "running")
        await pilot.press("f3")
        await until_seen(pilot, "ui.notify")
        text = text_of(app)
        for section, key, _ in known_keys():
            assert f" {section}.{key} " in text
        lines = {setting: line for line in text.splitlines() for setting in ("aws.region", "ui.fps") if f" {setting} " in line}
        assert "environment AWS_REGION" in lines["aws.region"]
        assert "config.yaml:3" in lines["ui.fps"]
        assert "https://hooks.example.org/********" in text
        assert "postgresql://me:********@db/jobs" in text
        assert "hush" not in text.lower()
        for what in ("configuration", "state directory", "log file", "own themes"):
            assert what in text


async def test_the_filter_finds_names_values_and_origins(loaded: Loaded) -> None:
    app = application(harbour(), loaded=loaded)
    async with app.run_test(size=(120, 40)) as pilot:
        await open_settings(pilot)
        await pilot.press("slash", *"AWS_reg", "enter")
        await until_unseen(pilot, "aws.profile")
        assert "aws.region" in text_of(app)
        await pilot.press("y")
        await until(pilot, lambda: app.clipboard == "aws: {region: eu-west-1}", "the copy")
        await pilot.press("escape")
        await until_seen(pilot, "aws.profile")
        await pilot.press("slash", *"zzz")
        await until_seen(pilot, "No setting contains that text.")
        await pilot.press("escape", "escape")
        await until_seen(pilot, "From → to")


async def test_a_secret_is_not_copied_and_a_path_is(loaded: Loaded, config: Path) -> None:
    app = application(harbour(), loaded=loaded)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await open_settings(pilot)
        await pilot.press("y")
        await until(pilot, lambda: app.clipboard == str(config), "the path")
        await pilot.press("slash", *"webhook.url", "enter", "y")
        await until_told(pilot, "holds a secret")
        assert app.clipboard == str(config)


async def test_a_change_holds_at_once_and_is_kept_without_a_loss_of_comments(loaded: Loaded, config: Path) -> None:
    app = application(SeededHouse(running()), loaded=loaded, fps=2)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await open_settings(pilot)
        await pilot.press("slash", *"ui.fps", "enter", "s")
        await until_told(pilot, "no change to keep")
        await pilot.press("enter")
        await until_seen(pilot, "changed here, was 2")
        await pilot.press("s")
        await until_seen(pilot, "Write it (w)")
        await pilot.press("w")
        await until(pilot, lambda: "fps: 4" in config.read_text(), "the file to be written")
        assert config.read_text() == CONFIG.replace("fps: 2", "fps: 4")
        await pilot.press("escape", "escape")
        await until_seen(pilot, "From → to")
        assert app.live["fps"] == 4


async def test_themes_and_notices_are_changed_too_and_a_change_back_is_none(loaded: Loaded) -> None:
    app = application(harbour(), loaded=loaded, theme="harbour")
    async with app.run_test(size=(120, 40)) as pilot:
        await open_settings(pilot)
        await pilot.press("slash", *"ui.notify", "enter", "enter")
        await until_seen(pilot, "changed here, was true")
        await pilot.press("enter")
        await until_unseen(pilot, "changed here")
        await pilot.press("escape", "slash", *"ui.theme", "enter", "enter")
        await until_seen(pilot, "driftwood")
        await pilot.press(*"fog", "enter")
        await until(pilot, lambda: app.theme == "fog", "the theme")
        await until_seen(pilot, "changed here, was empty")
        page = page_of(app)
        assert page.table.pointed is not None
        assert page.table.pointed.value == "fog"


async def test_what_cannot_be_changed_says_so(loaded: Loaded) -> None:
    app = application(harbour(), loaded=loaded)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await open_settings(pilot)
        await pilot.press("enter")
        await until_told(pilot, "Only what is marked with ›")


async def test_a_file_that_cannot_be_changed_shows_the_lines_to_add(loaded: Loaded, config: Path) -> None:
    config.write_text("{ui: {fps: 2}}\n")
    app = application(harbour(), loaded=loaded)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_settings(pilot)
        await pilot.press("slash", *"ui.notify", "enter", "enter", "s")
        await until_seen(pilot, "Copy it (y)")
        assert "Write it" not in text_of(app)
        await pilot.press("y")
        await until(pilot, lambda: app.clipboard == "ui:\n  notify: false\n", "the lines")
    assert config.read_text() == "{ui: {fps: 2}}\n"


async def test_a_stronger_place_is_named_before_a_change_is_kept(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load_settings(config_file=config, environment={"S3TUI_UI__NOTIFY": "true"})
    app = application(harbour(), loaded=loaded)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_settings(pilot)
        await pilot.press("slash", *"ui.notify", "enter", "enter", "s")
        await until_seen(pilot, "environment S3TUI_UI__NOTIFY is stronger and must go.")


async def test_without_a_configuration_there_are_only_defaults(tmp_path: Path) -> None:
    app = application(harbour())
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "running")
        await pilot.press("f3")
        await until_seen(pilot, "no configuration file is read")
        await pilot.press("slash", *"ui.notify", "enter", "enter", "s")
        await until_seen(pilot, "Write it (w)")
        await pilot.press("w")
        path = tmp_path / "config" / "s3tui" / "config.yaml"
        await until(pilot, path.exists, "the new configuration")
        assert path.read_text() == "ui:\n  notify: false\n"

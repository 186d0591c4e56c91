"""The settings in force: where each came from, which can be changed while the UI runs, and how to keep a change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar, Protocol

from textual.binding import BindingType
from textual.widget import Widget
from textual.widgets import Input, Static

from s3tui.config import Loaded, Settings, config_directory
from s3tui.config.keeping import keep_setting, setting_lines, with_setting
from s3tui.config.shown import Shown, paths_in_use, shown_settings, yaml_words
from s3tui.text import display_text
from s3tui.tui.commands import Where, bindings
from s3tui.tui.door import House
from s3tui.tui.figures import tilde
from s3tui.tui.screens.dialogs import Answer, Question
from s3tui.tui.screens.page import Page
from s3tui.tui.widgets.filter_line import FilterLine
from s3tui.tui.widgets.setting_table import SettingLine, SettingTable

_DEFAULTS = Loaded(Settings(), {}, None, None, {})
_LIVE = ("theme", "fps", "notify")
"""What of `ui:` can be changed while the UI runs."""


class Live(Protocol):
    """What of the application can be changed while it runs."""

    @property
    def live(self) -> Mapping[str, object]:
        """The keys of `ui:` that can be changed, as they are now."""
        ...

    @property
    def changed(self) -> Mapping[str, object]:
        """Those of them that are others than when the UI began."""
        ...

    def change(self, key: str) -> None:
        """Change one of them to the next value, or ask which one."""
        ...


class SettingsPage(Page):
    """All settings, those of one section below each other."""

    PLACES: ClassVar[tuple[Where, ...]] = (Where.SETTINGS, Where.LIST)
    SECTION = "Settings"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.SETTINGS)]

    def __init__(self, house: House, loaded: Loaded | None, live: Live) -> None:
        """`loaded`: the settings as they were read; None: nothing but defaults."""
        super().__init__(house)
        self._loaded = loaded or _DEFAULTS
        self._live = live
        self._path = self._loaded.config_file or config_directory() / "config.yaml"
        self.filter = FilterLine("a setting")
        self.table = SettingTable(id="settings")

    def body(self) -> Iterable[Widget]:
        """What may be done, the filter, the list."""
        yield Static("› changes with Enter, until s3tui is left; s keeps the change for good.", id="place", markup=False)
        yield self.filter
        yield self.table

    def on_mount(self) -> None:
        """Show them, and what of them changes meanwhile."""
        self.set_focus(self.table)
        self.title_bar.tell(tilde(str(self._loaded.config_file or "no configuration file is read")))
        self.set_interval(0.5, self._show)
        self._show()

    def _show(self) -> None:
        self.table.show([*(SettingLine("", what, where, "") for what, where in paths_in_use(self._loaded)), *self._settings()])

    def _settings(self) -> Iterable[SettingLine]:
        return [self._line(one) for one in shown_settings(self._loaded)]

    def _line(self, one: Shown) -> SettingLine:
        can_change = one.section == "ui" and one.key in _LIVE
        if can_change and one.key in self._live.changed:
            value, origin, changed = self._live.live[one.key], f"changed here, was {yaml_words(one.value) or 'empty'}", True
        else:
            value, origin, changed = one.value, one.origin, False
        return SettingLine(one.section, one.key, yaml_words(value), display_text(origin), changed, can_change)

    # What the widgets say.

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while it is typed."""
        self.table.filter(event.value)

    def on_input_submitted(self) -> None:
        """Keep the filter, and go to the list."""
        self.set_focus(self.table)

    # Actions.

    def action_change(self) -> None:
        """Change the setting under the cursor."""
        line = self.table.pointed
        if line is not None and line.can_change:
            self._live.change(line.name)
            self._show()
        else:
            self.say("Only what is marked with › can be changed here; y copies a line for the configuration.")

    def action_keep(self) -> None:
        """Write the change under the cursor into the configuration, after a question that shows it."""
        line = self.table.pointed
        if line is None or not line.changed:
            self.say("There is no change to keep in this line.")
            return
        value = self._live.live[line.name]
        self.ask("keep", partial(_can_keep, self._path, line.name, value), partial(self._ask_to_keep, line.name, value))

    def _ask_to_keep(self, key: str, value: object, can_keep: bool) -> None:
        def answered(answer: str | None) -> None:
            if answer == "w":
                self.ask("keep", partial(keep_setting, self._path, "ui", key, value), lambda _: self._kept(key))
            elif answer == "y":
                self._copy(setting_lines("ui", key, value))

        self.app.push_screen(keep_question(self._path, key, value, self._loaded.origin("ui", key), can_keep=can_keep), answered)

    def _kept(self, key: str) -> None:
        self.say(f"ui.{key} is kept in {tilde(str(self._path))}.")

    def action_copy(self) -> None:
        """Copy the setting as the configuration has it; of a path, the path."""
        line = self.table.pointed
        if line is None:
            return
        if not line.section:
            self._copy(line.value)
            return
        masked = {(one.section, one.key) for one in shown_settings(self._loaded) if one.masked}
        if (line.section, line.name) in masked:
            self.say("This setting holds a secret, which is not copied.")
        else:
            self._copy(f"{line.section}: {{{line.name}: {line.value}}}")

    def _copy(self, text: str) -> None:
        self.copy(text, f"Copied {text.strip()}")

    def action_filter(self) -> None:
        """Show the filter, and write in it."""
        self.filter.open()

    def action_back(self) -> None:
        """Drop the filter, else leave."""
        if self.filter.drop():
            self.set_focus(self.table)
        else:
            self.app.pop_screen()


def _can_keep(path: Path, key: str, value: object) -> bool:
    """Whether the configuration can be changed in this one place. Blocks on the disk."""
    try:
        text = path.read_bytes().decode("utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError):
        return False
    return with_setting(text, "ui", key, value) is not None


def keep_question(path: Path, key: str, value: object, origin: str, *, can_keep: bool) -> Question:
    """Whether to write a setting of `ui:` into a configuration; if that cannot be done, what to write there oneself."""
    lines, where = setting_lines("ui", key, value).rstrip(), display_text(tilde(str(path)))
    stronger = "" if origin == "default" or origin.startswith(str(path)) else f"\n{display_text(origin)} is stronger and must go."
    told = "gets this; all else in it stays, comments too" if can_keep else "cannot be changed in this one place: add this by hand"
    write: tuple[Answer, ...] = (("w", "Write it", ""),) if can_keep else ()
    answers = (("", "Not now", ""), *write, ("y", "Copy it", ""))
    return Question(f"Keep ui.{key}: {yaml_words(value)}?", f"{where} {told}:\n\n{lines}{stronger}", answers)

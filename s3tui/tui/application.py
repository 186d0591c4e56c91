"""The Textual application: it opens screens, and does what concerns them all."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.filter import LineFilter
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from s3tui.model import Job, JobState
from s3tui.text import display_text
from s3tui.tui import keymap, themes
from s3tui.tui.asking import Asking
from s3tui.tui.commands import Command, Where, bindings, commands_of
from s3tui.tui.crash import whereabouts
from s3tui.tui.door import House
from s3tui.tui.driver import ClicksOnlyDriver
from s3tui.tui.endings import Endings, desktop_notice, ending_sentence
from s3tui.tui.filters import AsciiGlyphs, Printable
from s3tui.tui.hangup import Departure, can_stop, has_other_screen, stop
from s3tui.tui.internals import QuietApp, end_after_failure, tell_terminal
from s3tui.tui.looks import Looks
from s3tui.tui.messages import (
    DoCommand,
    JobsRead,
    OpenCourse,
    OpenFailedFiles,
    OpenFailures,
    OpenJob,
    OpenKeys,
    OpenNewJob,
    OpenRejects,
)
from s3tui.tui.prefill import Prefill
from s3tui.tui.screens.dialogs import leave_question
from s3tui.tui.screens.jobs import JobsPage
from s3tui.tui.screens.page import Page

if TYPE_CHECKING:
    from s3tui.config import Loaded

_THEMES_EVERY = 1.0
"""Seconds between two looks for theme files that have changed."""
_PACES = (1, 2, 4, 8, 15, 30, 60)
"""Frames a second that the settings offer."""
_RUNNING = (JobState.PENDING, JobState.RUNNING)


class S3tuiApp(QuietApp, Asking):
    """The terminal UI over one house. The result is the exit code."""

    CSS_PATH = "s3tui.tcss"
    TITLE = "s3tui"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.APP)]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (68, "-normal"), (105, "-wide")]  # noqa: RUF012  (Textual's own declaration)
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (8, "-short"), (20, "-tall")]  # noqa: RUF012

    def __init__(
        self,
        house: House,
        *,
        theme: str = "",
        fps: float = 4,
        keys: dict[str, str] | None = None,
        notify: bool = True,
        fast_output: bool = True,
        ack_pacing: bool = True,
        log: Path = Path(os.devnull),
        job: str | None = None,
        prefill: Prefill | None = None,
        form_first: bool = False,
        departure: Departure | None = None,
        ascii_glyphs: bool = False,
        mouse_moves: bool = True,
        few_colours: bool = False,
        loaded: Loaded | None = None,
    ) -> None:
        colourless = bool(os.environ.get("NO_COLOR"))  # Textual takes it out of the environment
        # Without ansi_color it would make greys of colours, and black on black of the terminal's own.
        super().__init__(
            fast_output=fast_output,
            ack_pacing=ack_pacing,
            ansi_color=True if colourless else None,
            driver_class=None if mouse_moves or has_other_screen() else ClicksOnlyDriver,
        )
        self.house = house
        self.keys = keymap.usable(keys or {})
        self._key_problems = keymap.key_problems(keys or {})
        self.failure: Exception | None = None
        self.failed_at: dict[str, str] = {}
        """Where in the UI it failed."""
        self._fps = fps
        self._log_path = log
        self._tells_endings = notify
        self._endings = Endings()
        self._job = job
        self._prefill = prefill or Prefill()
        self._form_first = form_first
        self._loaded = loaded
        self._leaving = False
        self._departure = departure
        self._themes_stamp = themes.stamp()
        self.shelf = themes.load_themes()
        self._text_filters = (Printable(), *([AsciiGlyphs()] if ascii_glyphs else []))
        self._dress(self.shelf.chosen(theme, colourless=colourless, few_colours=few_colours))
        self._begun_with = dict(self.live)

    def _dress(self, skin: themes.Skin) -> None:
        for name in list(self.available_themes):
            if name != "textual-dark":  # Textual starts with it
                self.unregister_theme(name)
        for other in self.shelf.skins.values():
            self.register_theme(other.theme)
        self.register_theme(skin.theme)
        self._wear(skin.looks)
        self.theme = skin.theme.name
        self.unregister_theme("textual-dark")

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our CSS variables, for themes that do not set them."""
        return themes.FALLBACKS

    def watch_theme(self, name: str) -> None:
        """Glyphs and bars belong to the theme."""
        skin = self.shelf.skins.get(name)
        self.forget_screen()
        self._wear(skin.looks if skin else Looks())

    def _wear(self, looks: Looks) -> None:
        self.looks = looks
        if self.no_color or len(self._text_filters) > 1:
            looks.ascii_bars = True  # in others only colours tell the full part from the empty one

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What Textual does to each line, and then what we do."""
        return [*super().get_line_filters(), *self._text_filters]

    def _mind_themes(self) -> None:
        self.ask("themes", partial(themes.changed_themes, self._themes_stamp), self._take_themes)

    def _take_themes(self, changed: tuple[themes.Stamp, themes.Shelf] | None) -> None:
        """Show the theme as its file has it now; one that cannot be used any more stays as it was."""
        if changed is None:
            return
        old, name = self.shelf, self.theme
        self._themes_stamp, self.shelf = changed
        told = [problem for problem in self.shelf.problems if problem not in old.problems]
        if name not in self.shelf.skins:
            self.shelf.skins[name] = old.skins.get(name) or old.chosen("")
            told = told or [f"The file of the theme {name!r} is gone; it stays until you choose another."]
        for other in self.available_themes.keys() - self.shelf.skins.keys():
            self.unregister_theme(other)
        for skin in self.shelf.skins.values():
            self.register_theme(skin.theme)
        self.mutate_reactive(S3tuiApp.theme)
        for widget in (widget for screen in self.screen_stack for widget in screen.walk_children(Widget)):
            widget.refresh()  # other glyphs are no other style, which alone Textual would see
        for problem in told:
            self.notify(display_text(problem), severity="warning", markup=False, timeout=10)

    async def on_mount(self) -> None:
        """Open the first screen, and say what was wrong with themes and keys."""
        if self._departure is not None:
            self._departure.attend(self._leave)
        self.set_interval(_THEMES_EVERY, self._mind_themes)
        self.set_keymap(self.keys)
        await self.push_screen(JobsPage(self.house, self._fps))
        if self._job:
            self.post_message(OpenJob(self._job, plan=False))
        elif self._form_first:
            self.post_message(OpenNewJob())
        for problem in (*self.shelf.problems, *self._key_problems):
            self.notify(display_text(problem), severity="warning", markup=False, timeout=10)

    def _leave(self, code: int) -> None:
        self.link.give_up()
        self.exit(code, return_code=code)

    def _handle_exception(self, error: Exception) -> None:
        """No traceback on the screen: `run_tui` writes a report."""
        if self.failure is None:
            self.failure, self.failed_at = error, whereabouts(self)
        end_after_failure(self, error)

    # Screens.

    async def on_open_job(self, message: OpenJob) -> None:
        """Show a job; imported on first use, so that the first screen is there sooner."""
        from s3tui.tui.screens.plan import PlanPage
        from s3tui.tui.screens.transfers import TransfersPage

        if message.instead:
            while not isinstance(self.screen, JobsPage):
                await self.pop_screen()
        page = PlanPage if message.plan else TransfersPage
        await self.push_screen(page(self.house, message.job_id, self._fps))

    async def on_open_failures(self, message: OpenFailures) -> None:
        """Show failures by cause."""
        from s3tui.tui.screens.failures import FailuresPage

        await self.push_screen(FailuresPage(self.house, message.job_id))

    async def on_open_failed_files(self, message: OpenFailedFiles) -> None:
        """Show the files of one cause."""
        from s3tui.tui.screens.failed_files import FailedFilesPage

        await self.push_screen(FailedFilesPage(self.house, message.job_id, self._fps, message.reason))

    async def on_open_rejects(self, message: OpenRejects) -> None:
        """Show rejected records."""
        from s3tui.tui.screens.rejects import RejectsPage

        await self.push_screen(RejectsPage(self.house, message.job_id, message.file_no))

    async def on_open_course(self, message: OpenCourse) -> None:
        """Draw how fast a job was; plotext is imported on first use."""
        from s3tui.tui.screens.course import CoursePage

        await self.push_screen(CoursePage(self.house, message.job_id))

    async def on_open_new_job(self) -> None:
        """Show the form."""
        from s3tui.tui.screens.new_job import NewJobPage

        await self.push_screen(NewJobPage(self.house, replace(self._prefill)))
        self._prefill.hint = ""

    async def on_open_keys(self) -> None:
        """Show the keys of all screens."""
        from s3tui.tui.screens.keys import KeysPage

        if not isinstance(self.screen, KeysPage):
            await self.push_screen(KeysPage(self.house, self.keys))

    async def action_workers(self) -> None:
        """Show who works."""
        from s3tui.tui.screens.workers import WorkersPage

        if not isinstance(self.screen, WorkersPage):
            await self.push_screen(WorkersPage(self.house))

    async def action_settings(self) -> None:
        """Show the settings."""
        from s3tui.tui.screens.settings import SettingsPage

        if not isinstance(self.screen, SettingsPage):
            await self.push_screen(SettingsPage(self.house, self._loaded, self))

    @property
    def live(self) -> dict[str, object]:
        """The keys of `ui:` that can be changed while the UI runs, as they are now."""
        return {"theme": self.theme, "fps": self._fps, "notify": self._tells_endings}

    @property
    def changed(self) -> dict[str, object]:
        """Those of them that are others than when the UI began."""
        return {key: value for key, value in self.live.items() if value != self._begun_with[key]}

    def change(self, key: str) -> None:
        """Change one of them to its next value; of themes, ask which one."""
        if key == "theme":
            self.action_change_theme()
        elif key == "notify":
            self._tells_endings = not self._tells_endings
        elif key == "fps":
            self._fps = next((fps for fps in _PACES if fps > self._fps), _PACES[0])
            for page in self.screen_stack:
                if isinstance(page, Page):
                    page.keep_pace(self._fps)

    async def action_log(self) -> None:
        """Show the log."""
        from s3tui.tui.screens.log import LogPage

        if not isinstance(self.screen, LogPage):
            await self.push_screen(LogPage(self.house, self._log_path))

    def on_jobs_read(self, message: JobsRead) -> None:
        """Tell of jobs that have ended: a bell, a notice on the desktop, and a toast where the screen does not show it."""
        ended = self._endings.learn(message.jobs)
        if not ended or not self._tells_endings:
            return
        self.bell()
        for job in ended:
            sentence = ending_sentence(job)
            tell_terminal(self, desktop_notice(sentence, os.environ.get("TERM", "")))
            if job.id not in self._in_sight(message.jobs):
                self.notify(sentence, severity="information" if job.state == "completed" else "warning", markup=False)

    def _in_sight(self, jobs: Sequence[Job]) -> Collection[str]:
        """The ids of jobs that the page on show is about."""
        page = next((page for page in reversed(self.screen_stack) if isinstance(page, Page)), None)
        return {job.id for job in jobs} if isinstance(page, JobsPage) else {getattr(page, "job_id", "")}

    # Keys, palette, help.

    def on_key(self, event: events.Key) -> None:
        """A letter that was typed before the field had the focus belongs to the field: on a slow line many keys come at once.

        A field keeps its own letters, so one that comes here was meant for what had the focus before.
        """
        if isinstance(self.focused, Input) and event.is_printable and event.character:
            event.prevent_default()
            self.focused.insert_text_at_cursor(event.character)

    def handle_bindings_clash(self, clashed_bindings: set[Binding], node: DOMNode) -> None:
        """Told at the start already; Textual would tell it with every key, and of one screen only."""

    def places(self, screen: Screen[object]) -> tuple[Where, ...]:
        """Where the commands of a screen come from."""
        return (*screen.PLACES, Where.APP) if isinstance(screen, Page) else (Where.APP,)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every command of the screen below, for the palette."""
        for command in commands_of(*self.places(screen)):
            if command.id != "palette":
                yield SystemCommand(command.title, command.help, partial(self.do, command, screen))

    async def do(self, command: Command, screen: Screen[object]) -> None:
        """Do what a command does, wherever its action lives."""
        focused = screen.focused if screen.focused is not None else screen
        target = next((node for node in (focused, *screen.query("LineTable"), screen) if _has(node, command.action)), self)
        await self.run_action(command.action, default_namespace=target)

    async def on_do_command(self, message: DoCommand) -> None:
        """A word in the key bar was clicked."""
        await self.do(message.command, self.screen)

    def action_help(self) -> None:
        """Every key."""
        from s3tui.tui.screens.help import Help

        self.push_screen(Help(self.places(self.screen), self.keys))

    def action_keys(self) -> None:
        """The keys of all screens."""
        self.post_message(OpenKeys())

    def action_redraw(self) -> None:
        """Paint every cell again."""
        self.repaint()

    # Leaving.

    def action_suspend(self) -> None:
        """Stop, as other programs do at ctrl+z, and go on when the shell says so."""
        if self._departure is None or not can_stop():
            self.notify("There is no shell to go back to: d or q leaves.", markup=False)
            return
        with self.suspend():
            stop()

    def action_detach(self) -> None:
        """Leave at once; the worker goes on."""
        self.exit(0)

    async def action_quit(self) -> None:
        """Leave, after a question if jobs run. A second time: at once."""
        if self._leaving:
            self.exit(0)
            return
        page = next((page for page in reversed(self.screen_stack) if isinstance(page, Page)), None)
        if page is None:
            self.exit(0)
            return
        self._leaving = True
        page.ask("leave", self._running_jobs, partial(self._ask_to_leave, page), lambda _: self.exit(0))

    def _running_jobs(self) -> list[Job]:
        return [job for job in self.house.service.browse(limit=500) if job.state in _RUNNING]

    def _ask_to_leave(self, page: Page, running: list[Job]) -> None:
        if not running:
            self.exit(0)
            return

        def answered(answer: str | None) -> None:
            self._leaving = False
            if answer == "d":
                self.exit(0)
            elif answer == "c":
                page.ask_to_cancel(running, lambda _: self.exit(0))

        self.push_screen(leave_question(len(running)), answered)


def _has(node: DOMNode, action: str) -> bool:
    name = action.partition("(")[0]
    return hasattr(node, f"action_{name}")

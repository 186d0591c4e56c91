"""What every full screen has: a title bar, a key bar, questions that are asked in threads, and manners in a tiny terminal."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from s3tui.errors import S3tuiError
from s3tui.model import Job, OpenUpload
from s3tui.text import display_text
from s3tui.tui.asking import Asking
from s3tui.tui.commands import Where, commands_of
from s3tui.tui.door import House
from s3tui.tui.link import link_of
from s3tui.tui.screens.dialogs import cancel_question, remove_question
from s3tui.tui.widgets.bars import KeyBar, TitleBar

WORKER_EVERY = 3.0
"""Seconds between attempts to find or start a worker for a job that has none."""
PATIENCE = 3.0
"""Seconds that the database may take before what is shown is called old."""
SILENCE = "The state database has not answered for some seconds: what is shown here is old.", "Still waiting for it."
_CLIPBOARD_BYTES = 56_000
"""Terminals, and tmux, drop longer ones without a word."""
_BLANKS = dict.fromkeys(map(ord, "\t\r\n"))
"""Harmless, and not printable for Python."""


class Page(Screen[None], Asking):
    """A full screen."""

    PLACES: ClassVar[tuple[Where, ...]] = ()
    """Where its commands come from, the most special first."""
    SECTION: ClassVar[str] = ""

    def __init__(self, house: House) -> None:
        super().__init__()
        self.house = house
        self.title_bar = TitleBar(self.SECTION)

    def compose(self) -> ComposeResult:
        """Title, body, keys."""
        yield Static("s3tui needs a terminal of 8 lines or more: please make this one larger.", id="too-small", markup=False)
        yield self.title_bar
        yield from self.body()
        yield KeyBar(commands_of(*self.PLACES, Where.APP))

    def body(self) -> Iterable[Widget]:
        """What stands between the bars."""
        return ()

    def keep_pace(self, fps: float) -> None:
        """Read and paint so often from now on: for those that do it that often."""

    def may_look(self, pause: float, since: float) -> bool:
        """Whether it is time to look for progress: `pause` seconds since then, more on a slow line, and none while it is busy."""
        link = link_of(self.app)
        if not link.free or time.monotonic() - since < link.pause(pause) * 0.9:
            return False
        self.title_bar.tell_line(link)
        return True

    def failed(self, error: Exception) -> None:
        """Tell a failure that leaves the screen usable; an error that is nobody's sentence ends the program with a report."""
        if isinstance(error, OSError):  # a full disk, or no more processes
            name = f" {os.fsdecode(error.filename)!r}" if isinstance(error.filename, str | bytes) else ""
            error = S3tuiError(f"The operating system refused{name}: {error.strerror or error}.")
        if not isinstance(error, S3tuiError):
            raise error
        self.say_error(error)

    def say_error(self, error: Exception) -> None:
        """Tell a failure in a toast."""
        self.notify(display_text(str(error)), severity="error", markup=False, timeout=8)

    def say(self, sentence: str) -> None:
        """Tell a fact in a toast."""
        self.notify(display_text(sentence), markup=False, timeout=4)

    def copy(self, text: str, told: str, otherwise: str = "This cannot be copied through a terminal.") -> None:
        """Put a text on the clipboard of the terminal (OSC 52), and tell so; of what terminals drop or obey, tell the other."""
        if text.translate(_BLANKS).isprintable() and len(text.encode()) <= _CLIPBOARD_BYTES:
            self.app.copy_to_clipboard(text)
            self.say(told)
        else:
            self.say(otherwise)

    def ask_to_cancel(self, jobs: Sequence[Job], then: Callable[[str], None]) -> None:
        """Break jobs off, after a question that says what goes with them; then call `then` with a sentence about it.

        Of a job that has ended there is nothing to break off, but it may have left uploads open.
        """
        ended = all(job.state.ended for job in jobs)
        told = "The unfinished uploads are being removed." if ended else "The job is being cancelled."

        def decide(uploads: list[OpenUpload]) -> None:
            if ended and not uploads:
                self.say("The job has ended already.")
            else:
                self.app.push_screen(remove_question(uploads) if ended else cancel_question(len(jobs), uploads), answered)

        def answered(answer: str | None) -> None:
            if answer == "y":
                self.ask("steer", lambda: self._cancel(jobs), lambda _: then(told))

        self.ask("steer", lambda: self._open_uploads(jobs), decide)

    def _cancel(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            self.house.service.cancel(job.id)
        if self._open_uploads(jobs):
            self.house.ensure_worker()  # to remove them

    def _open_uploads(self, jobs: Sequence[Job]) -> list[OpenUpload]:
        return [upload for job in jobs for upload in self.house.service.open_uploads(job)]

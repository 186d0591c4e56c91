"""Questions that stand in the middle of the screen. Escape is always the harmless answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from s3tui.model import OpenUpload
from s3tui.text import display_text, format_rate, format_size, parse_rate, plural
from s3tui.tui.cells import shorten
from s3tui.tui.figures import Subject, tilde

Answer = tuple[str, str, str]
"""Key, words, variant of the button."""

_NAMED, _NAME = 3, 60
"""Sources that a question names, and the cells that each may take."""
_LINE = re.compile(r"(\d+)(%?)")
_ABOUT_LIMITS = "Write it like 10MB/s or 8MiB, for each worker; empty is none."


class Question(ModalScreen[str]):
    """A sentence and a few answers, each on a key of its own. Closes with the key, or with an empty text for Escape."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "close", "Close", show=False),
        Binding("left,h", "app.focus_previous", show=False),
        Binding("right,l", "app.focus_next", show=False),
        Binding("up,k", "scroll_text(-1)", show=False),
        Binding("down,j", "scroll_text(1)", show=False),
    ]

    def __init__(self, sentence: str, more: str, answers: Sequence[Answer]) -> None:
        super().__init__()
        self._sentence = sentence
        self._more = more
        self._answers = answers

    def compose(self) -> ComposeResult:
        """The question, and a button for each answer; the first one has the focus."""
        with Vertical(classes="dialog"):
            yield Static(self._sentence, classes="dialog-title", markup=False)
            with VerticalScroll(classes="dialog-body", can_focus=False):
                yield Static(self._more, classes="dialog-text", markup=False)
            with Horizontal(classes="dialog-buttons"):
                for key, words, variant in self._answers:
                    yield Button(f"{words} ({key or 'Esc'})", id=f"answer-{key or 'escape'}", classes=variant, compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """An answer by mouse or Enter."""
        key = (event.button.id or "").removeprefix("answer-")
        self.dismiss("" if key == "escape" else key)

    def on_key(self, event: events.Key) -> None:
        """An answer by its key."""
        if event.key in {key for key, _, _ in self._answers if key}:
            event.stop()
            self.dismiss(event.key)

    def action_scroll_text(self, lines: int) -> None:
        """Scroll what a small window has no room for."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_close(self) -> None:
        """No answer."""
        self.dismiss("")


class Entry(ModalScreen[int | None]):
    """Asks for a number, in a field. Closes with it, or with None for Escape; stays open on what is none."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "Close", show=False)]

    def __init__(self, title: str, about: str, *, now: str = "", placeholder: str, go: str, stay: str) -> None:
        """`now` is in the field to begin with; `go` and `stay` are the words of the buttons."""
        super().__init__()
        self._title, self._about, self._answers = title, about, (go, stay)
        self._field = Input(now, placeholder=placeholder, compact=True)

    def compose(self) -> ComposeResult:
        """A sentence and the field."""
        go, stay = self._answers
        with Vertical(classes="dialog"):
            yield Static(self._title, classes="dialog-title", markup=False)
            yield Static(self._about, classes="dialog-text", markup=False)
            yield self._field
            with Horizontal(classes="dialog-buttons"):
                yield Button(f"{go} (Enter)", id="go", compact=True)
                yield Button(f"{stay} (Esc)", id="stay", compact=True)

    def number(self, text: str) -> int:
        """The number that a text means. Raises ValueError with a sentence."""
        raise NotImplementedError

    def on_input_submitted(self) -> None:
        """Take it, or say why not."""
        try:
            number = self.number(self._field.value)
        except ValueError as error:
            self.query_one(".dialog-text", Static).add_class("complaint").update(f"{error}.")
        else:
            self.dismiss(number)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """The same by mouse."""
        if event.button.id == "go":
            self.on_input_submitted()
        else:
            self.dismiss(None)

    def action_close(self) -> None:
        """Leave everything as it is."""
        self.dismiss(None)


class BandwidthEntry(Entry):
    """Asks for a limit in bytes per second; 0: none."""

    def __init__(self, now: int) -> None:
        """`now` is the present limit."""
        limit = format_rate(now) if now else ""
        told = f"The limit is {limit}." if limit else "There is no limit now."
        about = f"{told} {_ABOUT_LIMITS}"
        super().__init__("How fast may this job send?", about, now=limit, placeholder="no limit", go="Set", stay="Leave it")

    def number(self, text: str) -> int:
        """See `Entry.number`."""
        return parse_rate(text.strip()) if text.strip() else 0


class LineEntry(Entry):
    """Asks for a line of a list, as its number or as a share of them all. Closes with its index."""

    def __init__(self, count: int) -> None:
        """`count`: how many lines there are."""
        self._count = count
        about = f"There are {plural(count, 'line')}: a number, or a share like 50%."
        super().__init__("Jump to which line?", about, placeholder="1", go="Jump", stay="Stay")

    def number(self, text: str) -> int:
        """See `Entry.number`."""
        found = _LINE.fullmatch(text.strip().replace(",", "").replace("_", ""))
        if found is None:
            raise ValueError("Write a number like 1200, or a share like 50%")
        number, share = int(found[1]), bool(found[2])
        return max(0, min(self._count * number // 100 if share else number - 1, self._count - 1))


def cancel_question(count: int, uploads: Sequence[OpenUpload]) -> Question:
    """Whether to break off jobs, and to remove these uploads with them."""
    jobs, the_jobs = ("this job", "the job") if count == 1 else (f"{count} jobs", "the jobs")
    return Question(
        f"Cancel {jobs}?",
        f"Files that are stored stay stored; unfinished ones are given up.{_removed(uploads)} This cannot be undone.",
        (("", "Keep going", ""), ("y", f"Cancel {the_jobs}", "danger")),
    )


def remove_question(uploads: Sequence[OpenUpload]) -> Question:
    """Whether to remove the uploads that a job has left open when it ended."""
    return Question(
        "Remove what this job left unfinished?",
        f"The job has ended.{_removed(uploads)} Files that are stored stay stored. This cannot be undone.",
        (("", "Keep it", ""), ("y", "Remove it", "danger")),
    )


def _removed(uploads: Sequence[OpenUpload]) -> str:
    if not uploads:
        return ""
    stored = format_size(sum(part.size for upload in uploads for part in upload.parts))
    one = len(uploads) == 1
    some = f"One unfinished upload ({stored}) is" if one else f"{len(uploads)} unfinished uploads ({stored}) are"
    return f" {some} removed from the store."


def delete_question(files: int, size: int, replaced: int, subject: Subject) -> Question:
    """Whether to carry a plan by which sources are deleted, and so many objects that exist are replaced."""
    pruned = " Emptied directories go, too." if subject.prunes else ""
    instead = f" {plural(replaced, 'object')} there {'is' if replaced == 1 else 'are'} replaced." if replaced else ""
    return Question(
        f"Delete {plural(files, 'file')} ({format_size(size)})?",
        f"From {_named(subject.sources)}, to {shorten(display_text(subject.target), _NAME)}: "
        f"each only after its object is proven identical.{pruned}{instead} This cannot be undone.",
        (("", "Cancel", ""), ("y", "Upload and delete", "danger")),
    )


def _named(sources: Sequence[str]) -> str:
    named = [shorten(display_text(tilde(source)), _NAME) for source in sources[:_NAMED]]
    return ", ".join([*named, *([f"and {len(sources) - _NAMED} more"] if len(sources) > _NAMED else [])])


def watch_question(sources: Sequence[str], target: str, *, deletes: bool) -> Question:
    """Whether to start a job that sends what there is and what will come, of which there can be no plan."""
    deletion = " Each source is deleted after its object is proven identical; this cannot be undone." if deletes else ""
    return Question(
        "Start without a plan?",
        f"All that is in {_named(sources)}, and whatever comes there or changes, is sent to {shorten(display_text(target), _NAME)} "
        f"until you stop the job. What is there under the same names is replaced.{deletion}",
        (("", "Not yet", ""), ("y", "Watch and delete" if deletes else "Start to watch", "danger" if deletes else "")),
    )


def leave_question(count: int) -> Question:
    """Whether to leave while jobs run."""
    jobs = "One job is running." if count == 1 else f"{count} jobs are running."
    return Question(
        jobs,
        "Jobs go on in the background worker: detach, and open s3tui again whenever you like. Or cancel them.",
        (("d", "Detach", ""), ("c", "Cancel jobs…", "danger"), ("", "Stay", "")),
    )

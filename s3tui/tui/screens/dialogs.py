"""Questions that stand in the middle of the screen. Escape is always the harmless answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

Answer = tuple[str, str, str]
"""Key, words, variant of the button."""


class Question(ModalScreen[str]):
    """A sentence and a few answers, each on a key of its own. Closes with the key, or with an empty text for Escape."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", show=False),
        Binding("left,h", "app.focus_previous", show=False),
        Binding("right,l", "app.focus_next", show=False),
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

    def action_close(self) -> None:
        """No answer."""
        self.dismiss("")


def cancel_question(count: int = 1) -> Question:
    """Whether to break off jobs."""
    jobs = "this job" if count == 1 else f"{count} jobs"
    return Question(
        f"Cancel {jobs}?",
        "Files that are stored stay stored; unfinished ones are given up. This cannot be undone.",
        (("", "Keep going", ""), ("y", "Cancel " + ("the job" if count == 1 else "the jobs"), "danger")),
    )


def leave_question(count: int) -> Question:
    """Whether to leave while jobs run."""
    jobs = "One job is running." if count == 1 else f"{count} jobs are running."
    return Question(
        jobs,
        "Jobs go on in the background worker: detach, and open s3tui again whenever you like. Or cancel them.",
        (("d", "Detach", ""), ("c", "Cancel jobs…", "danger"), ("", "Stay", "")),
    )

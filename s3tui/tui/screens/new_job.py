"""The form for a new upload: what, where to, and how. Its only outcome is a plan."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Button, Input, Label, Static

from s3tui.errors import SpecError
from s3tui.jobs.upload import CHECKSUMS, IF_EXISTS
from s3tui.text import display_text
from s3tui.tui.cells import left
from s3tui.tui.commands import Where, bindings
from s3tui.tui.door import House
from s3tui.tui.figures import tilde
from s3tui.tui.messages import OpenJob
from s3tui.tui.screens.page import Page
from s3tui.tui.widgets.choice import Choice
from s3tui.tui.widgets.source_tree import SourceTree


@dataclass(slots=True)
class Prefill:
    """What the form begins with."""

    sources: Sequence[str] = ()
    target: str = ""
    concurrency: int = 100
    attempts: int = 5
    checksum: str = "crc64nvme"
    hint: str = ""
    """A sentence for newcomers."""
    root: str = field(default_factory=os.getcwd)
    """Where the tree begins if there are no sources."""

    @property
    def complete(self) -> bool:
        """Whether Enter may go on at once."""
        return bool(self.sources and self.target)


class NewJobPage(Page):
    """The form."""

    PLACES: ClassVar[tuple[Where, ...]] = (Where.NEW, Where.TREE, Where.LIST)
    SECTION = "New job"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.NEW)]

    def __init__(self, house: House, prefill: Prefill) -> None:
        super().__init__(house)
        self._prefill = prefill
        sources = [os.path.abspath(source) for source in prefill.sources]  # noqa: PTH100 - keeps `..` of links
        root = str(Path(sources[0]).parent) if sources else prefill.root
        self.sources = SourceTree(root, sources)
        self.target = Input(prefill.target, placeholder="s3://bucket/prefix", id="target", compact=True)
        self.root = Input(display_text(tilde(root)), id="root", compact=True)
        self.checksum = Choice(CHECKSUMS, prefill.checksum, id="checksum")
        self.if_exists = Choice(IF_EXISTS, id="if-exists")
        self.symlinks = Choice(("skip", "follow"), id="symlinks")
        self.odd_names = Choice(("fail", "percent"), id="odd-names")
        self.only = Input(placeholder="all; or *.jpg *.png", id="only", compact=True)
        self.but = Input(placeholder="none; or *.tmp", id="but", compact=True)
        self.at_once = Input(str(prefill.concurrency), type="integer", id="at-once", compact=True)
        self.attempts = Input(str(prefill.attempts), type="integer", id="attempts", compact=True)

    def body(self) -> Iterable[Widget]:
        """Target and folder on top, the tree at the left, options at the right."""
        with VerticalScroll(id="form", can_focus=False):
            yield _field("Upload to", self.target)
            yield _field("Folder", self.root)
            with Horizontal(id="halves"):
                yield self.sources
                with Vertical(id="options"):
                    yield _field("If it exists", self.if_exists)
                    yield _field("Checksum", self.checksum)
                    yield _field("Only names", self.only)
                    yield _field("But not", self.but)
                    yield _field("At once", self.at_once)
                    yield _field("Attempts", self.attempts)
                    yield _field("Symlinks", self.symlinks)
                    yield _field("Odd names", self.odd_names)
            with Horizontal(id="decide"):
                yield Static("", id="chosen", markup=False)
                yield Button("Show the plan", id="review", compact=True)

    def on_mount(self) -> None:
        """Begin where something is missing."""
        self._tell_chosen()
        if self._prefill.complete:
            self.query_one(Button).focus()
        elif self._prefill.target:
            self.sources.focus()
        else:
            self.target.focus()

    def _tell_chosen(self) -> None:
        sources = self.sources.folders.sources()
        names = ", ".join(display_text(Path(source).name or source) for source in sources)
        text = f"{len(sources)} marked: {names}" if sources else "Mark folders and files with Space."
        if self._prefill.hint:
            text = self._prefill.hint
        room = max(10, self.app.size.width - 22)
        self.query_one("#chosen", Static).update(left(text, room).rstrip())

    def on_resize(self) -> None:
        """The line of marked names is cut to the width."""
        self._tell_chosen()

    def on_source_tree_changed(self) -> None:
        """Tell what is marked, and where the tree begins."""
        self._prefill.hint = ""
        self._tell_chosen()
        self.root.value = display_text(tilde(self.sources.folders.root))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in the folder field goes there; anywhere else it asks for the plan."""
        if event.input is not self.root:
            self.action_review()
            return
        path = os.path.abspath(Path(event.value.strip() or ".").expanduser())  # noqa: PTH100 - keeps `..` of links
        if Path(path).is_dir():
            self.sources.start_at(path)
            self.sources.focus()
        else:
            self.say_error(SpecError(f"{path} is not a folder: type one that exists."))

    def on_button_pressed(self) -> None:
        """The button."""
        self.action_review()

    def action_back(self) -> None:
        """Leave the form."""
        self.app.pop_screen()

    def action_review(self) -> None:
        """Ask for the plan of what the form says."""
        try:
            concurrency = _number("At once", self.at_once.value)
            attempts = _number("Attempts", self.attempts.value)
            if not self.sources.folders.marked:
                raise SpecError("Nothing is marked: go to the tree with Tab and mark folders or files with Space.")
            if not self.target.value.strip():
                raise SpecError("There is no target: type one, such as s3://bucket/prefix.")
        except SpecError as error:
            self.say_error(error)
            return
        sources, target, options = self.sources.folders.sources(), self.target.value.strip(), self._options(attempts)

        def plan() -> str:
            spec = self.house.upload_spec(sources, target, **options)
            job_id = self.house.service.plan(spec, concurrency=concurrency)
            self.house.ensure_worker()
            return job_id

        self.ask("plan", plan, self._planned)

    def _planned(self, job_id: str) -> None:
        self.post_message(OpenJob(job_id, plan=True))

    def _options(self, attempts: int) -> dict[str, Any]:
        return {
            "if_exists": self.if_exists.value,
            "checksum": self.checksum.value,
            "max_attempts": attempts,
            "follow_symlinks": self.symlinks.value == "follow",
            "encode_names": "percent" if self.odd_names.value == "percent" else "",
            "rules": rules_of(self.only.value, self.but.value),
        }


def rules_of(only: str, but: str) -> tuple[tuple[str, str], ...]:
    """The rules of a spec: the last match wins, and everything is included to begin with."""
    wanted, unwanted = only.split(), but.split()
    first = [("exclude", "*")] if wanted else []
    return (*first, *(("include", glob) for glob in wanted), *(("exclude", glob) for glob in unwanted))


def _number(name: str, text: str) -> int:
    if not text.strip().isdecimal() or int(text) < 1:
        raise SpecError(f"{name} must be a whole number above 0, not {text!r}.")
    return int(text)


def _field(label: str, widget: Widget) -> Horizontal:
    return Horizontal(Label(label, markup=False), widget, classes="field")

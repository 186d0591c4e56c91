"""The form for a new job: what, where to, and how. Its only outcome is a plan."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from s3tui.errors import SpecError
from s3tui.jobs.csv_columns import columns_given
from s3tui.text import display_text
from s3tui.tui.cells import left
from s3tui.tui.commands import Where, bindings
from s3tui.tui.door import House
from s3tui.tui.figures import tilde
from s3tui.tui.messages import OpenJob
from s3tui.tui.prefill import Prefill
from s3tui.tui.screens.page import Page
from s3tui.tui.widgets.dial import Dial
from s3tui.tui.widgets.job_options import BACKUP, INGEST, KINDS, VIDEO, JobOptions, field
from s3tui.tui.widgets.source_tree import SourceTree

if TYPE_CHECKING:
    from s3tui.jobs.specs import Spec


_MADE_OF_FILES = {VIDEO: "videos are made of files", INGEST: "rows are read from files"}
"""Kinds of job that take no folder, and why."""


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
        self.kind = Dial(KINDS, id="kind")
        self.options = JobOptions(prefill)

    def body(self) -> Iterable[Widget]:
        """Kind, target and folder on top, the tree at the left, options at the right."""
        with VerticalScroll(id="form", can_focus=False):
            yield field("Kind", self.kind)
            yield field("Target", self.target)
            yield field("Folder", self.root)
            with Horizontal(id="halves"):
                yield self.sources
                yield self.options
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
        self.call_after_refresh(self._show_focused)

    def _show_focused(self) -> None:
        """Scroll to where one begins: in a small window it had no place yet when it got the focus."""
        if self.screen.focused is not None:
            self.screen.focused.scroll_visible(animate=False)

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

    def on_dial_turned(self, event: Dial.Turned) -> None:
        """Another kind has other options, and perhaps sources that the configuration names."""
        if event.dial is self.kind:
            self.options.show_kind(self.kind.value)
            directory = self._prefill.backup.source_directory
            if self.kind.value == BACKUP and directory and not self.sources.folders.marked:
                self.sources.begin_with(os.path.abspath(Path(directory).expanduser()))  # noqa: PTH100 - keeps `..` of links

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
            concurrency, fields = self.options.concurrency(), self.options.spec_fields()
            if not self.sources.folders.marked:
                raise SpecError("Nothing is marked: go to the tree with Tab and mark folders or files with Space.")
            if not self.target.value.strip():
                raise SpecError("There is no target: type one, such as s3://bucket/prefix.")
            if self.kind.value in _MADE_OF_FILES:
                check_files(self.sources.folders.sources(), _MADE_OF_FILES[self.kind.value])
        except SpecError as error:
            self.say_error(error)
            return
        sources, target = self.sources.folders.sources(), self.target.value.strip()
        house = self.house
        make_spec: Callable[..., Spec] = {
            BACKUP: house.backup_spec,
            VIDEO: house.video_spec,
            INGEST: house.ingest_spec,
        }.get(self.kind.value, house.upload_spec)

        def plan() -> str:
            if file := fields.pop("schema_file", ""):
                fields["schema"] = columns_given(fields["schema"], file)
            spec = make_spec(sources, target, **fields)
            job_id = self.house.service.plan(spec, concurrency=concurrency)
            self.house.ensure_worker()
            return job_id

        self.ask("plan", plan, self._planned)

    def _planned(self, job_id: str) -> None:
        self.post_message(OpenJob(job_id, plan=True))


def check_files(sources: Sequence[str], made_of: str) -> None:
    """Raises SpecError if a source is a folder where files are wanted; `made_of` says what for."""
    for source in sources:
        if Path(source).is_dir():
            raise SpecError(f"{display_text(source)} is a folder, and {made_of}: mark the files in it.")

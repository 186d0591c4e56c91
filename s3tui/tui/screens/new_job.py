"""The form for a new job: what, where to, and how. Its outcome is a plan, or a job that watches, of which there can be none."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from s3tui.errors import SpecError
from s3tui.jobs.csv_columns import columns_given
from s3tui.text import display_text, format_size, plural
from s3tui.tui.cells import left
from s3tui.tui.commands import Where, bindings, commands_of, key_words
from s3tui.tui.door import House
from s3tui.tui.figures import tilde
from s3tui.tui.messages import OpenJob
from s3tui.tui.places import Known, Place
from s3tui.tui.prefill import Prefill
from s3tui.tui.screens.dialogs import watch_question
from s3tui.tui.screens.page import Page
from s3tui.tui.widgets.address import Address
from s3tui.tui.widgets.dial import Dial
from s3tui.tui.widgets.filter_line import FilterLine
from s3tui.tui.widgets.job_options import BACKUP, INGEST, KINDS, VIDEO, JobOptions, field
from s3tui.tui.widgets.source_tree import SourceTree

if TYPE_CHECKING:
    from s3tui.jobs.specs import Spec


_NAMED = 16
"""Cells that the names of what is marked take at least: before there are fewer, its sum is left out."""
_MADE_OF_FILES = {VIDEO: "videos are made of files", INGEST: "rows are read from files"}
"""Kinds of job that take no folder, and why."""
_PLAN, _WATCH = "Show the plan", "Start to watch"


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
        self.target = Address(prefill.target, placeholder="s3://bucket/prefix", id="target")
        self.root = Address(root, shown=tilde(root), id="root")
        self._told_root = root
        self.kind = Dial(KINDS, id="kind")
        self.options = JobOptions(prefill)
        self.filter = FilterLine("a name", kept="it")

    def body(self) -> Iterable[Widget]:
        """Kind, target and folder on top, the tree at the left, options at the right."""
        with VerticalScroll(id="form", can_focus=False):
            yield field("Kind", self.kind)
            yield field("Target", self.target, self._mouse_button("Browse", "targets"))
            yield field("Folder", self.root, self._mouse_button("Places", "places"))
            with Horizontal(id="halves"):
                with Vertical(id="choosing"):
                    yield self.filter
                    yield self.sources
                yield self.options
            with Horizontal(id="decide"):
                yield Static("", id="chosen", markup=False)
                yield Button(_PLAN, id="review", compact=True)

    def _mouse_button(self, words: str, command_id: str) -> Button:
        """A button for a command that has a key, which it tells; so Tab passes it by."""
        command = next(command for command in commands_of(Where.NEW) if command.id == command_id)
        button = Button(f"{words} {key_words(command, getattr(self.app, 'keys', {}))[0]}", id=f"to-{command_id}", compact=True)
        button.can_focus = False
        return button

    def on_mount(self) -> None:
        """Begin where something is missing."""
        self._tell_chosen()
        if self._prefill.complete:
            self.query_one("#review").focus()
        elif self._prefill.target:
            self.set_focus(self.sources)
        else:
            self.target.focus()
        self.call_after_refresh(self._show_focused)

    def _show_focused(self) -> None:
        """Scroll to where one begins: in a small window it had no place yet when it got the focus."""
        if self.screen.focused is not None:
            self.screen.focused.scroll_visible(animate=False)

    # What is marked.

    def _tell_chosen(self) -> None:
        room = max(10, self.app.size.width - 22)
        self.query_one("#chosen", Static).update(left(self._chosen(room), room).rstrip())

    def _chosen(self, room: int) -> str:
        if self._prefill.hint:
            return self._prefill.hint
        sources = self.sources.folders.sources()
        if summary := self.sources.summary:
            return f"{len(sources)} marked. {summary}" if sources else summary
        if not sources:
            return "Mark folders and files with Space."
        names = ", ".join(display_text(Path(source).name or source) for source in sources)
        marked, total = f"{len(sources)} marked: {names}", self._total()
        for_names = room - len(total) - 2
        return left(marked, for_names) + "  " + total if total and for_names >= _NAMED else marked

    def _total(self) -> str:
        """How much is marked: as far as that is known, and what would tell the rest."""
        total = self.sources.total
        if total.unknown and not total.files:
            return "size: press S" if self.app.size.width >= 60 else ""
        growing = "…" if total.growing else f" + {total.unknown} (S)" if total.unknown else ""
        return f"{format_size(total.size)} in {plural(total.files, 'file')}{growing}"

    def on_resize(self) -> None:
        """The line of marked names is cut to the width."""
        self._tell_chosen()

    def on_source_tree_changed(self) -> None:
        """Tell what is marked, and where the tree begins."""
        self._prefill.hint = ""
        self._tell_chosen()
        root = self.sources.folders.root
        if root != self._told_root:
            self._told_root = root
            self.root.give(root, tilde(root))
            self._close_filter()

    def on_line_table_pointed(self) -> None:
        """The sum of what the cursor stands on is told."""
        self._tell_chosen()

    # The filter of the tree.

    def on_source_tree_filter_wanted(self) -> None:
        """Show the filter, and write in it."""
        self.filter.open()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while it is typed."""
        if event.input is self.filter.field:
            self.sources.filter(event.value)

    def _close_filter(self) -> None:
        with self.prevent(Input.Changed):
            self.filter.drop()

    # The rest of the form.

    def on_dial_turned(self, event: Dial.Turned) -> None:
        """Another kind has other options, and perhaps sources that the configuration names."""
        if event.dial is self.kind:
            self.options.show_kind(self.kind.value)
            directory = self._prefill.backup.source_directory
            if self.kind.value == BACKUP and directory and not self.sources.folders.marked:
                self.sources.begin_with(os.path.abspath(Path(directory).expanduser()))  # noqa: PTH100 - keeps `..` of links
        button = self.query_one("#review", Button)
        button.label = _WATCH if self.options.watches else _PLAN
        button.refresh(layout=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in the filter keeps it, in the folder field it goes there; anywhere else it asks for the plan."""
        if event.input is self.filter.field:
            self.set_focus(self.sources)
        elif event.input is self.root:
            self._go_to(self.root.text or ".")
        else:
            self.action_review()

    def _go_to(self, typed: str) -> None:
        path = os.path.abspath(Path(typed).expanduser())  # noqa: PTH100 - keeps `..` of links
        if Path(path).is_dir():
            self.sources.start_at(path)
            self.set_focus(self.sources)
        else:
            self.say_error(SpecError(f"{path} is not a folder: type one that exists."))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """The buttons."""
        {"to-targets": self.action_targets, "to-places": self.action_places}.get(event.button.id or "", self.action_review)()

    def action_back(self) -> None:
        """Drop a range or the filter, else leave the form."""
        if self.filter.display and self.focused is self.filter.field:
            self.set_focus(self.sources)
        if not self.sources.drop() and not self.filter.display:
            self.app.pop_screen()
        if not self.sources.folders.containing:
            self._close_filter()

    # Places and targets.

    def action_places(self) -> None:
        """Show where one might go."""
        from s3tui.tui.screens.places import PlacesPage

        prefill = self._prefill
        targets = (self.target.text, prefill.configured_target)
        known = Known(self.sources.folders.root, prefill.root, prefill.backup.source_directory, targets, prefill.media)
        first = self.target.text if self.focused is self.target else self.sources.folders.root
        self.app.push_screen(PlacesPage(self.house, known, first, self._visit, self._mark))

    def _visit(self, place: Place) -> None:
        if place.is_target:
            self.target.give(place.path)
            return
        if Path(place.path).is_dir():
            self.sources.start_at(place.path)
        else:
            self.sources.start_at(str(Path(place.path).parent), place.path)
        self.set_focus(self.sources)

    def _mark(self, place: Place) -> None:
        self.sources.begin_with(place.path)
        self.set_focus(self.sources)

    def action_targets(self) -> None:
        """List what there is to upload to."""
        from s3tui.tui.screens.targets import TargetsPage

        self.app.push_screen(TargetsPage(self.house, self.target.text, self.target.give))

    # The outcome.

    def action_review(self) -> None:
        """Ask for the plan of what the form says; or, of a job that watches, whether to start it."""
        try:
            begin = self._begin()
        except SpecError as error:
            self.say_error(error)
            return
        if not self.options.watches:
            self.ask("plan", begin, partial(self._begun, plan=True))
            return

        def answered(answer: str | None) -> None:
            if answer == "y":
                self.ask("plan", begin, partial(self._begun, plan=False))

        question = watch_question(self.sources.folders.sources(), self.target.text, deletes=self.options.deletes)
        self.app.push_screen(question, answered)

    def _begun(self, job_id: str, *, plan: bool) -> None:
        self.post_message(OpenJob(job_id, plan=plan))

    def _begin(self) -> Callable[[], str]:
        """What plans or starts the job, in a thread, and gives its id. Raises SpecError."""
        concurrency, bandwidth, fields = self.options.concurrency(), self.options.bytes_per_second(), self.options.spec_fields()
        sources, target = self.sources.folders.sources(), self.target.text
        if not sources:
            raise SpecError("Nothing is marked: go to the tree with Tab and mark folders or files with Space.")
        if not target:
            raise SpecError("There is no target: type one, such as s3://bucket/prefix, or choose one with F4.")
        if self.kind.value in _MADE_OF_FILES:
            check_files(sources, _MADE_OF_FILES[self.kind.value])
        house = self.house
        make_spec: Callable[..., Spec] = {
            BACKUP: house.backup_spec,
            VIDEO: house.video_spec,
            INGEST: house.ingest_spec,
        }.get(self.kind.value, house.upload_spec)

        def begin() -> str:
            spec = make_spec(sources, target, **read_files(fields))
            start = house.service.submit if fields.get("watch") else house.service.plan
            begun = start(spec, concurrency=concurrency, bandwidth=bandwidth)
            house.ensure_worker()
            return begun if isinstance(begun, str) else begun.job_id

        return begin


def read_files(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of a spec with what the files say that are named in them. Blocks on the disk; raises SpecError."""
    fields = dict(fields)
    if file := fields.pop("schema_file", ""):
        fields["schema"] = columns_given(fields["schema"], file)
    if file := fields.pop("ignore_file", ""):
        from s3tui.transfer.ignore import read_ignore_file

        fields["ignore"] = tuple(read_ignore_file(str(Path(file).expanduser())))
    return fields


def check_files(sources: Sequence[str], made_of: str) -> None:
    """Raises SpecError if a source is a folder where files are wanted; `made_of` says what for."""
    for source in sources:
        if Path(source).is_dir():
            raise SpecError(f"{display_text(source)} is a folder, and {made_of}: mark the files in it.")

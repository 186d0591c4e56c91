"""Buckets and prefixes to choose a target from, listed page by page while one looks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from s3tui.errors import S3tuiError, SpecError
from s3tui.storage.browsing import DELIMITER, TargetPage
from s3tui.storage.bucket import check_bucket_name
from s3tui.text import display_text, plural
from s3tui.tui.commands import Where, bindings
from s3tui.tui.door import House, Lister
from s3tui.tui.places import SCHEME
from s3tui.tui.screens.page import Page
from s3tui.tui.widgets.summary import Trouble
from s3tui.tui.widgets.target_table import HERE, TargetTable

_PAGES = 5
"""Pages of a list that come without being asked for."""
_NAMES = 20_000
"""Names that are listed at most."""


class TargetsPage(Page):
    """One list at a time: the buckets, or the prefixes right below one. Closes with `choose` called, or without."""

    PLACES: ClassVar[tuple[Where, ...]] = (Where.TARGETS, Where.LIST)
    SECTION = "Target"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.TARGETS)]

    def __init__(self, house: House, target: str, choose: Callable[[str], None]) -> None:
        """Begins at `target`, if that names a bucket."""
        super().__init__(house)
        self._choose = choose
        bucket, _, prefix = target.removeprefix(SCHEME).partition(DELIMITER) if target.startswith(SCHEME) else ("", "", "")
        self._bucket, self._prefix = bucket, _as_folder(prefix) if bucket else ""
        self._lister: Lister | None = None
        self._token, self._objects, self._pages = "", 0, 0
        self._first = ""
        """The name that the cursor goes to when it comes into sight."""
        self._typing = False
        """Whether the field takes a name, and no filter."""
        self.place, self.trouble, self.table = Static("", id="place", markup=False), Trouble(), TargetTable()
        self.sign = Label("/", markup=False)
        self.entry = Input(compact=True)

    def body(self) -> Iterable[Widget]:
        """Where it is, the field, the list."""
        yield self.place
        yield self.trouble
        with Horizontal(id="filter") as line:
            line.display = False
            yield self.sign
            yield self.entry
        yield self.table

    def on_mount(self) -> None:
        """List."""
        self.set_focus(self.table)
        self._begin()

    def on_unmount(self) -> None:
        """End the process that lists, in a thread: it may be in the middle of something."""
        if self._lister is not None:
            self.app.run_worker(self._lister.close, thread=True, exit_on_error=False)

    # Listing.

    def _begin(self, first: str = "") -> None:
        """List the present place from its beginning, the cursor on `first` if that comes."""
        self._token, self._objects, self._pages, self._first = "", 0, 0, first
        self._close_field()
        self.trouble.say("")
        self.table.begin(self._prefix, here=bool(self._bucket))
        self._list()

    def _list(self) -> None:
        place, token = (self._bucket, self._prefix), self._token

        def refuse(error: Exception) -> None:
            if not isinstance(error, S3tuiError):
                raise error
            self._refused(place, error)

        self.ask("list", lambda: self._page(*place, token), lambda page: self._show(place, page), refuse)
        self._tell()

    def _page(self, bucket: str, prefix: str, token: str) -> TargetPage:
        if self._lister is None:
            self._lister = self.house.target_lister()
        return self._lister.page(bucket, prefix, token)

    def _show(self, place: tuple[str, str], page: TargetPage) -> None:
        if place != (self._bucket, self._prefix):
            self._list()  # somebody has gone on meanwhile
            return
        self._token, self._pages, self._objects = page.token, self._pages + 1, self._objects + page.objects
        self.table.nothing = "There is no bucket here: n types the name of one." if not self._bucket else ""
        self.table.add(page.names)
        if self._first in page.names:
            self.table.go_to(self._first)
        if self._token and self._pages < _PAGES:
            self._list()
        self._tell()

    def _refused(self, place: tuple[str, str], error: S3tuiError) -> None:
        if place != (self._bucket, self._prefix):
            self._list()
            return
        self.table.nothing = ""
        self.table.refresh()
        step = "Enter takes it as it is; left goes up." if self._bucket else "n types the name of a bucket."
        self.trouble.say(display_text(str(error)), step)
        self._tell()

    def _tell(self) -> None:
        self.title_bar.tell(self._address(self._bucket, self._prefix) if self._bucket else "")
        if not self._pages:
            words = "Prefixes and objects" if self._bucket else "Buckets"
        elif self._bucket:
            words = f"{plural(self.table.listed, 'prefix', 'prefixes')} and {plural(self._objects, 'object')} right here"
        else:
            words = plural(self.table.listed, "bucket")
        if self.asking("list"):
            words += ", listing…"
        elif self._token:
            full = self.table.listed >= _NAMES
            words += "; there are more: n types any." if full else "; there are more: m lists them."
        self.place.update(words)

    @staticmethod
    def _address(bucket: str, prefix: str) -> str:
        return f"{SCHEME}{bucket}{DELIMITER}{prefix}"

    # What the widgets say.

    def on_line_table_chosen(self) -> None:
        """A click opens what it hits, and takes what cannot be opened further."""
        if self.table.pointed == HERE:
            self.action_choose()
        else:
            self.action_expand()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while it is typed."""
        if not self._typing:
            self.table.filter(event.value)

    def on_input_submitted(self) -> None:
        """Keep the filter; or take the name."""
        if not self._typing:
            self.set_focus(self.table)
            return
        name = self.entry.value.strip().removeprefix(SCHEME).strip(DELIMITER)
        if not name:
            self._close_field()
        elif self._bucket:
            self._take(self._bucket, _as_folder(self._prefix + name))
        else:
            bucket, _, prefix = name.partition(DELIMITER)
            try:
                check_bucket_name(bucket)
            except SpecError as error:
                self.say_error(error)
                return
            self._go(bucket, _as_folder(prefix))

    # Actions.

    def action_choose(self) -> None:
        """Take what the cursor stands on."""
        name = self.table.pointed
        if name is None and not self._bucket:
            self.say("There is nothing to choose here: n types the name of a bucket.")
        elif not self._bucket:
            self._take(name or "", "")
        else:
            self._take(self._bucket, name or self._prefix)

    def _take(self, bucket: str, prefix: str) -> None:
        if prefix and _as_folder(prefix.strip(DELIMITER)) != prefix:
            self.say("A target cannot begin or end with an empty name: choose another prefix.")
            return
        self.app.pop_screen()
        self._choose(self._address(bucket, prefix))

    def action_expand(self) -> None:
        """List what is below what the cursor stands on."""
        name = self.table.pointed
        if name and self._bucket:
            self._go(self._bucket, name)
        elif name:
            self._go(name, "")

    def action_collapse(self) -> None:
        """Go up."""
        if self._prefix:
            above = self._prefix[: self._prefix.rfind(DELIMITER, 0, -1) + 1]
            self._go(self._bucket, above, self._prefix)
        elif self._bucket:
            self._go("", "", self._bucket)

    def _go(self, bucket: str, prefix: str, first: str = "") -> None:
        self._bucket, self._prefix = bucket, prefix
        self._begin(first)

    def action_filter(self) -> None:
        """Show the filter, and write in it."""
        self._open_field(typing=False, placeholder="part of a name; Enter keeps the filter, Esc drops it")

    def action_type_name(self) -> None:
        """Type a name that is not listed."""
        what = "a new prefix; Enter takes it" if self._bucket else "the name of a bucket; Enter opens it"
        self._open_field(typing=True, placeholder=what)

    def _open_field(self, *, typing: bool, placeholder: str) -> None:
        if typing != self._typing:
            self._close_field()
        self._typing = typing
        self.sign.update("+" if typing else "/")
        self.entry.placeholder = placeholder
        self.query_one("#filter").display = True
        self.set_focus(self.entry)

    def _close_field(self) -> None:
        self.query_one("#filter").display = False
        if not self._typing:
            self.table.filter("")
        with self.prevent(Input.Changed):
            self.entry.value = ""
        self._typing = False
        self.set_focus(self.table)

    def action_list_more(self) -> None:
        """Go on with the list."""
        if self._token and self.table.listed < _NAMES:
            self._pages = 0
            self._list()

    def action_back(self) -> None:
        """Close the field, else leave."""
        if self.query_one("#filter").display:
            self._close_field()
        else:
            self.app.pop_screen()


def _as_folder(prefix: str) -> str:
    return prefix if not prefix or prefix.endswith(DELIMITER) else prefix + DELIMITER

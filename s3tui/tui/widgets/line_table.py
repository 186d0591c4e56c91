"""A list drawn line by line, whatever its length: the ground of every table here.

A subclass says how one line looks; nothing is kept per line but what is on the screen. The cursor is a bar at the left edge and
another background, so it shows without colours. A key that moves it paints before it returns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from s3tui.tui.commands import Where, bindings
from s3tui.tui.internals import paint_now
from s3tui.tui.looks import STYLES

Piece = tuple[str, str]
"""Text, and the name of its style: one of COMPONENTS, or empty for plain text."""

COMPONENTS = (*STYLES, "quiet", "rule", "heading", "strong", "mark", "button", "cursor")


class LineTable(ScrollView, can_focus=True):
    """A virtual list with a cursor. `header` lines stay at the top."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.LIST)]
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"line--{name}" for name in COMPONENTS}
    HEADER = 1
    """Lines at the top that do not scroll."""

    class Pointed(Message):
        """The cursor stands on another line, or that line is another one now."""

        def __init__(self, table: LineTable) -> None:
            super().__init__()
            self.table = table

        @property
        def control(self) -> LineTable:
            """The table."""
            return self.table

    class Chosen(Message):
        """A line was clicked while the cursor was on it; `cell` is where."""

        def __init__(self, table: LineTable, index: int, cell: int) -> None:
            super().__init__()
            self.table = table
            self.index = index
            self.cell = cell

        @property
        def control(self) -> LineTable:
            """The table."""
            return self.table

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.cursor = 0
        self._count = 0
        self._styles: dict[str, Style] = {}

    # What subclasses say.

    def line(self, index: int, width: int) -> Sequence[Piece]:
        """The pieces of one line; exactly `width` cells or fewer."""
        raise NotImplementedError

    def header(self, width: int) -> Sequence[Piece]:  # noqa: ARG002
        """The pieces of the header."""
        return ()

    def empty(self, width: int) -> Sequence[Piece]:  # noqa: ARG002
        """What the first line says when there are none."""
        return ()

    def moved(self) -> None:
        """The visible part may be another one now."""

    # The list.

    @property
    def count(self) -> int:
        """How many lines there are."""
        return self._count

    @property
    def page_lines(self) -> int:
        """Lines that fit, the header aside."""
        return max(1, self.size.height - self.HEADER)

    @property
    def first_visible(self) -> int:
        """The first line on the screen."""
        return round(self.scroll_y)

    def set_count(self, count: int) -> None:
        """Say how many lines there are; the cursor stays on one of them."""
        if count != self._count:
            shown_end = self.first_visible + self.page_lines
            changed_in_sight = min(count, self._count) < shown_end
            self._count = count
            self.virtual_size = Size(self.size.width, count + self.HEADER)
            if changed_in_sight:
                self.refresh()
        if self.cursor >= max(1, count):
            self.move_to(count - 1)

    def move_to(self, index: int) -> None:
        """Put the cursor on a line, and scroll so that it can be seen."""
        old, self.cursor = self.cursor, max(0, min(index, self._count - 1))
        self.repaint((old, self.cursor))
        self._scroll_to_cursor()
        self.post_message(self.Pointed(self))

    def show_from(self, index: int) -> None:
        """Put the cursor on a line, and scroll until that is the first one, if there are lines enough below it."""
        self.move_to(index)
        self.scroll_to(y=self.cursor, animate=False, force=True, immediate=True)

    def _scroll_to_cursor(self) -> None:
        top, height = self.first_visible, self.page_lines
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, force=True)

    def repaint(self, indices: Iterable[int]) -> None:
        """Paint these lines again, those of them that can be seen."""
        top = self.first_visible
        regions = [
            Region(0, index - top + self.HEADER, self.size.width, 1) for index in indices if top <= index < top + self.page_lines
        ]
        if regions:
            self.refresh(*regions)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Tell the subclass, so that it can read what is in sight now."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.moved()

    def on_resize(self) -> None:
        """Keep the width of the lines, and the cursor in sight."""
        self.virtual_size = Size(self.size.width, self._count + self.HEADER)
        self._scroll_to_cursor()
        self.moved()

    # Keys and mouse.

    def action_move(self, lines: int) -> None:
        """Move the cursor, and paint at once."""
        self.move_to(self.cursor + lines)
        paint_now(self)

    def action_page(self, pages: int) -> None:
        """Move the cursor by a page."""
        self.action_move(pages * max(1, self.page_lines - 1))

    def action_first(self) -> None:
        """To the first line."""
        self.action_move(-self._count)

    def action_last(self) -> None:
        """To the last line."""
        self.action_move(self._count)

    def action_jump(self) -> None:
        """Ask for a line, and go there."""
        from s3tui.tui.screens.dialogs import LineEntry  # which needs widgets itself

        def answered(index: int | None) -> None:
            if index is not None:
                self.action_move(index - self.cursor)

        self.app.push_screen(LineEntry(self._count), answered)

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor and says where it was."""
        index = self.first_visible + event.y - self.HEADER
        if event.y >= self.HEADER and index < self._count:
            event.stop()
            self.move_to(index)
            self.post_message(self.Chosen(self, index, event.x))

    def on_focus(self) -> None:
        """The cursor shows whether the list has the focus."""
        self.repaint((self.cursor,))

    def on_blur(self) -> None:
        """The cursor shows whether the list has the focus."""
        self.repaint((self.cursor,))

    # Drawing.

    def render_line(self, y: int) -> Strip:
        """One line of the screen, from memory only."""
        width = self.size.width
        if y < self.HEADER:
            return self._strip(self.header(width) if y == 0 else (), width)
        index = self.first_visible + y - self.HEADER
        if index < self._count:
            return self._strip(self.line(index, width), width, pointed=index == self.cursor)
        return self._strip(self.empty(width) if not self._count and y == self.HEADER else (), width)

    def _strip(self, pieces: Sequence[Piece], width: int, *, pointed: bool = False) -> Strip:
        base = self.rich_style
        cursor = self.style_of("cursor") if pointed and self.has_focus else None
        segments: list[Segment] = []
        for text, name in pieces:
            style = base + self.style_of(name) if name else base
            if cursor is not None and name != "button":
                style = _under(cursor, base, style, plain=name in ("", "quiet"))
            segments.append(Segment(text, style))
        rest = base + cursor if cursor is not None else base
        return Strip(Segment.simplify(segments)).adjust_cell_length(width, rest)

    def style_of(self, name: str) -> Style:
        """The style of a component, by the theme."""
        if name not in self._styles:
            self._styles[name] = self.get_component_rich_style(f"line--{name}", partial=True)
        return self._styles[name]

    def notify_style_update(self) -> None:
        """The theme may have changed: ask again."""
        self._styles.clear()
        super().notify_style_update()


def _under(cursor: Style, base: Style, style: Style, *, plain: bool) -> Style:
    """The style of a piece on the cursor's line: a reversed line has one colour, on another one states keep theirs."""
    if cursor.reverse:
        return base + cursor
    return style + cursor if plain else style + cursor.without_color + Style(bgcolor=cursor.bgcolor)

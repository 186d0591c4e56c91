"""The only module that touches private names of Textual; `S3TUI_PLAIN=1` switches it off.

Textual paints at the next tick of a timer, after several idle messages. A key that moves a cursor should be seen at once:
`paint_now` paints a widget that has called `refresh` before it returns. `QuietApp` writes frames itself, as changes of what the
terminal shows. Checked against Textual 8.2.8, hence the exact pin.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import textual
from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style
from textual import events
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size
from textual.message import Message
from textual.screen import Screen
from textual.strip import SGR_STYLES
from textual.widget import Widget
from textual.widgets import Input

from s3tui.tui.link import LAST_PATIENCE, QUESTION, Link
from s3tui.tui.screen_writer import Line, Pen, ScreenWriter

_PLAIN = bool(os.environ.get("S3TUI_PLAIN"))
_EQUAL = frozenset({"8.2.8"})
"""Versions of Textual whose own output was compared with ours, cell by cell."""
_SYNC, _END_SYNC = "\x1b[?2026h", "\x1b[?2026l"


class _Counted(CompositorUpdate):
    """An update that Textual renders and writes, and the number of bytes that it was."""

    def __init__(self, update: CompositorUpdate) -> None:
        self._update = update
        self.size = 0

    def render_segments(self, console: Console) -> str:
        text = self._update.render_segments(console)
        self.size = len(text.encode(errors="replace"))
        return text


class QuietApp(App[int]):
    """An app that writes only what changed, and progress no faster than the line to the terminal takes it.

    Without a terminal of its own (headless, inline, in a browser), and where it is switched off, Textual's output is untouched.
    """

    def __init__(self, *, fast_output: bool, ack_pacing: bool, ansi_color: bool | None, driver_class: type[Driver] | None) -> None:
        super().__init__(ansi_color=ansi_color, driver_class=driver_class)
        self.link = Link(asks=ack_pacing and not _PLAIN)
        self._fast = fast_output and not _PLAIN and _is_equal()
        self._writer = ScreenWriter(self._pen)

    async def on_mount(self) -> None:
        """Mind those who use the terminal meanwhile."""
        self.app_suspend_signal.subscribe(self, self._on_suspend)
        self.app_resume_signal.subscribe(self, self._on_resume)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """A cursor that blinks would write all the time."""
        if isinstance(event.widget, Input) and not self.is_headless:
            event.widget.cursor_blink = False
            event.widget._cursor_visible = True

    @property
    def _background_screens(self) -> list[Screen[object]]:
        """Screens to paint below the one on top: none below an opaque one, where Textual would paint both without end."""
        hidden = not _PLAIN and bool(self._screen_stack) and self._screen_stack[-1].styles.background.a == 1
        return [] if hidden else super()._background_screens

    # Painting.

    def forget_screen(self) -> None:
        """The terminal may show anything."""
        self._writer.forget()

    def repaint(self) -> None:
        """Paint every cell again, for a terminal that was written over."""
        self.forget_screen()
        if self._screen_stack:
            self.screen.refresh(layout=True)

    def on_resize(self, event: events.Resize) -> None:
        """Take the size that the terminal has now, and paint it: terminals move or drop what they show, whatever size they had.

        Textual reads the size where it takes the signal. One signal can come while the handler of another is at work, and the older
        size would be told last. A terminal that tells its size itself tells it in order.
        """
        if not _PLAIN and isinstance(self._driver, LinuxDriver) and not self._driver._in_band_window_resize:
            event.size = event.virtual_size = event.container_size = Size(*self._driver._get_terminal_size())
        self.repaint()

    def _display(self, screen: Screen[object], renderable: object) -> None:
        if renderable is None or self._batch_count or not self._on_terminal:
            super()._display(screen, renderable)  # type: ignore[arg-type]
            return
        try:
            size = self._write_changes(renderable) if self._fast and isinstance(renderable, LayoutUpdate | ChopsUpdate) else None
        except Exception as error:  # as Textual does
            self._handle_exception(error)
            return
        if size is None:
            self.forget_screen()
            counted = _Counted(renderable) if isinstance(renderable, CompositorUpdate) else None
            super()._display(screen, counted or renderable)  # type: ignore[arg-type]
            size = counted.size if counted else 0
        else:
            self.post_display_hook()
        if size and self.link.painted(size, self._previous_cursor_position):
            tell_terminal(self, QUESTION)

    @property
    def _on_terminal(self) -> bool:
        driver = self._driver
        ready = self._running and not self._closed and not self.is_headless
        return ready and driver is not None and not driver.is_inline and not driver.is_web

    def _write_changes(self, update: LayoutUpdate | ChopsUpdate) -> int:
        """Write what an update changes on the screen; returns the number of bytes."""
        cursor = self.screen.outer_size.clamp_offset(self.cursor_position)
        text = self._writer.write(_lines(update), size=self.size, cursor=cursor, by_pen=self._sync_available)
        self._previous_cursor_position = cursor
        if not text:
            return 0
        tell_terminal(self, f"{_SYNC}{text}{_END_SYNC}" if self._sync_available else text)
        return len(text.encode(errors="replace"))

    def _pen(self, style: Style | None) -> Pen:
        """How Textual shows a style; links are dropped: our screens have none."""
        if style is None:
            return Pen()
        system = self.console._color_system or ColorSystem.TRUECOLOR
        bits = style._attributes & style._set_attributes
        attributes = ";".join(code for bit, code in enumerate(SGR_STYLES) if bits & 1 << bit)
        foreground, background = (
            "" if colour is None else ";".join(colour.downgrade(system).get_ansi_codes(foreground=not at))
            for at, colour in enumerate((style.color, style.bgcolor))
        )
        return Pen(attributes, "" if foreground == "39" else foreground, "" if background == "49" else background)

    # The line to the terminal.

    def post_message(self, message: Message) -> bool:
        """Take the terminal's answers at once; they are nobody else's."""
        if isinstance(message, events.CursorPosition):
            self.link.answered((message.x, message.y))
            return True
        return super().post_message(message)

    async def on_exit_app(self) -> None:
        """Wait a moment for the answer that is out, or the shell would get it."""
        self.link.rest()
        until = time.monotonic() + LAST_PATIENCE
        while not self.link.free and time.monotonic() < until:
            await asyncio.sleep(0.005)

    def _on_suspend(self, _: App[int]) -> None:
        self.link.rest()
        time.sleep(self.link.likely_wait)  # the thread that reads keys takes the answer; there is nothing to paint meanwhile

    def _on_resume(self, _: App[int]) -> None:
        self.link.resume()
        self.repaint()


def _is_equal() -> bool:
    """Whether this Textual is one of `_EQUAL`; to ask importlib.metadata would take as long as the first paint."""
    packages = Path(textual.__file__).parent.parent
    return any((packages / f"textual-{version}.dist-info").is_dir() for version in _EQUAL)


def _lines(update: LayoutUpdate | ChopsUpdate) -> Iterator[Line]:
    """What an update is about, line by line from the left; strips reach over the edges of its spans."""
    if isinstance(update, LayoutUpdate):
        for y, strips in enumerate(update.strips, update.region.y):
            yield y, update.region.x, ((text, style) for strip in strips for text, style, _ in strip)
        return
    for y, left, right in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=True):
            if strip is not None and x < right and end > left:
                yield y, x, ((text, style) for text, style, _ in strip)


def paint_now(widget: Widget, also: Iterable[Widget] = ()) -> None:
    """Paint what these widgets marked for refresh, in this call. Falls back to Textual's own timing."""
    if _PLAIN or not widget.is_mounted:
        return
    screen = widget.screen
    dirty = getattr(screen, "_dirty_widgets", None)
    update = getattr(screen, "_on_timer_update", None)
    if isinstance(dirty, set) and callable(update):
        dirty.add(widget)
        dirty.update(also)
        update()


def end_after_failure(app: App[int], error: Exception) -> None:
    """End the app after an unexpected error, without printing a traceback; a test's pilot still sees the error."""
    app._return_code = 1
    if app._exception is None:
        app._exception = error
        app._exception_event.set()
    app._close_messages_no_wait()


def tell_terminal(app: App[int], sequence: str) -> None:
    """Send the terminal a sequence that paints nothing, between two frames."""
    if not app.is_headless and app._driver is not None:
        app._driver.write(sequence)

"""The only module that touches private names of Textual; `S3TUI_PLAIN=1` switches it off.

Textual paints at the next tick of a timer, after several idle messages. A key that moves a cursor should be seen at once:
`paint_now` paints a widget that has called `refresh` before it returns. Checked against Textual 8.2.8, hence the exact pin.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from textual.app import App
from textual.screen import Screen
from textual.widget import Widget

_PLAIN = bool(os.environ.get("S3TUI_PLAIN"))


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


def repaint_all(screen: Screen[object]) -> None:
    """Paint every cell of the screen again, for a terminal that was written over."""
    screen.refresh(layout=True)

"""Our own output against Textual's: one script of keys on two terminals, which must show the same after each of its steps.

With another version of Textual, `internals._EQUAL` names it once this passes.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.terminal import Terminal
from tests.tui.stage import ADVANCE, NAMES, SUSPEND
from tests.waiting import wait_until

pytestmark = pytest.mark.thorough(one_in=5)

DOWN, PAGE_DOWN, PAGE_UP, ENTER, ESCAPE = "\x1b[B", "\x1b[6~", "\x1b[5~", "\r", "\x1b"
CTRL_L, CTRL_P, CTRL_T = "\x0c", "\x10", "\x14"


class Pair:
    """Our output, and Textual's."""

    def __init__(self, ours: Terminal, plain: Terminal) -> None:
        self.ours, self.plain = ours, plain

    def type(self, *keys: str, seen: str = "", unseen: str = "") -> None:
        """Type on both, and wait until both show this and do not show that."""
        for terminal in (self.ours, self.plain):
            terminal.press(*keys)
            if seen:
                terminal.until_seen(seen, 15)
            if unseen:
                terminal.until_unseen(unseen, 15)

    def press(self, *keys: str, seen: str = "", unseen: str = "") -> None:
        """Likewise, and wait until they are the same cell by cell."""
        self.type(*keys, seen=seen, unseen=unseen)
        try:
            wait_until(lambda: not self.differences(), 10, "both terminals to show the same")
        except AssertionError:
            found = self.differences()
            raise AssertionError(f"{len(found)} cells differ after {keys}: {found[:3]}. Ours:\n{self.ours.text()}") from None

    def differences(self) -> list[tuple[int, int, object, object]]:
        """Row, column, our cell and Textual's."""
        pairs = zip(self.ours.picture(), self.plain.picture(), strict=True)
        rows = ((y, x, *cells) for y, row in enumerate(pairs) for x, cells in enumerate(zip(*row, strict=True)))
        return [found for found in rows if found[2] != found[3]]

    def resize(self, *widths: int) -> None:
        for terminal in (self.ours, self.plain):
            for width in widths:
                terminal.resize(width, 24)

    def stop_and_go_on(self) -> None:
        for terminal in (self.ours, self.plain):
            terminal.press(SUSPEND)
            os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED)
            os.kill(terminal.process.pid, signal.SIGCONT)


@contextmanager
def paired(directory: Path, *, synchronizes: bool, ours: Sequence[str] = ("fast",)) -> Iterator[Pair]:
    """Both on terminals of one kind."""
    environment = {"COLORTERM": "truecolor", "XDG_CONFIG_HOME": str(directory), "XDG_STATE_HOME": str(directory)}
    with ExitStack() as stack:
        yield Pair(
            *(
                stack.enter_context(Terminal(["-m", "tests.tui.stage", *words], environment, synchronizes=synchronizes))
                for words in (ours, ["plain"])
            )
        )


@pytest.fixture
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    with paired(tmp_path, synchronizes=request.param) as pair:
        yield pair


@pytest.mark.parametrize(("pair", "fewer"), [(True, 4), (False, 3)], indirect=["pair"], ids=["whole-frames", "as-it-comes"])
def test_the_terminal_shows_what_textual_would_show(pair: Pair, fewer: int) -> None:
    pair.press(seen="running")
    through_lists(pair)
    below_others(pair)
    after_others(pair)
    assert pair.ours.written * fewer < pair.plain.written


def test_of_two_sizes_at_once_the_last_one_is_drawn(tmp_path: Path) -> None:
    with paired(tmp_path, synchronizes=True, ours=["fast", "brief"]) as pair:
        pair.press(seen="running")
        pair.ours.tell_size(81, 24)
        wait_until(lambda: pair.ours.told_size == (80, 24), 10, "81 columns to become 80")
        pair.type("?", seen="Send every failed")
        pair.press(ESCAPE, unseen="Send every failed")


def through_lists(pair: Pair) -> None:
    """Moves, pages, a job that goes on, names of all widths, a filter, a detail pane, a wide and a narrow terminal."""
    pair.press(DOWN, DOWN, "G", seen="▌ × cancelled")
    pair.press("g", DOWN, seen="▌ ◇ planned")
    pair.press("k", ENTER, seen="sending")
    pair.press("g", seen="lantern-0000")
    pair.press(*"jjjjjjjjjjjjjjjjjj", seen=NAMES[3])
    pair.press(ADVANCE, seen="Queued 1,362")
    pair.press(PAGE_DOWN, PAGE_DOWN, "k", ADVANCE, seen="Queued 1,350")
    pair.resize(120)
    pair.press("j", seen="Tries")
    pair.resize(80)
    pair.press("j", "i", seen="Key ")
    pair.press("/", seen="part of a path")
    pair.press("\x1b[200~gull\x1b[201~", seen="  /gull ")
    pair.press(ADVANCE, seen="Queued 1,338")
    pair.type(ESCAPE, unseen="/ gull")  # which line is the first now depends on what came home first
    pair.type(ESCAPE, unseen="Key ")
    pair.press("g", seen="lantern-0000")


def below_others(pair: Pair) -> None:
    """Help, palette, toast, another theme."""
    pair.press("?", seen="Send every failed")
    pair.press(ADVANCE, PAGE_DOWN, seen="Lower the number")
    pair.press(ESCAPE, seen="Queued 1,326", unseen="Lower the number")
    pair.press(CTRL_P, seen="Search for")
    pair.press("redr", seen="Paint the whole")
    pair.press(ENTER, unseen="Paint the whole")
    pair.press("y", seen="Copied")
    pair.press("j", unseen="Copied")
    pair.press(CTRL_T, seen="daylight")
    pair.press(DOWN, DOWN, ENTER, unseen="daylight")


def after_others(pair: Pair) -> None:
    """Another width for a moment, a stop, a repaint."""
    pair.resize(81)
    pair.press(seen="running")
    pair.resize(80)
    pair.press(seen="running")
    pair.resize(81, 80)
    pair.press(ADVANCE, seen="Queued 1,314")
    pair.stop_and_go_on()
    pair.press("g", seen="lantern-0000")
    pair.press(CTRL_L, "G", seen="2309")

"""Names from outside on a real terminal: no escape of theirs reaches it raw, and no line is moved by them."""

from __future__ import annotations

import os
import re
from pathlib import Path

from s3tui.config import Settings
from s3tui.events import Planned
from s3tui.model import FileState, Fingerprint
from s3tui.runtime import Runtime
from tests.state.scenes import ANN, plan, register
from tests.terminal import Terminal

NAMES = [
    b"new\nline",
    b"clear\x1b[2Jscreen",
    b"c1\xc2\x9b2Jc1",
    b"bell\x07bell",
    b"title\x1b]0;owned\x07",
    "right\u202eleft".encode(),
    "zero\u200bwidth".encode(),
    b"[/b]bold[red]x",
    b"[@click=app.quit]x[/]",
    b"bytes\xff.bin",
    ("\U0001f30a" * 60 + "x").encode(),
    "漢字漢字漢字.txt".encode(),
    "e\u0301".encode() * 40,
]
SHOWN = ["new\\nline", "clear\\x1b[2Jscreen", "c1\\x9b2Jc1", "bell\\x07bell", "title\\x1b]0;owned\\x07", "right\\u202eleft"]
OURS = re.compile(
    rb"\x1b\[[<>?]?[0-9;:]*(\$p|[a-zA-Z])|\x1b\]22;[a-z]*\x07|\x1b\]9;s3tui: [^\x00-\x1f\x7f]*\x07"
    rb"|\x1b\]52;c;[A-Za-z0-9+/=]*\x07|[\r\n]"
)
"""What the UI itself writes besides text."""


def hostile_job(source: bytes, target: str) -> str:
    """A plan of files with these names, of which half would fail for causes that are as bad."""
    with Runtime(Settings()) as runtime:
        register(runtime.store, ANN)
        spec = runtime.upload_spec([os.fsdecode(source)], target)
        job = runtime.service.plan(spec, concurrency=1, home=ANN.id)
        plan(runtime.store, [[entry(number, name) for number, name in enumerate(NAMES)]], hold=True)
        return job


def entry(number: int, name: bytes) -> Planned:
    """A file with this name, key, reason and cause."""
    text = name.decode("utf-8", "surrogateescape")
    key, words = None if b"\xff" in name else text, text.replace("\udcff", "?")
    state, cause = (FileState.FAILED, words) if number % 2 else (FileState.PLANNED, None)
    return Planned(0, name, key, Fingerprint(1, 1, 1), state, cause, cause)


def assert_harmless(terminal: Terminal) -> None:
    """Nothing but text and the UI's own sequences was written."""
    rest = OURS.sub(b"", bytes(terminal.raw)).decode()
    assert {character for character in rest if not character.isprintable()} == set()


def test_names_reach_the_terminal_as_visible_escapes_on_every_screen(tmp_path: Path) -> None:
    place = {"XDG_STATE_HOME": str(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    job = hostile_job(b"/s\x1b[2J\xff[/b]\n", "s3://bucket/\u202e[red]\x1b[2J/")
    arguments = ["-m", "s3tui", "tui", "--job", job]
    with Terminal(arguments, place, columns=120, lines=36) as terminal:
        terminal.until_seen("◇ planned")
        for shown in SHOWN:
            terminal.until_seen(shown)
        lines = terminal.text().splitlines()
        numbers = [next(n for n, line in enumerate(lines) if shown in line) for shown in SHOWN]
        assert numbers == list(range(numbers[0], numbers[0] + len(SHOWN)))
        terminal.press("i")
        terminal.until_seen("s3://bucket/new\\nline")
        terminal.press("j")
        terminal.until_seen("Cause     clear\\x1b[2Jscreen")
        terminal.press("y")
        terminal.until_seen("cannot be copied")
        terminal.press("G", "/")
        terminal.until_seen("part of a path")
        terminal.press("\x1b[200~\u202e\x9b2Jpasted\x1b[201~")
        terminal.until_seen("pasted")
        terminal.press("\r", "\x10")
        terminal.until_seen("Search")
        terminal.press("\x1b")
        terminal.until_unseen("Search")
        terminal.press("x")
        terminal.until_seen("Cancel this job?")
        terminal.press("n")
        terminal.until_unseen("Cancel this job?")
        terminal.press("\x1b")
        terminal.until_unseen("pasted")
        terminal.press("\x1b", "\x1b[A")
        terminal.until_unseen("Cause  ")
        terminal.press("\x1b", "\x1b[A")
        terminal.until_seen("From → to")
        terminal.press("y")
        terminal.until_seen("This target cannot be copied")
        terminal.press("q")
        assert terminal.process.wait(20) == 0
        assert_harmless(terminal)

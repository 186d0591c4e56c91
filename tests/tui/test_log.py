"""The log on a screen: its end, as it grows, whatever is in it."""

from __future__ import annotations

import json
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from s3tui.tui.log_tail import LogTail
from tests.terminal import Terminal
from tests.tui.driving import application, text_of, until, until_seen, until_unseen
from tests.tui.seeded import harbour

pytestmark = pytest.mark.thorough(one_in=5)


def said(number: int, level: str = "INFO", text: str = "") -> str:
    """A line as the program writes it."""
    message = text or f"job=01JD line {number}"
    return f"2026-11-21 10:{number // 60 % 60:02}:{number % 60:02},042 4711 {level} s3tui.worker: {message}\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of five lines."""
    path = tmp_path / "s3tui.log"
    path.write_text("".join(said(number) for number in range(5)))
    return path


def texts(tail: LogTail) -> list[str]:
    return [line.text for line in tail.read()]


def append(path: Path, text: str | bytes) -> None:
    with path.open("ab") as file:
        file.write(text if isinstance(text, bytes) else text.encode())


def test_lines_come_once_and_only_when_they_are_whole(log: Path) -> None:
    tail = LogTail(log)
    assert texts(tail) == [f"worker: job=01JD line {number}" for number in range(5)]
    append(log, said(5)[:-10])
    assert texts(tail) == []
    append(log, said(5)[-10:] + said(6))
    assert texts(tail) == ["worker: job=01JD line 5", "worker: job=01JD line 6"]


def test_a_line_says_when_and_how_grave(log: Path) -> None:
    tail = LogTail(log)
    tail.read()
    append(log, said(7, "ERROR", "it broke") + "  Traceback\n")
    broken, more = tail.read()
    assert (broken.date, broken.time, broken.level, broken.text) == ("2026-11-21", "10:00:07", "ERROR", "worker: it broke")
    assert (more.time, more.level, more.text) == ("", "ERROR", "  Traceback")
    facts = {
        "at": "2026-11-21T10:30:15.042Z",
        "level": "WARNING",
        "process": 1,
        "logger": "s3tui.a",
        "job": "01JD",
        "message": "m\x1b",
    }
    append(log, json.dumps(facts) + "\n")
    [line] = tail.read()
    assert (line.date, line.time, line.level, line.text) == ("2026-11-21", "10:30:15", "WARNING", "a: job=01JD: m\\x1b")


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b'{"at": 1}',
        b"[" * 3000,
        b'{"a":' * 600,
        b'{"at": "x", "level": [], "logger": "", "message": ""}',
        b"\xff\x1b[2J\x9b2J\x07",
    ],
)
def test_what_is_no_line_of_ours_is_shown_with_its_bytes_as_escapes(log: Path, line: bytes) -> None:
    tail = LogTail(log)
    tail.read()
    append(log, line + b"\n")
    [found] = tail.read()
    assert found.whole.isprintable()
    assert found.text.isprintable()
    assert found.time == ""


def test_a_rotated_file_is_read_to_its_end_and_then_the_new_one(log: Path) -> None:
    tail = LogTail(log)
    tail.read()
    append(log, said(5))
    log.rename(log.with_suffix(".1"))
    append(log.with_suffix(".1"), said(6))
    assert texts(tail) == ["worker: job=01JD line 5", "worker: job=01JD line 6"]
    log.write_text(said(7))
    append(log.with_suffix(".1"), said(8))
    assert texts(tail) == ["worker: job=01JD line 8", "worker: job=01JD line 7"]
    os.truncate(log, 0)
    append(log, said(9)[:50] + "\n")
    assert len(tail.read()) == 1


def test_of_a_huge_file_only_the_end_is_read_and_of_a_huge_line_only_the_beginning(log: Path) -> None:
    with log.open("ab") as file:
        file.truncate(2 << 30)  # a hole: it takes no place on the disk
        file.seek(0, os.SEEK_END)
        file.write(b"\n" + said(1).encode())
    tail = LogTail(log)
    tracemalloc.start()
    assert texts(tail) == ["worker: job=01JD line 1"]
    append(log, said(2) + "x" * (3 << 20) + "\n" + said(3))
    assert [line.whole[:12] for line in tail.read()] == ["… 2.0 MiB le", "2026-11-21 1"]
    for _ in range(8):
        append(log, "y" * 900_000)
        assert tail.read() == []
    append(log, "\n" + said(4))
    long, last = tail.read()
    assert (long.whole, last.text) == ("y" * 4000, "worker: job=01JD line 4")
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()


def test_what_is_no_file_is_an_error_and_nothing_waits_for_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        LogTail(tmp_path / "none").read()
    with pytest.raises(IsADirectoryError):
        LogTail(tmp_path).read()


async def test_the_screen_follows_and_is_held_by_the_cursor(log: Path) -> None:
    app = application(harbour(), log=log)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "running")
        await pilot.press("L")
        await until_seen(pilot, "▌ 10:00:04 INFO     worker: job=01JD line 4")
        append(log, "".join(said(number) for number in range(5, 60)))
        await until_seen(pilot, "▌ 10:00:59 INFO     worker: job=01JD line 59")
        await until_seen(pilot, "60 lines, following.")
        await pilot.press("k")
        await until_seen(pilot, "▌ 10:00:58")
        append(log, said(60) + said(61, "ERROR", "it broke"))
        await until_seen(pilot, "62 lines, held")
        assert "▌ 10:00:58" in text_of(app)
        await pilot.press("f")
        await until_seen(pilot, "▌ 10:01:01 ERROR    worker: it broke")


async def test_more_than_is_kept_pushes_the_oldest_out_and_the_cursor_stays_on_its_line(log: Path) -> None:
    log.write_text("".join(said(number) for number in range(4990)))
    app = application(harbour(), log=log)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "running")
        await pilot.press("L")
        await until_seen(pilot, "line 4989")
        await pilot.press("pageup", "pageup")
        await until_seen(pilot, "held")
        pointed = next(line for line in text_of(app).splitlines() if line.startswith("▌"))
        append(log, "".join(said(number) for number in range(4990, 5100)))
        await until_seen(pilot, "The last 5,000 lines, held")
        assert next(line for line in text_of(app).splitlines() if line.startswith("▌")) == pointed


async def test_the_filter_shows_only_what_contains_a_text(log: Path) -> None:
    append(log, said(9, "WARNING", "Beware of the dog"))
    app = application(harbour(), log=log)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "running")
        await pilot.press("L")
        await until_seen(pilot, "Beware")
        await pilot.press("slash", *"bEWARE")
        await until_seen(pilot, "1 of 6 lines with /bEWARE")
        assert "line 4" not in text_of(app)
        append(log, said(10) + said(11, "INFO", "beware again"))
        await until_seen(pilot, "2 of 8 lines")
        await pilot.press("enter", "i")
        await until_seen(pilot, "4711 INFO s3tui.worker: beware again")
        await pilot.press("y")
        await until(pilot, lambda: app.clipboard.endswith("s3tui.worker: beware again"), "the copy")
        await pilot.press("escape")
        await until_seen(pilot, "line 4")
        await pilot.press("escape", "escape")
        await until_seen(pilot, "From → to")


async def test_without_a_log_a_sentence_says_so_until_there_is_one(tmp_path: Path) -> None:
    app = application(harbour(), log=tmp_path / "s3tui.log")
    async with app.run_test(size=(240, 24)) as pilot:
        await until_seen(pilot, "running")
        await pilot.press("L")
        await until_seen(pilot, "cannot be read: no such file or directory.")
        (tmp_path / "s3tui.log").write_text(said(3))
        await until_seen(pilot, "2026-11-21 10:00:03 INFO")
        await until_unseen(pilot, "cannot be read")


def test_the_real_program_shows_its_own_log_and_hostile_bytes_harm_nothing(tmp_path: Path) -> None:
    environment: dict[str, Any] = {"XDG_STATE_HOME": str(tmp_path)}
    (tmp_path / "s3tui").mkdir()
    (tmp_path / "s3tui" / "s3tui.log").write_bytes(b"before\n\x1b[2J\x1b]0;x\x07\x9b2J\xff [/b]\n")
    with Terminal(["-m", "s3tui"], environment) as terminal:
        terminal.until_seen("No jobs yet")
        terminal.press("L")
        terminal.until_seen("\\x1b[2J\\x1b]0;x\\x07\\x9b2J\\xff [/b]")
        assert "before" in terminal.text()
        assert terminal.bells == 0

"""What the doctor makes of what it sees."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from s3tui.doctor.findings import found
from s3tui.doctor.house import disk
from s3tui.doctor.store import clock
from s3tui.errors import StateError


@pytest.mark.parametrize(
    ("ahead", "state", "words"),
    [
        (0.9, "ok", "agrees"),
        (-12, "ok", "0:12 behind"),
        (299, "ok", "4:59 ahead of"),
        (301, "failed", "5:01 ahead of"),
        (-3600, "failed", "1:00:00 behind"),
    ],
)
def test_a_clock_may_be_five_minutes_off(ahead: float, state: str, words: str) -> None:
    finding = clock(ahead)
    assert finding.state == state
    assert words in finding.detail
    assert ("timedatectl" in finding.detail) == (state == "failed")


@pytest.mark.parametrize(("free", "state"), [(100 << 20, "ok"), ((100 << 20) - 1, "failed")])
def test_a_disk_wants_room_for_the_ledger(free: int, state: str) -> None:
    finding = disk(Path("/state"), free)
    assert (finding.state, finding.facts) == (state, {"free": free})
    assert ("XDG_STATE_HOME" in finding.detail) == (state == "failed")


def test_a_look_that_does_not_end_has_failed() -> None:
    never = threading.Event()
    finding = found("queue", lambda: str(never.wait()), seconds=0.05)
    assert finding.state == "failed"
    assert "no answer" in finding.detail


def test_the_error_of_a_look_is_its_finding() -> None:
    def look() -> str:
        raise StateError("It is locked. Try again.")

    finding = found("database", look, seconds=5)
    assert (finding.state, finding.detail) == ("failed", "It is locked. Try again.")

"""Ratios that people read first are those that `make bench` has written."""

from __future__ import annotations

import re

import pytest

from tests.docs.conftest import ROOT

PEERS = ("s5cmd", "rclone", "aws")
_SECTION = re.compile(r"^### (.+)$", re.MULTILINE)
_RATIO = re.compile(r"^\| (\w+) \| ([\d.]+) \(", re.MULTILINE)


def measured() -> dict[str, dict[str, str]]:
    """Speed against each peer, by the heading of the work."""
    parts = _SECTION.split((ROOT / "docs" / "performance.md").read_text())
    works = zip(parts[1::2], parts[2::2], strict=True)
    return {work.replace("`", ""): dict(_RATIO.findall(text)) for work, text in works if _RATIO.search(text)}


def test_all_works_are_found() -> None:
    assert len(measured()) >= 8


@pytest.mark.parametrize("work", [work for work in measured() if "each answer after" not in work])
def test_the_comparison_says_what_was_measured(work: str) -> None:
    lines = [line for line in (ROOT / "docs" / "comparison.md").read_text().splitlines() if line.startswith("|")]
    cells = {line.replace("`", "").split("|")[1].strip(): [cell.strip() for cell in line.split("|")[2:5]] for line in lines}
    assert cells[work] == [measured()[work].get(peer, "") for peer in PEERS]


def test_the_readme_says_what_was_measured() -> None:
    told = re.findall(
        r"^\| \*\*(.+?)\*\*.*? \| \| ([\d.]+).*? \| ([\d.]+) \| ([\d.]+) \|$", (ROOT / "README.md").read_text(), re.MULTILINE
    )

    assert len(told) == 4
    for work, aws, rclone, s5cmd in told:
        assert measured()[work] == {"aws": aws, "rclone": rclone, "s5cmd": s5cmd}

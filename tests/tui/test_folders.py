"""The tree without a screen: what is listed, filtered and marked, and how much it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from s3tui.tui.folders import MARKS, Entry, Folders, Listing, list_folder, siblings
from s3tui.tui.measuring import Sums, Tally, measure
from tests.unprivileged import run_unprivileged


def listed(root: Path) -> Folders:
    folders = Folders(str(root))
    folders.fill(folders.top, list_folder(str(root)))
    return folders


def names(entries: list[Entry]) -> list[str]:
    return [entry.name if not entry.stands_for_rest else f"+{entry.rest}" for entry in entries]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two folders with files in them, and two files beside them."""
    for name in ("alpha/one.txt", "alpha/TWO.md", "beta/three.txt", "four.txt", "five.md"):
        (tmp_path / "t" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "t" / name).write_bytes(b"x" * 100)
    return tmp_path / "t"


def opened(tree: Path) -> Folders:
    """The tree, `alpha` open."""
    folders = listed(tree)
    alpha = folders.lines()[0]
    alpha.open = True
    folders.fill(alpha, list_folder(alpha.path))
    return folders


def test_a_filter_narrows_what_is_listed_in_open_folders_and_keeps_the_way_there(tree: Path) -> None:
    folders = opened(tree)
    folders.containing = "Two"
    assert names(folders.lines()) == ["alpha", "TWO.md"]
    folders.containing = "t"
    assert names(folders.lines()) == ["alpha", "one.txt", "TWO.md", "beta", "four.txt"]
    folders.containing = "nothing"
    assert folders.lines() == []


def test_of_too_many_names_the_first_are_listed_and_a_filter_reaches_the_others(tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / f"file-{number:02}").touch()
    (tmp_path / "zfolder").mkdir()
    listing = list_folder(str(tmp_path), most=10)
    assert names(listing.entries) == ["zfolder", *(f"file-{number:02}" for number in range(9))]
    assert listing.rest == 41
    folders = Folders(str(tmp_path))
    folders.fill(folders.top, listing)
    assert names(folders.lines())[-2:] == ["file-08", "+41"]
    folders.containing = "-4"
    assert folders.cut() == [folders.top]
    folders.fill(folders.top, list_folder(str(tmp_path), "-4", most=10), "-4")
    assert names(folders.lines()) == [f"file-4{number}" for number in range(9)] + ["+1"]
    assert folders.cut() == []
    folders.containing = ""
    assert folders.cut() == [folders.top]


def test_a_range_marks_all_but_what_is_covered_and_what_a_folder_takes_in(tree: Path) -> None:
    folders = opened(tree)
    folders.mark(entry.path for entry in folders.lines()[:4])
    assert folders.sources() == [str(tree / "alpha"), str(tree / "beta")]


def test_inverting_touches_the_siblings_on_show_only(tree: Path) -> None:
    folders = opened(tree)
    lines = folders.lines()
    assert names(siblings(lines, lines[1])) == ["one.txt", "TWO.md"]
    folders.toggle(lines[1].path)
    folders.invert(siblings(lines, lines[1]))
    assert folders.sources() == [lines[2].path]
    folders.invert(siblings(lines, lines[0]))
    assert folders.sources() == sorted(str(tree / name) for name in ("alpha", "beta", "five.md", "four.txt"))


def test_more_marks_than_a_job_takes_are_refused_as_a_whole() -> None:
    folders = Folders("/r")
    folders.toggle("/r/first")
    entries = [Entry(f"/r/{number}", 0, folder=False) for number in range(MARKS)]
    folders.fill(folders.top, Listing(entries))
    with pytest.raises(ValueError, match="1,001 marks, and a job takes 1,000"):
        folders.mark(entry.path for entry in entries)
    with pytest.raises(ValueError, match="1,001 marks, and a job takes 1,000"):
        folders.invert(entries)
    assert folders.sources() == ["/r/first"]


# How much it is.


def test_a_folder_is_summed_up_without_following_links(tree: Path) -> None:
    (tree / "alpha" / "link").symlink_to(tree / "beta")
    (tree / "alpha" / "hard").hardlink_to(tree / "four.txt")
    os.mkfifo(tree / "alpha" / "fifo")
    tally = Tally()
    measure(str(tree), tally, lambda: False)
    assert (tally.files, tally.size, tally.unseen, tally.done) == (6, 600, 0, True)
    assert tally.words == "600 B"


def test_a_file_is_summed_up_too_and_what_is_gone_is_nothing(tree: Path) -> None:
    one, gone = Tally(), Tally()
    measure(str(tree / "four.txt"), one, lambda: False)
    measure(str(tree / "gone"), gone, lambda: False)
    assert [(tally.files, tally.size, tally.done) for tally in (one, gone)] == [(1, 100, True), (0, 0, True)]


def test_what_cannot_be_seen_is_said(tree: Path) -> None:
    (tree / "beta").chmod(0)
    script = """
        import json, sys
        from s3tui.tui.measuring import Tally, measure
        tally = Tally()
        measure(json.loads(sys.argv[1]), tally, lambda: False)
        print(json.dumps([tally.files, tally.unseen, tally.words]))
    """
    assert run_unprivileged(script, str(tree)) == [4, 1, "≥400 B"]
    (tree / "beta").chmod(0o700)


def test_a_very_deep_tree_is_summed_up_as_far_as_is_sane(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(220):
        deep = deep / "d"
    deep.mkdir(parents=True)
    (deep / "lost").write_bytes(b"x")
    (tmp_path / "seen").write_bytes(b"x")
    tally = Tally()
    measure(str(tmp_path), tally, lambda: False)
    assert (tally.files, tally.unseen) == (1, 1)


def test_sums_stop_when_they_are_told_to_and_go_on_with_the_next(tree: Path) -> None:
    sums = Sums()
    sums.toggle_all([str(tree / "alpha"), str(tree / "beta")])
    first = sums.next()
    assert first is not None
    sums.toggle(str(tree / "alpha"))
    first()
    assert sums.of(str(tree / "alpha")) is None
    second = sums.next()
    assert second is not None
    second()
    assert sums.next() is None
    assert sums.total([str(tree / "alpha"), str(tree / "beta")]) == (100, 1, 1, False)
    sums.note({str(tree / "four.txt"): 100})
    assert sums.total([str(tree / "beta"), str(tree / "four.txt")]) == (200, 2, 0, False)

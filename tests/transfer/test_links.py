"""Links that are followed: round and round, out of the tree, twice to one file, and to nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from s3tui.transfer.choice import Choice
from s3tui.transfer.plan import scan
from tests.unprivileged import run_unprivileged


def _followed(source: Path, after: bytes = b"", **options: Any) -> dict[str, str]:
    choice = Choice(follow_symlinks=True, **options)
    entries = scan([bytes(source)], prefix="", choice=choice, created_at=0, after=(0, after) if after else None)
    return {entry.path.decode(): entry.reason or "planned" for entry in entries}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A directory with another one beside it."""
    (tmp_path / "source").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "far").write_bytes(b"far away")
    return tmp_path / "source"


def test_a_loop_through_several_links_ends_at_the_link_that_closes_it(source: Path) -> None:
    for name, target in (("a", "b"), ("b", "c"), ("c", "a")):
        (source / name).mkdir()
        (source / name / f"to {target}").symlink_to(f"../{target}")
    found = _followed(source)
    assert found == {
        "a/to b/to c/to a": "symlink_loop",
        "b/to c/to a/to b": "symlink_loop",
        "c/to a/to b/to c": "symlink_loop",
    }
    assert _followed(source, after=b"a/to b/to c/to a") == dict(list(found.items())[1:])


def test_a_link_to_a_link_to_a_directory_above_is_a_loop(source: Path) -> None:
    (source / "deep").mkdir()
    (source / "deep" / "first").symlink_to("second")
    (source / "deep" / "second").symlink_to("../..")
    outcomes = _followed(source)
    assert outcomes["deep/first/outside/far"] == outcomes["deep/second/outside/far"] == "planned"
    assert {path: reason for path, reason in outcomes.items() if reason != "planned"} == {
        "deep/first/source/deep/first": "symlink_loop",
        "deep/first/source/deep/second": "symlink_loop",
        "deep/second/source/deep/first": "symlink_loop",
        "deep/second/source/deep/second": "symlink_loop",
    }


def test_links_out_of_the_tree_and_twice_to_one_file_are_each_a_file(source: Path) -> None:
    (source / "file").write_bytes(b"near")
    for name, target in (("again", "file"), ("once more", "again"), ("out", "../outside/far"), ("out too", "../outside")):
        (source / name).symlink_to(target)
    planned = dict.fromkeys(("again", "file", "once more", "out", "out too/far"), "planned")
    assert _followed(source) == planned
    assert _followed(source, rules=(("exclude", "out*"),)) == planned | {"out": "excluded", "out too/far": "excluded"}


def test_a_link_that_leads_nowhere_fails_unless_it_is_left_out(source: Path) -> None:
    (source / "file").touch()
    (source / "gone").symlink_to("nothing")
    (source / "round").symlink_to("round")
    (source / "through a file").symlink_to("file/below")
    nowhere = {"gone": "dangling_link", "round": "symlink_loop", "through a file": "dangling_link"}
    assert _followed(source) == {"file": "planned", **nowhere}
    left_out = dict.fromkeys(nowhere, "excluded")
    assert _followed(source, ignore=("*", "!file")) == {"file": "planned", **left_out}


def test_a_link_to_a_directory_is_left_out_as_a_directory_is(source: Path) -> None:
    (source / "far").symlink_to("../outside")
    (source / ".far").symlink_to("../outside")
    assert _followed(source, ignore=("far/",), hidden=False) == {".far/": "excluded", "far/": "excluded"}
    assert _followed(source, ignore=("far/",), hidden=False, after=b".far/") == {"far/": "excluded"}


def test_limits_are_held_against_what_a_link_points_to(source: Path) -> None:
    (source / "out").symlink_to("../outside/far")
    assert _followed(source, min_size=8) == {"out": "planned"}
    assert _followed(source, min_size=9) == {"out": "size_limit"}


def test_a_link_to_what_may_not_be_read_is_one_failure(source: Path) -> None:
    (source / "behind").symlink_to("../outside/far")
    (source / "locked").symlink_to("../outside")
    (source / "open").touch()
    (source.parent / "outside").chmod(0)
    script = """
        import json, os, sys
        from s3tui.transfer.choice import Choice
        from s3tui.transfer.plan import scan
        source, after = map(json.loads, sys.argv[1:])
        entries = scan([os.fsencode(source)], prefix="", choice=Choice(follow_symlinks=True), created_at=0,
                       after=after and (0, after.encode()))
        print(json.dumps([[entry.path.decode(), entry.reason] for entry in entries]))
    """
    found = [["behind", "permission_denied"], ["locked/", "permission_denied"], ["open", None]]
    assert run_unprivileged(script, str(source), None) == found
    assert run_unprivileged(script, str(source), "locked/") == found[2:]

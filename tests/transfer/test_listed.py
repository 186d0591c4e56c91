"""What a list names is looked at by itself, and judged as a walk would have judged it."""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3tui.events import Planned
from s3tui.transfer.choice import Choice
from s3tui.transfer.file_list import FileList, keep_list
from s3tui.transfer.plan import scan
from tests.unprivileged import run_unprivileged


def _listed(source: Path, paths: list[bytes], after: tuple[int, bytes] | None = None, **fields: Any) -> list[Planned]:
    with tempfile.TemporaryDirectory() as directory:
        name = keep_list(io.BytesIO(b"\0".join(paths)), b"\0", bytes(source), Path(directory))
        choice = Choice(files_from=name, **fields)
        files = FileList(Path(directory), name)
        return list(scan([bytes(source)], prefix="p/", choice=choice, created_at=0, files=files, after=after))


def _outcomes(entries: list[Planned]) -> dict[str, str]:
    return {os.fsdecode(entry.path): entry.reason or "planned" for entry in entries}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree with a bit of everything."""
    root = tmp_path_factory.mktemp("listed") / "source"
    for name in ("a", "b.txt", "dir/file", "dir/.hidden", ".git/config", "node/deep/x", "new\nline", "\udcff"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"12345")
    os.mkfifo(root / "fifo")
    (root / "link").symlink_to("a")
    (root / "linked").symlink_to("dir")
    (root / "dangling").symlink_to("nowhere")
    return root


def test_a_listed_file_is_taken_and_what_is_no_file_says_why(source: Path) -> None:
    names = [b"new\nline", b"a", b"./dir//file", b"fifo", b"link", b"linked/file", b"dir/", b".", b"gone", b"a/below", b"\xff"]
    assert _outcomes(_listed(source, [*names, bytes(source) + b"/b.txt"])) == {
        ".": "is_a_directory",
        "a": "planned",
        "a/below": "source_vanished",
        "b.txt": "planned",
        "dir": "is_a_directory",
        "dir/file": "planned",
        "fifo": "not_a_file",
        "gone": "source_vanished",
        "link": "not_a_file",
        "linked/file": "not_a_file",
        "new\nline": "planned",
        "\udcff": "name_not_utf8",
    }


def test_what_lies_outside_fails_alone_and_has_no_key(source: Path) -> None:
    entries = _listed(source, [b"../other", b"dir/../a", b"/etc/passwd", b"a"])
    assert _outcomes(entries) == {
        "../other": "outside_source",
        "/etc/passwd": "outside_source",
        "a": "planned",
        "dir/../a": "outside_source",
    }
    assert [entry.key for entry in entries] == [None, None, "p/a", None]
    assert entries[1].error == (
        f"/etc/passwd does not lie below the source {source}. List paths without .., relative to the source or beginning with it."
    )


def test_links_on_the_way_are_followed_when_asked(source: Path) -> None:
    names = [b"link", b"linked", b"linked/file", b"dangling"]
    assert _outcomes(_listed(source, names, follow_symlinks=True)) == {
        "dangling": "dangling_link",
        "link": "planned",
        "linked": "is_a_directory",
        "linked/file": "planned",
    }


def test_filters_hold_for_listed_files_and_for_the_directories_on_their_way(source: Path) -> None:
    names = [b".git/config", b"node/deep/x", b"node", b"dir/.hidden", b"dir/file", b"b.txt", b"gone.txt", b"a"]
    choice: dict[str, Any] = {"hidden": False, "ignore": ("node/", "*.txt"), "rules": (("exclude", "a"),), "max_size": 4}
    assert _outcomes(_listed(source, names, **choice)) == {
        ".git/config": "excluded",
        "a": "excluded",
        "b.txt": "excluded",
        "dir/.hidden": "excluded",
        "dir/file": "size_limit",
        "gone.txt": "excluded",
        "node": "excluded",
        "node/deep/x": "excluded",
    }


NAMES = [
    b"a",
    b"b.txt",
    b"dir",
    b"dir/file",
    b"../x",
    b".",
    b"gone",
    b"node/deep/x",
    b"\xff",
    b".git/config",
    b"linked/file",
    b"/etc",
]


@settings(max_examples=60, deadline=None)
@given(st.sets(st.sampled_from(NAMES)), st.booleans(), st.booleans(), st.sampled_from([(), ("node",), ("*", "!*.txt")]))
def test_a_listed_plan_is_in_order_and_goes_on_after_any_entry(
    source: Path, paths: set[bytes], hidden: bool, follow: bool, ignore: tuple[str, ...]
) -> None:
    fields: dict[str, Any] = {"hidden": hidden, "follow_symlinks": follow, "ignore": ignore}
    entries = _listed(source, list(paths), **fields)
    assert [entry.path for entry in entries] == sorted(paths)
    for position, entry in enumerate(entries):
        assert _listed(source, list(paths), after=(0, entry.path), **fields) == entries[position + 1 :]


def test_every_file_of_a_walk_listed_is_judged_as_on_the_walk(source: Path) -> None:
    walked = list(scan([bytes(source)], prefix="p/", choice=Choice(), created_at=0))
    assert _listed(source, [entry.path for entry in walked]) == walked


def test_what_may_not_be_reached_fails(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir()
    (tmp_path / "locked" / "secret").touch()
    (tmp_path / "locked").chmod(0)
    script = """
        import io, json, os, sys
        from pathlib import Path
        from s3tui.transfer.choice import Choice
        from s3tui.transfer.file_list import FileList, keep_list
        from s3tui.transfer.plan import scan
        source, lists = (os.fsencode(json.loads(word)) for word in sys.argv[1:])
        directory = Path(os.fsdecode(lists))
        name = keep_list(io.BytesIO(b"locked/secret"), b"\\n", source, directory)
        choice, files = Choice(files_from=name), FileList(directory, name)
        entries = scan([source], prefix="", choice=choice, created_at=0, files=files)
        print(json.dumps([[entry.path.decode(), entry.reason] for entry in entries]))
    """
    assert run_unprivileged(script, str(tmp_path), str(tmp_path / "lists")) == [["locked/secret", "permission_denied"]]

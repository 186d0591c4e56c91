"""What a scan takes by a choice: held against a walk that knows nothing of it, and the same after every interruption."""

from __future__ import annotations

import fnmatch
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3tui.errors import SpecError
from s3tui.events import Planned
from s3tui.transfer import listing
from s3tui.transfer.choice import Choice
from s3tui.transfer.plan import scan
from tests.unprivileged import run_unprivileged

NOW = 1_800_000_000_000
DAY = 86_400_000
NAMES = st.sampled_from(["a", "a.txt", "b.TXT", ".h", ".git", "node", "c.tmp", "new\nline.txt", "\udcff.txt", "é.jpg"])
FILES = st.tuples(st.integers(0, 4), st.integers(0, 5))
TREES = st.recursive(FILES, lambda children: st.dictionaries(NAMES, children, max_size=4), max_leaves=15)
CHOICES = st.builds(
    Choice,
    rules=st.lists(
        st.tuples(st.sampled_from(["include", "exclude"]), st.sampled_from(["*.txt", "a*", "*/a", ".*", "*"])), max_size=3
    ).map(tuple),
    ignore=st.lists(st.sampled_from(["*.tmp", "node/", "!node/", "/a", "!*.txt", "a.txt", ".git"]), max_size=3).map(tuple),
    extensions=st.lists(st.sampled_from(["txt", ".JPG", "tmp"]), max_size=2).map(tuple),
    hidden=st.booleans(),
    min_size=st.sampled_from([0, 2]),
    max_size=st.sampled_from([None, 3]),
    min_age=st.sampled_from(["", "2d"]),
    max_age=st.sampled_from(["", "3d"]),
)
Tree = Any


def _grow(path: str, tree: Tree) -> None:
    """Make a tree on disk; a leaf is (bytes, days of age)."""
    for name, child in tree.items():
        below = f"{path}/{name}"
        if isinstance(child, dict):
            Path(below).mkdir()
            _grow(below, child)
        else:
            size, days = child
            Path(below).write_bytes(b"x" * size)
            os.utime(below, (0, (NOW - days * DAY) / 1000))


def _planned(root: str, choice: Choice, after: tuple[int, bytes] | None = None) -> list[Planned]:
    return list(scan([os.fsencode(root)], prefix="", choice=choice, created_at=NOW, after=after))


def _outcomes(entries: list[Planned]) -> dict[bytes, str]:
    return {entry.path: entry.reason or "planned" for entry in entries}


def _naive(root: str, choice: Choice) -> dict[bytes, str]:
    """The same by `os.walk`, rule by rule."""
    found: dict[bytes, str] = {}
    for directory, directories, files in os.walk(root):
        relative = os.path.relpath(directory, root)
        place = "" if relative == "." else relative + "/"
        for name in list(directories):
            if _left_out(name, place + name, choice, is_directory=True):
                directories.remove(name)
                found[os.fsencode(place + name + "/")] = "excluded"
        for name in files:
            found[os.fsencode(place + name)] = _verdict(name, place + name, Path(directory, name).stat(), choice)
    return found


def _left_out(name: str, path: str, choice: Choice, *, is_directory: bool) -> bool:
    if not choice.hidden and name.startswith("."):
        return True
    ignored = False
    for line in choice.ignore:
        glob = line.removeprefix("!").rstrip("/")
        meant = path == glob[1:] if glob.startswith("/") else fnmatch.fnmatchcase(name, glob)
        if meant and (is_directory or not line.endswith("/")):
            ignored = not line.startswith("!")
    return ignored


def _verdict(name: str, path: str, status: os.stat_result, choice: Choice) -> str:
    excluded = _left_out(name, path, choice, is_directory=False)
    by_rules = False
    for action, glob in choice.rules:
        if fnmatch.fnmatchcase(path, glob) or ("/" not in glob and fnmatch.fnmatchcase(name, glob)):
            by_rules = action == "exclude"
    stem, dot, extension = name.rpartition(".")
    wanted = [text.removeprefix(".").lower() for text in choice.extensions]
    if excluded or by_rules or (wanted and not (stem and dot and extension.lower() in wanted)):
        return "excluded"
    size, age = status.st_size, NOW - status.st_mtime_ns / 1_000_000
    if size < choice.min_size or (choice.max_size is not None and size > choice.max_size):
        return "size_limit"
    if (choice.min_age and age < 2 * DAY) or (choice.max_age and age > 3 * DAY):
        return "age_limit"
    return "name_not_utf8" if "\udcff" in path else "planned"


@pytest.fixture(params=[1, listing.WINDOW])
def window(request: pytest.FixtureRequest) -> Iterator[int]:
    """The window of names, absurdly small and the real one."""
    real, listing.WINDOW = listing.WINDOW, request.param
    yield request.param
    listing.WINDOW = real


@pytest.mark.usefixtures("window")
@settings(max_examples=120, deadline=None)
@given(tree=st.dictionaries(NAMES, TREES, max_size=5), choice=CHOICES)
def test_a_scan_takes_what_a_naive_walk_takes_and_goes_on_after_any_entry(tree: Tree, choice: Choice) -> None:
    with tempfile.TemporaryDirectory() as root:
        _grow(root, tree)
        entries = _planned(root, choice)
        assert _outcomes(entries) == _naive(root, choice)
        assert [entry.path for entry in entries] == sorted(entry.path for entry in entries)
        for position, entry in enumerate(entries):
            assert _planned(root, choice, after=(0, entry.path)) == entries[position + 1 :]


def _touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_a_directory_that_is_left_out_as_a_whole_is_one_row_and_is_not_listed(tmp_path: Path) -> None:
    _touch(tmp_path, "node_modules/a/b", "node_modules/c", "src/node_modules/d", "src/.cache/e", "src/main", ".env")
    script = """
        import json, os, sys
        from s3tui.transfer.choice import Choice
        from s3tui.transfer.plan import scan
        listed = []
        sys.addaudithook(lambda event, arguments: listed.append(os.fsdecode(arguments[0])) if event == "os.scandir" else None)
        source = os.fsencode(json.loads(sys.argv[1]))
        choice = Choice(ignore=("node_modules/",), hidden=False, rules=(("include", "*"),))
        entries = scan([source], prefix="", choice=choice, created_at=0)
        print(json.dumps([[[entry.path.decode(), entry.reason] for entry in entries], listed]))
    """
    entries, listed = run_unprivileged(script, str(tmp_path))
    assert entries == [
        [".env", "excluded"],
        ["node_modules/", "excluded"],
        ["src/.cache/", "excluded"],
        ["src/main", None],
        ["src/node_modules/", "excluded"],
    ]
    assert listed == [f"{tmp_path}/", f"{tmp_path}/src/"]


def test_a_directory_that_is_left_out_need_not_be_readable(tmp_path: Path) -> None:
    _touch(tmp_path, "locked/secret", ".locked/secret", "open")
    for name in ("locked", ".locked"):
        (tmp_path / name).chmod(0)
    script = """
        import json, os, sys
        from s3tui.transfer.choice import Choice
        from s3tui.transfer.plan import scan
        source, fields = map(json.loads, sys.argv[1:])
        entries = scan([os.fsencode(source)], prefix="", choice=Choice(**fields), created_at=0)
        print(json.dumps({entry.path.decode(): entry.reason for entry in entries}))
    """
    denied = "permission_denied"
    assert run_unprivileged(script, str(tmp_path), {}) == {".locked/": denied, "locked/": denied, "open": None}
    choice = {"hidden": False, "ignore": ["/locked"]}
    assert run_unprivileged(script, str(tmp_path), choice) == {".locked/": "excluded", "locked/": "excluded", "open": None}
    choice = {"min_size": 1, "extensions": ["txt"]}  # what is in there is not known
    assert run_unprivileged(script, str(tmp_path), choice) == {".locked/": denied, "locked/": denied, "open": "excluded"}


def test_a_source_that_is_a_file_is_chosen_by_its_name_size_and_age(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"12345")
    for choice, outcome in [
        (Choice(), "planned"),
        (Choice(hidden=False), "excluded"),
        (Choice(ignore=("/.env",)), "excluded"),
        (Choice(extensions=("env",)), "excluded"),
        (Choice(max_size=4), "size_limit"),
        (Choice(max_size=5), "planned"),
        (Choice(min_age="2001-01-01"), "age_limit"),
        (Choice(max_age="2001-01-01"), "planned"),
    ]:
        assert _outcomes(_planned(str(tmp_path / ".env"), choice)) == {b".env": outcome}


def test_a_star_among_the_extensions_is_all_of_them(tmp_path: Path) -> None:
    _touch(tmp_path, "plain", "a.tar.gz", "b.gz", "gz", ".gz")
    outcomes = _outcomes(_planned(str(tmp_path), Choice(extensions=("tar.gz",))))
    assert [name for name, reason in outcomes.items() if reason == "planned"] == [b"a.tar.gz"]
    outcomes = _outcomes(_planned(str(tmp_path), Choice(extensions=("gz",))))
    assert [name for name, reason in outcomes.items() if reason == "planned"] == [b"a.tar.gz", b"b.gz"]
    assert set(_outcomes(_planned(str(tmp_path), Choice(extensions=("pdf", "*")))).values()) == {"planned"}


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"extensions": ("",)}, "'' is not a file extension"),
        ({"extensions": ("*.pdf",)}, "'\\*.pdf' is not a file extension: write it like pdf"),
        ({"extensions": ("a/b",)}, "is not a file extension"),
        ({"min_size": 2, "max_size": 1}, "as large as --min-size and as small as --max-size"),
        ({"min_age": "soon"}, "--min-age cannot be used: 'soon' is not an age; write it like 30d"),
        ({"max_age": "2026-13-01"}, "--max-age cannot be used"),
    ],
)
def test_a_choice_that_cannot_be_used_is_refused_in_one_sentence(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SpecError, match=sentence):
        Choice(**fields)

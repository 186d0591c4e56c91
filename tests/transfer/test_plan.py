"""The scan: order, resumption, conservation, and what becomes of everything that is not a plain file."""

from __future__ import annotations

import os
import socket
import tempfile
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3tui.errors import SpecError
from s3tui.events import Planned
from s3tui.model import FileState, Fingerprint
from s3tui.transfer import listing
from s3tui.transfer.choice import Choice
from s3tui.transfer.plan import judges, look, scan, shards
from s3tui.transfer.unreadable import check_sources
from tests.unprivileged import run_unprivileged

pytestmark = pytest.mark.thorough(one_in=5)


def _scan(*sources: Path | bytes, after: tuple[int, bytes] | None = None, **options: Any) -> list[Planned]:
    choice = Choice(**options)
    return list(scan([os.fsencode(source) for source in sources], prefix="p/", choice=choice, created_at=0, after=after))


def _look(source: Path, path: bytes, **options: Any) -> list[Planned]:
    [judge] = judges([os.fsencode(source)], "p/", Choice(**options), 0)
    return list(look(judge, path))


def _paths(planned: list[Planned]) -> list[bytes]:
    return [entry.path for entry in planned]


def _outcomes(planned: list[Planned]) -> dict[bytes, tuple[str, str | None]]:
    return {entry.path: (entry.state.word, entry.reason) for entry in planned}


NAMES = st.sampled_from([b"a", b"a.", b"a-", b"a0", b"b", b"\n", b"\xff", b"A", "é".encode(), b"a b", b"%41"])
TREES = st.recursive(st.just(None), lambda children: st.dictionaries(NAMES, children, max_size=5), max_leaves=25)
Tree = dict[bytes, Any] | None


def _grow(path: bytes, tree: Tree, relative: bytes = b"") -> Iterator[bytes]:
    """Make the tree on disk; the relative paths of its files."""
    for name, child in (tree or {}).items():
        if child is None:
            Path(os.fsdecode(path + b"/" + name)).write_bytes(name)
            yield relative + name
        else:
            Path(os.fsdecode(path + b"/" + name)).mkdir()
            yield from _grow(path + b"/" + name, child, relative + name + b"/")


@pytest.fixture(params=[1, 2, listing.WINDOW])
def window(request: pytest.FixtureRequest) -> Iterator[int]:
    """The window of names, from absurdly small to the real one."""
    real, listing.WINDOW = listing.WINDOW, request.param
    yield request.param
    listing.WINDOW = real


@pytest.mark.usefixtures("window")
@settings(max_examples=40, deadline=None)
@given(tree=TREES, second=TREES)
def test_files_come_in_the_order_of_keys_and_a_scan_goes_on_after_any_of_them(tree: Tree, second: Tree) -> None:
    with tempfile.TemporaryDirectory() as directory:
        sources = [os.fsencode(directory) + b"/one", os.fsencode(directory) + b"/two"]
        found = []
        for source, grown in zip(sources, (tree, second), strict=True):
            Path(os.fsdecode(source)).mkdir()
            found.append(sorted(_grow(source, grown)))
        planned = _scan(*sources)
        assert [[entry.path for entry in planned if entry.source_no == no] for no in (0, 1)] == found
        assert planned == sorted(planned, key=lambda entry: (entry.source_no, entry.path))
        for position, entry in enumerate(planned):
            assert _scan(*sources, after=(entry.source_no, entry.path)) == planned[position + 1 :]


def test_keys_of_a_scan_are_in_the_order_of_a_listing(tmp_path: Path) -> None:
    for name in ("a.txt", "a/x", "a-b", "a0", "b/c/d", "b.c/d"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    keys = [entry.key or "" for entry in _scan(tmp_path)]
    assert keys == ["p/a-b", "p/a.txt", "p/a/x", "p/a0", "p/b.c/d", "p/b/c/d"] == sorted(keys, key=str.encode)


def test_a_scan_that_goes_on_does_not_even_list_what_lies_before(tmp_path: Path) -> None:
    for name in ("a/x", "b/file", "c/file"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    script = """
        import json, os, sys
        from s3tui.transfer.choice import Choice
        from s3tui.transfer.plan import scan
        listed = []
        sys.addaudithook(lambda event, arguments: listed.append(os.fsdecode(arguments[0])) if event == "os.scandir" else None)
        source = os.fsencode(json.loads(sys.argv[1]))
        after = (0, b"b/file")
        entries = scan([source], prefix="", choice=Choice(), created_at=0, after=after)
        print(json.dumps([[entry.path.decode() for entry in entries], listed]))
    """
    paths, listed = run_unprivileged(script, str(tmp_path))
    assert paths == ["c/file"]
    assert listed == [f"{tmp_path}/", f"{tmp_path}/b/", f"{tmp_path}/c/"]


def test_a_source_that_is_a_file_goes_by_its_base_name_and_a_link_given_as_source_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "inside").write_bytes(b"123")
    (tmp_path / "file link").symlink_to("real/inside")
    (tmp_path / "directory link").symlink_to("real")
    sources = [tmp_path / "file link", tmp_path / "directory link", tmp_path / "real" / "inside"]
    planned = _scan(*sources)
    assert [(entry.source_no, entry.path, entry.key) for entry in planned] == [
        (0, b"file link", "p/file link"),
        (1, b"inside", "p/inside"),
        (2, b"inside", "p/inside"),
    ]
    assert {entry.fingerprint for entry in planned} == {Fingerprint.of((tmp_path / "real" / "inside").stat())}
    assert _paths(_scan(*sources, after=(1, b"inside"))) == [b"inside"]
    assert _scan(*sources, after=(2, b"inside")) == []


def test_what_is_no_file_by_nature_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link to file").symlink_to("file")
    (tmp_path / "link to nothing").symlink_to("nothing")
    (tmp_path / "link to directory").symlink_to(".")
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        outcomes = _outcomes(_scan(tmp_path))
    assert outcomes.pop(b"file") == ("planned", None)
    assert outcomes == dict.fromkeys(
        (b"fifo", b"socket", b"link to file", b"link to nothing", b"link to directory"), ("skipped", "not_a_file")
    )


def test_links_are_followed_when_asked_and_those_that_lead_nowhere_or_in_circles_fail(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").write_bytes(b"123")
    (tmp_path / "real" / "up").symlink_to("..")
    (tmp_path / "twin").symlink_to("real")
    (tmp_path / "file").symlink_to("real/file")
    (tmp_path / "nothing").symlink_to("nowhere")
    (tmp_path / "self").symlink_to("self")
    planned = _scan(tmp_path, follow_symlinks=True)
    assert _outcomes(planned) == {
        b"file": ("planned", None),
        b"nothing": ("failed", "dangling_link"),
        b"real/file": ("planned", None),
        b"real/up": ("failed", "symlink_loop"),
        b"self": ("failed", "symlink_loop"),
        b"twin/file": ("planned", None),
        b"twin/up": ("failed", "symlink_loop"),
    }
    assert all(entry.error for entry in planned if entry.state is FileState.FAILED)
    assert {entry.fingerprint.size for entry in planned if entry.state is FileState.PLANNED} == {3}


def test_excluded_files_are_rows_and_directories_are_not(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "empty").mkdir()
    for name in ("logs/a.log", "logs/b.txt", "c.log"):
        (tmp_path / name).touch()
    planned = _scan(tmp_path, rules=(("exclude", "*.log"), ("include", "c.log")))
    assert _outcomes(planned) == {
        b"c.log": ("planned", None),
        b"logs/a.log": ("skipped", "excluded"),
        b"logs/b.txt": ("planned", None),
    }


def test_names_that_cannot_be_keys_fail_and_the_others_are_planned(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff")).touch()
    deep = tmp_path.joinpath(*["d" * 200] * 6)
    deep.mkdir(parents=True)
    (deep / "f").touch()
    planned = _scan(tmp_path)
    assert [(entry.key, entry.reason) for entry in planned] == [(None, "name_not_utf8"), (None, "key_too_long")]
    encoded = _scan(tmp_path, encode_names="percent")[0]
    assert (encoded.key, encoded.state) == ("p/bad%FF", FileState.PLANNED)


@pytest.mark.parametrize("letter", ["x", "é"])
def test_a_key_may_fill_what_s3_allows_to_the_last_byte(tmp_path: Path, letter: str) -> None:
    directory = tmp_path.joinpath(*["d" * 199] * 5)
    directory.mkdir(parents=True)
    room = 1024 - len("p/") - 5 * 200
    fits = "x" * (room - len(letter.encode())) + letter
    for name in (fits, "x" + fits):
        (directory / name).touch()
    planned = {entry.path.rpartition(b"/")[2].decode(): entry for entry in _scan(tmp_path)}
    assert len((planned[fits].key or "").encode()) == 1024
    assert (planned["x" + fits].key, planned["x" + fits].reason) == (None, "key_too_long")


def test_a_directory_that_cannot_be_listed_is_one_failure_and_the_rest_is_planned(tmp_path: Path) -> None:
    for name in ("locked/secret", "locked.txt", "open/file"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "locked").chmod(0)
    script = """
        import json, os, sys
        from s3tui.transfer.choice import Choice
        from s3tui.transfer.plan import scan
        source, rules, after = map(json.loads, sys.argv[1:])
        entries = scan([os.fsencode(source)], prefix="", choice=Choice(rules=rules), created_at=0,
                       after=after and (0, after.encode()))
        print(json.dumps([[entry.path.decode(), entry.reason, entry.error] for entry in entries]))
    """
    before, locked, behind = run_unprivileged(script, str(tmp_path), [], None)
    assert (before[0], locked[:2], behind[0]) == ("locked.txt", ["locked/", "permission_denied"], "open/file")
    assert "contents are unknown" in locked[2]
    assert run_unprivileged(script, str(tmp_path), [], "locked.txt") == [locked, behind]
    assert run_unprivileged(script, str(tmp_path), [], "locked/") == [behind]
    assert run_unprivileged(script, str(tmp_path), [["exclude", "locked/*"]], None)[1][:2] == ["locked/", "excluded"]
    including = [["exclude", "*"], ["include", "*.txt"]]  # there might be text files in it
    assert run_unprivileged(script, str(tmp_path), including, None)[1][:2] == ["locked/", "permission_denied"]


def test_a_file_that_vanishes_after_it_was_listed_fails(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).touch()
    entries = scan([bytes(tmp_path)], prefix="", choice=Choice(), created_at=0)
    assert next(entries).path == b"a"
    (tmp_path / "b").unlink()
    assert [(entry.path, entry.reason) for entry in entries] == [(b"b", "source_vanished"), (b"c", None)]


def test_a_source_that_vanished_is_one_failed_row_and_is_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    planned = _scan(tmp_path / "gone", tmp_path)
    assert [(entry.source_no, entry.path, entry.reason) for entry in planned] == [(0, b".", "source_vanished"), (1, b"file", None)]
    assert _scan(tmp_path / "gone", tmp_path, after=(0, b".")) == planned[1:]


def test_a_tree_deeper_than_pythons_stack_is_walked(tmp_path: Path) -> None:
    depth = 1500
    source = bytes(tmp_path)
    path = source + b"/d" * depth
    assert len(path) < os.pathconf("/", "PC_PATH_MAX")
    for level in range(1, depth + 1):
        Path(os.fsdecode(source + b"/d" * level)).mkdir()
    open(path + b"/file", "wb").close()
    assert [(entry.path, entry.reason) for entry in _scan(source)] == [(b"d/" * depth + b"file", "key_too_long")]
    Path(os.fsdecode(path + b"/file")).unlink()
    for level in range(depth, 0, -1):  # pytest would not get it away
        Path(os.fsdecode(source + b"/d" * level)).rmdir()


def test_a_huge_directory_is_planned_in_little_memory_and_with_no_open_descriptor(tmp_path: Path) -> None:
    count = 8_000
    for number in range(count):
        os.mknod(tmp_path / f"file-{number:06}")
    real, listing.WINDOW = listing.WINDOW, 500
    entries = scan([bytes(tmp_path)], prefix="", choice=Choice(), created_at=0)
    try:
        first = next(entries)
        tracemalloc.start()
        names = [entry.path[-6:] for entry in entries if entry.path.endswith(b"00")]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        listing.WINDOW = real
    assert first.path == b"file-000000"
    assert len(names) == count // 100 - 1
    assert peak < 300_000  # all names at once would take 500 kB, their rows 4 MB
    assert not any(str(tmp_path) in _target(link) for link in Path("/proc/self/fd").iterdir())


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


def test_sources_that_cannot_be_read_are_told_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "fifo")
    check_sources([bytes(tmp_path), bytes(tmp_path / "file"), bytes(tmp_path / "fifo")])
    with pytest.raises(SpecError, match=r"go\\x1b\\xffne cannot be read: no such file or directory\. "):
        check_sources([bytes(tmp_path), bytes(tmp_path) + b"/go\x1b\xffne"])


def _planned(size: int, state: FileState = FileState.PLANNED) -> Planned:
    return Planned(0, b"x", "x", Fingerprint(size, 0, 0), state)


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=60))
def test_shards_keep_every_entry_in_order_within_both_limits(entries: list[tuple[int, bool]]) -> None:
    planned = [_planned(size, FileState.PLANNED if sent else FileState.SKIPPED) for size, sent in entries]
    cut = list(shards(planned, max_files=7, max_bytes=100))
    assert [entry for shard in cut for entry in shard] == planned
    for shard in cut:
        assert 1 <= len(shard) <= 7
        assert sum(entry.fingerprint.size for entry in shard if entry.state is FileState.PLANNED) <= 100


def test_a_file_larger_than_a_shard_goes_alone() -> None:
    cut = list(shards([_planned(1), _planned(500), _planned(2), _planned(3)], max_bytes=100))
    assert [[entry.fingerprint.size for entry in shard] for shard in cut] == [[1], [500], [2, 3]]


def test_the_first_shard_is_shorter_so_that_carrying_begins_early() -> None:
    assert [len(shard) for shard in shards([_planned(1)] * 25, max_files=10, first_files=3)] == [3, 10, 10, 2]


def test_a_look_at_one_path_finds_what_a_scan_finds_there(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").touch()
    (tmp_path / "real" / "below").mkdir()
    (tmp_path / "real" / "below" / "deep").touch()
    (tmp_path / "twin").symlink_to("real")
    (tmp_path / "real" / "up").symlink_to("..")
    (tmp_path / "dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "fifo")
    for follow in (False, True):
        scanned = _scan(tmp_path, follow_symlinks=follow)
        for entry in scanned:
            assert _look(tmp_path, entry.path, follow_symlinks=follow) == [entry]
        for directory in (b"real", b"real/below", b"real/"):
            below = directory.rstrip(b"/") + b"/"
            expected = [entry for entry in scanned if entry.path.startswith(below)]
            assert _look(tmp_path, directory, follow_symlinks=follow) == expected
    assert _paths(_look(tmp_path, b"twin", follow_symlinks=True)) == [b"twin/below/deep", b"twin/file", b"twin/up"]


def test_a_look_comes_into_no_directory_that_a_scan_leaves_out(tmp_path: Path) -> None:
    (tmp_path / "a" / ".hidden" / "below").mkdir(parents=True)
    (tmp_path / "a" / ".hidden" / "below" / "file").touch()
    pruned = _scan(tmp_path, hidden=False)
    assert [(entry.path, entry.reason) for entry in pruned] == [(b"a/.hidden/", "excluded")]
    for path in (b"a", b"a/.hidden", b"a/.hidden/"):
        assert _look(tmp_path, path, hidden=False) == pruned
    for path in (b"a/.hidden/below", b"a/.hidden/below/file"):
        assert _look(tmp_path, path, hidden=False) == []


def test_a_look_finds_nothing_where_a_scan_does_not_come(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").touch()
    (tmp_path / "twin").symlink_to("real")
    for path in (b"twin/file", b"nothing", b"real/nothing", b"real/file/below", b"."):
        assert _look(tmp_path, path) == []
    assert _look(tmp_path / "real" / "file", b"beside") == []
    assert _look(tmp_path / "real" / "file", b"file") == _scan(tmp_path / "real" / "file")
    assert [(entry.path, entry.reason) for entry in _look(tmp_path / "nothing", b".")] == [(b".", "source_vanished")]
    assert _look(tmp_path / "nothing", b"file") == []

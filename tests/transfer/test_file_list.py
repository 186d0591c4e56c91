"""Lists of files: kept sorted and small, whatever the user gives."""

from __future__ import annotations

import io
import os
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3tui.errors import SpecError
from s3tui.transfer import file_list
from s3tui.transfer.file_list import FileList, is_outside, keep_list

SOURCE = b"/data/in"


@pytest.fixture
def short_runs() -> Iterator[None]:
    """Runs of three paths, so that there is something to merge."""
    real, file_list._RUN = file_list._RUN, 3
    yield
    file_list._RUN = real


def _names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


def _kept(content: bytes, directory: Path, separator: bytes = b"\n") -> list[bytes]:
    return list(FileList(directory, keep_list(io.BytesIO(content), separator, SOURCE, directory)).after(b""))


@pytest.mark.usefixtures("short_runs")
@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([b"a", b"a/b", b"a.b", b"\xff", b"new\nline", b"b", b"caf\xc3\xa9", b"z" * 5000])))
def test_a_list_is_kept_sorted_without_doubles_and_read_from_any_path_on(paths: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        kept = keep_list(io.BytesIO(b"\0".join(paths)), b"\0", SOURCE, directory)
        files = FileList(directory, kept)
        wanted = sorted(set(paths))
        assert list(files.after(b"")) == wanted
        for position, path in enumerate(wanted):
            assert list(files.after(path)) == wanted[position + 1 :]
        again = keep_list(io.BytesIO(b"\0".join(reversed(paths + paths)) + b"\0"), b"\0", SOURCE, directory)
        assert (again, _names(directory)) == (kept, [kept])


@pytest.mark.parametrize(
    ("entry", "path"),
    [
        (b"a/b", b"a/b"),
        (b"./a//b/", b"a/b"),
        (b"/data/in/a", b"a"),
        (b"/data//./in/a/", b"a"),
        (b" a ", b" a "),
        (b"a\r", b"a\r"),
        (b"#a", b"#a"),
        (b".", b"."),
        (b"/data/in", b"."),
        (b"..a/b..", b"..a/b.."),
    ],
)
def test_a_path_is_kept_relative_to_the_source_in_its_shortest_form(entry: bytes, path: bytes, tmp_path: Path) -> None:
    assert _kept(entry + b"\n\n", tmp_path) == [path]
    assert not is_outside(path)


@pytest.mark.parametrize("entry", [b"..", b"../a", b"a/../b", b"/data", b"/data/input", b"/data/in/../in/a", b"/", b"/etc/passwd"])
def test_a_path_that_is_not_below_the_source_stays_as_it_is(entry: bytes, tmp_path: Path) -> None:
    assert _kept(entry, tmp_path) == [entry]
    assert is_outside(entry)


def test_below_the_root_every_absolute_path_is_relative(tmp_path: Path) -> None:
    name = keep_list(io.BytesIO(b"/etc/passwd\n/\n"), b"\n", b"/", tmp_path)
    assert list(FileList(tmp_path, name).after(b"")) == [b".", b"etc/passwd"]


@pytest.mark.parametrize(
    ("content", "separator", "sentence"),
    [
        (b"a\0b\0", b"\n", "holds NUL characters. Give --null"),
        (b"a\n" * 50_000, b"\0", "entry of more than 32768 bytes, .* leave it out if they end in newlines"),
    ],
)
def test_the_wrong_separator_is_told(content: bytes, separator: bytes, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=sentence):
        _kept(content, tmp_path, separator)
    assert _names(tmp_path) == [], "nothing is left of it"


def test_a_list_that_is_gone_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"cannot be read on this machine: .*/0123 is gone\. Give the command again"):
        FileList(tmp_path, "0123")


def test_a_list_is_forgotten_unless_it_was_given_again_meanwhile(tmp_path: Path) -> None:
    name = keep_list(io.BytesIO(b"a\n"), b"\n", SOURCE, tmp_path)
    earlier = FileList(tmp_path, name)
    assert keep_list(io.BytesIO(b"a\n"), b"\n", SOURCE, tmp_path) == name
    earlier.forget()
    later = FileList(tmp_path, name)
    later.forget()
    later.forget()
    assert _names(tmp_path) == []


def test_lists_that_nobody_came_back_for_go_when_another_is_kept(tmp_path: Path) -> None:
    stale = tmp_path / keep_list(io.BytesIO(b"a\n"), b"\n", SOURCE, tmp_path)
    long_ago = time.time() - 8 * 86_400
    os.utime(stale, (long_ago, long_ago))
    fresh = keep_list(io.BytesIO(b"b\n"), b"\n", SOURCE, tmp_path)
    name = keep_list(io.BytesIO(b"c\n"), b"\n", SOURCE, tmp_path)
    assert sorted(_names(tmp_path)) == sorted([fresh, name])


def test_a_list_of_many_paths_is_kept_in_little_memory_and_nobody_else_can_read_it(tmp_path: Path) -> None:
    content = tmp_path / "content"
    with content.open("wb") as stream:
        stream.writelines(b"directory/%d/file-%08d.txt\n" % (number % 10, number) for number in range(100_000))
    directory = tmp_path / "lists"
    real, file_list._RUN = file_list._RUN, 2000
    tracemalloc.start()
    try:
        with content.open("rb") as stream:
            name = keep_list(stream, b"\n", SOURCE, directory)
        count = sum(1 for _ in FileList(directory, name).after(b""))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        file_list._RUN = real
    assert count == 100_000
    assert peak < 3_000_000  # a block of each of 50 runs; all paths at once would take 8 MB
    assert directory.stat().st_mode & 0o077 == 0

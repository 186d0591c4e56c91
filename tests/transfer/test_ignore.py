"""Ignore files: git itself is the oracle."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3tui.errors import SpecError
from s3tui.transfer.ignore import Ignored, read_ignore_file

NAMES = [b"a", b"b", b"ab", b"a.b", b" a", b"a ", b"[a]", b"\\b", b"-", b"\xff", "é".encode(), b"a\nb", b"#a", b"!a", b"z]", b".a"]
DIRECTORIES = [b"a", b"b", b"a.b", b"\xff"]

ATOMS = [
    *("a", "b", "ab", ".", "-", " ", "é", "#", "!", "]", "*", "**", "***", "?", "[ab]", "[!a]", "[^b]", "[]a]", "[a-c]", "[z-a]"),
    *("[--z]", "[a-c-e]", "[[:alpha:]]", "[^[:space:]-z]", "[[:nothing:]]", "[a-[:alpha:]]", "[[:a]", "[\\]a]", "[\\a-z]"),
    *("\\a", "\\ ", "\\*", "\\[", "\\\\", "\\", "[", "[a", "[a-", "/", "/**/", "**/", "/**", "\t"),
]
PATTERNS = st.builds(
    lambda begin, atoms, end: begin + "".join(atoms) + end,
    st.sampled_from(["", "", "", "!", "/", "!/"]),
    st.lists(st.sampled_from(ATOMS), min_size=1, max_size=5),
    st.sampled_from(["", "", "", "/", " ", "  ", "\\ "]),
)


def _entries(directory: bytes = b"", depth: int = 0) -> Iterator[bytes]:
    """A tree that holds every name at several depths, top down; directories end in a slash."""
    for name in NAMES:
        if name in DIRECTORIES and depth < 3:
            yield directory + name + b"/"
            yield from _entries(directory + name + b"/", depth + 1)
        else:
            yield directory + name


ENTRIES = list(_entries())


@pytest.fixture(scope="module")
def repository() -> Iterator[bytes]:
    """All entries below a directory that git looks after."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(["git", "init", "--quiet", "--template=", directory], check=True)
        root = os.fsencode(directory)
        for entry in ENTRIES:
            path = Path(os.fsdecode(root + b"/" + entry))
            path.mkdir() if entry.endswith(b"/") else path.touch()
        yield root


def _ignored_by_git(repository: bytes, lines: list[str]) -> set[bytes]:
    with tempfile.NamedTemporaryFile() as file:
        file.write("".join(line + "\n" for line in lines).encode())
        file.flush()
        command = ["git", "-C", os.fsdecode(repository), "-c", f"core.excludesFile={file.name}"]
        asked = b"".join(b"./" + entry.rstrip(b"/") + b"\0" for entry in ENTRIES)
        done = subprocess.run(
            [*command, "check-ignore", "--no-index", "--stdin", "-z"], input=asked, capture_output=True, check=False
        )
    assert done.returncode in (0, 1), done.stderr
    return {path.removeprefix(b"./") for path in done.stdout.split(b"\0") if path}


def _ignored(lines: list[str]) -> set[bytes]:
    """The verdict on a walk: what lies below an ignored directory is not asked about."""
    ignored = Ignored(lines)
    left_out: set[bytes] = set()
    within = b"\0"
    for entry in ENTRIES:
        if entry.startswith(within) or ignored.ignores(entry):
            left_out.add(entry.rstrip(b"/"))
            within = entry if entry.endswith(b"/") and not entry.startswith(within) else within
    return left_out


@settings(max_examples=150, deadline=None)
@given(lines=st.lists(PATTERNS, min_size=1, max_size=5))
def test_every_entry_is_ignored_exactly_when_git_ignores_it(repository: bytes, lines: list[str]) -> None:
    assert _ignored(lines) == _ignored_by_git(repository, lines)


@pytest.mark.parametrize(
    ("lines", "entry", "ignored"),
    [
        ([], b"a", False),
        (["", "# comment", "   "], b"a", False),
        (["*.log"], b"a/b.log", True),
        (["*.log", "!keep.log"], b"a/keep.log", False),
        (["!keep.log", "*.log"], b"a/keep.log", True),
        (["/a"], b"b/a", False),
        (["build/"], b"build", False),
        (["build/"], b"x/build/", True),
        (["doc/*.txt"], b"doc/a/b.txt", False),
        (["doc/**/b.txt"], b"doc/b.txt", True),
        (["**/tmp"], b"a/b/tmp", True),
        (["cache/**"], b"cache/", False),
        (["cache/**"], b"cache/a", True),
        (["caf?"], b"caf\xe9", True),
        (["*.txt"], b"new\nline.txt", True),
        (["a"], b"a\n", False),
        (["\udce9"], b"\xe9", True),
        (["(a|b)+"], b"a", False),
        (["[a"], b"[a", False),
        (["a\\"], b"a\\", False),
        (["/"], b"a", False),
        (["!"], b"a", False),
    ],
)
def test_the_last_pattern_that_matches_decides(lines: list[str], entry: bytes, ignored: bool) -> None:
    assert Ignored(lines).ignores(entry) is ignored


def test_many_stars_take_no_longer_than_one() -> None:
    assert not Ignored(["*a" * 30 + "*b"]).ignores(b"a" * 250)
    assert Ignored(["*a" * 30 + "*b"]).ignores(b"a" * 250 + b"b")


@pytest.mark.parametrize("between", ["ab/", "?b/", "", "**/", "*b/*/", "**\\/ab/"])
def test_many_passages_over_directories_take_no_longer_than_one(between: str) -> None:
    pattern = f"**/{between}" * 15
    deep = b"/".join([b"ab"] * 300)
    assert not Ignored([f"{pattern}x"]).ignores(deep)
    assert Ignored([f"{pattern}x"]).ignores(deep + b"/x")


def test_lines_that_say_nothing_are_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "ignore"
    path.write_bytes(b"\xef\xbb\xbf*.log\r\n\n# comment\n!caf\xc3\xa9\n\\#odd \nlast")
    assert read_ignore_file(str(path)) == ("*.log", "!café", "\\#odd ", "last")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, r"The ignore file .*/ig\\nnore cannot be read: no such file or directory\. Check the path"),
        (b"*.log\n\xff\n", "cannot be used: byte 6 is not UTF-8. Save it"),
        (b"x\n" * 600_000, "larger than 1 MiB"),
    ],
)
def test_an_ignore_file_that_cannot_be_used_is_told_in_one_sentence(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    path = tmp_path / "ig\nnore"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SpecError, match=sentence):
        read_ignore_file(str(path))

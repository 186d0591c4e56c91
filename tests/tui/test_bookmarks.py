"""The file of bookmarks: private, written whole, and left alone when it is broken."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from s3tui.errors import ConfigError
from s3tui.tui.bookmarks import BookmarkFile, Bookmarks


@pytest.fixture
def file(tmp_path: Path) -> BookmarkFile:
    """A file that is not there yet, in a directory that is not there either."""
    return BookmarkFile(tmp_path / "s3tui" / "bookmarks.json")


def test_bookmarks_are_added_and_removed_and_the_file_is_the_owners_only(file: BookmarkFile) -> None:
    assert file.read() == Bookmarks()
    file.toggle("/srv/a")
    file.toggle("s3://harbour/x/")
    file.toggle("/srv/b")
    assert file.read() == Bookmarks(("/srv/a", "/srv/b"), ("s3://harbour/x/",))
    assert file.toggle("/srv/a") == file.read() == Bookmarks(("/srv/b",), ("s3://harbour/x/",))
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert [path.name for path in file.path.parent.iterdir()] == ["bookmarks.json"]


def test_names_that_are_no_utf_8_survive(file: BookmarkFile) -> None:
    hostile = "/srv/\udcff\x1b[2J\n李"
    file.toggle(hostile)
    assert os.fsencode(file.read().sources[0]) == os.fsencode(hostile)
    assert file.path.read_bytes().isascii()


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"sources": "x"}', '{"sources": [1]}', '{"targets": ["\\ud800"]}', '{"sources": ["a\\u0000b"]}', "\x00\x01"],
)
def test_a_broken_file_is_a_sentence_and_stays_as_it_is(file: BookmarkFile, content: str) -> None:
    file.path.parent.mkdir()
    file.path.write_text(content)
    for act in (file.read, lambda: file.toggle("/srv/a")):
        with pytest.raises(ConfigError, match=r"bookmarks\.json cannot be used: it is not the JSON"):
            act()
    assert file.path.read_text() == content


def test_bytes_that_are_no_text_are_a_sentence(file: BookmarkFile) -> None:
    file.path.parent.mkdir()
    file.path.write_bytes(b"\xff\xfe{")
    with pytest.raises(ConfigError, match="cannot be used"):
        file.read()


def test_a_directory_in_its_place_is_a_sentence(file: BookmarkFile) -> None:
    file.path.mkdir(parents=True)
    with pytest.raises(ConfigError, match="cannot be used: is a directory"):
        file.read()


def test_what_a_later_version_may_have_added_does_not_hurt(file: BookmarkFile) -> None:
    file.path.parent.mkdir()
    file.path.write_text(json.dumps({"sources": ["/srv/a"], "colours": 3}))
    assert file.read() == Bookmarks(("/srv/a",))


def test_there_is_an_end_to_them(file: BookmarkFile) -> None:
    full = Bookmarks(tuple(f"/srv/{number}" for number in range(500)))
    with pytest.raises(ConfigError, match="500 bookmarks already"):
        full.toggled("/srv/one-more")
    assert len(full.toggled("/srv/7").sources) == 499

"""Include and exclude rules."""

from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3tui.errors import SpecError
from s3tui.transfer.filters import Rules


@pytest.mark.parametrize(
    ("rules", "path", "excluded"),
    [
        ([], b"a", False),
        ([("exclude", "*")], b"a/b", True),
        ([("exclude", "*"), ("include", "*.txt")], b"a/b.txt", False),
        ([("include", "*.txt"), ("exclude", "*")], b"a/b.txt", True),
        ([("exclude", "*.tmp")], b"a/b/c.tmp", True),
        ([("exclude", "a*c")], b"a/b/c", True),
        ([("exclude", "a/*")], b"a/b/c", True),
        ([("exclude", "a/*")], b"b/a/c", False),
        ([("exclude", "c?")], b"a/b/cd", True),
        ([("exclude", "b")], b"a/b/c", False),
        ([("exclude", "[ab].txt")], b"x/b.txt", True),
        ([("exclude", "[!ab].txt")], b"x/b.txt", False),
        ([("exclude", "*.TXT")], b"a.txt", False),
        ([("exclude", "*\udcff*")], b"a/x\xffy", True),
        ([("exclude", "new\nline")], b"new\nline", True),
        ([("exclude", "*.log")], b"new\nline.log", True),
        ([("exclude", "(a|b)+")], b"a", False),
    ],
)
def test_the_last_rule_that_matches_decides(rules: list[tuple[str, str]], path: bytes, excluded: bool) -> None:
    assert Rules(rules).excludes(path) is excluded


def _naive(rules: list[tuple[str, str]], path: str) -> bool:
    excluded = False
    for action, glob in rules:
        if fnmatch.fnmatchcase(path, glob) or ("/" not in glob and fnmatch.fnmatchcase(path.rpartition("/")[2], glob)):
            excluded = action == "exclude"
    return excluded


@given(
    st.lists(st.tuples(st.sampled_from(["include", "exclude"]), st.text("ab*?/[]!.", max_size=6)), max_size=8),
    st.text("ab/.]", min_size=1, max_size=8),
)
def test_compiled_rules_decide_as_rules_tried_one_by_one(rules: list[tuple[str, str]], path: str) -> None:
    assert Rules(rules).excludes(path.encode()) is _naive(rules, path)


def test_a_rule_that_is_neither_is_refused() -> None:
    with pytest.raises(SpecError, match="use include or exclude"):
        Rules([("omit", "*")])
